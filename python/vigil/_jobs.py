"""Jobs of the library: a list of pictures with files written, and moving pictures. Each is a generator of Results."""
import queue
import threading
import warnings
from typing import Any, Callable, Container, Dict, Iterator, Mapping, Optional

import numpy as np

from . import _extras, _options, _pictures
from ._c import ArgumentError, Calls, call, encode, error, ffi, lib, path, text
from ._engine import Detecting
from ._handles import opened
from .results import Results

# Of vigil/stream.h's table, what pictures have a use for.
OF_PICTURES = frozenset((
    "imgsz", "img_size", "conf", "conf_thres", "iou", "iou_thres", "max_det", "classes", "agnostic_nms", "augment", "half", "batch", "batch_size",
    "threads", "device", "isa", "memory_limit", "save", "save_txt", "save_conf", "save_crop", "save_json", "project", "name",
    "exist_ok", "line_width", "line_thickness", "hide_labels", "hide_conf", "show_labels", "show_conf", "show_boxes"))
SAVING = ("save", "save_txt", "save_crop", "save_json")
# Results that wait for who iterates; a file's job waits then, a live one lets the oldest go.
MOST_WAITING = 4


def wants_files(arguments: Mapping[str, Any]) -> bool:
    return any(_options.truth(arguments.get(k, False), k) for k in SAVING)


def check_for_pictures(arguments: Mapping[str, Any], besides: Container[str] = ()) -> None:
    """What only videos have a use for is said, unless it asks for nothing. besides: names that have a use, too."""
    table = _options.stream_table()
    for name, value in arguments.items():
        row = table.get(name)
        if name in OF_PICTURES or name in besides or row is None or _options.write(value, name).lower() == text(row.preset).lower():
            continue
        raise ArgumentError(f"{name}={value!r} is for videos, streams and cameras", name, "leave it out, or give such a source")


def _rows(found: Any, n: int) -> np.ndarray:
    """Detections as an array of their own: x1, y1, x2, y2, confidence, class."""
    if n == 0:
        return np.zeros((0, 6), np.float32)
    rows = np.frombuffer(ffi.buffer(found, n * ffi.sizeof("vg_detection")), np.float32).reshape(n, 6).copy()
    rows[:, 5] = rows[:, 5].view(np.int32)
    return rows


def predict_options(weights: str, source: str, arguments: Mapping[str, Any], detecting: Detecting) -> tuple:
    """vg_predict_options and what it borrows."""
    fields = _options.Fields(lib.vg_predict_options_default())
    o = fields.p
    o.save = False
    for name, value in arguments.items():
        name = {"line_thickness": "line_width"}.get(name, name)
        if name in ("show_labels", "show_conf", "show_boxes"):
            if not _options.truth(value, name):
                setattr(o, "hide" + name[4:], True)
        elif name in fields.names and name not in ("detector", "detect", "source", "class_names"):
            fields.set(name, value)
    fields.set("source", source)
    kept = [ffi.new("char[]", encode(w)) for w in (weights, detecting.opening.device, detecting.opening.isa)]
    d = o.detector
    d.weights, d.device = kept[0], kept[1]
    if detecting.opening.isa:
        d.isa = kept[2]
    h, w = detecting.opening.imgsz
    d.imgsz, d.imgsz_w = h, 0 if h == w else w
    d.batch, d.threads, d.memory_limit_bytes = detecting.opening.batch, detecting.opening.threads, detecting.opening.memory_limit
    d.augment, d.half = detecting.opening.augment, detecting.opening.half
    d.retina_masks = detecting.opening.retina_masks
    o.detect = detecting.options[0]
    return o, (fields, kept, detecting)


def pictures(weights: str, names: Dict[int, str], source: str, arguments: Mapping[str, Any],
             detecting: Detecting) -> Iterator[Results]:
    """A file, folder, glob or list of pictures; files are written as the arguments say."""
    o, kept = predict_options(weights, source, arguments, detecting)
    job = opened("vg_predict", lambda p: lib.vg_predict_close(p, ffi.NULL), "a job", lib.vg_predict_open, o)
    del kept
    try:
        folder = path(lib.vg_predict_folder(job.p)) or None
        out = ffi.new("const vg_predict_result **")
        while True:
            call(lib.vg_predict_next, job.p, out)
            r = out[0]
            if not r:
                break
            if r.status != lib.VG_OK:
                warnings.warn(f"skipped {path(r.source)}: {error(ffi.addressof(r, 'error'), r.status)}", stacklevel=3)
                continue
            t = r.times
            result = Results(None, path(r.source), names, _rows(r.detections, r.n_detections), orig_shape=(r.height, r.width),
                             speed={"preprocess": t.preprocess_ms, "inference": t.inference_ms,
                                    "postprocess": t.postprocess_ms}, extras=_extras.taken(r.extras, r.n_detections))
            result.save_dir = folder
            yield result
        call(lib.vg_predict_close, job.out)
    finally:
        job.close()


