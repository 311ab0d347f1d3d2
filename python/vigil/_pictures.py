"""Pictures in memory on their way to the library and back: numpy arrays, PIL images, torch's tensors."""
import http.client
import os
import threading
import urllib.parse
import urllib.request
from typing import Any, Callable, List, Optional, Tuple, Union

import numpy as np

from ._arrays import as_array, is_pil
from . import _extras
from ._c import ArgumentError, FileError, call, encode, ffi, lib
from ._handles import opened


class Picture:
    """A picture as the library takes it: borrowed, and never copied where its pixels lie in a way that the library reads."""

    def __init__(self, array: np.ndarray, pixel_format: int, plane_stride: int = 0):
        """array: (H, W) or (H, W, channels), rows of whole pixels; of planes (channels, H, W)."""
        self.array = array  # keeps the pixels alive
        h, w = array.shape[-2:] if plane_stride else array.shape[:2]
        self.shape: Tuple[int, int] = (h, w)
        self.image = ffi.new("vg_image *", {"pixels": ffi.cast("void *", array.ctypes.data), "width": w, "height": h,
                                            "stride": array.strides[-2] if plane_stride else array.strides[0],
                                            "plane_stride": plane_stride, "format": pixel_format})


def wrong(array: np.ndarray) -> ArgumentError:
    return ArgumentError(f"an array of shape {tuple(array.shape)} and type {array.dtype} is no picture", "source",
                         "give (height, width, 3) of uint8 in the order BGR, or of floats 0 to 1; a PIL image; or a tensor "
                         "(N, 3, H, W) of floats 0 to 1")


def _floats(array: np.ndarray) -> np.ndarray:
    array = array.astype(np.float32, copy=False)
    most = float(array.max()) if array.size else 0.0
    if not most <= 1.001:
        raise ArgumentError(f"a picture of floats up to {most:.4g}", "source", "divide it by 255: floats are 0 to 1")
    return array


def _rows(array: np.ndarray, is_planar: bool = False) -> np.ndarray:
    """The same array where its rows are whole; else a copy."""
    item, step = array.itemsize, array.strides
    inner = array.shape[2] if array.ndim == 3 and not is_planar else 1
    across = step[-1] if is_planar or array.ndim == 2 else step[1]
    whole = across == item * inner and (inner == 1 or step[2] == item)
    down = step[-2] if is_planar else step[0]
    whole = whole and down >= item * inner * (array.shape[-1] if is_planar else array.shape[1])
    if is_planar:
        whole = whole and step[0] >= down * array.shape[1]
    return array if whole else np.ascontiguousarray(array)


def _of_array(array: np.ndarray, is_bgr: bool) -> Picture:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    n = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if n not in (1, 3, 4) or 0 in array.shape:
        raise wrong(array)
    if array.dtype == np.uint8:
        if n == 3 and array.strides[2] == -1 and array.strides[1] == 3:  # array[..., ::-1]: the other order, where it lies
            array, is_bgr = array[..., ::-1], not is_bgr
        formats = {1: lib.VG_GREY, 3: lib.VG_BGR if is_bgr else lib.VG_RGB, 4: lib.VG_BGRA if is_bgr else lib.VG_RGBA}
        return Picture(_rows(array), formats[n])
    if array.dtype.kind == "f" and n in (1, 3):
        formats = {1: lib.VG_GREY_FLOAT, 3: lib.VG_BGR_FLOAT if is_bgr else lib.VG_RGB_FLOAT}
        return Picture(_rows(_floats(array)), formats[n])
    raise wrong(array)


def of_bgr(array: np.ndarray) -> Picture:
    return _of_array(array, True)


def _of_tensor(array: np.ndarray) -> Picture:
    """(3, H, W) or (1, H, W), RGB: as torch has it."""
    if array.shape[0] not in (1, 3) or 0 in array.shape:
        raise wrong(array)
    if array.dtype == np.uint8:
        return _of_array(np.ascontiguousarray(array.transpose(1, 2, 0)), False)
    if array.dtype.kind != "f":
        raise wrong(array)
    array = _rows(_floats(array), True)
    if array.shape[0] == 1:
        return Picture(array[0], lib.VG_GREY_FLOAT)
    return Picture(array, lib.VG_RGB_PLANES, array.strides[0])


# What Results.orig_img is: the caller's array, or how it is made when somebody asks.
Original = Union[np.ndarray, Callable[[], np.ndarray]]


