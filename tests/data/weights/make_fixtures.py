"""Makes the .pt files of this folder; they are checked in, so this runs only when one is to change.

    python make_fixtures.py        (with torch 2.x)

The classes below only lend their names to the pickles: a checkpoint is data and names, and the reader under test never
imports anything. Values count upwards, so that the tests can say what they must be.
"""
import sys
import types
from pathlib import PosixPath

import torch
from torch import nn


def in_module(module, cls):
    """Makes cls look as if it were defined in `module`."""
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(".".join(parts[:i])))
    setattr(sys.modules[module], cls.__name__, cls)
    cls.__module__ = module
    cls.__qualname__ = cls.__name__
    return cls


class DetectionModel(nn.Module):
    pass


class Conv(nn.Module):
    pass


class IterableSimpleNamespace(types.SimpleNamespace):
    pass


class Gadget:  # a class that no reader has heard of
    pass


in_module("ultralytics.nn.tasks", DetectionModel)
in_module("ultralytics.nn.modules.conv", Conv)
in_module("ultralytics.utils", IterableSimpleNamespace)
in_module("somebody.plugins", Gadget)


def counting(*shape, start=0, dtype=torch.float32):
    n = 1
    for s in shape:
        n *= s
    return torch.arange(start, start + n).reshape(shape).to(dtype)


def make_model(start):
    model = DetectionModel()
    model.model = nn.Sequential(Conv(), Conv())
    a, b = model.model[0], model.model[1]
    a.conv = nn.Conv2d(2, 3, 1, bias=False)
    a.conv.weight = nn.Parameter(counting(3, 2, 1, 1, start=start))
    a.bn = nn.BatchNorm2d(3, eps=1e-3)
    a.bn.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
    # Columns of a matrix: strides (1, 4), from offset 1 of a storage that `shared` has too.
    whole = counting(3, 4, start=100)
    b.columns = nn.Parameter(whole.t()[1:])
    b.register_buffer("shared", whole[1])
    b.register_buffer("brain", counting(5, start=-2, dtype=torch.bfloat16))
    b.register_buffer("absent", None)
    b.register_buffer("passing", torch.zeros(2), persistent=False)
    b.register_buffer("mask", torch.tensor([True, False, True]))
    b.register_buffer("repeated", torch.tensor([7.0]).expand(3))
    model.yaml = {"nc": 2, "scale": "n", "ch": 3, "backbone": [[-1, 1, "Conv", [64, 3, 2]]], "head": [], "eps": 1e-3,
                  "flag": True, "none": None, "far": float("inf")}
    model.names = {0: "red \"cell\"", 1: "wei\u00dfe Zelle"}
    model.stride = torch.tensor([8.0, 16.0, 32.0], dtype=torch.float16)
    model.args = IterableSimpleNamespace(imgsz=640, data=PosixPath("/data/cells.yaml"))
    model.gadget = Gadget()
    model.gadget.colour = "blue"
    return model


torch.save({"epoch": 3, "version": "8.3.9", "date": "2024-10-10T12:00:00", "license": "none", "model": make_model(500),
            "ema": make_model(1000), "updates": 7, "train_args": None,
            "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.01}]}},
           "unstripped.pt")
torch.save({"a.weight": counting(2, 3, dtype=torch.float64), "a.bias": counting(3, dtype=torch.int32), "note": "kept out"},
           "state_dict.pt")
torch.save({"state_dict": {"b": torch.tensor(5, dtype=torch.int64)}, "epoch": 1}, "nested_state_dict.pt")
torch.save({"a": torch.zeros(2)}, "legacy.pt", _use_new_zipfile_serialization=False)
torch.jit.script(nn.Linear(1, 1)).save("torchscript.pt")
torch.save({"q": torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8)}, "quantized.pt")
with_attributes = {"t": counting(3, start=1), "p": nn.Parameter(counting(2, start=4))}
for tensor in with_attributes.values():
    tensor.colour = "blue"
torch.save(with_attributes, "attributes.pt")
