"""multiprocessing.shared_memory: a ring of ten segments, the oldest unlinked."""
from collections import deque
from multiprocessing import shared_memory
from pace import beats

ring = deque()
for n in beats(5):
    s = shared_memory.SharedMemory(create=True, size=480000)
    s.buf[:] = b"1" * len(s.buf)
    ring.append(s)
    if len(ring) > 10:
        old = ring.popleft()
        old.close()
        old.unlink()
