"""What was found in a picture: boxes as numpy arrays, under the names that Ultralytics' users know."""
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from . import _pictures
from ._arrays import Numbers, numbers
from ._c import Error, ffi, lib


class Boxes:
    """Boxes of one picture, best first. An index or a slice gives Boxes again; each array is the result's own."""

    def __init__(self, data: Any, orig_shape: Tuple[int, int]):
        data = np.asarray(data, dtype=np.float32)
        if data.ndim == 1:
            data = data[None, :]
        if data.ndim != 2 or data.shape[1] not in (6, 7):
            raise ValueError(f"boxes are rows of 6 numbers (x1, y1, x2, y2, confidence, class), or of 7 with the track's id "
                             f"behind the corners, not an array of shape {tuple(data.shape)}")
        self._data = data
        self.orig_shape = (int(orig_shape[0]), int(orig_shape[1]))

    @property
    def data(self) -> Numbers:
        """(N, 6): x1, y1, x2, y2, confidence, class; (N, 7) with tracks, the id before the confidence."""
        return numbers(self._data)

    @property
    def shape(self) -> Tuple[int, ...]:
        return self._data.shape

    @property
    def is_track(self) -> bool:
        return self._data.shape[1] == 7

    @property
    def xyxy(self) -> Numbers:
        """(N, 4): corners, pixels."""
        return numbers(self._data[:, :4])

    @property
    def xywh(self) -> Numbers:
        """(N, 4): centre, width and height, pixels."""
        c = self._data[:, :4]
        return numbers(np.concatenate([(c[:, :2] + c[:, 2:]) / 2, c[:, 2:] - c[:, :2]], axis=1))

    def _share(self, boxes: np.ndarray) -> Numbers:
        h, w = self.orig_shape
        return numbers(np.asarray(boxes) / np.array([w, h, w, h], dtype=np.float32))

    @property
    def xyxyn(self) -> Numbers:
        """As xyxy, as shares of the picture, 0 to 1."""
        return self._share(self.xyxy)

    @property
    def xywhn(self) -> Numbers:
        """As xywh, as shares of the picture, 0 to 1."""
        return self._share(self.xywh)

    @property
    def conf(self) -> Numbers:
        """(N,): confidences, 0 to 1."""
        return numbers(self._data[:, -2])

    @property
    def cls(self) -> Numbers:
        """(N,): classes, as floats."""
        return numbers(self._data[:, -1])

    @property
    def id(self) -> Optional[Numbers]:
        """(N,): the tracks' ids, as floats; None without tracking."""
        return numbers(self._data[:, 4]) if self.is_track else None

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: Any) -> "Boxes":
        return Boxes(self._data[index], self.orig_shape)

    def __iter__(self) -> Iterator["Boxes"]:
        return (self[i] for i in range(len(self)))

    def numpy(self) -> "Boxes":
        return self

    cpu = numpy

    def to(self, *_: Any, **__: Any) -> "Boxes":
        return self

    def __repr__(self) -> str:
        return f"Boxes({len(self)} of shape {self.shape}, picture {self.orig_shape})\n{self._data!r}"


