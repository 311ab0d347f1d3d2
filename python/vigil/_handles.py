"""Handles of the library: closed when nobody needs them any more, and left alone after a fork.

A handle's threads stay behind when the process forks. So in the child no handle of the parent's is used or closed: one
that can be made again (a model) is, at its next use; any other says that it belongs to the parent."""
import os
import weakref
from typing import Any, Callable

from ._c import Error, ffi

_all: "weakref.WeakSet[Any]" = weakref.WeakSet()


def after_fork(owner: Any) -> None:
    """owner._after_fork() is called in every child that is forked while it lives."""
    _all.add(owner)


class Handle:
    """A pointer that a create or open function filled."""

    def __init__(self, type_name: str, close: Callable, what: str):
        self._slot = ffi.new(type_name + " **")
        self._close, self._what = close, what
        self._owner: Any = None  # closes the handle when it goes
        self.is_of_parent = False
        after_fork(self)

    @property
    def out(self) -> Any:
        """For the function that fills it; own() next."""
        return self._slot

    def own(self) -> None:
        slot, close = self._slot, self._close
        self._owner = weakref.finalize(self, _close_slot, close, slot)

    @property
    def p(self) -> Any:
        if self.is_of_parent:
            raise Error(f"{self._what} of the process that this one was forked from", "", "make one after the fork",
                        "VG_ERR_UNSUPPORTED")
        if not self._slot[0]:
            raise Error(f"{self._what} that is closed")
        return self._slot[0]

    @property
    def is_open(self) -> bool:
        return bool(self._slot[0]) and not self.is_of_parent

    def close(self) -> None:
        if self._owner is not None and not self.is_of_parent:
            self._owner()

    def _after_fork(self) -> None:
        self.is_of_parent = True
        if self._owner is not None:
            self._owner.detach()


def _close_slot(close: Callable, slot: Any) -> None:
    close(slot)


def _after_fork() -> None:
    for owner in list(_all):
        owner._after_fork()


os.register_at_fork(after_in_child=_after_fork)


def opened(type_name: str, close: Callable, what: str, open_: Callable, *args: Any) -> Handle:
    """A handle that open_(out, *args, err) filled."""
    from ._c import call

    handle = Handle(type_name, close, what)
    call(open_, handle.out, *args)
    handle.own()
    return handle
