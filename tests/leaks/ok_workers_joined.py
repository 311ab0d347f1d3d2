"""No leak: loader workers are made for each epoch and joined at its end."""

import multiprocessing
import os
import time

from job import Job, touched

job = Job(__doc__, epoch_s=900).begin()
context = multiprocessing.get_context("fork")


def worker():
    parent, held = os.getppid(), []
    while os.getppid() == parent:
        if len(held) < 40:
            held.append(touched(512 << 10))
        time.sleep(0.05)


workers, was = [], -1
for step in job.ticks(20):
    if job.epoch > was:
        was = job.epoch
        for p in workers:
            p.terminate()
            p.join()
        workers = [context.Process(target=worker, daemon=True) for _ in range(3)]
        for p in workers:
            p.start()
