"""Datasets: drawn, looked at, shown with their boxes.

    made = datasets.draw()                    shelves with bottles, cans, cartons, jars and boxes: no download
    datasets.check("shop.yaml")               what training would stumble over; in a notebook as tables
    datasets.labelled("images/train/7.jpg")   a picture with the boxes of its label file"""
import os
from collections import namedtuple
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from . import _html, _options
from ._c import ArgumentError, FormatError, call, encode, ffi, lib, path, text
from ._handles import opened
from .results import Results

Drawn = namedtuple("Drawn", "folder data unseen n_objects")
Fault = namedtuple("Fault", "kind where what mend")
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def draw(project: str = "runs", name: str = "demo", n_train: int = 0, n_val: int = 0, n_unseen: int = 8, seed: int = 0,
         threads: int = 0, task: str = "detect") -> Drawn:
    """Draws pictures with labels for a task into a new folder project/name (name2, name3, ... when it is taken): its folder,
    the dataset's YAML as .data (of classify the folder), and a folder of pictures that belong to neither part as .unseen.
    n_train, n_val 0: as many as `vigil demo` draws for that task."""
    tasks = [text(lib.vg_demo_subject_get(i).task) for i in range(lib.VG_N_TASKS)]
    if task not in tasks:
        raise ArgumentError(f"task={task!r}", "task", ", ".join(tasks))
    fields = _options.Fields(lib.vg_demo_options_default(), but=("progress", "ctx"))
    for key, value in (("project", project), ("name", name), ("n_train", n_train), ("n_val", n_val), ("n_unseen", n_unseen),
                       ("seed", seed), ("threads", threads), ("task", tasks.index(task))):
        fields.set(key, value)
    out = ffi.new("vg_demo *")
    call(lib.vg_demo_draw, out, fields.p)
    return Drawn(path(out.folder), path(out.data), path(out.unseen), out.n_objects)


class Check:
    """A dataset that was looked at: every picture decoded, every label file read, as training does it."""

    def __init__(self, data: str, threads: int = 0, most_faults: int = 1000, task: Optional[str] = None):
        fields = _options.Fields(lib.vg_dataset_check_options_default())
        for key, value in (("data", data), ("threads", threads), ("most_faults", most_faults)):
            fields.set(key, value)
        if task is not None:
            fields.set("task", task)
        handle = opened("vg_dataset_check", lib.vg_dataset_check_close, "a check", lib.vg_dataset_check_open, fields.p)
        try:
            self._read(handle.p)
        finally:
            handle.close()

    def _read(self, c: Any) -> None:
        total = ffi.new("vg_dataset_total *")
        lib.vg_dataset_check_total(c, total)
        self.source, self.root, self.n_faults = path(total.source), path(total.root), total.n_faults
        self.splits: Dict[str, Dict[str, int]] = {}
        self.sizes: Dict[str, List[tuple]] = {}
        numbers = []
        split, size = ffi.new("vg_dataset_split *"), ffi.new("vg_dataset_size *")
        for i in range(lib.VG_N_SPLITS):
            if not lib.vg_dataset_check_split(c, i, split):
                continue
            name, d = text(split.name), split.data
            numbers.append((i, name))
            self.splits[name] = {"pictures": d.n_pictures, "objects": d.n_objects, "labelled": d.n_found, "without": d.n_missing + d.n_empty,
                                 "left out": d.n_corrupt + d.n_absent}
            self.sizes[name] = []
            while lib.vg_dataset_check_size(c, i, len(self.sizes[name]), size):
                self.sizes[name].append((size.w, size.h, size.n_pictures))
        self.classes: Dict[str, Dict[str, int]] = {}
        self.names: Dict[int, str] = {}
        row = ffi.new("vg_dataset_class *")
        while lib.vg_dataset_check_class(c, len(self.names), row):
            name = text(row.name)
            self.classes[name] = {split_name: row.n_objects[i] for i, split_name in numbers}
            self.names[len(self.names)] = name
        self.faults: List[Fault] = []
        fault = ffi.new("vg_dataset_fault *")
        while lib.vg_dataset_check_fault(c, len(self.faults), fault):
            self.faults.append(Fault(text(fault.kind), text(fault.where), text(fault.what), text(fault.mend)))
        self.notices: List[str] = []
        while True:
            notice = lib.vg_dataset_check_notice(c, len(self.notices))
            if not notice:
                break
            self.notices.append(text(notice))

    @property
    def is_clean(self) -> bool:
        return self.n_faults == 0

    def __repr__(self) -> str:
        parts = ", ".join(f"{n} {s['pictures']} pictures with {s['objects']} objects" for n, s in self.splits.items())
        return f"Check({self.source!r}: {parts}; {len(self.names)} classes, {self.n_faults} faults)"

    def _repr_html_(self) -> str:
        splits = _html.table(("part", "pictures", "objects", "labelled", "without objects", "left out", "most frequent size"), [
            (n, s["pictures"], s["objects"], s["labelled"], s["without"], s["left out"],
             f"{self.sizes[n][0][0]} x {self.sizes[n][0][1]}" if self.sizes[n] else "") for n, s in self.splits.items()])
        classes = _html.table(("class", *self.splits), [(name, *counts.values()) for name, counts in self.classes.items()])
        faults = _html.table(("where", "what", "try"), [f[1:] for f in self.faults[:_html.MOST_ROWS]]) if self.faults else ""
        words = f"<div>{_html.escape(self.source)}: {self.n_faults} faults</div>"
        return words + splits + classes + faults + "".join(f"<div>{_html.escape(n)}</div>" for n in self.notices)


