"""Training, with functions of the caller's that are called on the way and may stop it."""
import math
import os
from typing import Any, Callable, Dict, List, Mapping, Optional

import numpy as np

from . import _options
from ._c import Calls, Interrupt, Interrupted, call, encode, ffi, lib, path, text
from ._handles import opened
from .metrics import Metrics, epoch_metrics, loss_names

_LOSSES = ("box_loss", "cls_loss", "dfl_loss")


def _number(x: float) -> Optional[float]:
    return None if math.isnan(x) else float(x)


class Trainer:
    """A training run as callbacks see it. `trainer.stop = True` ends it: after a checkpoint, as Ctrl-C does."""

    def __init__(self, handle: Any, callbacks: Any, model: Any):
        info = ffi.new("vg_train_info *")
        lib.vg_train_info_get(handle.p, info)
        self.model = model
        self.stop = False
        self.stopped = False  # it was ended by stop
        self.save_dir: str = path(info.folder)
        self.wdir: str = os.path.join(self.save_dir, "weights")
        self.epochs: int = info.epochs
        self.start_epoch: int = info.start_epoch
        self.epoch: int = info.start_epoch  # from 0, as Ultralytics counts
        self.batch_size: int = info.batch
        self.imgsz: int = info.imgsz
        self.optimizer: str = text(info.optimizer)
        self.device: str = text(info.device)
        self.n_train, self.n_val = info.train.n_pictures, info.val.n_pictures
        self.batch: int = 0  # batches done in this epoch, and of how many
        self.n_batches: int = 0
        self.loss_items = np.zeros(3)  # box, cls, dfl: means over the epoch so far
        self.lr: Dict[str, float] = {}
        self.metrics: Dict[str, float] = {}
        self.fitness: Optional[float] = None
        self.best_fitness: Optional[float] = None
        self.best_epoch: Optional[int] = None
        self.seconds: float = 0.0
        # A dict for each epoch: epoch, train/box_loss, metrics/mAP50(B), val/box_loss, lr/pg0, ...
        self.history: List[Dict[str, Any]] = []
        self.messages: List[str] = []
        self.args: Dict[str, Any] = {}  # as they were given
        self._handle, self._callbacks = handle, callbacks
        self._is_within_epoch = False
        self._losses = _LOSSES  # the task's own from the first batch on
        i = 0
        while True:
            message = lib.vg_train_message(handle.p, i)
            if not message:
                break
            self.messages.append(text(message))
            i += 1

    @property
    def loss(self) -> float:
        return float(self.loss_items.sum())

    @property
    def data(self) -> Optional[str]:
        """The dataset's YAML, as it was given."""
        return self.args.get("data")

    tloss = property(lambda self: self.loss_items)

    @property
    def best(self) -> str:
        return os.path.join(self.wdir, "best.safetensors")

    @property
    def last(self) -> str:
        return os.path.join(self.wdir, "last.safetensors")

    csv = property(lambda self: os.path.join(self.save_dir, "results.csv"))

    def label_loss_items(self, loss_items: Any = None, prefix: str = "train") -> Any:
        """Names of the losses, or a dict of them."""
        keys = [f"{prefix}/{n}" for n in self._losses]
        return keys if loss_items is None else dict(zip(keys, (float(v) for v in loss_items)))

    def pace(self) -> Dict[str, float]:
        """How fast it goes, and what the process holds: pictures_per_s, elapsed_s, left_s, planned_bytes, resident_bytes."""
        p = ffi.new("vg_train_pace *")
        lib.vg_train_pace_get(self._handle.p, p)
        return {n: getattr(p, n) for n, _ in ffi.typeof("vg_train_pace").fields}

    # ---- what the library calls ----

    def _begin_epoch(self) -> None:
        if not self._is_within_epoch:
            self._is_within_epoch = True
            self._callbacks.run("on_train_epoch_start", self)

    def _batch(self, _: Any, b: Any) -> None:
        self.epoch, self.batch, self.n_batches = b.epoch - 1, b.batch, b.n_batches
        self._losses = loss_names(b.task, b.n_losses)
        self.loss_items = np.array(list(b.loss)[:b.n_losses])
        self.lr = {f"lr/pg{i}": b.lr[i] for i in range(3)}
        self.seconds = b.seconds
        self._callbacks.run("on_train_batch_end", self)
        if b.batch == b.n_batches:
            self._is_within_epoch = False
            self._callbacks.run("on_train_epoch_end", self)

    def _epoch(self, _: Any, e: Any) -> None:
        self.epoch, self.seconds = e.epoch - 1, e.seconds
        self._losses = loss_names(e.task, e.n_losses)
        self.loss_items = np.array(list(e.train_loss)[:e.n_losses])
        self.lr = {f"lr/pg{i}": e.lr[i] for i in range(3)}
        row: Dict[str, Any] = {"epoch": e.epoch, "time": e.seconds, **self.label_loss_items(e.train_loss)}
        if e.is_validated:
            self.metrics = epoch_metrics(e)
            self.metrics.update(self.label_loss_items(e.val_loss, "val"))
            self.fitness = 0.1 * (e.map50 + e.second.map50) + 0.9 * (e.map + e.second.map) + (e.top1 + e.top5) / 2
            row.update(self.metrics)
            if e.is_best:
                self.best_fitness, self.best_epoch = self.fitness, self.epoch
        row.update(self.lr)
        self.history.append(row)
        self._callbacks.run("on_model_save", self)
        self._callbacks.run("on_fit_epoch_end", self)
        if e.epoch < e.n_epochs and not e.stops and not e.time_is_up and not self.stop:
            self._begin_epoch()

    def __repr__(self) -> str:
        return f"Trainer({self.save_dir!r}, epoch {self.epoch + 1} of {self.epochs})"

    def _repr_html_(self) -> str:
        from ._html import run

        return run(self)


