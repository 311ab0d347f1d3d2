# SPDX-License-Identifier: Apache-2.0
"""The training loader of the PyTorch peer: mosaic, random perspective, HSV, flip (spec 5.4 with its defaults) in
OpenCV, pictures decoded anew each time as by default, batches by worker processes."""
import os
import random

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


def read_labels(path):
    """(n, 5): class, xywh normalised."""
    if not os.path.exists(path):
        return np.zeros((0, 5), np.float32)
    with open(path) as file:
        rows = [line.split() for line in file if line.strip()]
    return np.array(rows, np.float32).reshape(-1, 5)


class MosaicSet(Dataset):
    def __init__(self, folder, imgsz, batch, n_pictures=None):
        names = sorted(n for n in os.listdir(folder) if n.lower().endswith((".jpg", ".png")))[:n_pictures]
        self.paths = [os.path.join(folder, n) for n in names]
        labels = folder.replace("/images/", "/labels/")
        self.labels = [read_labels(os.path.join(labels, os.path.splitext(n)[0] + ".txt")) for n in names]
        self.imgsz = imgsz
        self.recent, self.most_recent = [], min(len(names), 8 * batch, 1000)
        self.kept = {}

    def __len__(self):
        return len(self.paths)

    def load(self, i):
        """The picture with its longer side imgsz; those in the buffer of recent ones are not read again."""
        if i in self.kept:
            return self.kept[i]
        image = cv2.imread(self.paths[i])
        h, w = image.shape[:2]
        r = self.imgsz / max(h, w)
        if r != 1:
            size = min(int(np.ceil(w * r)), self.imgsz), min(int(np.ceil(h * r)), self.imgsz)
            image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        self.kept[i] = image
        self.recent.append(i)
        if len(self.recent) > self.most_recent:
            del self.kept[self.recent.pop(0)]
        return image

    def mosaic(self, index):
        s = self.imgsz
        self.load(index)
        chosen = [index] + random.choices(self.recent, k=3)
        yc, xc = (int(random.uniform(s / 2, 3 * s / 2)) for _ in range(2))
        canvas = np.full((2 * s, 2 * s, 3), 114, np.uint8)
        boxes = []
        for k, i in enumerate(chosen):
            image = self.load(i)
            h, w = image.shape[:2]
            left, top = (xc - w, xc)[k % 2], (yc - h, yc)[k // 2]
            x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + w, 2 * s), min(top + h, 2 * s)
            canvas[y1:y2, x1:x2] = image[y1 - top:y2 - top, x1 - left:x2 - left]
            rows = self.labels[i]
            center, half = rows[:, 1:3] * (w, h) + (left, top), rows[:, 3:5] * (w, h) / 2
            boxes.append(np.concatenate((rows[:, :1], center - half, center + half), 1))
        boxes = np.concatenate(boxes).astype(np.float32)
        boxes[:, 1:].clip(0, 2 * s, out=boxes[:, 1:])
        return canvas, boxes

    def warp(self, canvas, boxes):
        s = self.imgsz
        gain = random.uniform(0.5, 1.5)
        tx, ty = (random.uniform(0.4, 0.6) * s for _ in range(2))
        matrix = np.array(((gain, 0, tx - gain * s), (0, gain, ty - gain * s)), np.float32)
        image = cv2.warpAffine(canvas, matrix, (s, s), borderValue=(114, 114, 114))
        moved = boxes.copy()
        moved[:, 1::2] = (boxes[:, 1::2] * gain + matrix[0, 2]).clip(0, s)
        moved[:, 2::2] = (boxes[:, 2::2] * gain + matrix[1, 2]).clip(0, s)
        w0, h0 = (boxes[:, 3:5] - boxes[:, 1:3]).T * gain
        w, h = (moved[:, 3:5] - moved[:, 1:3]).T
        aspect = np.maximum(w / (h + 1e-16), h / (w + 1e-16))
        return image, moved[(w > 2) & (h > 2) & (w * h / (w0 * h0 + 1e-16) > 0.1) & (aspect < 100)]

    @staticmethod
    def hsv(image):
        gains = np.random.uniform(-1, 1, 3) * (0.015, 0.7, 0.4) + 1
        x = np.arange(256)
        tables = ((x * gains[0]) % 180, np.clip(x * gains[1], 0, 255), np.clip(x * gains[2], 0, 255))
        channels = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
        merged = cv2.merge([cv2.LUT(c, t.astype(np.uint8)) for c, t in zip(channels, tables)])
        cv2.cvtColor(merged, cv2.COLOR_HSV2BGR, dst=image)

    def __getitem__(self, index):
        image, boxes = self.warp(*self.mosaic(index))
        self.hsv(image)
        s = self.imgsz
        xywh = np.concatenate(((boxes[:, 1:3] + boxes[:, 3:5]) / 2, boxes[:, 3:5] - boxes[:, 1:3]), 1) / s
        if random.random() < 0.5:
            image = np.fliplr(image)
            xywh[:, 0] = 1 - xywh[:, 0]
        pixels = np.ascontiguousarray(image.transpose(2, 0, 1)[::-1])
        return torch.from_numpy(pixels), torch.from_numpy(np.concatenate((boxes[:, :1], xywh), 1))


def collate(samples):
    """(B,3,H,W) bytes; rows (image, class, xywh)."""
    rows = [torch.cat((torch.full((len(boxes), 1), float(i)), boxes), 1) for i, (_, boxes) in enumerate(samples)]
    return torch.stack([pixels for pixels, _ in samples]), torch.cat(rows)


def start_worker(_):
    cv2.setNumThreads(0)
    seed = torch.initial_seed() % 2 ** 32
    random.seed(seed)
    np.random.seed(seed)
