"""No leak: each epoch ends with an evaluation that holds all of its predictions for a while."""

from job import Job, touched

job = Job(__doc__).begin()
base = touched(40 << 20)
predictions = []
for step in job.ticks(20):
    if job.now_s() % job.epoch_s > 0.75 * job.epoch_s:
        predictions.append(touched(10 * (1 << 20) * job.rate * job.random.uniform(0.7, 1.3)))
    else:
        predictions = []
