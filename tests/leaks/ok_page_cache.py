"""No leak: the data set is read through a mapping; what is resident are pages of its file."""

import mmap
import os
import tempfile

from job import Job, touched

job = Job(__doc__).begin()
size = int(220 * job.rate) << 20
with tempfile.NamedTemporaryFile(dir=os.environ.get("VIGIL_TMP", "/var/tmp")) as f:
    for _ in range(size >> 20):
        f.write(touched(1 << 20))
    f.flush()
    data = mmap.mmap(f.fileno(), size, prot=mmap.PROT_READ)
    at = 0
    for step in job.ticks(20):
        until = int(size * min(job.now_s() / job.o.duration, 1))
        while at < until:
            data[at]
            at += 4096
