"""No leak: modules, kernels and pools are loaded when first used, ever fewer of them."""

import math

from job import Job, touched

job = Job(__doc__).begin()
loaded, held_mb = [], 0
for step in job.ticks(20):
    wanted_mb = 90 * job.rate * (1 - math.exp(-job.now_s() / 2400))
    while held_mb + 1 <= wanted_mb:
        loaded.append(touched(1 << 20))
        held_mb += 1
