#!/usr/bin/env python3
"""Runs real programs live under vigil watch, and makes one table: what was true, what was said, and when.

    bench/leaks/real.py BUILD [WORD]... [--jobs 2] [--seconds 100] [--quick S] [--install] [--prepare] [--keep FOLDER] [--cache FOLDER]
    bench/leaks/real.py BUILD [WORD]... --again FOLDER      # judges the traces that --keep left, in seconds

The programs are in real/, one short file each; real/programs.txt is the table of what is true of them and how they are
run, real/needs.txt the packages they need, at their versions. A WORD picks the programs whose name or kind has it, leak or ok those of that truth.
Virtual environments are made below --cache when they are wanted (PyPI), Debian's packages with --install alone (as
root); what cannot be had skips the program, and the table says why.

A program runs for --seconds at most, with a sample each 0.4 s; its memory limit is a cgroup of its own where the guard
may make one; /dev/shm of 256 MB is its own where a mount namespace may be made. Leaks reach their limit within that
time, so a horizon of 15 s stands for the usual ten minutes. Told are

  called    the first series that was called leaking or critical, its rule, and after how many seconds
  gone      of the headroom that there was when the rise began, how much was gone at that call
  date      the forecast of that call less what was: when the job died, or when the series met 98 % of its limit; the
            share of the time that was left. Of counts the date is that of the true limit
            (SERIES growing): it was never called, but said to be growing, which is no call
  right     a leak: its cause is named by the first call. Healthy: it was never called (FALSE CALL), and nothing was
            done (FALSE ACT: critical, which is when a guard that is told to would restart it)
"""

import argparse
import csv
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "real")
CALLED = ("leaking", "critical")
OWN_SHM = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=256m tmpfs /dev/shm && exec "$@"', "sh"]
FIELDS = ("name", "kind", "truth", "rules", "series", "limit", "needs", "how", "beside", "cause")
BUILT = threading.Lock()


def rows(path):
    with open(path) as f:
        return [line.rstrip("\n") for line in f if line.strip() and line[0] != "#"]


def programs(words):
    table = []
    for line in rows(os.path.join(HERE, "programs.txt")):
        p = dict(zip(FIELDS, (c.strip() for c in line.split("|"))))
        p.setdefault("cause", "")
        if not words or any(w == p["truth"] if w in ("leak", "ok") else w in p["name"] or w.lower() in p["kind"].lower() for w in words):
            table.append(p)
    return table


# ---- what they need ----


def has_packages(python, packages):
    look = "import importlib.metadata as m, sys; sys.exit(any(m.version(p.split('==')[0]).split('+')[0] != p.split('==')[1] for p in sys.argv[1:]))"
    return os.path.exists(python) and subprocess.run([python, "-c", look] + packages, capture_output=True).returncode == 0