class Results:
    """What was found in one picture or frame."""

    # Of other tasks: there is nothing of the kind here.
    masks = None
    keypoints = None
    probs = None
    obb = None

    def __init__(self, orig_img: Any, path: str, names: Dict[int, str], boxes: Any = None, *,
                 orig_shape: Optional[Tuple[int, int]] = None, speed: Optional[Dict[str, float]] = None,
                 model: Any = None):
        self._picture = orig_img
        if orig_shape is None:
            if orig_img is None:
                raise ValueError("a result without a picture needs orig_shape=(height, width)")
            orig_shape = orig_img.shape[:2]
        self.orig_shape: Tuple[int, int] = (int(orig_shape[0]), int(orig_shape[1]))
        self.path = path
        self.names = names
        self.boxes = boxes if isinstance(boxes, Boxes) else Boxes(np.zeros((0, 6)) if boxes is None else boxes, self.orig_shape)
        self.speed: Dict[str, Any] = speed or {"preprocess": None, "inference": None, "postprocess": None}
        self.save_dir: Optional[str] = None
        # Of a video: its frame from 0, its time, and what happened in zones.
        self.frame: Optional[int] = None
        self.time_s: Optional[float] = None
        self.events: List[dict] = []

    # ---- the picture ----

    @property
    def orig_img(self) -> np.ndarray:
        """The picture, (height, width, 3) in the order BGR: the array that was given, or read from .path at the first use."""
        if self._picture is None:
            self._picture = _pictures.load(self.path)
        elif callable(self._picture):
            self._picture = self._picture()
        return self._picture

    @orig_img.setter
    def orig_img(self, picture: np.ndarray) -> None:
        self._picture = picture

    def plot(self, conf: bool = True, line_width: Optional[float] = None, font_size: Optional[float] = None, font: Any = None,
             pil: bool = False, img: Optional[np.ndarray] = None, im_gpu: Any = None, kpt_radius: Any = None, kpt_line: Any = None,
             labels: bool = True, boxes: bool = True, masks: Any = None, probs: Any = None, show: bool = False, save: bool = False,
             filename: Any = None, color_mode: Any = None, txt_color: Any = None) -> Any:
        """The picture with its boxes drawn, as a new array in the order BGR; pil=True: a PIL image. save=True also writes it as
        filename. Sizes and colours of words follow from the picture and the class: font_size, color_mode and those of
        other tasks have no effect."""
        picture = _pictures.draw(self, img, conf=conf, line_width=line_width, labels=labels, boxes=boxes)
        if show:
            self.show()
        if save:
            _pictures.save(picture, os.fspath(filename or self._file_name()))
        if pil:
            from PIL import Image

            return Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
        return picture

    def _file_name(self) -> str:
        return f"results_{Path(self.path).stem or 'image'}.jpg"

    def save(self, filename: Any = None, *args: Any, **kwargs: Any) -> str:
        """Writes plot() as a file, whose suffix says the format; returns its name."""
        name = os.fspath(filename or self._file_name())
        _pictures.save(self.plot(*args, **kwargs), name)
        return name

    def show(self, *_: Any, **__: Any) -> None:
        """Refused: a window is for videos and cameras."""
        raise Error("no window is opened for a picture", "Results.show()",
                    "Image.fromarray(result.plot()[..., ::-1]).show() of PIL; in a notebook the result itself, as a cell's last line; "
                    "of a video model.predict(source, stream=True, show=True)", "VG_ERR_UNSUPPORTED")

    # ---- as text ----

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: Any) -> "Results":
        part = Results(self._picture, self.path, self.names, self.boxes[index], orig_shape=self.orig_shape, speed=self.speed)
        part.frame, part.time_s, part.save_dir = self.frame, self.time_s, self.save_dir
        return part

    def __iter__(self) -> Iterator["Results"]:
        return (self[i] for i in range(len(self)))

    def numpy(self) -> "Results":
        return self

    cpu = numpy

    def to(self, *_: Any, **__: Any) -> "Results":
        return self

    def new(self) -> "Results":
        """The same picture without boxes."""
        return Results(self._picture, self.path, self.names, orig_shape=self.orig_shape, speed=self.speed)

    def update(self, boxes: Any = None) -> None:
        if boxes is not None:
            self.boxes = boxes if isinstance(boxes, Boxes) else Boxes(boxes, self.orig_shape)

    def verbose(self) -> str:
        """"2 persons, 1 bus, ": how many of each class."""
        if not len(self):
            return "(no detections), "
        buf = ffi.new("char[256]")
        words = []
        for index in np.unique(np.asarray(self.boxes.cls)).astype(int):
            n = int((np.asarray(self.boxes.cls) == index).sum())
            lib.vg_count_format(buf, 256, n, self.names.get(int(index), str(index)).encode())
            words.append(ffi.string(buf).decode("utf-8", "replace") + ", ")
        return "".join(words)

    def summary(self, normalize: bool = False, decimals: int = 5) -> List[Dict[str, Any]]:
        """A dict for each box: name, class, confidence, box {x1, y1, x2, y2}; track_id with tracking."""
        corners = np.asarray(self.boxes.xyxyn if normalize else self.boxes.xyxy)
        ids = self.boxes.id
        rows = []
        for i in range(len(self)):
            index = int(self.boxes.cls[i])
            row: Dict[str, Any] = {"name": self.names.get(index, str(index)), "class": index,
                                   "confidence": round(float(self.boxes.conf[i]), decimals),
                                   "box": {k: round(float(v), decimals) for k, v in zip(("x1", "y1", "x2", "y2"), corners[i])}}
            if ids is not None:
                row["track_id"] = int(ids[i])
            rows.append(row)
        return rows

    def to_json(self, normalize: bool = False, decimals: int = 5) -> str:
        """summary() as JSON."""
        return json.dumps(self.summary(normalize, decimals), indent=2)

    tojson = to_json

    def to_df(self, normalize: bool = False, decimals: int = 5) -> Any:
        """summary() as a DataFrame, a column box for the dict; needs pandas."""
        try:
            import pandas
        except ImportError:
            raise Error("to_df() needs pandas, which is not installed", "Results.to_df()",
                        "pip install pandas; or summary(), which needs nothing", "VG_ERR_UNSUPPORTED") from None
        return pandas.DataFrame(self.summary(normalize, decimals))

    def save_txt(self, txt_file: Any, save_conf: bool = False) -> str:
        """Appends a row for each box: class xc yc w h, as shares of the picture; the confidence and the track's id behind."""
        name = os.fspath(txt_file)
        if len(self):
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "ab") as f:
                f.write(_pictures.labels(self, save_conf))
        return name

    def save_crop(self, save_dir: Any, file_name: Any = "im.jpg") -> List[str]:
        """Writes each box, cut out, as save_dir/CLASS/NAME.jpg, NAME2.jpg, ...; returns the files' names."""
        return _pictures.crops(self, os.fspath(save_dir), Path(file_name).stem)

    def __repr__(self) -> str:
        return f"Results({self.path!r}, {self.orig_shape[0]}x{self.orig_shape[1]}: {self.verbose().rstrip(', ')})"

    def _repr_png_(self) -> Optional[bytes]:
        return _pictures.encoded(self.plot(), "png")

    def _repr_html_(self) -> str:
        from ._html import result

        return result(self)
