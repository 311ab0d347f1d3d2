"""R1: forked loader workers read a long Python list; each read writes a reference count."""

import gc
import multiprocessing
import os
import time

from job import Job

job = Job(__doc__).begin()
context = multiprocessing.get_context("fork")
# Objects of their own: small integers and interned strings would be shared.
paths = ["/data/images/train/%012d.jpg" % i for i in range(1600000)]
gc.freeze()


def worker(k):
    parent = os.getppid()
    a = 0
    # All of the list is read once over the job's time, at an even pace.
    while os.getppid() == parent and not job.is_over():
        b = min(int(len(paths) * job.now_s() / job.o.duration * job.rate), len(paths))
        for i in range(a, b):
            picture = paths[i]
        a = max(a, b)
        time.sleep(0.1)


workers = [context.Process(target=worker, args=(k,), daemon=True) for k in range(3)]
for p in workers:
    p.start()
for step in job.ticks(20):
    pass
