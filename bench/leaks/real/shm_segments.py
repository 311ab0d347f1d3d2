"""multiprocessing.shared_memory: a segment for each picture, closed and never unlinked."""
from multiprocessing import shared_memory, resource_tracker
from pace import beats

for n in beats(5):
    s = shared_memory.SharedMemory(create=True, size=480000)
    s.buf[:] = b"1" * len(s.buf)
    resource_tracker.unregister(s._name, "shared_memory")
    s.close()