# ---- moving pictures ----

_END = object()


def _of_stream(r: Any, names: Dict[int, str]) -> Results:
    rows = _rows(r.detections, r.n_detections)
    if r.ids:
        ids = np.frombuffer(ffi.buffer(r.ids, r.n_detections * 8), np.int64) if r.n_detections else np.zeros(0)
        rows = np.concatenate([rows[:, :4], ids[:, None].astype(np.float32), rows[:, 4:]], axis=1)
    t = r.times
    result = Results(None, path(r.file) or path(r.source), names, rows, orig_shape=(r.height, r.width),
                     speed={"preprocess": t.preprocess, "inference": t.inference, "postprocess": t.postprocess},
                     extras=_extras.taken(r.extras, r.n_detections))
    result.frame, result.time_s = r.frame, r.time_s
    for i in range(r.n_events):
        e = r.events[i]
        result.events.append({"kind": text(lib.vg_stream_event_name(e.kind)), "zone": text(e.zone), "class": e.class_index,
                              "track_id": e.track, "seconds": e.seconds, "inside": e.inside, "in": e.n_in, "out": e.n_out})
    return result


class StreamJob:
    """A stream job in a thread of its own. Results go to a function where one is given; else they wait in a short queue."""

    def __init__(self, names: Dict[int, str], arguments: Mapping[str, Any], on_result: Optional[Callable[[Results], None]] = None):
        self.names = names
        self.take = on_result or self._put
        self.handle = opened("vg_stream", lib.vg_stream_destroy, "a stream", lib.vg_stream_create)
        _options.set_all(lib.vg_stream_set, self.handle.p, arguments)
        call(lib.vg_stream_check_options, self.handle.p)
        self.waiting: "queue.Queue[Any]" = queue.Queue(MOST_WAITING)
        self.stop = threading.Event()
        self.failure: Optional[BaseException] = None
        self.calls = Calls()
        self.listener = ffi.new("vg_stream_listener *", {
            "wants_frames": True,
            "result": self.calls.make("void(*)(void *, const vg_stream_result *)", self._result),
            "wants_stop": self.calls.make("bool(*)(void *)", lambda _: self.stop.is_set() or self.calls.failure is not None, True)})
        self.thread = threading.Thread(target=self._run, name="vigil stream", daemon=True)

    def _put(self, item: Any) -> None:
        while not self.stop.is_set():
            try:
                self.waiting.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def _result(self, _: Any, r: Any) -> None:
        result = _of_stream(r, self.names)
        frame = np.empty((r.height, r.width, 3), np.uint8)
        call(lib.vg_stream_frame, self.handle.p, _pictures.writable(frame))
        result.orig_img = frame
        result.save_dir = path(lib.vg_stream_folder(self.handle.p)) or None
        self.take(result)

    @staticmethod
    def is_end(item: Any) -> bool:
        return item is _END

    def _run(self) -> None:
        try:
            call(lib.vg_stream_run, self.handle.p, self.listener)
            self.calls.done()
        except BaseException as e:
            self.failure = self.calls.failure or e
        self._put(_END)

    def close(self) -> None:
        self.stop.set()
        self.thread.join()
        self.handle.close()


def stream_arguments(weights: str, source: str, arguments: Mapping[str, Any]) -> dict:
    """What a stream is told: nothing is printed or saved unless it is asked for."""
    return {"weights": weights, "source": source, "quiet": True, "save": False, **arguments}


def moving(weights: str, names: Dict[int, str], source: str, arguments: Mapping[str, Any]) -> Iterator[Results]:
    """Videos, network streams and cameras, frame by frame; ends with them, or when nobody iterates any more."""
    stream = StreamJob(names, stream_arguments(weights, source, arguments))
    stream.thread.start()
    try:
        while True:
            item = stream.waiting.get()
            if item is _END:
                break
            yield item
        if stream.failure is not None:
            raise stream.failure
    finally:
        stream.close()
