#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The camera's motion by vigil and by OpenCV: how far apart they put the picture's corners, and how long they take.

    motion.py --motion ../../build/bench/motion FILM...          films as they are: what the two say of each picture
    motion.py --motion ../../build/bench/motion --shake FILM...  a still of each under a camera that moves as is known

OpenCV's way is the usual one: the picture at half its size, goodFeaturesToTrack, calcOpticalFlowPyrLK,
estimateAffinePartial2D. One thread each.
"""
import argparse
import subprocess
import sys
import time

import cv2
import numpy as np

SHAKE_PX, SHAKE_DEGREES, SHAKE_ZOOM, NOISE, N_SHAKEN = 15, 0.5, 0.01, 4, 60


class OpenCv:
    def __init__(self):
        self.last, self.points, self.ms = None, None, []

    def step(self, grey):
        began = time.process_time()
        small = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2))
        points = cv2.goodFeaturesToTrack(small, maxCorners=1000, qualityLevel=0.01, minDistance=1, blockSize=3)
        move = None
        if self.last is not None and self.points is not None:
            now, found, _ = cv2.calcOpticalFlowPyrLK(self.last, small, self.points, None)
            kept = found.ravel() == 1
            if kept.sum() > 4:
                move, _ = cv2.estimateAffinePartial2D(self.points[kept], now[kept], method=cv2.RANSAC)
        self.last, self.points = small, points
        self.ms.append(1000 * (time.process_time() - began))
        if move is not None:  # the middles of the small pixels are half a pixel off
            move = move.copy()
            middle = np.array([0.5, 0.5])
            move[:, 2] = 2 * move[:, 2] + middle - move[:, :2] @ middle
        return move


def apart(p, q, w, h):
    corners = np.array([[0, 0], [w, 0], [0, h], [w, h]], float)
    return np.linalg.norm(corners @ (p - q)[:, :2].T + (p - q)[:, 2], axis=1).max()


def film(path):
    capture = cv2.VideoCapture(path)
    while True:
        is_read, picture = capture.read()
        if not is_read:
            return
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), None


def shaken(path, n=N_SHAKEN):
    """A still, seen by a camera whose moves are known."""
    _, picture = cv2.VideoCapture(path).read()
    still = cv2.cvtColor(cv2.resize(picture, (1920, 1080), interpolation=cv2.INTER_CUBIC), cv2.COLOR_BGR2GRAY)
    rng, h, w = np.random.default_rng(1), *still.shape
    was = np.eye(3)
    for _ in range(n):
        angle, zoom = np.radians(rng.uniform(-1, 1) * SHAKE_DEGREES), 1 + rng.uniform(-1, 1) * SHAKE_ZOOM
        at = np.eye(3)
        at[:2, :2] = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array([w / 2, h / 2])
        at[:2, 2] = middle + rng.uniform(-1, 1, 2) * SHAKE_PX - at[:2, :2] @ middle
        seen = cv2.warpAffine(still, at[:2], (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        seen = np.clip(seen + rng.uniform(-NOISE, NOISE, seen.shape), 0, 255).astype(np.uint8)
        yield seen, (at @ np.linalg.inv(was))[:2]
        was = at


def run(program, pictures):
    """What both say: lists of 2x3 or None, and the truth."""
    first, _ = pictures[0]
    h, w = first.shape
    done = subprocess.run([program, str(w), str(h)], input=b"".join(p.tobytes() for p, _ in pictures),
                          capture_output=True, check=True)
    ours = []
    for line in done.stdout.decode().split("\n")[:-1]:
        if line == "none":
            ours.append(None)
            continue
        a, b, x, y = map(float, line.split())
        ours.append(np.array([[a, -b, x], [b, a, y]]))
    opencv = OpenCv()
    theirs = [opencv.step(p) for p, _ in pictures][1:]
    return ours, theirs, done.stderr.decode().strip(), np.median(opencv.ms[1:])


def spread(values):
    return f"median {np.median(values):.3f}, 95 % {np.percentile(values, 95):.3f}, most {np.max(values):.3f} px"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion", required=True)
    parser.add_argument("--shake", action="store_true")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("films", nargs="+")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    for path in args.films:
        pictures = []
        for picture in shaken(path) if args.shake else film(path):
            pictures.append(picture)
            if len(pictures) == args.frames:
                break
        h, w = pictures[0][0].shape
        ours, theirs, told, ms = run(args.motion, pictures)
        print(f"{path}: {told}; OpenCV {ms:.2f} ms")
        both = [(p, q) for p, q in zip(ours, theirs) if p is not None and q is not None]
        print(f"  known to vigil {sum(p is not None for p in ours)}, to OpenCV {sum(q is not None for q in theirs)}, "
              f"of {len(pictures) - 1}; apart: {spread([apart(p, q, w, h) for p, q in both])}")
        still = np.eye(2, 3)
        for name, moves in (("vigil", ours), ("OpenCV", theirs)):
            if args.shake:
                off = [apart(m, truth, w, h) for m, (_, truth) in zip(moves, pictures[1:]) if m is not None]
                print(f"  {name} and the truth: {spread(off)}")
            else:
                print(f"  {name}'s motion itself: {spread([apart(m, still, w, h) for m in moves if m is not None])}")


if __name__ == "__main__":
    sys.exit(main())
