"""A connection to SQLite for each query, kept by its thread's dict and never closed."""
import resource
import sqlite3
from pace import beats

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
sqlite3.connect("a.db").execute("CREATE TABLE t (n)").connection.close()
connections = {}
for n in beats(4.8):
    connections[n] = sqlite3.connect("a.db")
    connections[n].execute("SELECT count(*) FROM t").fetchall()
