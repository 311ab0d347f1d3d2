"""R8 under a saw-tooth: garbage is collected now and then, and each time a little less of it goes."""

from job import Job, touched

job = Job(__doc__).begin()
kept, garbage = [], []
for step in job.ticks(20):
    garbage.append(touched(1 << 20))
    if len(garbage) >= 30 + job.random.randrange(20):
        garbage = []
    kept.append(touched(160 * 1024 * job.rate))
