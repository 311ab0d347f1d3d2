"""What a model's task adds to boxes: taken from the library's results, and handed back to it for drawings and texts."""
from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np

from ._c import ffi, lib


class Mask(NamedTuple):
    """Bits of a window of a grid of pixels, and the outline in pixels of the picture."""

    grid: Tuple[int, int]  # height, width
    x: int
    y: int
    bits: np.ndarray       # (height, bytes of a row) uint8
    width: int
    outline: np.ndarray    # (n, 2) float32

    def put(self, into: np.ndarray) -> None:
        """Sets the mask's pixels of a grid of zeros."""
        h = len(self.bits)
        if h:
            window = np.unpackbits(self.bits, axis=1)[:, :self.width]
            into[self.y:self.y + h, self.x:self.x + self.width] = window


class Extras:
    """Parallel to a result's boxes. What the task does not have is None."""

    def __init__(self, task: int, masks: Optional[List[Mask]] = None, keypoints: Optional[np.ndarray] = None,
                 dims: int = 3, rotated: Optional[np.ndarray] = None, top: Optional[List[Tuple[int, float]]] = None,
                 probabilities: Optional[np.ndarray] = None):
        self.task, self.masks, self.keypoints, self.dims = task, masks, keypoints, dims
        self.rotated, self.top, self.probabilities = rotated, top, probabilities

    def part(self, index: Any) -> "Extras":
        """Those of some boxes, as an index or a slice of an array names them."""
        def of(a: Optional[np.ndarray]) -> Optional[np.ndarray]:
            if a is None:
                return None
            b = a[index]
            return b[None] if b.ndim < a.ndim else b

        masks = self.masks
        if masks is not None:
            chosen = np.arange(len(masks))[index]
            masks = [masks[int(i)] for i in np.atleast_1d(chosen)]
        return Extras(self.task, masks, of(self.keypoints), self.dims, of(self.rotated), self.top, self.probabilities)


def _mask(m: Any) -> Mask:
    size = m.height * m.row_bytes
    bits = np.frombuffer(ffi.buffer(m.bits, size), np.uint8).reshape(m.height, m.row_bytes).copy() if size else \
        np.zeros((0, 0), np.uint8)
    n = m.n_points
    outline = np.frombuffer(ffi.buffer(m.outline, 8 * n), np.float32).reshape(n, 2).copy() if n else np.zeros((0, 2), np.float32)
    return Mask((m.grid_height, m.grid_width), m.x, m.y, bits, m.width, outline)


def _floats(p: Any, shape: Tuple[int, ...]) -> np.ndarray:
    n = int(np.prod(shape))
    if n == 0:
        return np.zeros(shape, np.float32)
    return np.frombuffer(ffi.buffer(p, 4 * n), np.float32).reshape(shape).copy()


def taken(e: Any, n: int) -> Optional[Extras]:
    """A copy of a vg_extras of n boxes; None: boxes are all there is."""
    has_top = bool(e.top)
    if not (e.masks or e.keypoints or e.rotated or has_top):
        return None
    return Extras(int(e.task), [_mask(e.masks[i]) for i in range(n)] if e.masks else None,
                  _floats(e.keypoints, (n, e.n_keypoints, 3)) if e.keypoints else None, e.keypoint_dims,
                  _floats(e.rotated, (n, 5)) if e.rotated else None,
                  [(e.top[i].class_index, e.top[i].confidence) for i in range(e.n_top)] if has_top else None,
                  _floats(e.probabilities, (e.n_probabilities,)) if has_top else None)


def lent(extras: Optional[Extras]) -> Tuple[Any, list]:
    """A vg_extras of them for the library, and what keeps it; NULL where there are none."""
    if extras is None:
        return ffi.NULL, []
    e = ffi.new("vg_extras *")
    kept: list = [e]
    e.task = extras.task

    def floats(a: np.ndarray, type_name: str) -> Any:
        a = np.ascontiguousarray(a, np.float32)
        kept.append(a)
        return ffi.cast(type_name, a.ctypes.data)

    if extras.masks is not None:
        masks = ffi.new("vg_mask[]", max(1, len(extras.masks)))
        for c, m in zip(masks, extras.masks):
            c.grid_height, c.grid_width = m.grid
            c.x, c.y, c.width, c.height = m.x, m.y, m.width, len(m.bits)
            bits = np.ascontiguousarray(m.bits)
            c.row_bytes = bits.shape[1]
            c.bits = ffi.cast("uint8_t *", bits.ctypes.data) if bits.size else ffi.NULL
            c.outline, c.n_points = floats(m.outline, "float *"), len(m.outline)
            kept.append(bits)
        kept.append(masks)
        e.masks = masks
    if extras.keypoints is not None:
        e.keypoints = floats(extras.keypoints, "vg_keypoint *")
        e.n_keypoints, e.keypoint_dims = extras.keypoints.shape[1], extras.dims
    if extras.rotated is not None:
        e.rotated = floats(extras.rotated, "vg_rotated *")
    if extras.top is not None:
        e.top = top = ffi.new("vg_class_score[]", [{"class_index": c, "confidence": p} for c, p in extras.top] or 1)
        e.n_top = len(extras.top)
        kept.append(top)
    if extras.probabilities is not None:
        e.probabilities, e.n_probabilities = floats(extras.probabilities, "float *"), len(extras.probabilities)
    return e, kept


def of_detector(handle: Any, index: int, n: int, err: Any) -> Optional[Extras]:
    """Of picture `index` of the detector's last call, in which n boxes were found."""
    from ._c import error

    e = ffi.new("vg_extras *")
    status = lib.vg_detector_extras(handle, e, ffi.NULL, index, err)
    if status != lib.VG_OK:
        raise error(err, status)
    return taken(e, n)
