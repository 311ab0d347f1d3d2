"""Validation: how good weights are on a split."""
from typing import Any, Dict, Mapping

from . import _options
from ._c import ArgumentError, Calls, Interrupt, Interrupted, call, encode, ffi, lib, path, text
from ._handles import opened
from .metrics import Metrics

_AP = {"8.3": lib.VG_AP_8_3, "8.4": lib.VG_AP_8_4}


def names() -> Dict[str, Any]:
    """The arguments that it knows."""
    return _options.Fields(lib.vg_val_options_default(), but=("weights",)).names


class Validator:
    """A validation as callbacks see it."""

    def __init__(self, handle: Any, model: Any):
        self._handle, self.model = handle, model
        self.save_dir = path(lib.vg_val_folder(handle.p)) or None
        self.stop = False
        self.metrics: Any = None

    @property
    def seen(self) -> int:
        """Pictures that are done."""
        return self._progress()[0]

    @property
    def n_pictures(self) -> int:
        return self._progress()[1]

    def _progress(self) -> tuple:
        done, total = ffi.new("size_t *"), ffi.new("size_t *")
        lib.vg_val_progress(self._handle.p, done, total)
        return done[0], total[0]


def val(model: Any, weights: str, arguments: Mapping[str, Any]) -> Metrics:
    fields = _options.Fields(lib.vg_val_options_default(), but=("weights",))
    for name, value in arguments.items():
        if name == "imgsz":
            fields.p.imgsz = max(_options.size(value))
        elif name == "ap":
            if str(value) not in _AP:
                raise ArgumentError(f"ap={value!r}", "val()", '"8.3" or "8.4": whose average precision')
            fields.p.ap = _AP[str(value)]
        else:
            fields.set(name, value)
    if not fields.p.data:
        raise ArgumentError("no dataset given", "val()", 'data="dataset.yaml"')
    kept = ffi.new("char[]", encode(weights))
    fields.p.weights = kept
    calls, callbacks = Calls(), model.callbacks
    handle = opened("vg_val", lib.vg_val_close, "a validation", lib.vg_val_open, fields.p)
    try:
        validator = Validator(handle, model)
        with Interrupt() as ctrl_c:
            callbacks.run("on_val_start", validator)

            def wants_stop(_: Any) -> bool:
                callbacks.run("on_val_batch_end", validator)
                return validator.stop or ctrl_c.asked

            out = ffi.new("const vg_val_result **")
            try:
                call(lib.vg_val_run, handle.p, out, calls.make("bool(*)(void *)", wants_stop, True), ffi.NULL)
            except Interrupted:
                calls.done()
                if not ctrl_c.asked:
                    raise
            calls.done()
            if not ctrl_c.asked:
                validator.metrics = Metrics(model.names, out[0], validator.save_dir)
                callbacks.run("on_val_end", validator)
        return validator.metrics
    finally:
        handle.close()
