#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A training step (forward, loss, backward; no optimizer) of vigil and of PyTorch, in turns.

    compare_step.py --task segment --step ../../build/bench/train_step [--threads 1] [--rounds 5] [--cpus 0]

Both have the same shapes and as many random objects. Printed: the median over rounds of CPU time, wall time and of the
ratio in the same round; peak memory. PyTorch in channels_last, its faster format.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys


def run(words, cpus):
    words = (["taskset", "-c", cpus] if cpus else []) + words
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def vigil(args):
    model = {"segment": "yolo11n-seg", "pose": "yolo11n-pose", "detect": "n"}[args.task]
    text = run([args.step, model, str(args.imgsz), str(args.batch), str(args.threads), str(args.steps)], args.cpus)
    wall, cpu = re.search(r"step +wall +([\d.]+) ms +cpu +([\d.]+) ms", text).groups()
    return float(cpu), float(wall), float(re.search(r"peak resident ([\d.]+)", text)[1]) / 1.048576


def torch(args):
    words = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_tasks.py"), "--task", args.task,
             "--imgsz", str(args.imgsz), "--batch", str(args.batch), "--threads", str(args.threads), "--steps",
             str(args.steps), "--channels-last"]
    answer = json.loads(run(words, args.cpus).splitlines()[-1])
    return answer["cpu_ms"], answer["wall_ms"], answer["peak_rss_mb"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("segment", "pose"), default="segment")
    parser.add_argument("--step", default="../../build/bench/train_step")
    parser.add_argument("--imgsz", type=int, default=320)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpus")
    parser.add_argument("--row", metavar="FILE", help="append a row of docs/performance.md's table to this file")
    args = parser.parse_args()
    mine, other, texts = [], [], []
    for i in range(args.rounds):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            (mine, other)[side].append((vigil, torch)[side](args))
    for k, what in enumerate(("CPU ms", "wall ms", "peak MB")):
        ours, theirs = [m[k] for m in mine], [t[k] for t in other]
        share = statistics.median(a / b for a, b in zip(ours, theirs))
        print(f"{what:8} vigil {statistics.median(ours):8.1f}   PyTorch {statistics.median(theirs):8.1f}   ratio {share:.3f}")
        texts.append(f"{statistics.median(ours):.0f} of {statistics.median(theirs):.0f}, {share:.2f}")
    if args.row:
        new = not os.path.exists(args.row)
        with open(args.row, "a", encoding="utf-8") as file:
            if new:
                print(f"| a step at {args.imgsz}, batch {args.batch} | threads | CPU ms of PyTorch's | wall ms of PyTorch's | peak MB of PyTorch's |\n"
                      "| --- | --- | --- | --- | --- |", file=file)
            print(f"| {args.task} | {args.threads} | {' | '.join(texts)} |", file=file)
    print("load of the machine:", " ".join(f"{x:.1f}" for x in os.getloadavg()))


if __name__ == "__main__":
    main()
