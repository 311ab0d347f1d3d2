#!/usr/bin/env python3
"""flat.py VIGIL DATA.yaml [--ranks 2] [--epochs 42] [--batch 2] [--imgsz 32]: a training of many steps by several ranks,
whose memory is read once a second: resident and private bytes of each, from /proc.

42 epochs of the 480 pictures that `vigil demo` draws, in batches of 2, are 10,080 steps. Exit status 1: a rank held more
than a megabyte more in the last quarter of the steps than in the second one."""
import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def ranks_below(project):
    """Processes of this run, by rank."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            if project.encode() not in words or words[1:2] != [b"train"]:
                continue
            with open(f"/proc/{pid}/environ", "rb") as f:
                names = dict(w.split(b"=", 1) for w in f.read().split(b"\0") if b"=" in w)
            found[int(names[b"OMPI_COMM_WORLD_RANK"])] = int(pid)
        except (OSError, KeyError):
            pass
    return found


def memory_kib(pid):
    names = {"Rss:": 0, "Private_Dirty:": 0}
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            word = line.split()
            if word[0] in names:
                names[word[0]] = int(word[1])
    return names["Rss:"], names["Private_Dirty:"]


def epochs_done(folder):
    try:
        with open(os.path.join(folder, "exp", "results.csv")) as f:
            return max(0, sum(1 for _ in f) - 1)
    except OSError:
        return 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("vigil")
    p.add_argument("data")
    p.add_argument("--model", default="yolo11n.yaml")
    p.add_argument("--ranks", type=int, default=2)
    p.add_argument("--epochs", type=int, default=42)
    p.add_argument("--batch", type=int, default=2)
    p.add_argument("--imgsz", type=int, default=32)
    p.add_argument("--steps-an-epoch", type=int, default=240)
    a = p.parse_args()
    samples = {}  # rank: [(epoch, rss, private)]
    with tempfile.TemporaryDirectory() as folder:
        project = os.path.join(folder, "runs")
        command = [os.path.join(HERE, "../../tests/ranks/mpirun.sh"), "/usr/bin/mpirun", str(a.ranks), a.vigil, "train",
                   "--data", a.data, "--model", a.model, "--imgsz", str(a.imgsz), "--batch", str(a.batch),
                   "--nbs", str(a.batch), "--epochs", str(a.epochs), "--workers", "0", "--threads", "1", "--patience", "0",
                   "--plots=false", "--val=false", "--project", project]
        with open(os.path.join(folder, "log"), "w+") as log:
            job = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            pids = {}
            while job.poll() is None:
                time.sleep(1)
                if len(pids) < a.ranks:
                    pids = ranks_below(project)
                done = epochs_done(project)
                for rank, pid in pids.items():
                    try:
                        samples.setdefault(rank, []).append((done, *memory_kib(pid)))
                    except OSError:
                        pass
            log.seek(0)
            text = log.read()
    if job.returncode != 0:
        sys.exit(f"the training ended with {job.returncode}:\n{text[-2000:]}")
    print("\n".join(line for line in text.splitlines() if line.startswith(("Ranks:", "Done"))))
    failed = False
    for rank, rows in sorted(samples.items()):
        rows = [r for r in rows if 0 < r[0] < a.epochs]  # neither the start nor the final validation
        if not rows:
            sys.exit("the training was over before anybody could look")

        def most(since, until, column):
            return max((r[column] for r in rows if since <= r[0] / a.epochs < until), default=0) / 1024

        second, last = most(0.25, 0.5, 2), most(0.75, 1, 2)
        print(f"rank {rank}: {len(rows)} looks; resident {rows[0][1] / 1024:.1f} MB after the first epoch, "
              f"{most(0.25, 0.5, 1):.1f} in the second quarter, {most(0.75, 1, 1):.1f} in the last; "
              f"private {rows[0][2] / 1024:.1f}, {second:.1f}, {last:.1f}")
        failed = failed or last > second + 1
    print(f"{a.epochs * a.steps_an_epoch} steps by {a.ranks} ranks: {'NOT flat' if failed else 'flat'}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
