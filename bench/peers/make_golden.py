#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden numbers of other models of the family, made with Ultralytics' package from PyPI: what vigil-golden compares with.

    make_golden.py OUT_DIR [--only yolov8n ...]

Weights come from the golden data's generator (yolo_weights.py), so the files hold numbers alone: layers, head maps and decoded
boxes of a forward, the same of test-time augmentation, losses and gradients of a training step. Needs: pip install ultralytics==8.3.200 (torch, numpy).
"""
import argparse
import json
import os
import struct
from types import SimpleNamespace

import numpy as np
import torch
from ultralytics.nn.tasks import DetectionModel

from yolo_weights import GeneratedWeights, synthetic_input

FORWARD = ["yolov8n", "yolov8m", "yolov8n-p2", "yolov8s-p2", "yolov5n", "yolov5m"]
TRAIN = ["yolov8n", "yolov8n-p2", "yolov5n"]
VIEWS = ["yolo11n", "yolov8n-p2"]
SAMPLES = 61  # a prime, so that a sample's step has no rhythm in common with the maps
WHOLE_GRADIENTS = ("model.0.conv.weight", "model.0.bn.weight", "model.2.m.0.cv1.conv.weight", "model.2.cv1.bn.bias",
                   "cv3.0.0.conv.weight", "cv3.0.2.bias", "cv2.0.2.bias", "cv2.0.1.bn.weight")


def write_safetensors(path, tensors, meta):
    names = {"float32": "F32", "float64": "F64", "int64": "I64"}
    header, blobs, at = {"__metadata__": {k: str(v) for k, v in meta.items()}}, [], 0
    for name, array in tensors.items():
        array = np.ascontiguousarray(array)
        blob = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": names[array.dtype.name], "shape": list(array.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def make_model(name, nc, head_g):
    """The model with the generator's weights, and the sum of their bits."""
    model = DetectionModel(name + ".yaml", nc=nc, verbose=False)
    source, total = GeneratedWeights(0, head_g), 0
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            if key.endswith("num_batches_tracked"):
                continue
            values = source.get(key, tuple(tensor.shape)).astype(np.float32)
            tensor.copy_(torch.from_numpy(values))
            total += int(values.view(np.uint32).astype(np.uint64).sum())
    model.yaml_file_name = name
    return model, total % (1 << 64)


def forward(out, name):
    nc = 5
    model, total = make_model(name, nc, 8.0)
    image = synthetic_input((1, 3, 64, 96), seed=1)
    tensors = {"input": image}
    kept = {}
    for i, layer in enumerate(model.model[:-1]):
        layer.register_forward_hook(lambda module, args, output, i=i: kept.__setitem__(i, output.detach().clone()))
    model.eval()
    with torch.no_grad():
        decoded, raw = model(torch.from_numpy(image))[:2]
    for i, output in kept.items():
        flat = output.numpy().reshape(-1)
        step = max(1, flat.size // SAMPLES)
        wide = flat.astype(np.float64)
        tensors[f"layer{i}.shape"] = np.array(output.shape, dtype=np.int64)
        tensors[f"layer{i}.step"] = np.array([step], dtype=np.int64)
        tensors[f"layer{i}.sample"] = flat[::step]
        tensors[f"layer{i}.stats"] = np.array(
            [wide.mean(), wide.std(), np.sqrt((wide * wide).sum()), wide.min(), wide.max()])
    for i, level in enumerate(raw):
        tensors[f"raw{i}"] = level.numpy()
    tensors["decoded"] = decoded.numpy()
    write_safetensors(os.path.join(out, f"forward_{name}_64x96.safetensors"), tensors,
                      {"generator_seed": 0, "scale": name, "nc": nc, "wsum_u64": total, "head_g": "8.0"})


def views(out, name):
    """Test-time augmentation: the decoded boxes of all its views, and the inputs that it made."""
    nc = 5
    model, total = make_model(name, nc, 8.0)
    image = synthetic_input((2, 3, 64, 96), seed=3)
    inputs = []
    model.model[0].register_forward_pre_hook(lambda module, args: inputs.append(args[0].detach().clone()))
    model.eval()
    with torch.no_grad():
        merged = model(torch.from_numpy(image), augment=True)[0]
    tensors = {f"input{i}": x.numpy() for i, x in enumerate(inputs)}
    tensors["decoded"] = merged.numpy()
    os.makedirs(os.path.join(out, "views"), exist_ok=True)
    write_safetensors(os.path.join(out, "views", f"{name}_64x96.safetensors"), tensors,
                      {"generator_seed": 0, "scale": name, "nc": nc, "wsum_u64": total, "head_g": "8.0"})


TARGETS = np.array([[0, 0, .40, .50, .50, .60], [0, 1, .70, .30, .30, .25], [0, 2, .20, .20, .12, .10],
                    [1, 2, .50, .50, .90, .80], [1, 0, .30, .70, .20, .30], [1, 1, .62, .41, .08, .09]], dtype=np.float32)


def step_of(model, image, dtype):
    """Loss, terms and head maps of a step of training; gradients stay in the model."""
    model.args = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
    model.criterion = None
    model.train()
    rows = torch.from_numpy(TARGETS).to(dtype)
    raw = model(torch.from_numpy(image).to(dtype))
    batch = {"img": torch.from_numpy(image).to(dtype), "batch_idx": rows[:, 0], "cls": rows[:, 1:2], "bboxes": rows[:, 2:]}
    loss, items = model.init_criterion()(raw, batch)
    total = loss.sum()
    total.backward()
    return float(total), [float(x) for x in items], [level.detach() for level in raw]


def norm_of(model):
    return float(np.sqrt(sum(float((p.grad.double() ** 2).sum()) for p in model.parameters() if p.grad is not None)))


def move(model):
    """The recipe's step after a backward: clipped SGD, then the average. State dicts by the prefix that their norms get."""
    before, _ = make_model(model.yaml_file_name, model.yaml["nc"], 1.0)
    decayed = [m.weight for m in model.modules() if isinstance(m, torch.nn.Conv2d) and m.weight.requires_grad]
    chosen = {id(p) for p in decayed}
    rest = [p for p in model.parameters() if id(p) not in chosen and p.requires_grad]
    optimizer = torch.optim.SGD([{"params": decayed, "weight_decay": 5e-4}, {"params": rest, "weight_decay": 0}], lr=0.01,
                                momentum=0.937, nesterov=True)
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=10.0)
    optimizer.step()
    decay = 0.9999 * (1 - np.exp(-1 / 2000))
    after = model.state_dict()
    average = {key: tensor * decay + after[key] * (1 - decay) for key, tensor in before.state_dict().items()}
    return {"norm1": after, "emanorm1": average}


