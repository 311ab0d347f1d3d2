"""A detector of the library and the tables of options that say how it is used."""
import threading
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from . import _options
from . import _extras
from ._c import ArgumentError, call, encode, error, ffi, lib, text, unknown
from ._handles import Handle, after_fork, opened
from ._pictures import Picture

MOST_BOXES = 1000  # what max_det may be

# What a detector is opened with; the rest of the table is of each call.
_OPENING = ("imgsz", "batch", "threads", "device", "isa", "memory_limit", "augment", "half", "retina_masks")


class Opening(NamedTuple):
    """What a detector is opened with."""

    imgsz: Tuple[int, int]
    batch: int
    threads: int
    device: str
    isa: str
    memory_limit: int
    augment: bool
    half: bool
    retina_masks: bool


class Detecting:
    """What a call detects with, as the library wants it; made once for the same arguments."""

    def __init__(self, arguments: Mapping[str, Any], names: Dict[int, str]):
        """arguments: of vigil/stream.h's table, checked by it."""
        handle = opened("vg_stream", lib.vg_stream_destroy, "options", lib.vg_stream_create)
        _options.set_all(lib.vg_stream_set, handle.p, {k: v for k, v in arguments.items() if k not in ("classes", "retina_masks")})

        def get(name: str) -> str:
            buf = ffi.new("char[]", 1100)
            return text(lib.vg_stream_get(handle.p, name.encode(), buf, 1100))

        self.opening = Opening(_options.size(get("imgsz")) if get("imgsz") != "0" else (0, 0), max(1, int(get("batch"))), int(get("threads")), get("device") or "auto",
                               get("isa"), _bytes(get("memory_limit")), get("augment") == "true", get("half") == "true",
                               _options.truth(arguments.get("retina_masks", False), "retina_masks"))
        self.options = ffi.new("vg_detect_options *", lib.vg_detect_options_default())
        self.options.conf, self.options.iou = float(get("conf")), float(get("iou"))
        self.options.max_det = int(get("max_det"))
        self.options.agnostic_nms = get("agnostic_nms") == "true"
        self.classes = class_numbers(arguments.get("classes"), names)
        if self.classes is not None:
            self._kept = ffi.new("int[]", self.classes or [0])
            self.options.classes, self.options.n_classes = self._kept, len(self.classes)
        handle.close()


def _bytes(word: str) -> int:
    value = ffi.new("size_t *")
    row = ffi.new("vg_option *", {"kind": lib.VG_OPTION_BYTES, "most": 1e18})
    lib.vg_option_read(row, value, word.encode())
    return value[0]


def class_numbers(classes: Any, names: Dict[int, str]) -> Optional[List[int]]:
    """Numbers of classes that are given by number or name, one or several; None: all."""
    if classes is None:
        return None
    row = ffi.new("vg_option *", {"kind": lib.VG_OPTION_CLASSES, "most": 2**31 - 1})
    found = ffi.new("vg_classes *")
    if lib.vg_option_read(row, found, encode(_options.write(classes, "classes"))) != lib.VG_OPTION_GOOD:
        raise ArgumentError(f"classes={classes!r}", "classes", "numbers and names of classes: [0, 'person']")
    numbers = [found.at[i] for i in range(found.n)]
    words = [w for w in text(found.names).split(",") if w]
    if words:
        by_name = {v: k for k, v in names.items()}
        for word in words:
            if word not in by_name:
                raise unknown("class", word, by_name, "classes")
            numbers.append(by_name[word])
    for number in numbers:
        if number not in names:
            raise ArgumentError(f"class {number} of a model with {len(names)} classes (0..{len(names) - 1})", "classes",
                                "model.names has them all")
    return numbers


class Detector:
    """A vg_detector, opened when it is first used, and again after a fork. Threads take turns."""

    def __init__(self, weights: str, opening: Opening):
        self.weights, self.opening = weights, opening
        self.lock = threading.RLock()
        self._handle: Optional[Handle] = None
        after_fork(self)

    def _after_fork(self) -> None:
        self.lock = threading.RLock()  # whoever held it is not here

    def _open(self) -> Handle:
        handle = self._handle
        if handle is None or not handle.is_open:
            o = ffi.new("vg_options *", lib.vg_options_default())
            kept = [ffi.new("char[]", encode(w)) for w in (self.weights, self.opening.device, self.opening.isa)]
            o.weights, o.device = kept[0], kept[1]
            if self.opening.isa:
                o.isa = kept[2]
            h, w = self.opening.imgsz
            o.imgsz, o.imgsz_w = h, 0 if h == w else w
            o.batch, o.threads = self.opening.batch, self.opening.threads
            o.memory_limit_bytes = self.opening.memory_limit
            o.augment, o.half = self.opening.augment, self.opening.half
            o.retina_masks = self.opening.retina_masks
            handle = opened("vg_detector", lib.vg_detector_close, "a model", lib.vg_detector_open, o)
            self._rows = np.zeros((self.opening.batch * MOST_BOXES, 6), np.float32)
            self._found = ffi.from_buffer("vg_detection[]", self._rows, require_writable=True)
            self._n = ffi.new("size_t[]", self.opening.batch)
            self._error = ffi.new("vg_error *")
            self._times = ffi.new("vg_predict_times *")
            self._images = ffi.new("vg_image[]", self.opening.batch)
            self._handle = handle
        return handle

    def close(self) -> None:
        with self.lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def memory(self) -> Any:
        out = ffi.new("vg_memory *")
        with self.lock:
            lib.vg_detector_memory(self._open().p, out)
        return out

    def _taken(self, i: int) -> np.ndarray:
        """Rows of picture i as an array of their own: x1, y1, x2, y2, confidence, class as a float."""
        rows = self._rows[i * MOST_BOXES:i * MOST_BOXES + self._n[i]].copy()
        rows[:, 5] = rows[:, 5].view(np.int32)
        return rows

    def _speed(self, n: int) -> Dict[str, float]:
        """Of a picture of the n that the last call had, milliseconds."""
        t = self._times
        lib.vg_detector_times(self._open().p, t)
        return {"preprocess": t.preprocess_ms / n, "inference": t.inference_ms / n,
                "postprocess": t.postprocess_ms / n}

    def detect(self, pictures: Sequence[Picture], detecting: Detecting) -> Tuple[List[Tuple[np.ndarray, Any]], Dict[str, float]]:
        """Boxes of up to `batch` pictures, which are looked at where they lie, each with what the task adds (None: nothing);
        times of one of them."""
        with self.lock:
            handle = self._open()
            for i, picture in enumerate(pictures):
                self._images[i] = picture.image[0]
            status = lib.vg_detect_batch(handle.p, self._found, MOST_BOXES, self._n, self._images, len(pictures), detecting.options,
                                         self._error)
            if status != lib.VG_OK:
                raise error(self._error, status)
            speed = self._speed(len(pictures))
            return [(self._taken(i), _extras.of_detector(handle.p, i, self._n[i], self._error)) for i in range(len(pictures))], speed
