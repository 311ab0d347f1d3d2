"""No leak: garbage in cycles lies about until the collector comes, which is seldom and irregular."""

import gc

from job import Job, touched

gc.disable()
job = Job(__doc__).begin()


class Node:
    pass


next_s = 1500
for step in job.ticks(20):
    a = Node()
    a.me, a.data = a, touched(1.2 * (1 << 20) * job.rate)
    if job.now_s() >= next_s:
        gc.collect()
        next_s = job.now_s() + job.random.uniform(900, 2100)
