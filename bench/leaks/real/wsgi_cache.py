"""A WSGI service: functools.lru_cache(maxsize=None) around what a request's path makes. CACHE=200 bounds it."""
import functools
import os


@functools.lru_cache(maxsize=int(os.environ.get("CACHE", "0")) or None)
def page(path):
    return os.urandom(40000)


def app(environ, start_response):
    body = page(environ["PATH_INFO"])[:100]
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
