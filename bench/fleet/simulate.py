#!/usr/bin/env python3
"""simulate.py VIGIL WEIGHTS [options]: many cameras over many shards, with shards that are killed, ended, stopped in the middle
and started again at random. Says how long cameras were without a reader, whether one ever had two, and what memory each shard
held; fails when a camera is not read in the end, or was read twice at once, or a shard's own memory grew.

A camera is a file of two tiny pictures that begins again after --pause seconds, so that a thousand of them are little work.
Processes tell when they open and close a camera (the log's lines `camera opened`, `camera closed`); one that was killed has
closed all of them by then. Nothing here waits for time to pass but between faults: every fault is waited for until all
cameras are read again."""
import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

LINE = re.compile(r'camera (opened|closed) name="(.*)" unix_s=([0-9.]+)')
MOST_WAIT_S = 600  # which a failure alone reaches


class Shard:
    """A process, and what it said."""

    def __init__(self, fleet, index):
        self.fleet, self.index = fleet, index
        o = fleet.o
        self.url, self.spans, self.open, self.memory = None, [], {}, []
        self.before, self.late, self.continued = set(), [], None  # of a stop: what was open, and how long it still was after SIGCONT
        self.process = subprocess.Popen(
            [o.vigil, "predict", "--weights", o.weights, "--source", str(fleet.list), "--imgsz", "32", "--threads", "1",
             "--policy", "latest", "--shard", f"{index}/{o.shards}", "--lease-time", f"{o.lease}s", "--retry-first", f"{o.pause}s",
             "--retry-most", f"{o.pause}s", "--status-every", "0", "--serve", "127.0.0.1:0", "--most-sources", str(o.most),
             "--device", "cpu"] + fleet.leases, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **fleet.env}, cwd=fleet.folder)
        self.lock = threading.Lock()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            found = LINE.search(line)
            with self.lock:
                if found and found[1] == "opened":
                    self.open[found[2]] = float(found[3])
                elif found and found[2] in self.before:  # its span ended with the stop; what it opens again is a new one
                    self.before.remove(found[2])
                    self.late.append(float(found[3]) - self.continued)
                elif found and found[2] in self.open:
                    self.spans.append((found[2], self.open.pop(found[2]), float(found[3])))
                elif "serving url=" in line:
                    self.url = line.split("serving url=")[1].split()[0]
                elif line.startswith("error"):
                    print(f"shard {self.index}: {line}", end="", file=sys.stderr)

    def metrics(self):
        """{name: value} of those without labels, and vigil_memory_bytes summed; {} where it does not answer."""
        out = {"memory": 0.0}
        if self.url is None:
            return {}
        try:
            with urllib.request.urlopen(self.url + "metrics", timeout=20) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        for line in text.splitlines():
            if line.startswith("vigil_memory_bytes{"):
                out["memory"] += float(line.split()[-1])
            elif not line.startswith("#") and "{" not in line:
                name, value = line.split()
                out[name] = float(value)
        return out

    def end(self, number):
        """Kills it; what it still read ends now."""
        with self.lock:
            self.continued = self.continued or time.time()
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        self.process.wait()
        at = time.time()
        self.reader.join()
        with self.lock:
            for name, since in self.open.items():
                self.spans.append((name, since, at))
            self.open, self.before = {}, set()
        return self.spans


