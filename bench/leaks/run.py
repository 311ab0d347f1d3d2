#!/usr/bin/env python3
"""Runs the corpus of tests/leaks live under vigil watch, and prints what was true and what was said.

    bench/leaks/run.py BUILD [--jobs 6] [--only WORD]... [--keep FOLDER] [-- ARGUMENTS OF THE PROGRAMS]
    bench/leaks/run.py BUILD --again FOLDER     # judges the traces that --keep left, in seconds

BUILD is the build folder that has vigil and leaks/. Each program plays four hours in 144 seconds
(--speedup 100), sampled every half second: 50 natural seconds; its memory limit stands
in corpus.txt. A leak is well told when a series is called leaking or critical, the first call names the
planted cause, and a series of the planted kind is among those called with it; what does not leak must
never be called so. --keep FOLDER keeps each run's trace and events. /dev/shm of 256 MB is the job's own
where a mount namespace may be made; else the machine's, which other jobs may fill, too.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(SOURCE, "tests", "leaks")
RAISED = ("leaking", "critical", "hung")
OWN_SHM = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=256m tmpfs /dev/shm && exec "$@"', "sh"]


def corpus():
    with open(os.path.join(PROGRAMS, "corpus.txt")) as f:
        return [line.split() for line in f if line.strip() and line[0] != "#"]


def may_mount():
    return shutil.which("unshare") is not None and subprocess.run(OWN_SHM + ["true"], capture_output=True).returncode == 0


def run(o, row, own_shm):
    name = row[0]
    with tempfile.TemporaryDirectory() as folder:
        results = os.path.join(folder, "job")
        command = [sys.executable, os.path.join(PROGRAMS, name), "--run", results]
        if not name.endswith(".py"):
            command = [os.path.join(o.build, "leaks", name)]
        command += o.arguments
        watch = [os.path.join(os.path.abspath(o.build), "vigil"), "watch", "--json", "--record", "--interval", "0.5s",
                 "--memory-max", row[4], "--view", "off", "--run", results, "--project", folder, "--name", "w"]
        if name == "hang.py":
            watch += ["--hang", "30s"]
        done = subprocess.run((OWN_SHM if own_shm else []) + watch + ["--"] + command, capture_output=True, text=True,
                              cwd=folder)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if o.keep:
            os.makedirs(o.keep, exist_ok=True)
            stem = os.path.join(o.keep, name.replace(".py", ""))
            shutil.copy(os.path.join(folder, "w", "trace.csv"), stem + ".csv")
            with open(stem + ".jsonl", "w") as f:
                f.writelines(json.dumps(e) + "\n" for e in events)
            with open(stem + ".err", "w") as f:
                f.write(done.stderr)
        return row, done.returncode, [e for e in events if e.get("state") in RAISED], done.stderr


def again(o, row):
    watch = [os.path.join(o.build, "vigil"), "watch", "--json", "--replay",
             os.path.join(o.again, row[0].replace(".py", "") + ".csv")]
    if row[0] == "hang.py":
        watch += ["--hang", "30s"]
    done = subprocess.run(watch, capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
    return row, done.returncode, [e for e in events if e.get("state") in RAISED], done.stderr


def judge(row, status, raised):
    name, truth, rule, kind, _ = row
    if status == 77:
        return "skipped"
    if status != 0 and not (truth == "leak" and raised and status == 137):  # it met its limit, as was told
        return "FAILED with status %d" % status
    if truth == "ok":
        return "FALSE ALARM" if raised else "good"
    if not raised:
        return "MISSED"
    # The first call of the run, and whatever was called with it.
    first = [e for e in raised if e["time_s"] == raised[0]["time_s"]]
    named = [e for e in first if e["rule"] == rule and e["series"].startswith(kind)]
    if truth == "hang":
        return "good" if named and named[0]["state"] == "hung" else "OTHER CAUSE"
    return "good" if named else "OTHER CAUSE"


def figure(event):
    return "%.0f MB" % (event["limit"] / (1 << 20)) if "bytes" in event["series"] else "%.0f" % event["limit"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("--jobs", type=int, default=6)
    p.add_argument("--only", action="append", default=[])
    p.add_argument("--keep", default="")
    p.add_argument("--again", default="")
    given = sys.argv[1:]
    at = given.index("--") if "--" in given else len(given)
    o = p.parse_args(given[:at])
    o.arguments = given[at + 1:]
    o.build = os.path.abspath(o.build)
    rows = [r for r in corpus() if not o.only or any(w in r[0] for w in o.only)]
    own_shm = not o.again and may_mount()
    print("| program | truth | said | called | after | at |\n| --- | --- | --- | --- | --- | --- |")
    counts = {}
    with ThreadPoolExecutor(o.jobs) as pool:
        for row, status, raised, err in pool.map(lambda r: again(o, r) if o.again else run(o, r, own_shm), rows):
            word = judge(row, status, raised)
            counts[word] = counts.get(word, 0) + 1
            first = raised[0] if raised else None
            what = "%s %s %s" % (first["series"], first["state"], first["rule"] or "no cause") if first else "-"
            print("| %s | %s %s | %s | %s | %s | %s |" % (
                row[0], row[1], row[2], word, what, "%.0f s" % first["time_s"] if first else "-",
                "%.0f %% of %s" % (100 * first["level"] / first["limit"], figure(first)) if first and first["limit"] else "-"), flush=True)
            if status not in (0, 77):
                print(err[-500:], file=sys.stderr)
    print(", ".join("%d %s" % (n, w) for w, n in sorted(counts.items())), file=sys.stderr)
    return 0 if set(counts) <= {"good", "skipped"} else 1


sys.exit(main())
