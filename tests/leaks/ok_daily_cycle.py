"""No leak: a service holds more by day than by night. Three days fit into its time."""

import math

from job import Job, touched

job = Job(__doc__, duration_s=72 * 3600, speedup=1800).begin()
sessions = []
for step in job.ticks(300):
    load = 0.5 - 0.5 * math.cos(2 * math.pi * job.now_s() / 86400)
    wanted = int(70 * job.rate * load * job.random.uniform(0.95, 1.05))
    while len(sessions) < wanted:
        sessions.append(touched(1 << 20))
    del sessions[wanted:]
