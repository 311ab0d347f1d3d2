#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As compare.py, of programs that go from a picture to a task's results: what they found is compared first. vigil is the
last; --row appends a row of docs/performance.md's table to a file.

    compare_tasks.py --cpus 0 "peer_task.py ort M.onnx ..." "peer_task.py openvino M.onnx ..." "../../build/bench/tasks ..."

Found is the same when both have as many rows, and boxes, keypoints (px), turned boxes and the sizes of masks
(of 1000 pixels) are off by less than --most; confidences by less than 1e-3.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile

from compare import Program, print_table


def get_found(program, folder, index):
    path = os.path.join(folder, f"{index}.json")
    program.ask(f"out {path}")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def geometry_of(x, y):
    """By how much two rows are apart: px, or what counts as such."""
    off = [abs(p - q) for key in ("box", "points") for p, q in zip(x.get(key, ()), y.get(key, ()))]
    if "rotated" in x:
        off += [abs(p - q) for p, q in zip(x["rotated"][:4], y["rotated"][:4])]
        turn = abs(x["rotated"][4] - y["rotated"][4]) % 3.14159265
        off.append(100 * min(turn, 3.14159265 - turn))
    if "pixels" in x:
        off.append(1000 * abs(x["pixels"] - y["pixels"]) / max(x["pixels"], 1000))
    return max(off, default=0.0)


def differences(a, b):
    """The largest of geometry and of confidences; None: not the same things. Rows whose confidences are equal but for
    rounding come in any order, so each is set beside the nearest of its class and confidence that is left."""
    if len(a) != len(b):
        return None
    left = list(b)
    geometry = conf = 0.0
    for x in a:
        near = [y for y in left if y["cls"] == x["cls"] and abs(y["conf"] - x["conf"]) < 1e-3]
        if not near:
            return None
        y = min(near, key=lambda row: geometry_of(x, row))
        left.remove(y)
        geometry, conf = max(geometry, geometry_of(x, y)), max(conf, abs(x["conf"] - y["conf"]))
    return geometry, conf


def write_row(path, label, programs, infos, n_found):
    """CPU times of one thread, wall times of more. `of the better`: of the faster peer in the same round, their median."""
    one = infos[-1]["threads"] == 1
    times = [p.cpu_ms if one else p.wall_ms for p in programs]
    medians = [statistics.median(t) for t in times]
    share = statistics.median(mine / min(peers) for *peers, mine in zip(*times))
    peaks = [info["peak_rss_mb"] for info in infos]
    new = not os.path.exists(path)
    with open(path, "a", encoding="utf-8") as file:
        if new:
            names = [info["name"] for info in infos[:-1]]
            print(f"| YOLO11n, {infos[-1]['threads']} thread{'' if one else 's'} | vigil, {'CPU' if one else 'wall'} ms | "
                  f"{' | '.join(names)} | of the better | peak MB: vigil, leaner peer |", file=file)
            print("| --- " * (len(infos) + 3) + "|", file=file)
        print(f"| {label} (found: {n_found}) | {medians[-1]:.3g} | {' | '.join(f'{m:.3g}' for m in medians[:-1])} | {share:.3f} | "
              f"{peaks[-1]:.1f}, {min(peaks[:-1]):.0f} |", file=file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commands", nargs="+", help="two or more, each one shell-quoted word")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cpus")
    parser.add_argument("--most", type=float, default=2.0)
    parser.add_argument("--row", metavar="FILE", help="append the table's row to this file")
    parser.add_argument("--label", default="", help="what the row is called")
    args = parser.parse_args()
    programs = []
    agree = True
    try:
        for command in args.commands:
            programs.append(Program(command, args.cpus))
            programs[-1].ask("info")
        for program in programs:
            program.measure(1)
            program.cpu_ms.clear()
            program.wall_ms.clear()
        with tempfile.TemporaryDirectory() as folder:
            first = get_found(programs[0], folder, 0)
            print(f"[0] found {len(first)}")
            for i, program in enumerate(programs[1:], start=1):
                off = differences(first, get_found(program, folder, i))
                good = off is not None and off[0] < args.most and off[1] < 1e-3
                agree &= good
                print(f"[{i}] - [0]: " + ("other things" if off is None else f"{off[0]:.3g} px, confidence {off[1]:.1e}") +
                      ("" if good else "  DIFFERS"))
        for round_number in range(args.rounds):
            for i in range(len(programs)):
                programs[(i + round_number) % len(programs)].measure(args.runs)
        infos = [program.ask("info") for program in programs]
    finally:
        for program in programs:
            program.close()
    print_table(programs, infos)
    if args.row:
        write_row(args.row, args.label, programs, infos, len(first))
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
