"""What the tests share: the package of the build tree (PYTHONPATH), random weights, and pictures that are drawn here."""
import os
import pathlib
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RANDOM = str(ROOT / "tests" / "golden" / "yolo11n_random.pt")

# Random weights see everything, a little.
# One thread: tests run beside each other.
EVERYTHING = {"conf": 0.001, "imgsz": 96, "max_det": 20, "threads": 1}


@pytest.fixture(scope="session")
def model():
    from vigil import YOLO

    return YOLO(RANDOM)


def picture(h=72, w=96, seed=0):
    """Coloured patches, (h, w, 3) of uint8."""
    rng = np.random.RandomState(seed)
    return np.kron(rng.randint(0, 256, (h // 8, w // 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_bmp(path, bgr):
    """A BMP without any library."""
    import struct

    h, w, _ = bgr.shape
    rows = [bgr[y].tobytes() + b"\0" * (-w * 3 % 4) for y in range(h - 1, -1, -1)]
    data = b"".join(rows)
    pathlib.Path(path).write_bytes(b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) +
                                   struct.pack("<IiiHHIIiiII", 40, w, h, 1, 24, 0, len(data), 2835, 2835, 0, 0) + data)


def dataset(folder, n=8, classes=("square", "circle")):
    """A dataset of coloured squares on grey; returns its YAML."""
    rng = np.random.RandomState(1)
    for split in ("train", "val"):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "labels" / split).mkdir(parents=True)
        for i in range(n):
            image = np.full((64, 64, 3), 120, np.uint8)
            c = i % len(classes)
            x, y, s = rng.randint(4, 30), rng.randint(4, 30), rng.randint(16, 28)
            image[y:y + s, x:x + s] = (20, 20, 230) if c == 0 else (230, 20, 20)
            write_bmp(folder / "images" / split / f"{i}.bmp", image)
            (folder / "labels" / split / f"{i}.txt").write_text(f"{c} {(x + s / 2) / 64} {(y + s / 2) / 64} {s / 64} {s / 64}\n")
    yaml = folder / "data.yaml"
    yaml.write_text(f"path: {folder}\ntrain: images/train\nval: images/val\nnames: [{', '.join(classes)}]\n")
    return str(yaml)
