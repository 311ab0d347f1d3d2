"""A WSGI service: each request opens a connection to SQLite and keeps it with its session. CLOSE=1 closes it."""
import os
import sqlite3

sessions = {}


def app(environ, start_response):
    connection = sqlite3.connect("a.db")
    connection.execute("CREATE TABLE IF NOT EXISTS t (n)")
    if os.environ.get("CLOSE"):
        connection.close()
    else:
        sessions[environ["PATH_INFO"]] = connection
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
