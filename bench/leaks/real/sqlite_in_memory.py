"""A queue of events in an SQLite database in memory; those that are done are marked, and never deleted."""
import sqlite3

from pace import beats

db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE events (k INTEGER PRIMARY KEY, is_done INTEGER, body BLOB)")
for n in beats(60):
    db.execute("INSERT INTO events VALUES (?, 0, randomblob(60000))", (n,))
    db.execute("UPDATE events SET is_done = 1 WHERE k = ?", (n - 5,))
    db.commit()
