#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The usual loop: OpenCV reads and letterboxes, ONNX Runtime infers, boxes go to JSON lines.

    video_loop.py MODEL.onnx VIDEO [--threads 2] [--frames N] [--json FILE]

Written as one writes it in Python with speed in mind: one blob buffer, one cvtColor, suppression by
cv2.dnn.NMSBoxesBatched. Prints one line of JSON: frames, seconds, frames_per_s, cpu_s, resident_mb.
"""
import argparse
import json
import os
import resource
import time

import cv2
import numpy as np
import onnxruntime as ort


def letterbox(picture, size, stride=32):
    h, w = picture.shape[:2]
    ratio = min(size / h, size / w)
    new_w, new_h = round(w * ratio), round(h * ratio)
    pad_w, pad_h = (size - new_w) % stride / 2, (size - new_h) % stride / 2
    picture = cv2.resize(picture, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
    top, left = round(pad_h - 0.1), round(pad_w - 0.1)
    bottom, right = round(pad_h + 0.1), round(pad_w + 0.1)
    return cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(114, 114, 114)), ratio, left, top


def detect(session, blob, conf, iou):
    out = session.run(None, {"images": blob})[0][0]
    scores = out[4:].max(axis=0)
    keep = scores > conf
    if not keep.any():
        return np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)
    classes, scores = out[4:, keep].argmax(axis=0), scores[keep]
    xywh = out[:4, keep].T
    boxes = np.concatenate([xywh[:, :2] - xywh[:, 2:] / 2, xywh[:, 2:]], axis=1)
    chosen = cv2.dnn.NMSBoxesBatched(boxes.tolist(), scores.tolist(), classes.tolist(), conf, iou)
    return boxes[chosen], scores[chosen], classes[chosen]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("video")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--frames", type=int, default=0)
    p.add_argument("--imgsz", type=int, default=640)
    p.add_argument("--conf", type=float, default=0.25)
    p.add_argument("--iou", type=float, default=0.7)
    p.add_argument("--json", default=os.devnull)
    a = p.parse_args()

    options = ort.SessionOptions()
    options.intra_op_num_threads = a.threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = ort.InferenceSession(a.model, options, providers=["CPUExecutionProvider"])
    capture = cv2.VideoCapture(a.video)
    n = 0
    began, cpu = time.monotonic(), time.process_time()
    with open(a.json, "w", encoding="utf-8") as out:
        while a.frames == 0 or n < a.frames:
            good, picture = capture.read()
            if not good:
                break
            boxed, ratio, left, top = letterbox(picture, a.imgsz)
            blob = cv2.dnn.blobFromImage(boxed, 1 / 255, swapRB=True)
            boxes, scores, classes = detect(session, blob, a.conf, a.iou)
            boxes = (boxes - [left, top, 0, 0]) / ratio
            out.write(json.dumps({"frame": n, "boxes": [
                {"class": int(c), "confidence": float(s), "xywh": b.tolist()}
                for b, s, c in zip(boxes, scores, classes)]}) + "\n")
            n += 1
    seconds = time.monotonic() - began
    print(json.dumps({"frames": n, "seconds": seconds, "frames_per_s": n / seconds,
                      "cpu_s": time.process_time() - cpu,
                      "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
