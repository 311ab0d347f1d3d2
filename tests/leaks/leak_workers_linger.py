"""R3: a loader is made for each epoch; its persistent workers are never told to end."""

import multiprocessing
import os
import time

from job import Job, touched

job = Job(__doc__)
job.parser.add_argument("--worker-mb", type=float, default=3)
job.begin()
context = multiprocessing.get_context("fork")


def worker():
    batches = touched(job.o.worker_mb * (1 << 20))
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    del batches


loaders = []
was = -1
for step in job.ticks(20):
    if job.epoch > was:
        was = job.epoch
        loaders.append([context.Process(target=worker, daemon=True) for _ in range(max(1, int(2 * job.rate)))])
        for p in loaders[-1]:
            p.start()
