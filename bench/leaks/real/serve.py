"""Beside a client: answers GETs and keeps connections open. serve.py PORT."""
import http.server
import os
import threading

from pace import SECONDS


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"x" * 4000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
server.daemon_threads = True
threading.Timer(SECONDS + 60, os._exit, (0,)).start()
server.serve_forever()