def pictures_of(source: Any) -> Optional[List[Tuple[Picture, Original]]]:
    """The pictures that an object in memory is; None: it is none."""
    if is_pil(source):
        shown = source if source.mode in ("RGB", "RGBA", "L") else source.convert("RGB")
        return [_with_original(_of_array(np.asarray(shown), False))]
    array = as_array(source)
    if array is None:
        return None
    is_tensor = not isinstance(source, np.ndarray) and array.ndim >= 3 and array.shape[-1] not in (1, 3, 4)
    if is_tensor or array.ndim == 4:
        several = array if array.ndim == 4 else array[None]
        if several.ndim != 4:
            raise wrong(array)
        return [_with_original(_of_tensor(a) if a.shape[2] not in (1, 3, 4) else _of_array(a, True)) for a in several]
    picture = _of_array(array, True)
    is_plain = array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3
    return [(picture, array)] if is_plain else [_with_original(picture)]


def frame_of(array: np.ndarray) -> Tuple[Optional[Picture], Optional[np.ndarray]]:
    """A plain frame, (H, W, 3) of uint8 in BGR with whole rows; (None, None): it is something else."""
    if array.ndim == 3 and array.dtype == np.uint8 and array.size:
        down, across, one = array.strides
        if array.shape[2] == 3 and one == 1 and across == 3 and down >= 3 * array.shape[1]:
            return Picture(array, lib.VG_BGR), array
    return None, None


def _with_original(picture: Picture) -> Tuple[Picture, Original]:
    return picture, lambda: to_bgr(picture)


def to_bgr(picture: Picture) -> np.ndarray:
    """A picture of any kind as (H, W, 3) of uint8 in the order BGR."""
    a, kind = picture.array, picture.image.format
    if a.dtype != np.uint8:
        a = (a * 255).round().clip(0, 255).astype(np.uint8)
    if kind == lib.VG_RGB_PLANES:
        a = a.transpose(1, 2, 0)
    if a.ndim == 2:
        return np.repeat(a[:, :, None], 3, axis=2)
    if kind in (lib.VG_RGB, lib.VG_RGBA, lib.VG_RGB_FLOAT, lib.VG_RGB_PLANES):
        a = a[:, :, :3][:, :, ::-1]
    return np.ascontiguousarray(a[:, :, :3])


# ---- files ----


def _codec() -> Any:
    return opened("vg_codec", lib.vg_codec_close, "a codec", lib.vg_codec_open, 0)


def load(path: str) -> np.ndarray:
    """A file as (H, W, 3) of uint8 in the order BGR, upright."""
    codec = _codec()
    try:
        image = ffi.new("vg_image *")
        call(lib.vg_codec_load, codec.p, image, encode(path))
        array = np.empty((image.height, image.width, 3), np.uint8)
        call(lib.vg_picture_put, writable(array), image)
        return array
    finally:
        codec.close()


def decode(data: bytes, name: str = "bytes") -> np.ndarray:
    """The same of an encoded picture in memory."""
    codec = _codec()
    try:
        image = ffi.new("vg_image *")
        call(lib.vg_codec_decode, codec.p, image, ffi.from_buffer(data), len(data), encode(name))
        array = np.empty((image.height, image.width, 3), np.uint8)
        call(lib.vg_picture_put, writable(array), image)
        return array
    finally:
        codec.close()


_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
MOST_FETCHED_BYTES = 256 << 20
_FETCH_S = 30.0


def is_url(source: str) -> bool:
    """Whether it is a picture on the web; every other address is a stream's."""
    address = urllib.parse.urlsplit(source)
    return address.scheme.lower() in ("http", "https") and address.path.lower().endswith(_SUFFIXES)


def fetch(url: str) -> np.ndarray:
    """The picture at an address. What is said of it is without user, password and query."""
    address = urllib.parse.urlsplit(url)
    public = urllib.parse.urlunsplit((address.scheme, address.netloc.rpartition("@")[2], address.path, "", ""))
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_S) as answer:
            data = answer.read(MOST_FETCHED_BYTES + 1)
    except (OSError, ValueError, http.client.HTTPException) as e:
        raise FileError(f"the picture cannot be fetched: {e}", public, "look at the address", "VG_ERR_IO") from None
    if len(data) > MOST_FETCHED_BYTES:
        raise FileError(f"a picture of more than {MOST_FETCHED_BYTES >> 20} MB", public, "fetch it first", "VG_ERR_LIMIT")
    return decode(data, public)


def writable(array: np.ndarray) -> Any:
    h, w, _ = array.shape
    return ffi.new("vg_picture *", {"pixels": ffi.cast("uint8_t *", array.ctypes.data), "width": w, "height": h,
                                    "stride": array.strides[0], "format": lib.VG_BGR})


def save(bgr: np.ndarray, path: str) -> None:
    """Writes .jpg or .png, whole or not at all."""
    codec = _codec()
    try:
        picture = _of_array(bgr, True)
        call(lib.vg_codec_write, codec.p, encode(path), picture.image)
    finally:
        codec.close()


