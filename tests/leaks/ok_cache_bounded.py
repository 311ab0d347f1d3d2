"""No leak: a cache of the data set's pictures fills at an even pace, to its bound."""

import collections

from job import Job, touched

job = Job(__doc__).begin()
cache = collections.OrderedDict()
bound = int(480 * job.rate)
for step in job.ticks(20):
    for _ in range(4):
        cache[job.random.randrange(4000)] = touched(128 << 10)
        if len(cache) > bound:
            cache.popitem(last=False)
