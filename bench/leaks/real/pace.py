"""pace.py: beats of a program of this folder: so many a second for REAL_S seconds, then it ends well."""

import os
import time

SECONDS = float(os.environ.get("REAL_S", "100"))


def beats(per_s):
    began, n = time.monotonic(), 0
    while time.monotonic() - began < SECONDS:
        n += 1
        yield n
        time.sleep(max(0, began + n / per_s - time.monotonic()))