def encoded(bgr: np.ndarray, kind: str = "png", quality: int = 90) -> bytes:
    """The bytes of a "png" or "jpg"."""
    codec = _codec()
    try:
        data, n = ffi.new("const uint8_t **"), ffi.new("size_t *")
        picture = _of_array(bgr, True)
        call(lib.vg_codec_encode, codec.p, data, n, picture.image, kind.encode(), quality)
        return bytes(ffi.buffer(data[0], n[0]))
    finally:
        codec.close()


# ---- what was found ----


class _Boxes:
    """vg_boxes of a result, and what it borrows."""

    def __init__(self, result: Any):
        data = np.asarray(result.boxes.data)
        n = len(data)
        rows = np.ascontiguousarray(np.concatenate([data[:, :4], data[:, -2:]], axis=1), np.float32)
        rows[:, 5].view(np.int32)[:] = rows[:, 5].astype(np.int32)
        self._rows = rows
        self._ids = np.ascontiguousarray(data[:, 4].astype(np.int64)) if data.shape[1] == 7 else None
        self._names = class_names(result.names)
        self._source = ffi.new("char[]", encode(result.path))
        h, w = result.orig_shape
        self._extras = _extras.lent(result.extras)
        self.p = ffi.new("vg_boxes *", {"extras": self._extras[0],
                                        "detections": ffi.cast("vg_detection *", rows.ctypes.data) if n else ffi.NULL,
                                        "ids": ffi.cast("int64_t *", self._ids.ctypes.data) if self._ids is not None else ffi.NULL,
                                        "n": n, "width": w, "height": h, "names": self._names[0], "n_names": self._names[1],
                                        "source": self._source})


def class_names(names: Any) -> tuple:
    """An array of C strings, their number, and what keeps them."""
    n = max(names, default=-1) + 1
    kept = [ffi.new("char[]", encode(names.get(i, f"class{i}"))) for i in range(n)]
    return ffi.new("const char *[]", [*kept, ffi.NULL]), n, kept


_of_thread = threading.local()


def _painter(names: Any) -> Any:
    """One for each thread and set of names: choosing a font takes milliseconds."""
    key = tuple(names.items())
    cached = getattr(_of_thread, "painter", None)
    if cached is None or cached[0] != key or not cached[1].is_open:
        array, n, kept = class_names(names)
        cached = _of_thread.painter = (key, opened("vg_painter", lib.vg_painter_close, "a painter", lib.vg_painter_open, array, n, 0))
        del kept
    return cached[1]


def draw(result: Any, img: Optional[np.ndarray], *, conf: bool, line_width: Optional[float], labels: bool,
         boxes: bool) -> np.ndarray:
    """A copy of the picture with the boxes in it."""
    source = result.orig_img if img is None else img
    picture = _of_array(source, True)
    array = np.empty((*picture.shape, 3), np.uint8)
    call(lib.vg_picture_put, writable(array), picture.image)
    if boxes:
        o = ffi.new("vg_draw_options *", lib.vg_draw_options_default())
        o.line_width = max(0, round(line_width or 0))
        o.hide_labels, o.hide_conf = not labels, not conf
        found = _Boxes(result)
        call(lib.vg_draw, _painter(result.names).p, writable(array), found.p, o)
    return array


def labels(result: Any, with_conf: bool) -> bytes:
    """Rows of a label file."""
    found = _Boxes(result)
    n = lib.vg_boxes_bytes(found.p)
    buf = ffi.new("char[]", n)
    call(lib.vg_boxes_labels, buf, n, found.p, with_conf)
    return ffi.string(buf)


def json_line(result: Any) -> bytes:
    """A line of predictions.jsonl, without its end."""
    found = _Boxes(result)
    n = lib.vg_boxes_bytes(found.p)
    buf = ffi.new("char[]", n)
    call(lib.vg_boxes_json, buf, n, found.p)
    return ffi.string(buf)


MOST_CROPS_OF_A_NAME = 1000000


def crops(result: Any, folder: str, stem: str) -> List[str]:
    """Writes every box, cut out, into folder/CLASS/."""
    picture = _of_array(result.orig_img, True)
    found = _Boxes(result)
    cut = ffi.new("vg_image *")
    written = []
    codec = _codec()
    try:
        for i in range(found.p.n):
            if not lib.vg_image_crop(cut, picture.image, ffi.addressof(found.p.detections[i])):
                continue
            index = found.p.detections[i].class_index
            # A name may hold a slash; it is one folder all the same.
            where = os.path.join(folder, result.names.get(index, f"class{index}").replace("/", "_").replace("\0", "_"))
            os.makedirs(where, exist_ok=True)
            path = next(p for p in (os.path.join(where, f"{stem}{k if k > 1 else ''}.jpg") for k in range(1, MOST_CROPS_OF_A_NAME))
                        if not os.path.exists(p))
            call(lib.vg_codec_write, codec.p, encode(path), cut)
            written.append(path)
    finally:
        codec.close()
    return written
