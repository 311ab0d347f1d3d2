"""Beside Redis: writes keys. load_redis.py PORT keep|expire: for ever, or a ring of 500."""
import os
import socket
import sys
import time

from pace import beats

while True:
    try:
        s = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
        break
    except OSError:
        time.sleep(0.2)
for n in beats(100):
    key = b"celery-task-meta-%d" % (n if sys.argv[1] == "keep" else n % 500)
    value = os.urandom(50000)
    s.sendall(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value))
    s.recv(100)
