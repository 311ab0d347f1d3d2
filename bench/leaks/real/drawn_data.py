"""Draws a small set of pictures with boxes for a YOLO training into a folder: drawn_data.make(folder) -> data.yaml."""
import os

import cv2
import numpy as np


def make(folder, n=24):
    random = np.random.default_rng(1)
    for part in ("images", "labels"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    for i in range(n):
        picture = random.integers(0, 80, (96, 96, 3), dtype=np.uint8)
        x, y = random.integers(24, 72, 2)
        cv2.circle(picture, (int(x), int(y)), 16, (0, 255, 255), -1)
        cv2.imwrite(os.path.join(folder, "images", "%d.png" % i), picture)
        with open(os.path.join(folder, "labels", "%d.txt" % i), "w") as f:
            f.write("0 %.4f %.4f 0.3333 0.3333\n" % (x / 96, y / 96))
    path = os.path.join(folder, "data.yaml")
    with open(path, "w") as f:
        f.write("path: %s\ntrain: images\nval: images\nnames: {0: ball}\n" % os.path.abspath(folder))
    return path
