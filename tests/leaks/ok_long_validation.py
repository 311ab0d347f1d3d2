"""No hang: for half of its time no epoch ends, but it works."""

from job import Job

job = Job(__doc__, epoch_s=120).begin()
epoch_s = job.epoch_s
for step in job.ticks(10):
    sum(i * i for i in range(20000))
    job.epoch_s = epoch_s if job.now_s() < job.o.duration / 3 else job.o.duration
