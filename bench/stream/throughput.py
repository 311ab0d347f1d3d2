#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""End-to-end frames a second of a video file, beside what bounds them and beside the usual loop.

    throughput.py --vigil build/vigil --forward build/bench/forward --weights W.safetensors \
        --model model.onnx --video 1080p.mp4 [--rounds 7] [--frames 200] [--threads 2]

In every round, one after the other: vigil predict with JSON lines; the engine alone (bench/forward on
one input, without decoding of cells); decoding alone (ffmpeg -f null); OpenCV + ONNX Runtime
(bench/peers/video_loop.py). Medians over rounds, and ratios within rounds. model.onnx has the input
size that the video's letterbox has (make_onnx.py --imgsz 384 640 for 16:9).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def timed(command):
    began = time.monotonic()
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{result.stderr.decode()[-2000:]}")
    return time.monotonic() - began, result.stdout.decode()


class Forward:
    """The engine alone, held ready."""

    def __init__(self, a, h, w, folder):
        path = os.path.join(folder, "input.npy")
        rng = np.random.default_rng(0)
        np.save(path, rng.random((1, 3, h, w), dtype=np.float32))
        self.p = subprocess.Popen([a.forward, a.weights, "--input", path, "--threads", str(a.threads), "--no-decode"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("run 5")

    def ask(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())

    def frames_per_s(self, n):
        wall_ms = self.ask(f"run {n}")["wall_ms"]
        return len(wall_ms) / sum(wall_ms) * 1000


def vigil(a, folder):
    """The whole command, its start included."""
    command = [a.vigil, "predict", "--weights", a.weights, "--source", a.video, "--threads", str(a.threads), "--quiet",
              "--save=false", "--save-json", "--project", folder, "--name", "run", "--exist-ok"] + a.option
    return timed(command)[0]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--vigil", required=True)
    p.add_argument("--forward", required=True)
    p.add_argument("--weights", required=True)
    p.add_argument("--model", required=True)
    p.add_argument("--video", required=True)
    p.add_argument("--imgsz", type=int, nargs=2, default=[384, 640])
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--option", action="append", default=[], help="more for vigil predict")
    a = p.parse_args()
    n = int(subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v", "-show_entries",
                            "stream=nb_read_packets", "-of", "csv=p=0", a.video], stdout=subprocess.PIPE, check=True)
            .stdout.decode().strip().strip(","))
    rows = {"vigil predict": [], "engine alone": [], "decoding alone": [], "OpenCV + ONNX Runtime": []}
    with tempfile.TemporaryDirectory() as folder:
        engine = Forward(a, *a.imgsz, folder)
        for _ in range(a.rounds):
            seconds = vigil(a, folder)
            rows["vigil predict"].append(n / seconds)
            rows["engine alone"].append(engine.frames_per_s(max(20, n // 4)))
            seconds, _ = timed(["ffmpeg", "-v", "error", "-threads", str(a.threads), "-i", a.video, "-an", "-f", "null", "-"])
            rows["decoding alone"].append(n / seconds)
            _, out = timed([sys.executable, os.path.join(HERE, "../peers/video_loop.py"), a.model, a.video, "--threads",
                            str(a.threads), "--json", os.path.join(folder, "peer.jsonl")])
            rows["OpenCV + ONNX Runtime"].append(json.loads(out)["frames_per_s"])
    first = rows["vigil predict"]
    print(f"{n} frames, {a.threads} threads, {a.rounds} rounds: frames/s (median), and vigil's as a multiple in the same round")
    for name, values in rows.items():
        ratio = statistics.median(x / y for x, y in zip(first, values))
        print(f"{name:24} {statistics.median(values):8.1f}   {ratio:6.2f}")


if __name__ == "__main__":
    main()
