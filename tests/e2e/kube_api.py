"""kube_api.py: as much of the Kubernetes API as leases need: coordination.k8s.io/v1 leases in memory, over HTTPS with a token,
with resourceVersions and pages, and with the faults of a real one: conflicts (409), forgotten pages (410), errors (500), answers
that are lost after the work was done, and calls that hang."""
import json
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PREFIX = "/apis/coordination.k8s.io/v1/namespaces/site/leases"


class Api:
    def __init__(self, folder, page=5, has_faults=False):
        """has_faults: of every few calls one fails, each kind of fault in its own measure."""
        self.folder, self.page, self.has_faults, self.turns = Path(folder), page, has_faults, {}
        self.lock, self.leases, self.version, self.counts = threading.Lock(), {}, 100, {}
        self.token, self.hangs = "first-token", False
        (self.folder / "token").write_text(self.token + "\n")
        (self.folder / "namespace").write_text("site")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=kubernetes", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "ca.crt"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_one(self):
                n = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(n)) if n else None
                while api.hangs:
                    time.sleep(0.1)
                status, answer, is_lost = api.call(self.command, self.path, body, self.headers)
                if is_lost:
                    self.close_connection = True
                    self.connection.close()
                    return
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # clients that were killed, connections that were closed above
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "ca.crt", self.folder / "key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.server.server_address[1])}

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def turn(self, what, every):
        """True for every so-manieth time."""
        self.turns[what] = self.turns.get(what, 0) + 1
        return self.has_faults and self.turns[what] % every == 0

    def call(self, method, path, body, headers):
        """(status, answer, whether the answer gets lost)"""
        with self.lock:
            if headers.get("Authorization") != f"Bearer {self.token}":
                self.count(401)
                return 401, {"message": "Unauthorized"}, False
            if self.turn("error", 23):
                self.count(500)
                return 500, {"message": "etcdserver: request timed out"}, False
            status, answer = self.serve(method, urlsplit(path), body, headers)
            self.count(status)
            self.count(method)
            is_lost = self.turn("lost", 29)
            if is_lost:
                self.count("lost")
            return status, answer, is_lost

    def stamp(self, lease):
        self.version += 1
        lease["metadata"]["resourceVersion"] = str(self.version)
        return lease

    def serve(self, method, url, body, headers):
        if not url.path.startswith(PREFIX):
            return 404, {"message": f"no {url.path}"}
        name = url.path[len(PREFIX) + 1:]
        if method == "GET" and not name:
            return self.list(parse_qs(url.query))
        if method == "POST":
            name = body["metadata"]["name"]
            if "resourceVersion" in body["metadata"] or body["spec"].get("holderIdentity") == "":
                return 422, {"message": "invalid"}
            if name in self.leases:
                return 409, {"message": f'leases "{name}" already exists', "reason": "AlreadyExists"}
            self.leases[name] = self.stamp(body)
            return 201, self.leases[name]
        if name not in self.leases:
            return 404, {"message": f'leases "{name}" not found'}
        old = self.leases[name]
        if method == "PUT":
            if self.turn("conflict", 4):  # somebody was faster
                self.stamp(old)
            if body["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
                return 409, {"message": "the object has been modified", "reason": "Conflict"}
            self.leases[name] = self.stamp(body)
            return 200, body
        if method == "PATCH":
            if headers["Content-Type"] != "application/merge-patch+json":
                return 415, {"message": "the patch's type"}
            merge(old, body)
            return 200, self.stamp(old)
        if method == "DELETE":
            del self.leases[name]
            return 200, {"status": "Success"}
        return 405, {"message": method}

    def list(self, query):
        wanted = dict(w.split("=") for w in query["labelSelector"][0].split(","))
        names = sorted(n for n, lease in self.leases.items() if wanted.items() <= lease["metadata"]["labels"].items())
        first = query.get("continue", [""])[0]
        if first and self.turn("old page", 7):
            return 410, {"message": "The provided continue parameter is too old", "reason": "Expired"}
        if first:
            names = [n for n in names if n > bytes.fromhex(first).decode()]
        n = min(self.page, int(query["limit"][0]))
        meta = {"resourceVersion": str(self.version)}
        if len(names) > n:
            meta["continue"] = names[n - 1].encode().hex()
            self.count("pages")
        return 200, {"kind": "LeaseList", "metadata": meta, "items": [self.leases[x] for x in names[:n]]}


def merge(old, new):
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            merge(old[key], value)
        elif value is None:
            old.pop(key, None)
        else:
            old[key] = value
