"""vigil: YOLO11 object detection whose memory is planned before it runs and flat while it runs; and a guard for long jobs.

    from vigil import YOLO

    model = YOLO("best.pt")
    for result in model("street.jpg"):
        print(result.boxes.xyxy, result.boxes.conf, result.boxes.cls)

Threads: a model may be shared, calls take turns. Fork: safe after the import; a model that is open opens itself again in
the child. Errors are vigil.Error, with .what, .where and .mend."""
from typing import TYPE_CHECKING, Any

from ._c import ArgumentError, DeviceError, Error, FileError, FormatError, Interrupted, OutOfMemory, lib as _lib, text as _text

if TYPE_CHECKING:
    from .guard import Guard, watch
    from .metrics import Metrics
    from .model import YOLO
    from .results import Boxes, Results
    from .stream import Stream

__version__ = _text(_lib.vg_version())
__all__ = ["ArgumentError", "Boxes", "DeviceError", "Error", "FileError", "FormatError", "Guard", "Interrupted", "Metrics", "OutOfMemory", "Results",
           "Stream", "YOLO", "watch"]

# At the first use: a guard's process has no need of numpy, and an import that needs none is a third as long.
_LATER = {"YOLO": "model", "Results": "results", "Boxes": "results", "Metrics": "metrics", "Stream": "stream", "Guard": "guard",
          "watch": "guard"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'vigil' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module("." + _LATER[name], __name__), name)
    return value


def __dir__() -> list:
    return sorted({*globals(), *__all__})
