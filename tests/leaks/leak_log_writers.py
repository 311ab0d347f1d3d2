"""R13: each run in one process makes a TensorBoard writer, with its file and its thread, and never closes it."""

import os
import resource
import tempfile
import threading

from job import Job, touched

job = Job(__doc__).begin()
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
with tempfile.TemporaryDirectory() as folder:

    class Writer:
        def __init__(self, n):
            self.file = open(os.path.join(folder, "events.out.tfevents.%d" % n), "wb")
            self.queue = touched(1 << 20)
            self.wake = threading.Event()
            threading.Thread(target=self.wake.wait, daemon=True).start()

    writers = []
    for n in job.ticks(110 / job.rate):
        writers.append(Writer(n))
os._exit(0)
