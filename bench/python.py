#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a call costs from Python: `model(frame)` of vigil's package, the C call within it, and Ultralytics' `model(frame)`, in
turns in one run, at several sizes of the input.

    PYTHONPATH=build/python python3 bench/python.py [--peer PYTHON] [--weights FILE.pt] [--threads N] [--rounds N]

PYTHON is one that has ultralytics. Each round calls each of them a few times, one after the other, so that whoever else
loads the machine hurts all alike; the boxes are compared first. Printed are medians over all calls, wall and CPU time, and
medians over rounds of a round's ratio: of the package to the C call, and of the peer to the package."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

CALLS = 5  # of each in a round


def frame_of(seed=0):
    """A picture of 480 x 640: patches, in BGR."""
    rng = np.random.RandomState(seed)
    return np.kron(rng.randint(0, 256, (30, 40, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def timed(function, n):
    """(wall ms, CPU ms) of n calls, the first one apart."""
    function()
    times = []
    for _ in range(n):
        cpu, wall = time.process_time(), time.perf_counter()
        function()
        times.append(((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3))
    return times


class Vigil:
    def __init__(self, weights, threads):
        from vigil import YOLO

        self.model, self.threads = YOLO(weights), threads

    def call(self, size, frame):
        arguments = {"imgsz": size, "threads": self.threads, "conf": 0.001}
        return lambda: self.model(frame, **arguments)[0]

    def c_call(self, size, frame):
        """vg_detect on the same detector, everything around it made beforehand."""
        from vigil._c import ffi, lib
        from vigil._pictures import of_bgr

        detecting, detector = self.model._detecting({"imgsz": size, "threads": self.threads, "conf": 0.001})
        handle, picture, n = detector._open(), of_bgr(frame), ffi.new("size_t *")
        return lambda: lib.vg_detect(handle.p, detector._found, 1000, n, picture.image, detecting.options, detector._error) and None


class Peer:
    """Ultralytics in a process of its own: a line in, a line out."""

    def __init__(self, python, weights, threads):
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self.process = subprocess.Popen([python, __file__, "--serve", weights, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)

    def ask(self, **what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def serve(weights, threads):
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what it prints is not an answer
    import torch
    from ultralytics import YOLO, __version__

    torch.set_num_threads(threads)
    model, frame = YOLO(weights), frame_of()
    for line in sys.stdin:
        asked = json.loads(line)
        arguments = {"imgsz": asked["size"], "verbose": False, "conf": 0.001}
        if asked["what"] == "boxes":
            answer = {"boxes": model(frame, **arguments)[0].boxes.data.tolist(), "version": f"{__version__}, torch {torch.__version__}"}
        else:
            answer = timed(lambda: model(frame, **arguments), CALLS)
        out.write(json.dumps(answer) + "\n")
        out.flush()


def compare(size, ours, theirs):
    """Boxes that are in both, of the best twenty of the peer's."""
    a, b = np.asarray(ours.boxes.data), np.asarray(theirs)[:20]
    found = sum(bool(len(a)) and np.abs(a[:, :4] - row[:4]).max(axis=1).min() < 1 for row in b)
    print(f"{size}: {found} of the peer's best {len(b)} boxes are ours within a pixel")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--weights", default=os.path.join(os.path.dirname(__file__), "..", "tests", "golden", "yolo11n_random.pt"))
    parser.add_argument("--peer", help="a Python that has ultralytics")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[160, 320, 640])
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve[0], int(args.serve[1]))
    frame, vigil = frame_of(), Vigil(args.weights, args.threads)
    peer = Peer(args.peer, args.weights, args.threads) if args.peer else None
    rows = []
    for size in args.sizes:
        call, c_call = vigil.call(size, frame), vigil.c_call(size, frame)
        if peer:
            answer = peer.ask(what="boxes", size=size)
            compare(size, call(), answer["boxes"])
            version = answer["version"]
        rounds = []
        for i in range(args.rounds):
            turn = [("c", lambda: timed(c_call, CALLS)), ("python", lambda: timed(call, CALLS))]
            if peer:
                turn.append(("peer", lambda: peer.ask(what="time", size=size)))
            rounds.append({name: run() for name, run in (turn if i % 2 else turn[::-1])})
        rows.append((size, rounds))
    if peer:
        print(f"peer: ultralytics {version}")
    print("| imgsz | C call, ms | `model(frame)`, ms | over the C call | Ultralytics, ms | times ours |")
    print("| --- | --- | --- | --- | --- | --- |")
    for size, rounds in rows:
        def median(name, k):
            return statistics.median(t[k] for r in rounds for t in r[name])

        def ratio(a, b, k):
            return statistics.median(statistics.median(t[k] for t in r[a]) / statistics.median(t[k] for t in r[b]) for r in rounds)

        theirs = f"{median('peer', 0):.2f} ({median('peer', 1):.2f})" if peer else ""
        times = f"{ratio('peer', 'python', 0):.2f} ({ratio('peer', 'python', 1):.2f})" if peer else ""
        print(f"| {size} | {median('c', 0):.2f} ({median('c', 1):.2f}) | {median('python', 0):.2f} ({median('python', 1):.2f}) | "
              f"{100 * (ratio('python', 'c', 0) - 1):+.1f} % ({100 * (ratio('python', 'c', 1) - 1):+.1f} %) | {theirs} | {times} |")
    print("In brackets: CPU time.")


if __name__ == "__main__":
    main()