def venv(o, name, packages):
    """The environment's python; it is made when it is not there. Raises LookupError with the reason."""
    folder = os.path.join(o.cache, "venvs", name)
    python = os.path.join(folder, "bin", "python")
    if has_packages(python, packages):
        return python
    print("making %s" % folder, file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    done = subprocess.run([os.path.join(folder, "bin", "pip"), "install", "-q"] + packages, capture_output=True, text=True)
    if not has_packages(python, packages):
        raise LookupError("no environment of %s: %s" % (packages[0], done.stderr.strip().split("\n")[-1][:120]))
    return python


def debian(o, words, notes):
    for name, wanted in zip(words[::2], words[1::2]):
        look = ["dpkg-query", "-W", "-f", "${Version}", name]
        done = subprocess.run(look, capture_output=True, text=True)
        if (done.returncode != 0 or not done.stdout) and o.install:
            subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", name], capture_output=True,
                           env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
            done = subprocess.run(look, capture_output=True, text=True)
        if done.returncode != 0 or not done.stdout:
            raise LookupError("package %s is not installed (--install)" % name)
        if wanted not in done.stdout:
            notes.append("%s %s, not %s" % (name, done.stdout, wanted))


def prepare(o, table):
    """-> name of a need to its python, or None; or LookupError."""
    needs = {line.split()[1]: line.split() for line in rows(os.path.join(HERE, "needs.txt"))}
    found, notes = {}, []
    for name in sorted({n for p in table for n in p["needs"].split()}):
        try:
            kind, packages = needs[name][0], needs[name][2:]
            found[name] = venv(o, name, packages) if kind == "venv" else debian(o, packages, notes)
        except (LookupError, OSError, subprocess.CalledProcessError) as e:
            found[name] = LookupError(str(e))
    for note in notes:
        print("other version: " + note, file=sys.stderr)
    return found


def build(o, p):
    """Java's and Go's programs are built before they are watched."""
    folder = os.path.join(o.cache, "built")
    os.makedirs(folder, exist_ok=True)
    env = dict(os.environ, GOFLAGS="-mod=mod", GO111MODULE="off", GOCACHE=os.path.join(o.cache, "go"))
    with BUILT:
        if "java" in p["needs"]:
            source = os.path.join(HERE, p["how"].split()[-1] + ".java")
            subprocess.run(["javac", "-d", folder, source], check=True, capture_output=True)
        if "go" in p["needs"].split():
            name = os.path.basename(p["how"].split()[-1])
            subprocess.run(["go", "build", "-o", os.path.join(folder, name), os.path.join(HERE, name + ".go")], check=True, capture_output=True, env=env)
    return folder


# ---- a run ----


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def may_mount():
    return shutil.which("unshare") is not None and subprocess.run(OWN_SHM + ["true"], capture_output=True).returncode == 0


def events_of(folder):
    with open(os.path.join(folder, "events")) as f:
        return [json.loads(line) for line in f if line.startswith("{") and line.endswith("}\n")]


def until(o, folder):
    """For --quick: until 3 s after the first call; when the end is forecast to be near, until half as long again as that."""
    first = next((e for e in events_of(folder) if e.get("state") in CALLED), None)
    if first is None:
        return o.seconds + 30
    left = first.get("exhaustion_s") or 1e9
    return first["time_s"] + (4 if left > o.quick else 4 + 1.5 * left)


def run(o, p, found):
    lacks = [found[n] for n in p["needs"].split() if isinstance(found[n], LookupError)]
    if lacks:
        return dict(p, skipped=str(lacks[0]))
    built = build(o, p)
    python = next((found[n] for n in p["needs"].split() if found[n]), sys.executable)
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    port = free_port()
    words = {"py": python, "here": HERE, "port": port, "dir": folder, "built": built, "vigil": o.vigil}

    def command(text):  # the words may have braces of their own: {n}
        for key, value in words.items():
            text = text.replace("{%s}" % key, str(value))
        return shlex.split(text)

    env = dict(os.environ, PORT=str(port), REAL_S=str(o.seconds), PYTHONPATH=HERE, YOLO_CONFIG_DIR=folder, YOLO_OFFLINE="true",
               OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    beside = [subprocess.Popen(["nice"] + command(b), cwd=folder, start_new_session=True,
                               env=dict(env, REAL_S=str(o.seconds + 60)), **quiet)  # not less than the job's
              for b in p["beside"].split(";;") if b.strip()]
    if beside:
        time.sleep(1)
    watch = [o.vigil, "watch", "--json", "--record", "--interval", "0.4s", "--horizon", "15s", "--memory-max", p["limit"],
             "--view", "off", "--grace", "3s", "--project", os.path.join(folder, "watch"), "--name", "w"]
    began = time.monotonic()
    job = subprocess.Popen((OWN_SHM if o.own_shm else []) + ["nice"] + watch + ["--"] + command(p["how"]), cwd=folder, env=env,
                           stdin=subprocess.DEVNULL, stdout=open(os.path.join(folder, "events"), "w"),
                           stderr=open(os.path.join(folder, "errors"), "w"), start_new_session=True)
    is_ended = False  # by us
    while not is_ended and job.poll() is None:
        time.sleep(0.5)
        is_ended = time.monotonic() - began > (until(o, folder) if o.quick and p["truth"] == "leak" else o.seconds + 30)
    if is_ended:
        job.send_signal(signal.SIGTERM)
    job.wait(60)
    lasted = time.monotonic() - began
    for b in beside:
        try:
            os.killpg(b.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        b.wait()
    events = events_of(folder)
    trace = os.path.join(folder, "watch", "w", "trace.csv")
    if o.keep and os.path.exists(trace):
        os.makedirs(o.keep, exist_ok=True)
        stem = os.path.join(o.keep, p["name"])
        shutil.copy(trace, stem + ".csv")
        shutil.copy(os.path.join(folder, "events"), stem + ".jsonl")
        shutil.copy(os.path.join(folder, "errors"), stem + ".err")
        with open(stem + ".json", "w") as f:
            json.dump({"status": job.returncode, "is_ended": is_ended}, f)
    result = told(p, events, trace, job.returncode, is_ended)
    result["lasted"] = lasted
    shutil.rmtree(folder, ignore_errors=True)
    return result


def again(o, p):
    stem = os.path.join(o.again, p["name"])
    if not os.path.exists(stem + ".csv"):
        return dict(p, skipped="no trace of it")
    done = subprocess.run([o.vigil, "watch", "--json", "--horizon", "15s", "--replay", stem + ".csv"], capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    with open(stem + ".json") as f:
        how = json.load(f)
    return told(p, events, stem + ".csv", how["status"], how["is_ended"])


# ---- what was said of it ----


def readings(trace, name):
    with open(trace, newline="") as f:
        return [(float(r[0]), float(r[2])) for r in csv.reader(f) if len(r) == 3 and r[1] == name]


def last_time(trace):
    with open(trace) as f:
        return max((float(line.split(",")[0]) for line in f if line[:1].isdigit()), default=0)


def told(p, events, trace, status, is_ended):
    out = dict(p, status=status)
    if status == 77 or not os.path.exists(trace):
        return dict(out, skipped="status %d" % status)
    end = out["end"] = last_time(trace)
    calls = [e for e in events if e.get("state") in CALLED]
    out["is_called"] = bool(calls)
    out["is_acted"] = any(e["state"] == "critical" for e in calls)
    out["growing"] = next((e["series"] for e in events if e.get("state") == "growing"), None)
    out["died"] = status not in (0, 124, 143) and not is_ended
    if not calls:
        return out
    first = calls[0]
    out.update(first=first, named=any(e["rule"] in p["rules"].split() for e in calls if e["time_s"] == first["time_s"]))
    points = readings(trace, first["series"])
    before = [v for t, v in points if t <= first["since_s"]] or [points[0][1]]
    if first["limit"] and first["limit"] > before[-1]:
        out["gone"] = (first["level"] - before[-1]) / (first["limit"] - before[-1])
    if first.get("exhaustion_s") is not None and first["limit"]:
        full = [t for t, v in points if v >= 0.98 * first["limit"]]
        was = full[0] if full else end if out["died"] else None
        if was is not None and was > first["time_s"]:
            out["date"] = (first["exhaustion_s"] + first["time_s"] - was) / (was - first["time_s"])
    return out


def word(r):
    if "skipped" in r:
        return "skipped: " + r["skipped"]
    if r["truth"] == "ok":
        return "FALSE ACT" if r["is_acted"] else "FALSE CALL" if r["is_called"] else "DIED %d" % r["status"] if r["died"] else "right"
    return "MISSED" if not r["is_called"] else "right" if r["named"] else "OTHER CAUSE"


def row(r):
    e = r.get("first")
    share = lambda key, form: form % (100 * r[key]) if key in r else "-"
    return "| %s | %s | %s | %s | %s | %s | %s | %s |" % (
        r["name"], r["kind"], "healthy" if r["truth"] == "ok" else "%s (%s)" % (r["cause"], ", ".join(r["rules"].split())),
        "%s %s %s" % (e["series"], e["state"], e["rule"] or "no cause") if e else
        "(%s growing)" % r["growing"] if r.get("growing") else "-", "%.0f s" % e["time_s"] if e else "-",
        share("gone", "%.0f %%"), share("date", "%+.0f %%"), word(r))


def totals(results):
    ran = [r for r in results if "skipped" not in r]
    leaks, healthy = [r for r in ran if r["truth"] == "leak"], [r for r in ran if r["truth"] == "ok"]
    caught = [r for r in leaks if r["is_called"]]
    middle = lambda key: sorted(abs(r[key]) for r in caught if key in r)
    lines = ["%d programs, %d skipped. %d leaks: %d caught, cause right in %d. %d healthy: %d false calls, %d of them false acts." % (
        len(results), len(results) - len(ran), len(leaks), len(caught), sum(r["named"] for r in caught), len(healthy),
        sum(r["is_called"] for r in healthy), sum(r["is_acted"] for r in healthy))]
    for key, what in (("gone", "headroom gone at the call"), ("date", "error of the date")):
        if middle(key):
            lines.append("Median of %s: %.0f %% (of %d)." % (what, 100 * middle(key)[len(middle(key)) // 2], len(middle(key))))
    return "\n".join(lines)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("build")
    a.add_argument("words", nargs="*")
    a.add_argument("--jobs", type=int, default=2)
    a.add_argument("--seconds", type=float, default=100)
    a.add_argument("--quick", type=float, default=0, metavar="S", help="end a leak at its call unless its limit is forecast within S")
    a.add_argument("--install", action="store_true")
    a.add_argument("--prepare", action="store_true", help="only install what the programs need, and say what cannot be had")
    a.add_argument("--keep", default="")
    a.add_argument("--cache", default=os.path.expanduser("~/.cache/vigil-leaks"))
    a.add_argument("--again", default="")
    o = a.parse_intermixed_args()
    o.vigil = os.path.join(os.path.abspath(o.build), "vigil")
    table = programs(o.words)
    if not table:
        a.error("no program of real/programs.txt has such a word")
    found = {} if o.again else prepare(o, table)
    if o.prepare:
        lacks = {name: e for name, e in found.items() if isinstance(e, LookupError)}
        print("\n".join("%s: %s" % (name, lacks.get(name, "there")) for name in found))
        return 1 if lacks else 0
    o.own_shm = not o.again and may_mount()
    print("| program | kind | truth | called | after | gone | date | |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    results = []
    with ThreadPoolExecutor(o.jobs) as pool:
        for r in pool.map(lambda p: again(o, p) if o.again else run(o, p, found), table):
            results.append(r)
            print(row(r), flush=True)
    print("\n" + totals(results))
    return 0 if all(word(r) == "right" or "skipped" in r for r in results) else 1


sys.exit(main())
