# SPDX-License-Identifier: Apache-2.0
"""Weights for the peers' models: read from a safetensors file, or drawn from the golden data's generator.

Nothing but numpy, so that what we compare with owes nothing to the code that is measured.
"""
import json
import re
import struct

import numpy as np

FNV_OFFSET = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3
MASK64 = (1 << 64) - 1

SAFETENSORS_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1"}


def read_safetensors(path):
    """Every tensor of the file as {name: array}. Raises ValueError for a dtype or an extent that cannot be right."""
    with open(path, "rb") as file:
        blob = file.read()
    (n_header,) = struct.unpack_from("<Q", blob, 0)
    if n_header > len(blob) - 8:
        raise ValueError(f"{path}: header length {n_header} runs past the file's end; is it a safetensors file?")
    header = json.loads(blob[8:8 + n_header])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in SAFETENSORS_DTYPES:
            raise ValueError(f"{path}: {name}: dtype {entry['dtype']} is not read here; convert it to F32 first")
        start, end = (8 + n_header + offset for offset in entry["data_offsets"])
        flat = np.frombuffer(blob[start:end], dtype=SAFETENSORS_DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


class StoredWeights:
    """A state dict's tensors, each asked for with the shape that the model needs."""

    def __init__(self, path):
        self.path = path
        self.tensors = read_safetensors(path)

    def get(self, key, shape):
        if key not in self.tensors:
            raise ValueError(f"{self.path}: no tensor {key}; is the scale right?")
        tensor = self.tensors[key]
        if tensor.shape != tuple(shape):
            raise ValueError(f"{self.path}: {key} is {tensor.shape}, the model needs {tuple(shape)}; check --scale, --nc")
        return tensor.astype(np.float32)


class GeneratedWeights:
    """The generator of spec section 8: any scale and class count, bit for bit."""

    def __init__(self, seed, head_g):
        self.seed = seed
        self.head_g = head_g

    def get(self, key, shape):
        if key.endswith("dfl.conv.weight"):
            return np.arange(shape[1], dtype=np.float32).reshape(shape)
        scale, offset = self._scale_and_offset(key, shape)
        scaled = self._uniform(key, int(np.prod(shape))) * np.float32(scale)
        return (scaled + np.float32(offset)).reshape(shape)

    def _uniform(self, key, n):
        """n values in [-1, 1), exact in float32: splitmix64 over the hash of the name."""
        hashed = FNV_OFFSET
        for byte in key.encode():
            hashed = ((hashed ^ byte) * FNV_PRIME) & MASK64
        start = (hashed + self.seed * 0xD1B54A32D192ED03) & MASK64
        z = np.uint64(start) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        u = (z >> np.uint64(40)).astype(np.int64)
        return ((2 * u - 2 ** 24) / 2 ** 24).astype(np.float32)

    def _scale_and_offset(self, key, shape):
        for suffix, pair in (("bn.weight", (0.25, 1)), ("bn.bias", (0.2, 0)),
                             ("bn.running_mean", (0.2, 0)), ("bn.running_var", (0.5, 1))):
            if key.endswith(suffix):
                return pair
        if re.fullmatch(r"model\.\d+\.cv2\.\d+\.2\.bias", key):
            return 0.5, 1
        if re.fullmatch(r"model\.\d+\.cv3\.\d+\.2\.bias", key):
            return 1.0, -4.3
        if re.fullmatch(r"model\.\d+\.cv[23]\.\d+\.2\.weight", key):
            gain = self.head_g
        elif {"attn", "ffn"} & set(key.split(".")):
            gain = 0.6
        elif re.search(r"\.m\.\d+\.cv2\.conv\.weight$", key):
            gain = 0.6
        else:
            gain = 1.4
        fan_in = shape[1] * shape[2] * shape[3]
        return gain * float(np.sqrt(3.0 / fan_in)), 0


def synthetic_input(shape, seed):
    """(B,3,H,W) in 0..1: smooth waves and discs, a little noise; like a picture in that neighbours resemble each other."""
    rng = np.random.default_rng(seed)
    batch, channels, height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    images = np.empty(shape, dtype=np.float32)
    for image in images.reshape(-1, height, width):
        fx, fy, phase = rng.uniform(0.005, 0.08), rng.uniform(0.005, 0.08), rng.uniform(0, 6.28)
        image[:] = 0.5 + 0.3 * np.sin(fx * x + fy * y + phase)
        for _ in range(12):
            cx, cy, radius = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(6, 80)
            image[(x - cx) ** 2 + (y - cy) ** 2 < radius ** 2] = rng.uniform(0, 1)
        image += rng.uniform(-0.02, 0.02, size=image.shape).astype(np.float32)
    return np.clip(images, 0, 1)
