"""What was found in a picture: boxes as numpy arrays, under the names that Ultralytics' users know."""
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from . import _pictures
from ._extras import Extras
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


class _Part:
    """What masks, keypoints and turned boxes share: there is no device to move them from."""

    def numpy(self) -> Any:
        return self

    cpu = numpy

    def to(self, *_: Any, **__: Any) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))  # type: ignore[arg-type,index]


class Masks(_Part):
    """Masks of one picture, in the order of its boxes."""

    def __init__(self, extras: Extras, orig_shape: Tuple[int, int]):
        self._extras, self.orig_shape = extras, orig_shape

    @property
    def data(self) -> Numbers:
        """(N, H, W): 1 where the object is, in pixels of the network's input, or of the picture with retina_masks=True."""
        masks = self._extras.masks or []
        grid = masks[0].grid if masks else self.orig_shape
        out = np.zeros((len(masks), *grid), np.uint8)
        for into, m in zip(out, masks):
            m.put(into)
        return numbers(out)

    @property
    def shape(self) -> Tuple[int, ...]:
        masks = self._extras.masks or []
        return (len(masks), *(masks[0].grid if masks else self.orig_shape))

    @property
    def xy(self) -> List[np.ndarray]:
        """For each mask its outline, (n, 2), pixels of the picture."""
        return [m.outline for m in self._extras.masks or []]

    @property
    def xyn(self) -> List[np.ndarray]:
        """The same as shares of the picture, 0 to 1."""
        h, w = self.orig_shape
        return [m.outline / np.array([w, h], np.float32) for m in self._extras.masks or []]

    def __len__(self) -> int:
        return len(self._extras.masks or [])

    def __getitem__(self, index: Any) -> "Masks":
        return Masks(self._extras.part(index), self.orig_shape)


class Keypoints(_Part):
    """Points of each object: where they are, and how surely they are seen."""

    def __init__(self, extras: Extras, orig_shape: Tuple[int, int]):
        self._extras, self.orig_shape = extras, orig_shape

    @property
    def data(self) -> Numbers:
        """(N, K, 3): x, y in pixels and visibility, 0 to 1; (N, K, 2) of models without it."""
        return numbers(self._extras.keypoints[:, :, :self._extras.dims])

    @property
    def shape(self) -> Tuple[int, ...]:
        return self.data.shape

    @property
    def has_visible(self) -> bool:
        return self._extras.dims == 3

    @property
    def xy(self) -> Numbers:
        """(N, K, 2), pixels; 0, 0 of points that are not seen."""
        return numbers(self._extras.keypoints[:, :, :2])

    @property
    def xyn(self) -> Numbers:
        """As xy, as shares of the picture, 0 to 1."""
        h, w = self.orig_shape
        return numbers(self._extras.keypoints[:, :, :2] / np.array([w, h], np.float32))

    @property
    def conf(self) -> Optional[Numbers]:
        """(N, K): visibility; None of models without it."""
        return numbers(self._extras.keypoints[:, :, 2]) if self.has_visible else None

    def __len__(self) -> int:
        return len(self._extras.keypoints)

    def __getitem__(self, index: Any) -> "Keypoints":
        return Keypoints(self._extras.part(index), self.orig_shape)


class OBB(_Part):
    """Turned boxes: centre, sides and angle (radians, clockwise as one sees it)."""

    def __init__(self, extras: Extras, boxes: Boxes):
        self._extras, self._boxes, self.orig_shape = extras, boxes, boxes.orig_shape

    @property
    def data(self) -> Numbers:
        """(N, 7): x, y, w, h, angle, confidence, class; (N, 8) with tracks, the id before the confidence."""
        return numbers(np.concatenate([self._extras.rotated, np.asarray(self._boxes.data)[:, 4:]], axis=1))

    @property
    def xywhr(self) -> Numbers:
        return numbers(self._extras.rotated)

    @property
    def conf(self) -> Numbers:
        return self._boxes.conf

    @property
    def cls(self) -> Numbers:
        return self._boxes.cls

    @property
    def id(self) -> Optional[Numbers]:
        return self._boxes.id

    @property
    def is_track(self) -> bool:
        return self._boxes.is_track

    @property
    def xyxy(self) -> Numbers:
        """(N, 4): the upright boxes around them."""
        return self._boxes.xyxy

    @property
    def xyxyxyxy(self) -> Numbers:
        """(N, 4, 2): corners, pixels."""
        x, y, w, h, r = self._extras.rotated.T
        u = np.stack([w / 2 * np.cos(r), w / 2 * np.sin(r)], 1)
        v = np.stack([-h / 2 * np.sin(r), h / 2 * np.cos(r)], 1)
        c = np.stack([x, y], 1)
        return numbers(np.stack([c + u + v, c + u - v, c - u - v, c - u + v], 1).astype(np.float32))

    @property
    def xyxyxyxyn(self) -> Numbers:
        h, w = self.orig_shape
        return numbers(np.asarray(self.xyxyxyxy) / np.array([w, h], np.float32))

    def __len__(self) -> int:
        return len(self._extras.rotated)

    def __getitem__(self, index: Any) -> "OBB":
        return OBB(self._extras.part(index), self._boxes[index])


class Probs(_Part):
    """What the whole picture shows: the probabilities of all classes, and the best five."""

    def __init__(self, extras: Extras):
        self._extras, self._top = extras, extras.top or []

    @property
    def top1(self) -> int:
        return self._top[0][0]

    @property
    def top1conf(self) -> float:
        return self._top[0][1]

    @property
    def top5(self) -> List[int]:
        return [c for c, _ in self._top]

    @property
    def top5conf(self) -> Numbers:
        return numbers(np.array([p for _, p in self._top], np.float32))

    @property
    def data(self) -> Numbers:
        """(classes) float32, together 1."""
        return numbers(self._extras.probabilities)

    @property
    def shape(self) -> Tuple[int, ...]:
        return self._extras.probabilities.shape

    def __len__(self) -> int:
        return len(self._extras.probabilities)

    def __getitem__(self, index: Any) -> "Probs":
        return self

    def __repr__(self) -> str:
        return f"Probs({self._top!r})"