def check(data: str, threads: int = 0, most_faults: int = 1000, task: Optional[str] = None) -> Check:
    """Looks at a whole dataset; a fault of a picture or label file is a result, not an exception. data: a YAML, or for
    classify a folder of folders. task: whose labels they are; by itself classify of a folder, pose of a YAML with kpt_shape,
    else detect."""
    return Check(data, threads, most_faults, task)


def label_file(picture: str) -> str:
    """Where the labels of a picture are: the last folder images is labels, the suffix .txt."""
    folder, name = os.path.split(os.fspath(picture))
    parts = folder.split(os.sep)
    for i in range(len(parts) - 1, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return os.path.join(os.sep.join(parts), os.path.splitext(name)[0] + ".txt")


def labelled(picture: str, names: Optional[Dict[int, str]] = None) -> Results:
    """A picture with the boxes of its label file, as a result whose confidences are 1: .plot(), .boxes, a notebook's cell."""
    from . import _pictures

    picture = os.fspath(picture)
    bgr = _pictures.load(picture)
    h, w = bgr.shape[:2]
    rows, file = [], label_file(picture)
    if os.path.isfile(file):
        with open(file, encoding="utf-8", errors="replace") as f:
            for n, line in enumerate(f, 1):
                words = line.split()
                if words:
                    rows.append(_row(words, w, h, f"{file}:{n}"))
    known = names if names is not None else {int(r[5]): f"class{int(r[5])}" for r in rows}
    return Results(bgr, picture, known, np.array(rows, np.float32).reshape(-1, 6))


def _row(words: List[str], w: int, h: int, where: str) -> tuple:
    try:
        numbers = [float(word) for word in words]
        index = int(words[0])
    except ValueError:
        raise FormatError("a row that is not of numbers", where, "class xc yc w h, as shares of the picture") from None
    if len(numbers) == 5:
        _, xc, yc, bw, bh = numbers
        return ((xc - bw / 2) * w, (yc - bh / 2) * h, (xc + bw / 2) * w, (yc + bh / 2) * h, 1.0, index)
    if len(numbers) >= 7 and len(numbers) % 2 == 1:  # a polygon: its box
        xs, ys = numbers[1::2], numbers[2::2]
        return (min(xs) * w, min(ys) * h, max(xs) * w, max(ys) * h, 1.0, index)
    raise FormatError(f"a row of {len(numbers)} numbers", where, "class xc yc w h, or class and the corners of a polygon")


def pictures(folder: str) -> Iterator[str]:
    """The pictures in a folder, by name."""
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        raise ArgumentError(f"no folder {folder}", "pictures()", "give a folder of pictures")
    for name in sorted(os.listdir(folder)):
        if name.lower().endswith(PICTURES):
            yield os.path.join(folder, name)


__all__ = ["Check", "Drawn", "Fault", "check", "draw", "label_file", "labelled", "pictures"]
