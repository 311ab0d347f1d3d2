"""Leaks small objects in one function, larger ones in another at a third of the rate, and makes much that is freed.

stacks_python.py SECONDS. For vigil watch --stacks: small objects never come to malloc.
"""
import sys
import time

history = []
buffers = []


def remember(step):
    for i in range(600):
        history.append({"step": step, "value": float(i), "name": "n%d" % i})


def buffer(step):
    for i in range(12):
        buffers.append(bytes(8000))


def churn(step):
    rows = [[i, str(i), (i, step)] for i in range(2000)]
    return sum(len(r) for r in rows)


until = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 10)
step = 0
while time.monotonic() < until:
    remember(step)
    buffer(step)
    churn(step)
    step += 1
    time.sleep(0.005)
print(step, "steps")