def train(out, name):
    nc = 3
    model, total = make_model(name, nc, 1.0)
    image = synthetic_input((2, 3, 64, 64), seed=2)
    loss, items, raw = step_of(model, image, torch.float32)
    tensors = {"input": image, "targets": TARGETS}
    for i, level in enumerate(raw):
        tensors[f"step1.raw{i}"] = level.numpy()
    tensors["loss_total"] = np.array([loss])
    tensors["loss_items"] = np.array([items])
    tensors["grad_total_norm_preclip"] = np.array([norm_of(model)])
    for key, parameter in model.named_parameters():
        if parameter.grad is None:
            continue
        tensors[f"gradnorm/{key}"] = np.array([float(parameter.grad.double().norm())])
        if key.endswith(WHOLE_GRADIENTS):
            tensors[f"grad/{key}"] = parameter.grad.numpy().copy()
    for key, tensor in model.state_dict().items():
        if key.endswith(("running_mean", "running_var")) and tensor.numel() <= 32:
            tensors[f"bn1/{key}"] = tensor.numpy().copy()
    for prefix, state in move(model).items():
        for key, tensor in state.items():
            if not key.endswith("num_batches_tracked"):
                tensors[f"{prefix}/{key}"] = np.array([float(tensor.double().norm())])
    twice, _ = make_model(name, nc, 1.0)
    loss, items, _ = step_of(twice.double(), image, torch.float64)
    tensors["f64.loss_total"] = np.array([loss])
    tensors["f64.loss_items"] = np.array([items])
    tensors["f64.grad_total_norm_preclip"] = np.array([norm_of(twice)])
    for key, parameter in twice.named_parameters():
        if parameter.grad is not None:
            tensors[f"f64.gradnorm/{key}"] = np.array([float(parameter.grad.norm())])
    write_safetensors(os.path.join(out, f"train_{name}_nc3_64.safetensors"), tensors,
                      {"generator_seed": 0, "scale": name, "nc": nc, "wsum_u64": total, "head_g": "1.0", "lr": "0.01",
                       "momentum": "0.937", "weight_decay": "0.0005", "nesterov": "True", "clip": "10.0"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--only", nargs="*")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in FORWARD:
        if not args.only or name in args.only:
            forward(args.out, name)
    for name in TRAIN:
        if not args.only or name in args.only:
            train(args.out, name)
    for name in VIEWS:
        if not args.only or name in args.only:
            views(args.out, name)


if __name__ == "__main__":
    main()
