"""R18: after a third of its time the job waits for a lock that nobody will release."""

import threading

from job import Job

job = Job(__doc__, epoch_s=120).begin()
lock = threading.Lock()
lock.acquire()
for step in job.ticks(10):
    sum(i * i for i in range(20000))
    if job.now_s() > job.o.duration / 3:
        lock.acquire(timeout=(job.o.duration - job.now_s()) / job.o.speedup)
        break
