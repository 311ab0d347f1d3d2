#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training speed, loader included: `vigil train` and train_torch.py in turns, on the same pictures.

    compare_train.py --vigil ../../build/vigil --yaml bccd.yaml --images bccd/images/train --nc 3 --threads 2 --workers 2

A program trains three epochs, of which the second is timed (the first warms up; vigil is ended in its third, before it
validates). Printed: medians over the rounds, and the median of the ratio within a round: above 1, vigil is faster.
"""
import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024 / 1e6


def n_rows(path):
    if not os.path.exists(path):
        return 0
    with open(path) as file:
        return max(sum(1 for _ in file) - 1, 0)


def run_vigil(args, imgsz, batch):
    """Clock and CPU time at the ends of epochs 1 and 2, from the rows of results.csv as they appear."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [args.vigil, "train", "--data", args.yaml, "--model", f"yolo11{args.scale}.yaml", "--imgsz", str(imgsz),
                "--batch", str(batch), "--epochs", "100", "--close-mosaic", "0", "--threads", str(args.threads),
                "--workers", str(args.workers), "--no-val", "--no-save", "--no-plots", "--seed", "0",
                "--project", folder, "--name", "run", "--fraction", str(args.pictures / args.all_pictures)]
        argv += shlex.split(args.vigil_args)
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        table, ends = os.path.join(folder, "run", "results.csv"), []
        while len(ends) < 2:
            if process.poll() is not None:
                raise RuntimeError(f"{shlex.join(argv)}: status {process.returncode}\n{process.stderr.read()}")
            if n_rows(table) > len(ends):
                ends.append((time.monotonic(), cpu_seconds(process.pid)))
            time.sleep(0.01)
        rss = peak_rss_mb(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return {"pictures_per_s": args.pictures / (ends[1][0] - ends[0][0]),
            "cpu_ms_per_picture": 1e3 * (ends[1][1] - ends[0][1]) / args.pictures, "peak_rss_mb": rss}


def run_torch(args, imgsz, batch):
    argv = [sys.executable, os.path.join(HERE, "train_torch.py"), "--data", args.images, "--scale", args.scale,
            "--nc", str(args.nc), "--imgsz", str(imgsz), "--batch", str(batch), "--threads", str(args.threads),
            "--workers", str(args.workers), "--pictures", str(args.pictures), "--epochs", "2"]
    argv += shlex.split(args.torch_args)
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vigil", required=True)
    parser.add_argument("--yaml", required=True, help="the data set as vigil wants it")
    parser.add_argument("--images", required=True, help="its folder of training pictures")
    parser.add_argument("--nc", type=int, required=True)
    parser.add_argument("--scale", default="n")
    parser.add_argument("--imgsz", type=int, nargs="+", default=[320, 640])
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--pictures", type=int, default=96, help="of an epoch: the first so many of the set")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vigil-args", default="", help="more arguments")
    parser.add_argument("--torch-args", default="", help="more arguments, such as --channels-last")
    args = parser.parse_args()
    args.all_pictures = len(os.listdir(args.images))
    print(f"{'':>18}{'pictures/s':>28}{'CPU ms a picture':>28}{'peak MB':>26}{'wait':>7}")
    for imgsz in args.imgsz:
        for batch in args.batch:
            rounds = []
            for i in range(args.rounds):
                runs = [run_vigil, run_torch][::-1 if i % 2 else 1]
                results = [run(args, imgsz, batch) for run in runs]
                rounds.append(results[::-1] if i % 2 else results)
            cells = []
            for key, is_time in (("pictures_per_s", False), ("cpu_ms_per_picture", True), ("peak_rss_mb", True)):
                ours, theirs = (statistics.median(r[side][key] for r in rounds) for side in (0, 1))
                ratio = statistics.median(r[1][key] / r[0][key] if is_time else r[0][key] / r[1][key] for r in rounds)
                cells.append(f"{ours:9.1f}{theirs:9.1f}{ratio:7.2f}x")
            wait = statistics.median(r[1]["wait"] for r in rounds)
            print(f"{imgsz:>6} batch {batch:<5}" + "  ".join(cells) + f"{100 * wait:6.1f}%", flush=True)


if __name__ == "__main__":
    main()
