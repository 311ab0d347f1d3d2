#!/usr/bin/env python3
"""noise.py VIGIL DATA.yaml [--epochs 3] [--imgsz 160] [--batch 16] [--seeds 3]: whether ranks with batch statistics of their own
(without --sync-bn) train as one process does: the losses of the last epoch, over several seeds, by one process and by two ranks.

What differs between them besides the seed is the statistics of half a batch. Exit status 1: the means of the two are further
apart than one process's largest is from its smallest."""
import argparse
import csv
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ITEMS = ("train/box_loss", "train/cls_loss", "train/dfl_loss", "val/box_loss", "val/cls_loss", "val/dfl_loss")


def losses(a, ranks, seed, folder):
    name = f"{ranks}-{seed}"
    command = [a.vigil, "train", "--data", a.data, "--model", a.model, "--imgsz", str(a.imgsz), "--batch", str(a.batch),
               "--epochs", str(a.epochs), "--seed", str(seed), "--workers", "0", "--threads", "1", "--plots=false",
               "--fraction", str(a.fraction), "--nbs", str(a.batch), "--optimizer", "SGD", "--warmup-epochs", "1",
               "--project", folder, "--name", name]
    if ranks > 1:
        command = [os.path.join(HERE, "../../tests/ranks/mpirun.sh"), "/usr/bin/mpirun", str(ranks), *command]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{ranks} processes, seed {seed}: {done.stderr[-1500:]}")
    with open(os.path.join(folder, name, "results.csv")) as f:
        last = list(csv.DictReader(f))[-1]
    row = [float(last[i]) for i in ITEMS]
    print(f"{ranks} process{'es' if ranks > 1 else '  '} seed {seed}  " + "  ".join(f"{x:.4f}" for x in row), flush=True)
    return row


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("vigil")
    p.add_argument("data")
    p.add_argument("--model", default="yolo11n.yaml")
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--imgsz", type=int, default=160)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--fraction", type=float, default=1)
    a = p.parse_args()
    print("                      " + "  ".join(i.replace("_loss", "") for i in ITEMS))
    with tempfile.TemporaryDirectory() as folder:
        rows = {n: [] for n in (1, 2)}
        for seed in range(a.seeds):
            for n in rows:
                rows[n].append(losses(a, n, seed, folder))
    failed = False
    for k, item in enumerate(ITEMS):
        one, two = [r[k] for r in rows[1]], [r[k] for r in rows[2]]
        apart, spread = sum(two) / len(two) - sum(one) / len(one), max(one) - min(one)
        failed = failed or abs(apart) > spread
        print(f"{item:15s} mean of one process {sum(one) / len(one):.4f}, of two ranks {apart:+.4f}; "
              f"one process's seeds spread over {spread:.4f}")
    print("beyond the seeds' noise" if failed else "within the seeds' noise")
    return failed


if __name__ == "__main__":
    sys.exit(main())
