"""Beside memcached: sets ever new keys."""
import os
import socket
import time

from pace import beats

while True:
    try:
        s = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
        break
    except OSError:
        time.sleep(0.2)
for n in beats(100):
    value = os.urandom(40000)
    s.sendall(b"set key%d 0 0 %d\r\n%s\r\n" % (n, len(value), value))
    s.recv(100)