def train(model: Any, weights: str, arguments: Mapping[str, Any]) -> Trainer:
    """Trains until the last epoch, until patience, until a callback sets trainer.stop, or until Ctrl-C, which raises
    KeyboardInterrupt once the checkpoint is written. Leaves the metrics of the best weights in model.metrics."""
    handle = opened("vg_train", lib.vg_train_destroy, "a training", lib.vg_train_create)
    told = dict(arguments)
    if not told.get("resume"):
        told.setdefault("model", weights)
    elif told["resume"] is True and os.path.isfile(weights):
        told["resume"] = weights  # YOLO("last.pt").train(resume=True), as people write it
    callbacks = model.callbacks
    _options.set_all(lib.vg_train_set, handle.p, told)
    calls = Calls()
    try:
        with Interrupt() as ctrl_c:
            callbacks.run("on_pretrain_routine_start", model)
            call(lib.vg_train_prepare, handle.p)
            trainer = model.trainer = Trainer(handle, callbacks, model)
            trainer.args = told
            callbacks.run("on_pretrain_routine_end", trainer)

            def wants_stop(_: Any) -> bool:
                return trainer.stop or ctrl_c.asked or calls.failure is not None

            listener = ffi.new("vg_train_listener *", {
                "batch": calls.make("void(*)(void *, const vg_train_batch *)", trainer._batch),
                "epoch": calls.make("void(*)(void *, const vg_train_epoch *)", trainer._epoch),
                "wants_stop": calls.make("bool(*)(void *)", wants_stop, True)})
            if not ctrl_c.asked:
                callbacks.run("on_train_start", trainer)
                trainer._begin_epoch()
                try:
                    call(lib.vg_train_run, handle.p, listener)
                except Interrupted:
                    calls.done()  # a callback's own exception is what ended it
                    if ctrl_c.asked:
                        raise KeyboardInterrupt(f"stopped with a checkpoint; go on with train(resume={trainer.last!r})") from None
                    trainer.stopped = True
                calls.done()
                final = lib.vg_train_final(handle.p)
                model._trained(trainer, final)
                callbacks.run("on_train_end", trainer)
    finally:
        handle.close()
    return trainer
