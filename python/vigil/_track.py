"""The tracker frame by frame: which box of this picture is which object of the last."""
import copy
import threading
from typing import Any, Dict, Mapping

import numpy as np

from . import _options
from ._c import call, encode, ffi, lib
from ._engine import MOST_BOXES, Detecting
from ._handles import opened
from ._pictures import Picture

_KEYS = ("tracker", "conf", "max_det", "most_tracks", "track_high_thresh", "track_low_thresh", "new_track_thresh", "track_buffer",
         "match_thresh", "fuse_score")


def keys(arguments: Mapping[str, Any]) -> Dict[str, str]:
    """What of a call's arguments is the tracker's."""
    return {k: _options.write(arguments[k], k) for k in _KEYS if k in arguments}


class Tracker:
    """A vg_tracker. Threads take turns."""

    NAMES = _KEYS

    def __init__(self, wanted: Mapping[str, str]):
        self.keys = dict(wanted)
        kept = [ffi.new("char[]", encode(word)) for pair in self.keys.items() for word in pair]
        rows = ffi.new("vg_tracker_key[]", max(1, len(self.keys)))
        for i in range(len(self.keys)):
            rows[i].name, rows[i].value = kept[2 * i], kept[2 * i + 1]
        self._handle = opened("vg_tracker", lib.vg_tracker_close, "a tracker", lib.vg_tracker_open, rows, len(self.keys), 0)
        self._boxes = np.zeros((MOST_BOXES, 6), np.float32)
        self._ids = np.zeros(MOST_BOXES, np.int64)
        self._n = ffi.new("size_t *")
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Not in a child that was forked: what its objects were is the parent's."""
        return self._handle.is_open

    def detecting(self, of_call: Detecting) -> Detecting:
        """The same, with the confidence down to which a track goes on."""
        weak = copy.copy(of_call)
        weak.options = ffi.new("vg_detect_options *", of_call.options[0])
        weak.options.conf = lib.vg_tracker_conf(self._handle.p)
        return weak

    def clear(self) -> None:
        with self._lock:
            lib.vg_tracker_clear(self._handle.p)

    def step(self, rows: np.ndarray, picture: Picture) -> np.ndarray:
        """(n, 6) -> (m, 7): the boxes of tracks, with their ids behind the corners."""
        with self._lock:
            n = self._n[0] = len(rows)
            self._boxes[:n] = rows
            self._boxes[:n, 5].view(np.int32)[:] = rows[:, 5].astype(np.int32)
            call(lib.vg_tracker_step, self._handle.p, ffi.cast("vg_detection *", self._boxes.ctypes.data),
                 ffi.cast("int64_t *", self._ids.ctypes.data), self._n, picture.image)
            n = self._n[0]
            out = np.empty((n, 7), np.float32)
            out[:, :4], out[:, 4], out[:, 5] = self._boxes[:n, :4], self._ids[:n], self._boxes[:n, 4]
            out[:, 6] = self._boxes[:n, 5].view(np.int32)
            return out
