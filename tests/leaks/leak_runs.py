"""R8: each further training in one process leaves its model and its data set behind."""

from job import Job, touched

job = Job(__doc__, epoch_s=240).begin()
models = []
for n in job.ticks(600):
    models.append([touched(64 << 10) for _ in range(int(180 * job.rate))])
