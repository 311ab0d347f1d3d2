"""R2: each loader worker keeps what it has augmented, in a dict without a bound."""

import multiprocessing
import os

from job import Job, touched

job = Job(__doc__).begin()
context = multiprocessing.get_context("fork")


def worker(k):
    cache = {}
    job.o.run = ""  # results are the parent's to write
    parent = os.getppid()
    for step in job.ticks(20):
        if os.getppid() != parent:
            break
        for i in range(int(10 * job.rate)):
            cache[step, i] = touched(16 << 10)


workers = [context.Process(target=worker, args=(k,), daemon=True) for k in range(2)]
for p in workers:
    p.start()
for step in job.ticks(20):
    pass
