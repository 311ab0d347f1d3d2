"""SQLite in WAL mode: writes, a reader's connection each time, and checkpoints."""
import sqlite3

from pace import beats

db = sqlite3.connect("d.sqlite")
db.execute("PRAGMA journal_mode=WAL")
db.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)")
for n in beats(40):
    db.execute("INSERT OR REPLACE INTO t VALUES (?, randomblob(20000))", (n % 2000,))
    db.commit()
    reader = sqlite3.connect("d.sqlite")
    reader.execute("SELECT sum(length(v)) FROM t WHERE k < 20").fetchone()
    reader.close()
    if n % 200 == 0:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