class Results:
    """What was found in one picture or frame. masks, keypoints, obb and probs are None where the model's task has none; of a
    model of turned boxes, boxes are the upright ones around them."""

    def __init__(self, orig_img: Any, path: str, names: Dict[int, str], boxes: Any = None, *,
                 orig_shape: Optional[Tuple[int, int]] = None, speed: Optional[Dict[str, float]] = None,
                 model: Any = None, extras: Optional[Extras] = None):
        self.extras = extras
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

    @property
    def masks(self) -> Optional[Masks]:
        return Masks(self.extras, self.orig_shape) if self.extras and self.extras.masks is not None and len(self.boxes) else None

    @property
    def keypoints(self) -> Optional[Keypoints]:
        return Keypoints(self.extras, self.orig_shape) if self.extras and self.extras.keypoints is not None else None

    @property
    def obb(self) -> Optional[OBB]:
        return OBB(self.extras, self.boxes) if self.extras and self.extras.rotated is not None else None

    @property
    def probs(self) -> Optional[Probs]:
        return Probs(self.extras) if self.extras and self.extras.top else None

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
        part = Results(self._picture, self.path, self.names, self.boxes[index], orig_shape=self.orig_shape, speed=self.speed,
                       extras=self.extras and self.extras.part(index))
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
            self.extras = None  # they were of the boxes before
            self.boxes = boxes if isinstance(boxes, Boxes) else Boxes(boxes, self.orig_shape)

    def verbose(self) -> str:
        """"2 persons, 1 bus, ": how many of each class; of whole pictures "car 0.57, bus 0.10, "; nothing of turned boxes."""
        if self.probs is not None:
            return "".join(f"{self.names.get(c, c)} {p:.2f}, " for c, p in self.extras.top)
        if not len(self):
            return "(no detections), "
        if self.obb is not None:
            return ""
        buf = ffi.new("char[256]")
        words = []
        for index in np.unique(np.asarray(self.boxes.cls)).astype(int):
            n = int((np.asarray(self.boxes.cls) == index).sum())
            lib.vg_count_format(buf, 256, n, self.names.get(int(index), str(index)).encode())
            words.append(ffi.string(buf).decode("utf-8", "replace") + ", ")
        return "".join(words)

    def summary(self, normalize: bool = False, decimals: int = 5) -> List[Dict[str, Any]]:
        """A dict for each box: name, class, confidence, box {x1, y1, x2, y2}; track_id with tracking; segments {x, y} of masks;
        keypoints {x, y, visible}; a turned box has {x1, y1, ..., x4, y4}. Of a whole picture one: name, class, confidence."""
        if self.probs is not None:
            c = self.probs.top1
            return [{"name": self.names.get(c, str(c)), "class": c, "confidence": round(float(self.probs.top1conf), decimals)}]
        h, w = self.orig_shape
        size = np.array([w, h], np.float32) if normalize else np.ones(2, np.float32)

        def rounded(values: Any) -> List[float]:
            return [round(float(v), decimals) for v in values]

        corners = np.asarray(self.boxes.xyxyn if normalize else self.boxes.xyxy)
        ids = self.boxes.id
        rows = []
        for i in range(len(self)):
            index = int(self.boxes.cls[i])
            row: Dict[str, Any] = {"name": self.names.get(index, str(index)), "class": index,
                                   "confidence": round(float(self.boxes.conf[i]), decimals),
                                   "box": {k: round(float(v), decimals) for k, v in zip(("x1", "y1", "x2", "y2"), corners[i])}}
            if self.obb is not None:
                four = rounded((np.asarray(self.obb.xyxyxyxy[i]) / size).ravel())
                row["box"] = dict(zip(("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"), four))
            if ids is not None:
                row["track_id"] = int(ids[i])
            if self.masks is not None:
                outline = self.extras.masks[i].outline / size
                row["segments"] = {"x": rounded(outline[:, 0]), "y": rounded(outline[:, 1])}
            if self.keypoints is not None:
                points = np.asarray(self.keypoints.data[i])
                row["keypoints"] = {"x": rounded(points[:, 0] / size[0]), "y": rounded(points[:, 1] / size[1])}
                if self.keypoints.has_visible:
                    row["keypoints"]["visible"] = rounded(points[:, 2])
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
        if len(self) or self.probs is not None:
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "ab") as f:
                f.write(_pictures.labels(self, save_conf))
        return name

    def save_crop(self, save_dir: Any, file_name: Any = "im.jpg") -> List[str]:
        """Writes each box, cut out, as save_dir/CLASS/NAME.jpg, NAME2.jpg, ...; returns the files' names."""
        if self.obb is not None or self.probs is not None:
            raise Error("crops are of upright boxes", "Results.save_crop()", "leave it out with such a model", "VG_ERR_UNSUPPORTED")
        return _pictures.crops(self, os.fspath(save_dir), Path(file_name).stem)

    def __repr__(self) -> str:
        return f"Results({self.path!r}, {self.orig_shape[0]}x{self.orig_shape[1]}: {self.verbose().rstrip(', ')})"

    def _repr_png_(self) -> Optional[bytes]:
        return _pictures.encoded(self.plot(), "png")

    def _repr_html_(self) -> str:
        from ._html import result

        return result(self)
