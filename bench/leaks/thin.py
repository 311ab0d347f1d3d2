#!/usr/bin/env python3
"""Makes a small trace of a recorded one: bench/leaks/thin.py TRACE.csv EVERY SERIES... > SMALL.csv

Every EVERYth sample stays, and of it the series named (a word with a * names several).
Values are rounded to six figures; what stays the same all the time is kept,
for rules ask what did not move.
"""

import fnmatch
import sys


def rounded(value):
    try:
        return "%.6g" % float(value)
    except ValueError:
        return value


path, every, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
times = {}
print("time_s,series,value")
with open(path, newline="") as f:
    for row in f.read().splitlines()[1:]:
        time_s, series, value = row.split(",", 2)
        n = times.setdefault(time_s, len(times))
        if n % every == 0 and any(fnmatch.fnmatch(series, w) for w in wanted):
            # The value of main.fds_most and its like is a text, which may have commas of its own.
            print("%s,%s,%s" % (("%.2f" % float(time_s)).rstrip("0").rstrip("."), series, rounded(value)))
