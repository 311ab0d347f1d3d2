"""The guard of long jobs: watches one from outside, tells a leak from a warm-up, names its cause, restarts it when told to.

It runs in a process of its own, so it goes on when the job hangs or is killed, and a job's children are waited for by nobody
but the job."""
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional, Sequence, Union

from . import _options
from ._c import ArgumentError, Error, call, encode, lib
from ._handles import opened

# Events and notes that are kept, the newest; all of them are in the guard's folder.
MOST_KEPT = 1000
_STOP_S = 60.0


class Guard:
    """Watches a job until it ends, or until stop().

    With a command (a list, or a text as a shell has it) it starts the job; with pid=, unit= or cgroup= it watches one that
    runs; with none of them it watches this very process:

        with vigil.Guard(on_event=print, interval="2s") as guard:
            work()
        print(guard.events)

    All other arguments are those of `vigil watch --help`: on_leaking="warn", on_critical="checkpoint,restart", hang="20m",
    memory_max="8G", ... They are checked here, before anything starts."""

    def __init__(self, command: Union[str, Sequence[str], None] = None, *, pid: Optional[int] = None,
                 on_event: Optional[Callable[[dict], Any]] = None, on_note: Optional[Callable[[str], Any]] = None, **options: Any):
        self.command: List[str] = shlex.split(command) if isinstance(command, str) else [os.fspath(w) for w in command or ()]
        told = _options.given(options)
        if pid is not None:
            told["pid"] = pid
        if command is not None and not self.command:
            raise ArgumentError("an empty command", "Guard()", 'give a command: ["python3", "train.py"]')
        if not self.command and not {"pid", "unit", "cgroup"} & set(told):
            told["pid"] = os.getpid()
        if "replay" in told:
            raise ArgumentError("a recorded trace is no job", "replay", "vigil watch --replay FILE")
        self.options: Dict[str, str] = {k: _options.write(v, k) for k, v in told.items()}
        handle = opened("vg_watch", lib.vg_watch_destroy, "a guard", lib.vg_watch_create)
        _options.set_all(lib.vg_watch_set, handle.p, self.options)
        handle.close()
        self.options["view"] = "off"
        self.on_event, self.on_note = on_event, on_note
        self.events: Deque[dict] = deque(maxlen=MOST_KEPT)
        self.notes: Deque[str] = deque(maxlen=MOST_KEPT)
        self.folder: Optional[str] = None
        self.exit_status: Optional[int] = None
        self.failure: Optional[BaseException] = None
        self._process: Optional[subprocess.Popen] = None
        self._reader: Optional[threading.Thread] = None
        self._is_stopped = False
        self._begun = threading.Event()

    # ---- the process ----

    def start(self) -> "Guard":
        """Starts the guard, and the job with it when there is a command; returns once it watches."""
        if self._process is not None:
            raise Error("a guard that was started already", "Guard.start()", "make another one")
        theirs, ours = os.pipe()
        back, to_us = os.pipe()
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH")))))
        try:
            # A group of its own: Ctrl-C of a terminal is for who started it, and told by stop().
            self._process = subprocess.Popen([sys.executable, "-m", "vigil._guard", str(theirs), str(to_us)], pass_fds=(theirs, to_us),
                                             env=environment, start_new_session=True)
        finally:
            os.close(theirs)
            os.close(to_us)
        with os.fdopen(ours, "w") as f:
            json.dump({"options": self.options, "command": self.command,
                       "pythonpath": os.environ.get("PYTHONPATH")}, f)
        self._reader = threading.Thread(target=self._read, args=(back,), name="vigil guard", daemon=True)
        self._reader.start()
        self._begun.wait()
        if self.failure is not None:
            self.wait()
        return self

    def _read(self, fd: int) -> None:
        with os.fdopen(fd, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    self._take(json.loads(line))
                except BaseException as e:  # a function of the caller's: reported by wait()
                    self.failure = self.failure or e
        self._begun.set()

    def _take(self, told: dict) -> None:
        if "folder" in told:
            self.folder = told["folder"]
            self._begun.set()
        elif "event" in told:
            self.events.append(told["event"])
            if self.on_event is not None:
                self.on_event(told["event"])
        elif "note" in told:
            self.notes.append(told["note"])
            if self.on_note is not None:
                self.on_note(told["note"])
        elif "exit" in told:
            self.exit_status = told["exit"]
        elif "error" in told:
            self.failure = self.failure or _error(told["error"])

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait(self, timeout: Optional[float] = None) -> Optional[int]:
        """Until the job has ended for good: its exit status, as a shell gives it; 0 for one that was not started here."""
        if self._process is None or self._reader is None:
            raise Error("a guard that was not started", "Guard.wait()", "start() it")
        self._process.wait(timeout)
        self._reader.join()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return self.exit_status

    def stop(self) -> None:
        """Ends the guard; a job that it started ends with it."""
        if self._process is None:
            return
        self._is_stopped = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._reader is not None:
            self._reader.join()

    def __enter__(self) -> "Guard":
        return self.start()

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.stop()
        failure, self.failure = self.failure, None
        if failure is not None and kind is None:
            raise failure

    # ---- what it saw ----

    def report(self, form: str = "html", target: Optional[str] = None) -> str:
        """Writes what the guard saw, as "html", "json" or "text"; returns the file's name."""
        if self.folder is None:
            raise Error("a guard that has seen nothing yet", "Guard.report()", "start() it")
        forms = {"html": lib.VG_WATCH_REPORT_HTML, "json": lib.VG_WATCH_REPORT_JSON, "text": lib.VG_WATCH_REPORT_TEXT}
        if form not in forms:
            raise ArgumentError(f"form={form!r}", "Guard.report()", "html, json or text")
        target = os.fspath(target) if target else os.path.join(self.folder, "report." + form.replace("text", "txt"))
        call(lib.vg_watch_report, encode(self.folder), forms[form], encode(target))
        return target

    def __repr__(self) -> str:
        what = " ".join(self.command) or ", ".join(f"{k} {v}" for k, v in self.options.items() if k in ("pid", "unit", "cgroup"))
        state = "watches" if self.is_running else "has ended" if self._process is not None else "not started"
        return f"Guard({what}: {state}, {len(self.events)} events)"

    def _repr_html_(self) -> str:
        from ._html import guard

        return guard(self)


def _error(told: dict) -> Error:
    from ._c import error_of

    return error_of(told["status"], told["what"], told["where"], told["mend"])


def watch(command: Union[str, Sequence[str], None] = None, **options: Any) -> Guard:
    """Starts the command and guards it until it has ended for good; or, with pid=, unit= or cgroup=, guards what runs already.
    Returns the Guard: .exit_status, .events, .folder, .report(). Ctrl-C ends the job, and raises KeyboardInterrupt."""
    if command is None and not {"pid", "unit", "cgroup"} & set(options):
        raise ArgumentError("nothing to watch", "watch()", "give a command, pid=, unit= or cgroup=; Guard() watches this process")
    guard = Guard(command, **options).start()
    try:
        guard.wait()
    except BaseException:
        guard.stop()
        raise
    return guard
