"""Functions that are called while something runs, by the names of their events."""
from typing import Any, Callable, Dict, List

from ._c import Error, unknown

EVENTS = ("on_pretrain_routine_start", "on_pretrain_routine_end", "on_train_start", "on_train_epoch_start", "on_train_batch_end",
          "on_train_epoch_end", "on_fit_epoch_end", "on_model_save", "on_train_end",
          "on_val_start", "on_val_batch_end", "on_val_end",
          "on_predict_start", "on_predict_batch_end", "on_predict_end",
          "on_export_start", "on_export_end")

# Events of Ultralytics that nothing here can call: their moment is within the library.
NEVER = ("on_train_batch_start", "optimizer_step", "on_before_zero_grad", "on_params_update", "teardown", "on_val_batch_start",
         "on_predict_batch_start", "on_predict_postprocess_end")


class Callbacks:
    """By event, the functions in the order in which they were added."""

    def __init__(self) -> None:
        self._by_event: Dict[str, List[Callable]] = {}

    @property
    def is_any(self) -> bool:
        return any(self._by_event.values())

    @staticmethod
    def _check(event: str) -> None:
        if event in NEVER:
            raise Error(f"nothing calls {event}: its moment is within the library", "add_callback()",
                        "use one of: " + ", ".join(EVENTS), "VG_ERR_UNSUPPORTED")
        if event not in EVENTS:
            raise unknown("event", event, EVENTS, "add_callback()")

    def add(self, event: str, func: Callable) -> None:
        self._check(event)
        if not callable(func):
            raise TypeError(f"add_callback({event!r}) wants a function, not {func!r}")
        self._by_event.setdefault(event, []).append(func)

    def clear(self, event: str) -> None:
        self._check(event)
        self._by_event.pop(event, None)

    def __getitem__(self, event: str) -> List[Callable]:
        self._check(event)
        return self._by_event.setdefault(event, [])

    def run(self, event: str, subject: Any) -> None:
        for func in list(self._by_event.get(event, ())):
            func(subject)
