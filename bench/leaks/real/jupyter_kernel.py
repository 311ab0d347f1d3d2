"""Beside a kernel: runs a cell twice a second whose last line is its value. jupyter_kernel.py FILE kept|dropped|reset"""
import os
import sys
import time

from jupyter_client import BlockingKernelClient
from pace import beats

while not os.path.exists(sys.argv[1]) or not os.path.getsize(sys.argv[1]):
    time.sleep(0.2)
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=60)
cells = {"kept": "import os; os.urandom(400000)", "dropped": "import os; x = os.urandom(400000); len(x)",
         "reset": "import os; memoryview(os.urandom(400000))"}
cell = cells[sys.argv[2]]
for n in beats(10):
    client.execute("%reset -f out" if sys.argv[2] == "reset" and n % 50 == 0 else cell, silent=False, store_history=True)
client.shutdown()
