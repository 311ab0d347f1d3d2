"""Small objects of every kind, made and dropped. Prints its CPU time in seconds. For stacks.sh."""
import json
import time


def work(n):
    rows = {}
    for i in range(n):
        key = "key%d" % (i % 5000)
        rows[key] = [i, str(i), {"a": i, "b": float(i)}]
        if i % 50 == 0:
            json.loads(json.dumps(rows[key]))
    return len(rows)


work(2000000)
print("%.4f" % time.process_time())
