"""leaks_long.py [CALLS [MODELS]]: 10,000 calls and 1,000 models, and what they leave. Exit status 1 when they leave something.

    PYTHONPATH=build/python python3 python/tests/leaks_long.py"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from conftest import RANDOM, picture, write_bmp  # noqa: E402
from test_leaks import calls, grown, opens_and_closes  # noqa: E402
from vigil import YOLO  # noqa: E402


def main(n_calls=10000, n_models=1000):
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.bmp")
        write_bmp(path, picture())
        # Each of the first makes three calls.
        for what, function, n, each in (("models", opens_and_closes, n_models, 1),
                                        ("calls", calls(YOLO(RANDOM), picture(), path), n_calls // 3, 3)):
            python, process = grown(function, max(10, n // 50), n)
            failed |= python > 100_000 or process > 16 << 20
            print(f"{n * each} {what}: Python {python:+} bytes, resident {process / 1e6:+.2f} MB", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