class Fleet:
    def __init__(self, o, folder, leases=None, env=None):
        self.o, self.folder, self.env = o, Path(folder), env or {}
        self.leases = leases or ["--lease-dir", str(self.folder / "leases")]
        self.random = random.Random(o.seed)
        self.shards, self.stopped, self.spans, self.waits = {}, set(), [], []
        self.memory, self.resident, self.late = [], [], []
        picture = b"FRAME\n" + bytes(32 * 32 * 3 // 2)
        film = self.folder / "film.y4m"
        film.write_bytes(b"YUV4MPEG2 W32 H32 F1:1 Ip A1:1 C420jpeg\n" + 2 * picture)
        names = []
        for i in range(o.cameras):
            name = self.folder / f"camera{i:04}.y4m"
            os.link(film, name)
            names.append(f"{name}\n")
        self.list = self.folder / "cameras.streams"
        self.list.write_text("".join(names))

    def start(self, index):
        self.shards[index] = Shard(self, index)

    def live(self):
        return [s for i, s in self.shards.items() if i not in self.stopped]

    def n_read(self):
        n = 0
        for shard in self.live():
            with shard.lock:
                n += len(shard.open)
        return n

    def has_cameras(self, index):
        with self.shards[index].lock:
            return len(self.shards[index].open) > 0

    def wait_until_read(self, what, since, newcomer=None):
        """Until as many cameras are open as there are, and the newcomer has its share."""
        end = time.time() + MOST_WAIT_S
        while self.n_read() < self.o.cameras or any(s.before for s in self.live()) or (newcomer is not None and not self.has_cameras(newcomer)):
            for shard in self.live():
                if shard.process.poll() is not None:
                    raise SystemExit(f"FAILED: shard {shard.index} ended by itself with {shard.process.returncode}")
            if time.time() > end:
                raise SystemExit(f"FAILED: {sum(len(s.before) for s in self.live())} cameras are still open as before a stop, {self.n_read()} of {self.o.cameras} cameras are read after {what}")
            time.sleep(0.05)
        took = time.time() - since
        self.waits.append((what, took))
        if not self.o.quiet:
            print(f"{what:28} all {self.o.cameras} cameras read after {took:5.1f} s by {len(self.live())} shards", flush=True)

    def fault(self):
        """One thing that happens to one shard. Enough of them stay for all cameras."""
        o, least = self.o, -(-self.o.cameras // self.o.most) + 1
        can_lose = len(self.live()) > least
        missing = [i for i in range(o.shards) if i not in self.shards]
        kinds = ["kill", "end", "stop"] * can_lose + ["start"] * (2 * bool(missing)) + ["continue"] * (2 * bool(self.stopped))
        kind = self.random.choice(kinds)
        index = self.random.choice(sorted(set(self.shards) - self.stopped)) if kind in ("kill", "end", "stop") else None
        since = time.time()
        if kind in ("kill", "end"):
            self.late += self.shards[index].late
            self.spans += self.shards.pop(index).end(signal.SIGKILL if kind == "kill" else signal.SIGTERM)
        elif kind == "stop":  # as a machine that stands still; it goes on later and must not go on reading
            shard = self.shards[index]
            shard.process.send_signal(signal.SIGSTOP)
            self.stopped.add(index)
            with shard.lock:
                for name, begun in shard.open.items():
                    self.spans.append((name, begun, time.time()))
                shard.before, shard.open = set(shard.open), {}
        elif kind == "start":
            index = self.random.choice(missing)
            self.start(index)
        else:
            index = self.stopped.pop()
            shard = self.shards[index]
            with shard.lock:
                shard.before, shard.open, shard.continued = shard.before | set(shard.open), {}, time.time()
            shard.process.send_signal(signal.SIGCONT)
        return f"{kind} shard {index}", since, index if kind in ("start", "continue") else None

    def look(self):
        for shard in self.live():
            m = shard.metrics()
            if m:
                shard.memory.append((m["vigil_fleet_cameras_held"], m["memory"], m["process_resident_memory_bytes"]))

    def finish(self):
        for shard in list(self.shards.values()):
            self.memory.append((shard.index, shard.memory))
            self.late += shard.late
            self.spans += shard.end(signal.SIGTERM)
        self.shards = {}

    def doubles(self):
        """Pairs of spans of one camera that overlap."""
        by_name, found = {}, []
        for name, begun, ended in self.spans:
            by_name.setdefault(name, []).append((begun, ended))
        for name, spans in by_name.items():
            spans.sort()
            found += [(name, a, b) for a, b in zip(spans, spans[1:]) if b[0] < a[1]]
        return found


def options(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("vigil")
    p.add_argument("weights")
    p.add_argument("--cameras", type=int, default=1000)
    p.add_argument("--shards", type=int, default=20)
    p.add_argument("--most", type=int, default=64, help="places of a shard")
    p.add_argument("--faults", type=int, default=20)
    p.add_argument("--lease", type=float, default=10)
    p.add_argument("--pause", type=float, default=10, help="seconds between two plays of a camera's two pictures")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--quiet", action="store_true")
    o = p.parse_args(argv)
    o.vigil, o.weights = os.path.abspath(o.vigil), os.path.abspath(o.weights)
    return o


def run(o, folder, leases=None, env=None):
    fleet = Fleet(o, folder, leases, env)
    since = time.time()
    try:
        for i in range(o.shards):
            fleet.start(i)
        fleet.wait_until_read("start of all", since)
        for _ in range(o.faults):
            fleet.wait_until_read(*fleet.fault())
            fleet.look()
        fleet.finish()
    finally:
        for shard in fleet.shards.values():
            shard.process.kill()
            shard.process.wait()
    doubles = fleet.doubles()
    if doubles:
        raise SystemExit(f"FAILED: {len(doubles)} times a camera was read twice at once, {doubles[0]} first")
    for index, looks in fleet.memory:  # with as many cameras as before, as much memory as before
        first = {}
        for held, memory, _ in looks:
            if memory > first.setdefault(held, memory) + 65536:
                raise SystemExit(f"FAILED: the memory of shard {index} with {held:.0f} cameras grew from {first[held]:.0f} to {memory:.0f} bytes")
    return fleet


def main():
    o = options(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        fleet = run(o, folder)
    faults = [took for _, took in fleet.waits[1:]]
    resident = [(m[0][2], m[-1][2]) for _, m in fleet.memory if m]
    print(f"{o.cameras} cameras, {o.shards} shards, {o.faults} faults, lease time {o.lease:g} s: all were read again within "
          f"{max(faults, default=0):.1f} s (median {sorted(faults)[len(faults) // 2] if faults else 0:.1f}), "
          f"{len(fleet.spans)} spans of reading, none of two at once")
    if fleet.late:
        print(f"shards that were stopped closed {len(fleet.late)} cameras after they went on, within {max(fleet.late):.2f} s")
    if resident:
        print(f"resident memory of a shard: {min(a for a, _ in resident) / 2**20:.0f} to {max(a for a, _ in resident) / 2**20:.0f} MB "
              f"at its first look, {min(b for _, b in resident) / 2**20:.0f} to {max(b for _, b in resident) / 2**20:.0f} MB at its last")


if __name__ == "__main__":
    main()
