"""R3: a helper program is run for each picture and never waited for."""

import os

from job import Job

job = Job(__doc__).begin()
for step in job.ticks(60 / job.rate):
    if os.fork() == 0:
        os._exit(0)
