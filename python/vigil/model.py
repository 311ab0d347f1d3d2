"""YOLO: a model as Ultralytics' users know it."""
import glob as _glob
import os
import threading
import warnings
from collections import OrderedDict
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union

import numpy as np

from . import _jobs, _options, _pictures, _saving
from ._c import ArgumentError, call, encode, error, ffi, lib, path, text
from ._engine import Detecting, Detector, Opening, Picture
from ._handles import after_fork, opened
from .callbacks import Callbacks
from .results import Results

# Detectors that stay open, the least recently used out first: one for each imgsz, batch and so on.
MOST_DETECTORS = 2


def _are_plain(arguments: dict) -> bool:
    """Their values can be compared: no arrays."""
    for value in arguments.values():
        if type(value) not in (bool, int, float, str):
            return False
    return True


def _places(seen: np.ndarray, tracked: np.ndarray) -> np.ndarray:
    """Where the tracked boxes were among those that were seen: both are in the same order, and none was changed."""
    places, at = [], 0
    for row in tracked:
        while not (seen[at, :4] == row[:4]).all():
            at += 1
        places.append(at)
        at += 1
    return np.array(places, int)


class YOLO:
    """A model of YOLO11, opened from weights (.pt of Ultralytics, .safetensors) or, to be trained, made from the name of
    a model YAML ("yolo11n.yaml").

    Threads may share one: they take turns. After a fork it opens its weights again at its next use, and it can be
    pickled, which takes its weights' path alone along. close() or `with` give back what it holds; the garbage
    collector does, too."""

    task = "detect"

    def __init__(self, model: Any = "yolo11n.pt", task: Optional[str] = None, verbose: bool = False):
        self._weights = os.fspath(model)
        self._device: Optional[str] = None  # of to(): where calls compute that do not say
        self._detectors: "OrderedDict[Opening, Detector]" = OrderedDict()
        self._last: Optional[tuple] = None  # the arguments of the last call, and what became of them
        self._quick: Optional[tuple] = None  # the same of a call that asked for boxes alone, and its detector
        self._lock = threading.Lock()  # of the detectors' list
        after_fork(self)
        self._tracker: Any = None
        self.callbacks = Callbacks()
        self.metrics: Any = None
        self.trainer: Any = None
        self._read()
        if task not in (None, self.task):
            raise ArgumentError(f"task={task!r} for a model of task {self.task}", "YOLO()", "leave it out, or open a model of that task")
        if verbose:
            self.info(verbose=True)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # whoever held it is not here

    def _read(self) -> None:
        """The file's facts; wrong weights are reported here and not at the first picture."""
        handle = opened("vg_model", lib.vg_model_close, "a model", lib.vg_model_open, encode(self._weights), 0, 0)
        try:
            info = ffi.new("vg_model_info *")
            lib.vg_model_info_get(handle.p, info)
            names = {i: text(lib.vg_model_class_name(handle.p, i)) for i in range(info.n_classes)}
            self.names: Dict[int, str] = {i: name or f"class{i}" for i, name in names.items()}
            self._has_weights = bool(text(info.format))
            self._name, self._n_params, self._n_layers = text(info.name), info.n_params, info.n_layers
            self._gflops, self._imgsz = info.gflops, info.imgsz
            self.task: str = text(lib.vg_task_name(info.task))
        finally:
            handle.close()

    # ---- facts ----

    @property
    def ckpt_path(self) -> str:
        """The file of its weights."""
        return self._weights

    model_name = ckpt_path

    def info(self, detailed: bool = False, verbose: bool = True) -> Tuple[int, int, int, float]:
        """(layers, parameters, 0, GFLOPs at 640 or the weights' size), printed; detailed: each layer, too."""
        if detailed:
            handle = opened("vg_model", lib.vg_model_close, "a model", lib.vg_model_open, encode(self._weights), 0, 0)
            layer = ffi.new("vg_layer *")
            print(f"{'':>4}{'from':>16}{'n':>4}{'params':>12}  {'module':<20}arguments")
            for i in range(self._n_layers):
                lib.vg_model_layer(handle.p, i, layer)
                print(f"{layer.index:>4}{text(getattr(layer, 'from')):>16}{layer.repeats:>4}{layer.n_params:>12}  "
                      f"{text(layer.module):<20}{text(layer.args)}")
            handle.close()
        if verbose:
            print(f"{self._name} summary: {self._n_layers} layers, {self._n_params:,} parameters, {self._gflops:.1f} GFLOPs "
                  f"at {self._imgsz}")
        return self._n_layers, self._n_params, 0, self._gflops

    def memory(self) -> List[dict]:
        """What its open detectors hold, a dict for each owner: owner, planned_bytes, in_use_bytes, peak_bytes, n_allocations."""
        rows = []
        with self._lock:
            detectors = list(self._detectors.values())
        for detector in detectors:
            m = detector.memory()
            rows += [{"owner": text(m.items[i].owner), "planned_bytes": m.items[i].planned_bytes,
                      "in_use_bytes": m.items[i].in_use_bytes, "peak_bytes": m.items[i].peak_bytes,
                      "n_allocations": m.items[i].n_allocations} for i in range(m.n_items)]
        return rows

    def __repr__(self) -> str:
        return f"YOLO({self._weights!r}: {self._name}, {len(self.names)} classes, {self._n_params:,} parameters)"

    def _repr_html_(self) -> str:
        from ._html import model

        return model(self)

    def close(self) -> None:
        """Gives back what it holds; the next use takes it again."""
        with self._lock:
            detectors = list(self._detectors.values())
            self._detectors.clear()
        for detector in detectors:
            detector.close()
        self._last = self._quick = None
        self._tracker = None

    def __enter__(self) -> "YOLO":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __reduce__(self) -> tuple:
        return YOLO, (self._weights,), {"_device": self._device}

    # Words that torch's users write.
    def to(self, device: Any = "auto") -> "YOLO":
        """Where later calls compute that have no device= of their own: "cpu", "auto", "gpu" or "cuda" (the first GPU), 0, "cuda:0",
        "opencl:0". An error where that is not to be had."""
        word = _options.device(device)
        handle = opened("vg_model", lib.vg_model_close, "a model", lib.vg_model_open, encode(self._weights), 0, 0)
        try:
            call(lib.vg_model_memory, handle.p, 1, 1, encode(word), False, ffi.new("vg_memory *"))
        finally:
            handle.close()
        if word != self._device:
            self.close()
        self._device = word
        return self

    def cpu(self) -> "YOLO":
        return self.to("cpu")

    def cuda(self, device: Any = None) -> "YOLO":
        return self.to("gpu" if device is None else device)

    def fuse(self) -> "YOLO":
        return self

    def eval(self) -> "YOLO":
        return self

    @property
    def device(self) -> str:
        """As to() was told."""
        return self._device or "auto"

    def _settle(self, at: int, kwargs: dict, known: Any) -> dict:
        """A call's arguments, with the device that holds for all."""
        arguments = _options.settle(at, kwargs, known)
        if "device" in arguments:
            arguments["device"] = _options.device(arguments["device"])
        elif self._device is not None:
            arguments["device"] = self._device
        return arguments

    # ---- callbacks ----

    def add_callback(self, event: str, func: Callable) -> None:
        """func is called at the event: with the trainer, the validator or the predictor, as Ultralytics does it."""
        self.callbacks.add(event, func)

    def clear_callback(self, event: str) -> None:
        self.callbacks.clear(event)

    def reset_callbacks(self) -> None:
        self.callbacks = Callbacks()

    # ---- detecting ----

    def __call__(self, source: Any = None, stream: bool = False, **kwargs: Any) -> Any:
        return self.predict(source, stream, **kwargs)

    def predict(self, source: Any = None, stream: bool = False, **kwargs: Any) -> Union[List[Results], Iterator[Results]]:
        """Detects in source: a path, a list of paths in a .txt, a folder, a glob pattern, a URL, a video, a camera; a numpy
        array (height, width, 3) in the order BGR; a PIL image; a torch tensor (N, 3, H, W) of RGB 0..1; or a list of
        those. A list of Results; with stream=True a generator of them, which holds one at a time.

        conf, iou, imgsz, classes (numbers or names), max_det, agnostic_nms, batch, save, save_txt, project, name and
        all others are those of `vigil predict --help`."""
        if source is None:
            raise ArgumentError("no source", "predict()", "give a path, a URL, an array, a PIL image, or a list of them")
        self._need_weights("predict()")
        if type(source) is np.ndarray and not stream:
            quick = self._quick_for(kwargs)
            if quick is not None:
                picture, original = _pictures.frame_of(source)
                if picture is not None:
                    ((rows, extras),), speed = quick[1].detect([picture], quick[0])
                    return [Results(original, "image0.jpg", self.names, rows, orig_shape=picture.shape, speed=speed, extras=extras)]
        results = self._results(source, kwargs)
        return results if stream else list(results)

    def _need_weights(self, where: str) -> None:
        if not self._has_weights:
            raise ArgumentError(f"{self._weights} is a model without weights", where, "train it, or open a .pt or .safetensors")

    def stream_arguments(self, source: str, kwargs: dict) -> dict:
        """For vigil.Stream: what the library is told."""
        self._need_weights("Stream()")
        return _jobs.stream_arguments(self._weights, source, self._settle(lib.VG_AT_PREDICT, kwargs, _options.stream_table()))

    def _quick_for(self, kwargs: dict) -> Optional[Tuple[Detecting, Detector]]:
        """The detector of the last call, where this one asks for the same and for boxes alone: what is around a call is
        code that the network has driven out of the caches, and would be some percent of a small input's time."""
        quick = self._quick
        if quick is None or not _are_plain(kwargs) or quick[0] != kwargs or self.callbacks.is_any:
            return None
        return (quick[1], quick[2]) if self._detectors.get(quick[1].opening) is quick[2] else None

    def track(self, source: Any = None, stream: bool = False, persist: bool = False, **kwargs: Any) -> Any:
        """As predict, with .boxes.id: the same object keeps its number from frame to frame. Of a video, stream or camera by
        itself; frame by frame with persist=True, which goes on from the frame of the call before (without it each call
        begins anew). tracker="bytetrack.yaml", "botsort.yaml" or a file of their keys; those keys are arguments, too."""
        if source is None:
            raise ArgumentError("no source", "track()", "give a video, a URL, a camera, or frames one by one with persist=True")
        results = self._results(source, kwargs, True, persist)
        return results if stream else list(results)

    def _tracker_for(self, arguments: dict, persist: bool) -> Any:
        from ._track import Tracker, keys

        wanted = keys(arguments)
        if self._tracker is None or self._tracker.keys != wanted or not self._tracker.is_open:
            self._tracker = Tracker(wanted)
        elif not persist:
            self._tracker.clear()
        return self._tracker

    def _detecting(self, kwargs: dict) -> Tuple[Detecting, Detector]:
        key = tuple(sorted((k, repr(v)) for k, v in kwargs.items()))
        last = self._last
        if last is None or last[0] != key:
            last = self._last = (key, Detecting(kwargs, self.names))
        opening = last[1].opening
        gone = []
        with self._lock:
            detector = self._detectors.get(opening)
            if detector is None:
                detector = self._detectors[opening] = Detector(self._weights, opening)
                while len(self._detectors) > MOST_DETECTORS:
                    gone.append(self._detectors.popitem(last=False)[1])
            else:
                self._detectors.move_to_end(opening)
        for other in gone:
            other.close()
        return last[1], detector

    def _results(self, source: Any, kwargs: dict, tracks: bool = False, persist: bool = False) -> Iterator[Results]:
        arguments = dict(kwargs)
        verbose = _options.truth(arguments.pop("verbose", False) or False, "verbose")
        arguments = self._settle(lib.VG_AT_PREDICT, arguments, _options.stream_table())
        tracker = self._tracker_for(arguments, persist) if tracks else None
        detecting, detector = self._detecting(arguments)
        if tracker is not None:
            detecting = tracker.detecting(detecting)
        save = _jobs.wants_files(arguments)
        if tracker is None and not save and not verbose and _are_plain(kwargs) and arguments == kwargs and not set(kwargs) - _jobs.OF_PICTURES:
            self._quick = (dict(kwargs), detecting, detector)
        self.callbacks.run("on_predict_start", self)
        n = 0
        for result in self._of_source(source, arguments, detecting, detector, save, tracker):
            n += 1
            if verbose:
                speed = result.speed["inference"]
                print(f"image {n} {result.path}: {result.verbose()}{speed:.1f}ms")
            self.callbacks.run("on_predict_batch_end", self)
            yield result
        self.callbacks.run("on_predict_end", self)

    def _of_source(self, source: Any, arguments: dict, detecting: Detecting, detector: Detector, save: bool,
                   tracker: Any) -> Iterator[Results]:
        if isinstance(source, (str, os.PathLike)) or (isinstance(source, int) and not isinstance(source, bool)):
            yield from self._of_path(os.fspath(source) if not isinstance(source, int) else str(source), arguments, detecting, detector,
                                     save, tracker)
            return
        _jobs.check_for_pictures(arguments, tracker.NAMES if tracker is not None else ())
        found = _pictures.pictures_of(source)
        if found is not None:
            items: Any = [(picture, original, f"image{i}.jpg") for i, (picture, original) in enumerate(found)]
        elif isinstance(source, (list, tuple)) or hasattr(source, "__iter__"):
            items = self._of_list(source)
        else:
            raise ArgumentError(f"a {type(source).__name__} is no source", "source",
                                "give a path, an array, a PIL image, a tensor, or a list of them")
        saver = _saving.Saver(arguments) if save else None
        group: list = []
        for item in items:
            if not isinstance(item[0], _pictures.Picture):  # a path within a list
                yield from self._in_memory(group, detecting, detector, saver, tracker)
                group = []
                yield from self._of_path(item[0], arguments, detecting, detector, save, tracker)
                continue
            group.append(item)
            if len(group) == detecting.opening.batch:
                yield from self._in_memory(group, detecting, detector, saver, tracker)
                group = []
        yield from self._in_memory(group, detecting, detector, saver, tracker)

    @staticmethod
    def _of_list(source: Any) -> Iterator[tuple]:
        n = 0
        for one in source:
            if isinstance(one, (str, os.PathLike)):
                yield (os.fspath(one),)
                continue
            found = _pictures.pictures_of(one)
            if found is None:
                raise ArgumentError(f"a {type(one).__name__} is no picture", f"source[{n}]",
                                    "give paths, arrays, PIL images or tensors")
            for picture, original in found:
                yield picture, original, f"image{n}.jpg"
                n += 1

    def _in_memory(self, group: list, detecting: Detecting, detector: Detector, saver: Any, tracker: Any = None) -> Iterator[Results]:
        if not group:
            return
        found, speed = detector.detect([item[0] for item in group], detecting)
        for (picture, original, name), (rows, extras) in zip(group, found):
            if tracker is not None:
                seen = rows
                rows = tracker.step(rows, picture)
                extras = extras and extras.part(_places(seen, rows))
            result = Results(original, name, self.names, rows, orig_shape=picture.shape, speed=dict(speed), extras=extras)
            if saver is not None:
                saver.save(result)
            yield result

    def _of_path(self, source: str, arguments: dict, detecting: Detecting, detector: Detector, save: bool,
                 tracker: Any) -> Iterator[Results]:
        if _pictures.is_url(source):
            picture = _pictures.fetch(source)
            saver = _saving.Saver(arguments) if save else None
            yield from self._in_memory([(_pictures.of_bgr(picture), picture, source)], detecting, detector, saver, tracker)
            return
        if source.startswith("push:"):
            raise ArgumentError(f"{source}: nobody pushes frames here", "source", "vigil.Stream(model), and its push()")
        if lib.vg_stream_takes(encode(source), ffi.NULL):
            yield from _jobs.moving(self._weights, self.names, source, {**arguments, "track": tracker is not None})
            return
        _jobs.check_for_pictures(arguments, tracker.NAMES if tracker is not None else ())
        if not save and os.path.isfile(source) and not source.lower().endswith(".txt"):
            picture = _pictures.load(source)
            yield from self._in_memory([(_pictures.of_bgr(picture), picture, source)], detecting, detector, None, tracker)
            return
        if tracker is not None:
            raise ArgumentError(f"no video, stream or camera: {source}", "track()",
                                "predict(), which takes pictures; or track() frame by frame, with persist=True")
        yield from _jobs.pictures(self._weights, self.names, source, arguments, detecting)

    # ---- training, validation, export ----

    def train(self, **kwargs: Any) -> Any:
        """Trains: data, epochs, batch, imgsz, lr0, patience, resume and all others of `vigil train --help`. Returns the
        Metrics of the best weights, with which the model then goes on; .trainer says how the run went.

        In a notebook curves and pictures are drawn as it goes; live=False: they are not, live=True: lines elsewhere, too.
        Ctrl-C ends it with a checkpoint and raises KeyboardInterrupt; train(resume=True) goes on."""
        from . import live, train

        with live.following(self.callbacks, kwargs.pop("live", None)):
            train.train(self, self._weights, self._settle(lib.VG_AT_TRAIN, kwargs, _options.table(lib.vg_train_options)))
        return self.metrics

    def _trained(self, trainer: Any, final: Any) -> None:
        from .metrics import Metrics

        for weights in (trainer.best, trainer.last):
            if os.path.isfile(weights):
                self.close()
                self._weights = weights
                self._read()
                break
        if final:
            self.metrics = Metrics(self.names, final, trainer.save_dir)
        elif trainer.metrics:  # it was stopped: the best weights are validated now
            self.metrics = self.val(data=trainer.data, plots=False, batch=trainer.batch_size, imgsz=trainer.imgsz)

    def val(self, **kwargs: Any) -> Any:
        """Validates on data=..., and returns Metrics: .box.map, .box.map50, .box.maps, .results_dict. data may be left out after
        a training."""
        from . import val

        arguments = self._settle(lib.VG_AT_VAL, kwargs, val.names())
        if "data" not in arguments and self.trainer is not None:
            arguments["data"] = self.trainer.data
        self.metrics = val.val(self, self._weights, arguments)
        return self.metrics

    def export(self, **kwargs: Any) -> str:
        """Writes the model as format="onnx" or "pt" (opset, imgsz, batch, dynamic, half, nms, conf, iou, max_det, output); returns
        the file's path."""
        arguments = _options.settle(lib.VG_AT_EXPORT, kwargs, _options.Fields(lib.vg_export_options_default()).names)
        fields = _options.Fields(lib.vg_export_options_default(), but=("weights",))
        if "imgsz" in arguments:
            h, w = _options.size(arguments.pop("imgsz"))
            fields.p.imgsz, fields.p.imgsz_w = h, 0 if h == w else w
        for name, value in arguments.items():
            fields.set(name, value)
        weights = ffi.new("char[]", encode(self._weights))
        fields.p.weights = weights
        out = ffi.new("vg_export_result *")
        self.callbacks.run("on_export_start", self)
        call(lib.vg_export, out, fields.p)
        self.callbacks.run("on_export_end", self)
        return path(out.path)

