#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What another implementation of ByteTrack and BoT-SORT makes of drawn detections, as golden numbers.

    pip install ultralytics lap
    track.py ../../tests/golden/track/tracks.safetensors [NAME=predictions.jsonl ...]

Objects walk, cross and hide in a world that a hand-held camera films; detections jitter, fade and miss. What the camera did
is told to the peer in the place of its own guess. Written are the detections, the camera and each tracker's answers, nothing
else. NAME=FILE adds the detections of a real film from a camera that stands still, at most so many frames:

    vigil predict --weights W --source FILM --conf 0.1 --save-json --no-save
"""
import argparse
import json
import struct
from types import SimpleNamespace

import numpy as np
from ultralytics.engine.results import Boxes
from ultralytics.trackers.bot_sort import BOTSORT
from ultralytics.trackers.byte_tracker import BYTETracker

WIDTH, HEIGHT, N_FRAMES, N_OBJECTS = 1280, 720, 300, 10
MOST_BOXES = 32  # of a frame, the best: what the test has room for
OPTIONS = dict(track_high_thresh=0.25, track_low_thresh=0.1, new_track_thresh=0.25, track_buffer=30, match_thresh=0.8,
               fuse_score=True, gmc_method="none", proximity_thresh=0.5, appearance_thresh=0.8, with_reid=False,
               model="auto")


def similarity(rng, shake):
    """A camera's place: [[a, -b, x], [b, a, y]]."""
    angle, scale = rng.uniform(-1, 1) * shake / 1000, 1 + rng.uniform(-1, 1) * shake / 2000
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, rng.uniform(-shake, shake)], [b, a, rng.uniform(-shake, shake)], [0, 0, 1]])


def draw(rng, shake):
    """Detections of all frames (n, 7): frame, xyxy, score, class; and the camera's moves (frames, 4): a, b, x, y."""
    at = rng.uniform([100, 100], [WIDTH - 100, HEIGHT - 100], (N_OBJECTS, 2))
    speed = rng.uniform(1.5, 4, (N_OBJECTS, 2)) * rng.choice([-1, 1], (N_OBJECTS, 2)) * [1, 0.3]
    size = rng.uniform([30, 60], [60, 110], (N_OBJECTS, 2))
    hidden = np.zeros(N_OBJECTS, int)
    rows, moves, camera = [], [], np.eye(3)
    for frame in range(N_FRAMES):
        was, camera = camera, similarity(rng, shake) if shake else np.eye(3)
        move = camera @ np.linalg.inv(was)
        moves.append([move[0, 0], move[1, 0], move[0, 2], move[1, 2]])
        at += speed
        for axis, end in ((0, WIDTH), (1, HEIGHT)):
            speed[:, axis] *= np.where((at[:, axis] < 60) | (at[:, axis] > end - 60), -1, 1)
        scale = np.hypot(camera[0, 0], camera[1, 0])
        for i in range(N_OBJECTS):
            hidden[i] = hidden[i] - 1 if hidden[i] > 0 else (rng.integers(5, 45) if rng.random() < 0.01 else 0)
            if hidden[i] > 0 or rng.random() < 0.03:
                continue
            centre = camera[:2, :2] @ at[i] + camera[:2, 2] + rng.uniform(-1.5, 1.5, 2)
            half = size[i] * scale / 2 + rng.uniform(-1, 1, 2)
            score = rng.uniform(0.12, 0.24) if rng.random() < 0.1 else rng.uniform(0.4, 0.95)
            rows.append([frame, *(centre - half), *(centre + half), score, i % 3])
    return np.array(rows, np.float32), np.array(moves)


def read(path):
    """The same of predictions.jsonl, with a camera that stands still."""
    rows, n = [], 0
    with open(path, encoding="utf-8") as file:
        for n, line in enumerate(file, 1):
            boxes = sorted(json.loads(line)["boxes"], key=lambda b: -b["confidence"])[:MOST_BOXES]
            rows += [[n - 1, *b["xyxy"], b["confidence"], b["class"]] for b in boxes]
            if n == N_FRAMES:
                break
    return np.array(rows, np.float32), np.tile([1.0, 0, 0, 0], (n, 1))


def follow(kind, rows, moves):
    """The tracker's answers (n, 7): frame, id, place of the detection in its frame, xyxy."""
    tracker = kind(SimpleNamespace(tracker_type=kind.__name__, **OPTIONS), frame_rate=30)
    if hasattr(tracker, "gmc"):
        tracker.gmc.apply = lambda *_: camera
    out, picture = [], np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for frame, (a, b, x, y) in enumerate(moves):
        camera = np.array([[a, -b, x], [b, a, y]])
        boxes = rows[rows[:, 0] == frame][:, 1:]
        for track in np.asarray(tracker.update(Boxes(boxes, (HEIGHT, WIDTH)), picture)).reshape(-1, 8):
            like = np.flatnonzero((boxes[:, 4] == track[5]) & (boxes[:, 5] == track[6]))
            place = like[np.abs(boxes[like, :4] - track[:4]).sum(1).argmin()]  # films have equal scores
            out.append([frame, track[4], place, *track[:4]])
    return np.array(out, np.float32)


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [at, at + t.nbytes]}
        at += t.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(t.tobytes() for t in tensors.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("films", nargs="*", metavar="NAME=FILE")
    args, tensors = parser.parse_args(), {}
    scenes = [(name, *draw(np.random.default_rng(1), shake)) for name, shake in (("still", 0), ("shaking", 20))]
    scenes += [(name, *read(path)) for name, path in (film.split("=", 1) for film in args.films)]
    for name, rows, moves in scenes:
        moves = moves.astype(np.float32)
        tensors[f"{name}.detections"], tensors[f"{name}.camera"] = rows, moves
        for tracker in (BYTETracker, BOTSORT):
            BYTETracker.reset_id()
            answers = tensors[f"{name}.{tracker.__name__.lower()}"] = follow(tracker, rows, moves)
            print(f"{name}: {tracker.__name__}: {len(answers)} boxes of {len(rows)} detections, "
                  f"{len(np.unique(answers[:, 1]))} ids")
    write_safetensors(args.out, tensors)


if __name__ == "__main__":
    main()
