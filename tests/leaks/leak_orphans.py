"""R17: a launcher ends at every restart, and its worker goes on without it."""

import os
import time

from job import Job, touched

job = Job(__doc__).begin()
me = os.getpid()
for n in job.ticks(300 / job.rate):
    if os.fork() == 0:
        if os.fork() == 0:
            held = touched(2 << 20)
            while os.path.exists("/proc/%d" % me):
                time.sleep(0.5)
        os._exit(0)
    os.wait()
