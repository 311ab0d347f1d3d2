"""libvigil by cffi: the library, its errors, and what every other module needs to call it.

The declarations are made of the headers when the package is built (declare.py); here they are held against the
library that was loaded, so that a package and a library that do not fit are an ImportError and no crash.
Functions are called without Python's lock, which cffi gives away around each call."""
import os
import signal
import threading
from typing import Any, Iterable, Optional

from ._declarations import ffi

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libvigil.so")


def _load() -> Any:
    try:
        return ffi.dlopen(_PATH)
    except OSError as e:
        raise ImportError(
            f"vigil's library cannot be loaded: {e}\n"
            "  try: install the libraries that it names (Debian: ./setup.sh of vigil's sources), or build the package on "
            "this machine: pip install ./python") from None


lib = _load()


def _check_sizes(ffi: Any = ffi, lib: Any = lib) -> None:
    if lib.vg_abi() != lib.VG_ABI:
        raise ImportError(f"vigil was built for version {lib.VG_ABI} of its library's interface, and {_PATH} has "
                          f"{lib.vg_abi()}; try: pip install --force-reinstall ./python")
    for name in ffi.list_types()[0]:
        if ffi.typeof(name).kind != "struct":
            continue
        try:
            ours = ffi.sizeof(name)
        except (ffi.error, TypeError, ValueError):  # a handle
            continue
        theirs = lib.vg_size_of(name.encode())
        if theirs != ours:
            raise ImportError(f"vigil was built for another library: {name} has {ours} bytes here and {theirs} in {_PATH}; "
                              "try: pip install --force-reinstall ./python")


_check_sizes()


def text(pointer: Any) -> str:
    """A C string for people; "" for NULL."""
    return ffi.string(pointer).decode("utf-8", "replace") if pointer else ""


def path(pointer: Any) -> str:
    """A C string that names a file; "" for NULL."""
    return os.fsdecode(ffi.string(pointer)) if pointer else ""


def encode(value: Any) -> bytes:
    """A text or path for C."""
    try:
        encoded = os.fsencode(value)
    except TypeError:
        raise TypeError(f"a text or a path is wanted, not {type(value).__name__}") from None
    if b"\0" in encoded:
        raise ValueError(f"a text with a zero byte: {value!r}")
    return encoded


# ---- errors ----


class Error(Exception):
    """What went wrong: .what, .where it was (may be ""), how to .mend it (may be ""), and .status ("VG_ERR_IO")."""

    what: str
    where: str
    mend: str
    status: str

    def __init__(self, what: str, where: str = "", mend: str = "", status: str = "VG_ERR_ARGUMENT"):
        super().__init__(what, where, mend, status)
        self.what, self.where, self.mend, self.status = what, where, mend, status

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append("  at:  " + self.where)
        if self.mend:
            lines.append("  try: " + self.mend)
        return "\n".join(lines)


class ArgumentError(Error, ValueError):
    """An argument is wrong."""


class FileError(Error, OSError):
    """A file or stream could not be read or written."""

    # OSError makes itself of two arguments or more in __new__.
    def __new__(cls, *args: Any, **_: Any) -> "FileError":
        return OSError.__new__(cls)


class FormatError(Error, ValueError):
    """A file's contents are not what they should be."""


class OutOfMemory(Error, MemoryError):
    """Memory, or a limit on it, does not suffice."""


class Interrupted(Error):
    """Stopped by request."""


class DeviceError(Error):
    """A GPU or its driver failed."""


_CLASSES = {"VG_ERR_ARGUMENT": ArgumentError, "VG_ERR_IO": FileError, "VG_ERR_FORMAT": FormatError, "VG_ERR_MEMORY": OutOfMemory,
            "VG_ERR_LIMIT": OutOfMemory, "VG_ERR_INTERRUPTED": Interrupted, "VG_ERR_DEVICE": DeviceError}


def error_of(status: str, what: str, where: str = "", mend: str = "") -> Error:
    return _CLASSES.get(status, Error)(what, where, mend, status)


def error(err: Any, status: Optional[int] = None) -> Error:
    """The exception of a vg_error."""
    status = err.status if status is None else status
    return error_of(text(lib.vg_status_name(status)), text(err.what) or text(lib.vg_status_text(status)), text(err.where), text(err.mend))


def call(function: Any, *args: Any) -> None:
    """Calls a function whose last argument is a vg_error, and raises what it says."""
    err = ffi.new("vg_error *")
    status = function(*args, err)
    if status != lib.VG_OK:
        raise error(err, status)


def nearest(word: str, names: Iterable[str]) -> Optional[str]:
    """Of the names the one that was probably meant; None: none is near."""
    kept = [ffi.new("char[]", encode(n)) for n in names]
    at = ffi.callback("const char *(*)(const void *, size_t)", lambda _, i: kept[i])
    found = lib.vg_name_nearest(encode(word), at, ffi.NULL, len(kept))
    return text(found) if found else None


def unknown(noun: str, word: str, names: Iterable[str], where: str = "") -> ArgumentError:
    """The exception for a word that is none of names."""
    names = list(names)
    near = nearest(word, names)
    mend = f"did you mean {near}?" if near else "one of: " + ", ".join(sorted(names)) if len(names) < 40 else ""
    return ArgumentError(f"unknown {noun} {word!r}", where, mend)


# ---- Ctrl-C ----


class Interrupt:
    """While it is entered, Ctrl-C does not break into a call of the library but is noted, so that the call can end in
    good order; leaving raises KeyboardInterrupt then. In a thread that is not the main one it does nothing: there
    Python delivers no signals."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None
        self._is_set = False

    def _note(self, *_: Any) -> None:
        self.asked = True

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if before not in (signal.SIG_IGN, None):
                self._before = signal.signal(signal.SIGINT, self._note)
                self._is_set = True
        return self

    def __exit__(self, kind: Any, value: Any, _trace: Any) -> None:
        if self._is_set:
            signal.signal(signal.SIGINT, self._before)
            self._is_set = False
        if self.asked and not isinstance(value, KeyboardInterrupt):
            raise KeyboardInterrupt from value


class Calls:
    """C functions of Python's for one call of the library. The first exception that one of them raises is kept, and
    raised again by done(); wants_stop says to end the call then."""

    def __init__(self) -> None:
        self.failure: Optional[BaseException] = None
        self._kept: list = []

    def make(self, signature: str, function: Any, on_error: Any = None) -> Any:
        def note(_kind: Any, value: BaseException, _trace: Any) -> Any:
            if self.failure is None:
                self.failure = value
            return on_error

        made = ffi.callback(signature, function, onerror=note)
        self._kept.append(made)
        return made

    def done(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
