"""Arrays as they come (numpy, PIL, torch and what else speaks DLPack) and as they are handed out."""
from typing import Any, Optional

import numpy as np

from ._c import ArgumentError


class Numbers(np.ndarray):
    """A numpy array that also answers to the words that people write for torch's tensors: .cpu(), .numpy(), .int()."""

    def cpu(self) -> "Numbers":
        return self

    detach = cpu

    def clone(self) -> "Numbers":
        return self.copy()

    def to(self, *_: Any, **__: Any) -> "Numbers":
        return self

    def numpy(self) -> np.ndarray:
        return np.asarray(self)

    def int(self) -> "Numbers":
        return numbers(self.astype(np.int32))

    def long(self) -> "Numbers":
        return numbers(self.astype(np.int64))

    def float(self) -> "Numbers":
        return numbers(self.astype(np.float32))

    # int(box.cls), where numpy wants box.cls[0].
    def __int__(self) -> Any:
        return self.item().__int__()

    def __float__(self) -> Any:
        return self.item().__float__()

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar and array.ndim == 0 else super().__array_wrap__(array, context)


def numbers(array: np.ndarray) -> Numbers:
    return array.view(Numbers)


def is_pil(source: Any) -> bool:
    return type(source).__module__.split(".")[0] == "PIL" and hasattr(source, "convert") and hasattr(source, "mode")


def as_array(source: Any) -> Optional[np.ndarray]:
    """The array that a source is; None: it is none. Nothing is copied that numpy can see as it is."""
    if isinstance(source, np.ndarray):
        return source
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__"):
        if hasattr(source, "detach"):  # torch: one that learns has no __array__
            source = source.detach()
        if getattr(getattr(source, "device", None), "type", "cpu") != "cpu":
            source = source.cpu()
        return np.asarray(source)
    if hasattr(source, "__dlpack__"):
        return np.from_dlpack(source)
    return None


