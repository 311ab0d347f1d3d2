#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Weights of yolo11n-seg, -pose, -obb or -cls drawn from the generator of the golden data, as vigil reads them, and a
picture: what compare_tasks.py needs where nobody has trained.

    make_task.py segment yolo11n-seg.safetensors picture.npy --imgsz 640
"""
import argparse
import json
import struct

import numpy as np
import torch
from torch import nn

from torch_model import C2PSA, C3k2, Conv, Yolo11
from torch_tasks import Extra, Pose, Segment, TaskWeights
from yolo_weights import synthetic_input

HEADS = {"segment": "[[16, 19, 22], 1, Segment, [nc, 32, 256]]", "pose": "[[16, 19, 22], 1, Pose, [nc, [17, 3]]]",
         "obb": "[[16, 19, 22], 1, OBB, [nc, 1]]"}
CLASSES = {"segment": 80, "pose": 1, "obb": 15, "classify": 1000}
BACKBONE = """backbone:
  - [-1, 1, Conv, [64, 3, 2]]
  - [-1, 1, Conv, [128, 3, 2]]
  - [-1, 2, C3k2, [256, False, 0.25]]
  - [-1, 1, Conv, [256, 3, 2]]
  - [-1, 2, C3k2, [512, False, 0.25]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [-1, 2, C3k2, [512, True]]
  - [-1, 1, Conv, [1024, 3, 2]]
  - [-1, 2, C3k2, [1024, True]]
"""
NECK = """  - [-1, 1, SPPF, [1024, 5]]
  - [-1, 2, C2PSA, [1024]]
head:
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]]
  - [[-1, 6], 1, Concat, [1]]
  - [-1, 2, C3k2, [512, False]]
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]]
  - [[-1, 4], 1, Concat, [1]]
  - [-1, 2, C3k2, [256, False]]
  - [-1, 1, Conv, [256, 3, 2]]
  - [[-1, 13], 1, Concat, [1]]
  - [-1, 2, C3k2, [512, False]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [[-1, 10], 1, Concat, [1]]
  - [-1, 2, C3k2, [1024, True]]
"""


class Classify(nn.Module):
    def __init__(self, c, nc):
        super().__init__()
        self.conv, self.linear = Conv(c, 1280), nn.Linear(1280, nc)


class Classifier(nn.Module):
    def __init__(self, nc):
        super().__init__()
        body = Yolo11("n", 80).model[:9]
        self.model = nn.ModuleList([*body, C2PSA(256, 1), Classify(256, nc)])


class Generated(TaskWeights):
    def _scale_and_offset(self, key, shape):
        if key.endswith("linear.bias"):
            return 0.5, 0
        if key.endswith("linear.weight"):
            return 8 * (3.0 / 1280) ** 0.5, 0
        return super()._scale_and_offset(key, shape)


def make_model(task, nc):
    if task == "classify":
        return Classifier(nc)
    model = Yolo11("n", nc)
    channels = (64, 128, 256)
    model.model[-1] = {"segment": lambda: Segment(nc, channels, 0.25), "pose": lambda: Pose(nc, channels, 0.25),
                       "obb": lambda: Extra(nc, channels, 1)}[task]()
    return model


def yaml_of(task, nc):
    head = ("  - [-1, 2, C2PSA, [1024]]\nhead:\n  - [-1, 1, Classify, [nc]]\n" if task == "classify"
            else NECK + f"  - {HEADS[task]}\n")
    shape = "kpt_shape: [17, 3]\n" if task == "pose" else ""
    return f"nc: {nc}\n{shape}scales:\n  n: [0.50, 0.25, 1024]\n{BACKBONE}{head}"


def write(path, task, nc, head_g):
    weights = Generated(0, head_g)
    tensors, entries, at = [], {}, 0
    with torch.no_grad():
        for key, tensor in make_model(task, nc).state_dict().items():
            if key.endswith("num_batches_tracked"):
                continue
            values = np.ascontiguousarray(weights.get(key, tuple(tensor.shape)), dtype="<f4")
            entries[key] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
            tensors.append(values.tobytes())
            at += values.nbytes
    entries["__metadata__"] = {"model_yaml": yaml_of(task, nc), "scale": "n",
                               "names": json.dumps([f"class{i}" for i in range(nc)]),
                               "stride": "[1.0]" if task == "classify" else "[8.0,16.0,32.0]"}
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + b"".join(tensors))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=CLASSES)
    parser.add_argument("weights")
    parser.add_argument("picture", help="(H,W,3) uint8 .npy to be written")
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--nc", type=int)
    parser.add_argument("--head-g", type=float, default=8)
    args = parser.parse_args()
    write(args.weights, args.task, args.nc or CLASSES[args.task], args.head_g)
    picture = synthetic_input((1, 3, args.imgsz, args.imgsz), 0)[0].transpose(1, 2, 0)
    np.save(args.picture, np.ascontiguousarray((picture * 255).round().astype(np.uint8)), allow_pickle=False)


if __name__ == "__main__":
    main()
