#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure programs that speak peer.py's protocol against each other, in turns, outputs compared first.

    compare.py --cpus 0 "peer.py ort m.onnx" "peer.py openvino m.onnx" "vigil-bench ..."

Each round runs every program once, the order turning round by round, so that whoever else loads the machine hurts all
alike. Printed: the median of each, and the median over rounds of its time divided by the first program's in that round:
below 1 is faster than the first. Exit status 1 when outputs differ by more than --max-box or --max-score.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

import numpy as np


class Program:
    def __init__(self, command, cpus):
        self.command = command
        argv = (["taskset", "-c", cpus] if cpus else []) + shlex.split(command)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cpu_ms, self.wall_ms = [], []

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        if not reply:
            raise RuntimeError(f"{self.command}: ended at {line!r} with status {self.process.wait()}")
        answer = json.loads(reply)
        if "error" in answer:
            raise RuntimeError(f"{self.command}: {answer['error']}")
        return answer

    def measure(self, n_runs):
        times = self.ask(f"run {n_runs}")
        self.cpu_ms.append(statistics.median(times["cpu_ms"]))
        self.wall_ms.append(statistics.median(times["wall_ms"]))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def get_output(program, folder, index):
    path = os.path.join(folder, f"{index}.npy")
    program.ask(f"out {path}")
    return np.load(path, allow_pickle=False).astype(np.float64)


def compare_outputs(programs, max_box_px, max_score):
    """True when all outputs agree with the first's within the limits."""
    good = True
    with tempfile.TemporaryDirectory() as folder:
        first = get_output(programs[0], folder, 0)
        for i, program in enumerate(programs[1:], start=1):
            other = get_output(program, folder, i)
            if other.shape != first.shape:
                raise RuntimeError(f"{program.command}: output {other.shape}, the first's is {first.shape}")
            difference = np.abs(other - first)
            box_px, score = difference[:, :4].max(), difference[:, 4:].max()
            agrees = bool(box_px <= max_box_px and score <= max_score)  # a NaN does not agree
            good &= agrees
            print(f"output [{i}] - [0]: boxes {box_px:.2e} px, scores {score:.2e}{'' if agrees else '  DIFFERS'}")
    return good


def ratio(times, base):
    return statistics.median(mine / first for mine, first in zip(times, base))


def print_table(programs, infos):
    print(f"{'':4} {'CPU ms':>8} {'ratio':>6} {'wall ms':>8} {'ratio':>6} {'spread':>7}  program")
    first = programs[0]
    for i, (program, info) in enumerate(zip(programs, infos)):
        quarter, _, three_quarters = statistics.quantiles(program.cpu_ms, n=4)
        cpu, wall = statistics.median(program.cpu_ms), statistics.median(program.wall_ms)
        print(f"[{i}]  {cpu:8.2f} {ratio(program.cpu_ms, first.cpu_ms):6.3f} "
              f"{wall:8.2f} {ratio(program.wall_ms, first.wall_ms):6.3f} "
              f"{100 * (three_quarters - quarter) / cpu:6.1f}%  {info.get('name', program.command)}, "
              f"{info.get('threads', '?')} threads, peak {info.get('peak_rss_mb', '?')} MB")


def write_markdown(path, programs, infos):
    first = programs[0]
    with open(path, "w", encoding="utf-8") as file:
        print("| engine | CPU ms | ratio | wall ms | ratio | peak MB |\n| --- | --- | --- | --- | --- | --- |", file=file)
        for program, info in zip(programs, infos):
            print(f"| {info.get('name', program.command)} | {statistics.median(program.cpu_ms):.1f} "
                  f"| {ratio(program.cpu_ms, first.cpu_ms):.2f} | {statistics.median(program.wall_ms):.1f} "
                  f"| {ratio(program.wall_ms, first.wall_ms):.2f} | {info.get('peak_rss_mb', '?')} |", file=file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commands", nargs="+", help="two or more, each one shell-quoted word")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3, help="forwards per program and round; their median counts")
    parser.add_argument("--cpus", help="pin every program to these, in taskset's notation: 0 or 0,1")
    parser.add_argument("--max-box", type=float, default=0.01, help="largest difference of boxes, px")
    parser.add_argument("--max-score", type=float, default=1e-4, help="largest difference of scores")
    parser.add_argument("--json", help="also write every round's times to this file")
    parser.add_argument("--markdown", help="also write the table to this file, as docs/performance.md has it")
    args = parser.parse_args()
    if len(args.commands) < 2 or args.rounds < 2:
        parser.error("need two commands and two rounds at least")
    programs = []
    try:
        for command in args.commands:
            programs.append(Program(command, args.cpus))
            programs[-1].ask("info")  # loaded and warm before the next one starts
        for program in programs:
            program.measure(1)
            program.cpu_ms.clear()
            program.wall_ms.clear()
        agree = compare_outputs(programs, args.max_box, args.max_score)
        for round_number in range(args.rounds):
            for i in range(len(programs)):
                programs[(i + round_number) % len(programs)].measure(args.runs)
        infos = [program.ask("info") for program in programs]
    finally:
        for program in programs:
            program.close()
    print_table(programs, infos)
    if args.markdown:
        write_markdown(args.markdown, programs, infos)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump([{"info": info, "cpu_ms": p.cpu_ms, "wall_ms": p.wall_ms}
                       for p, info in zip(programs, infos)], file)
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
