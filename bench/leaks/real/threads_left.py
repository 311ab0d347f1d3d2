"""A thread for each message waits for a confirmation for ever."""
import os
import threading
from pace import beats

never = threading.Event()
for n in beats(4):
    threading.Thread(target=never.wait, name="confirm-%d" % n, daemon=True).start()
os._exit(0)
