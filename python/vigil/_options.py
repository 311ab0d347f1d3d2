"""Arguments by name, checked by the library's own tables of options: an unknown one is told with the name that was
probably meant, a value with its range or choices. The words of Ultralytics' users are those tables' words."""
import functools
import os
import re
import warnings
from typing import Any, Callable, Iterable, Mapping

from ._c import ArgumentError, call, encode, ffi, lib, text, unknown


def write(value: Any, name: str = "") -> str:
    """A value as the tables read it."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, (bytes, Mapping)):
        raise ArgumentError(f"{name}: a {type(value).__name__} is no value of an option", name, "give a number, a text or a list")
    if hasattr(value, "tolist"):  # numpy's numbers and arrays, torch's
        return write(value.tolist(), name)
    try:
        return "[" + ", ".join(repr(v) if isinstance(v, str) else write(v, name) for v in value) + "]"
    except TypeError:
        raise ArgumentError(f"{name}: a {type(value).__name__} is no value of an option", name,
                            "give a number, a text or a list") from None


def device(value: Any) -> str:
    """A device as the library names it, of a name, a number or a torch.device."""
    if isinstance(value, (list, tuple)):
        if len(value) != 1:
            raise ArgumentError(f"device={value!r}", "device", "one device: several are for `mpirun -n N vigil train`")
        value = value[0]
    word = str(value)
    return "gpu" if word == "cuda" else word


def given(arguments: Mapping[str, Any]) -> dict:
    """Those that say something: None is "not given", as people know it."""
    return {k: v for k, v in arguments.items() if v is not None}


def _asks_for_nothing(row: Any, word: str) -> bool:
    """As the command line sees it: no value, a flag that is off, the preset."""
    def same(a: str, b: str) -> bool:
        try:
            return a == b or float(a) == float(b)
        except ValueError:
            return False

    word, preset = word.lower(), text(row.preset).lower()
    is_off = row.kind == lib.VG_OPTION_BOOL and preset != "true" and word in ("false", "no", "off", "0")
    return word in ("", "none", "null") or is_off or same(word, preset)


def settle(at: int, arguments: Mapping[str, Any], known: Iterable[str]) -> dict:
    """The arguments that are given and known. Of words of Ultralytics' that have no use here one whose effect would be
    missed is an error, and one that changes no result is told once, as a warning."""
    settled = {}
    for name, value in arguments.items():
        if value is None:
            continue
        row = lib.vg_option_of_yolo(encode(name), at) if name not in known else ffi.NULL
        if not row:
            settled[name] = value  # known, or reported by whom it is set
        elif _asks_for_nothing(row, write(value, name)):
            continue
        elif row.stands == lib.VG_OPTION_IDLE:
            warnings.warn(f"{name}={value!r} has no effect here: {text(row.why)}", stacklevel=4)
        else:
            raise ArgumentError(f"{name}={value!r}: {text(row.why)}", name, as_python(text(row.instead)))
    return settled


def as_python(words: str) -> str:
    """An option of a command line, as it is written here: --save-txt is save_txt."""
    return re.sub(r"--([a-z][a-z-]*)", lambda m: m[1].replace("-", "_"), words)


def table(function: Callable) -> dict:
    """A table of the library's: its rows by name, and by alias."""
    n = ffi.new("size_t *")
    rows = function(n)
    found = {}
    for i in range(n[0]):
        found[text(rows[i].name)] = rows[i]
        if rows[i].alias:
            found[text(rows[i].alias)] = rows[i]
    return found


@functools.lru_cache(maxsize=1)
def stream_table() -> dict:
    """vigil/stream.h's: what predict() and track() take."""
    return table(lib.vg_stream_options)


def set_all(function: Callable, handle: Any, arguments: Mapping[str, Any]) -> None:
    """Sets them on a handle that is set by name; `config` first, so that the others win over the file."""
    for name in sorted(arguments, key=lambda n: n != "config"):
        call(function, handle, encode(name), encode(write(arguments[name], name)))


class Fields:
    """A struct of options made by its _default function, whose fields are set by name."""

    def __init__(self, defaults: Any, but: Iterable[str] = ()):
        """but: fields that are not for the caller."""
        self.type = ffi.typeof(defaults)
        self.p = ffi.new(ffi.getctype(self.type, "*"), defaults)
        self.names = {n: f.type for n, f in self.type.fields if n not in set(but)}
        self._kept: list = []

    def set(self, name: str, value: Any) -> None:
        kind = self.names.get(name)
        if kind is None:
            raise unknown("argument", name, self.names)
        try:
            if kind.kind == "pointer" and kind.item.kind == "primitive" and kind.item.cname == "char":
                kept = ffi.new("char[]", encode(value))
                self._kept.append(kept)
                setattr(self.p, name, kept)
            elif kind.cname in ("_Bool", "bool"):
                setattr(self.p, name, truth(value, name))
            elif kind.cname in ("float", "double"):
                setattr(self.p, name, float(value))
            else:
                if int(value) != float(value):
                    raise ValueError("not a whole number")
                setattr(self.p, name, int(value))
        except (TypeError, ValueError, OverflowError) as e:
            if isinstance(e, ArgumentError):
                raise
            raise ArgumentError(f"{name}={value!r}", name, f"give a value that is a {kind.cname} ({e})") from None


def truth(value: Any, name: str) -> bool:
    """True and False, also as people write them in words."""
    word = str(value).strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ArgumentError(f"{name}={value!r}", name, "True or False")


def size(value: Any) -> tuple:
    """imgsz: a number, or height and width."""
    if isinstance(value, str) or not hasattr(value, "__len__"):
        found = ffi.new("vg_size *")
        row = ffi.new("vg_option *", {"name": ffi.NULL, "kind": lib.VG_OPTION_SIZE, "least": 32, "most": 8192})
        if lib.vg_option_read(row, found, encode(write(value, "imgsz"))) != lib.VG_OPTION_GOOD:
            raise ArgumentError(f"imgsz={value!r}", "imgsz", "a number of pixels of 32 to 8192, or (height, width)")
        return found.h, found.w
    return size(write([int(v) for v in value], "imgsz"))
