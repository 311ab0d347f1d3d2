"""The process of a Guard: python -m vigil._guard IN OUT. Reads what to watch from descriptor IN and writes a JSON object a
line to OUT: folder, event, note, error, exit. Nothing of it needs numpy."""
import json
import os
import signal
import sys
from typing import Any

from . import _options
from ._c import Calls, Error, Interrupted, call, encode, ffi, lib, path, text
from ._handles import opened


def main(fd_in: int, fd_out: int) -> int:
    with os.fdopen(fd_in) as f:
        told = json.load(f)
    out = os.fdopen(fd_out, "w", buffering=1)
    os.set_inheritable(fd_out, False)  # not the job's
    if told["pythonpath"] is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = told["pythonpath"]
    asked = [0]

    def ask(*_: Any) -> None:
        asked[0] += 1

    def tell(**what: Any) -> None:
        try:
            out.write(json.dumps(what) + "\n")
        except BrokenPipeError:  # nobody listens any more: the job is guarded all the same
            pass

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    calls, folder = Calls(), [""]
    try:
        handle = opened("vg_watch", lib.vg_watch_destroy, "a guard", lib.vg_watch_create)
        _options.set_all(lib.vg_watch_set, handle.p, told["options"])
        kept = [ffi.new("char[]", encode(w)) for w in told["command"]]
        argv = ffi.new("char *[]", [*kept, ffi.NULL])
        if kept:
            call(lib.vg_watch_command, handle.p, argv)

        def wants_stop(_: Any) -> bool:
            if not folder[0]:
                folder[0] = path(lib.vg_watch_folder(handle.p))
                if folder[0]:
                    tell(folder=folder[0])
            return asked[0] > 0

        listener = ffi.new("vg_watch_listener *", {
            "event": calls.make("void(*)(void *, const vg_watch_event *)", lambda _, e: tell(event=json.loads(text(e.json)))),
            "note": calls.make("void(*)(void *, const char *)", lambda _, what: tell(note=text(what))),
            "wants_stop": calls.make("bool(*)(void *)", wants_stop, True),
            "impatience": calls.make("int(*)(void *)", lambda _: max(0, asked[0] - 1), 0)})
        status = ffi.new("int *")
        try:
            call(lib.vg_watch_run, handle.p, listener, status)
        except Interrupted:
            pass
        calls.done()
        tell(exit=status[0])
    except Error as e:
        tell(error={"status": e.status, "what": e.what, "where": e.where, "mend": e.mend})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
