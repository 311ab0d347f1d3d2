"""No leak: cameras are switched on and, some, off again; each takes its memory while it is on."""

from job import Job, touched

job = Job(__doc__).begin()
cameras = []
changes = [(0.1, 2), (0.3, 5), (0.45, 4), (0.6, 7), (0.8, 6)]
for step in job.ticks(20):
    wanted = ([1] + [n for at, n in changes if job.now_s() >= at * job.o.duration])[-1]
    while len(cameras) < wanted:
        cameras.append(touched(14 * (1 << 20) * job.rate))
    del cameras[wanted:]
