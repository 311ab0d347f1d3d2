"""R9: a tracker keeps removed tracks for ever and looks through all of them at each frame."""

from job import Job

job = Job(__doc__).begin()
removed = []
for n in job.ticks(8):
    for i in range(int(12 * job.rate)):
        removed.append({"id": n * 100 + i, "history": bytearray(b"x" * 16384)})
    best = min((abs(t["id"] - n) for t in removed for _ in range(4)), default=0)
