"""A stream that the program feeds: it pushes frames, and tracks, zones and sinks are as those of a video or a camera."""
import atexit
import contextlib
import math
import queue
import threading
import time
from typing import Any, Callable, Iterator, Optional

from . import _jobs, _options, _pictures
from ._c import ArgumentError, Interrupted, error, ffi, lib
from .results import Results

_SOURCE = "push:frames"
# Between two looks at whether there is something else to do, Ctrl-C for one.
_SLICE_S = 0.2


class Stream:
    """Frames are pushed, results come in their order:

        with vigil.Stream(model, on_result=show, track=True) as stream:
            for frame in frames:
                stream.push(frame)

    on_result is called with each Results in a thread of the stream's; leaving the block waits for the last. Without it,
    iterate: `for result in stream`, in another thread than the one that pushes, for at most a few results wait to be
    taken, and pushing waits for them. Leaving the block, or close(), ends the stream at once then.

    Without a block, close() it. Arguments are those of `vigil predict --help`: conf, imgsz, track, zones, save, policy
    ("latest": a newer frame takes the place of one that waits, so pushing waits for no network) and so on. Any thread may push."""

    def __init__(self, model: Any, on_result: Optional[Callable[[Results], None]] = None, **kwargs: Any):
        """model: a YOLO, or a path of weights."""
        from .model import YOLO

        model = model if isinstance(model, YOLO) else YOLO(model)
        if "source" in kwargs:
            raise ArgumentError(f"source={kwargs['source']!r}", "Stream()", "leave it out: frames are pushed")
        self._job = _jobs.StreamJob(model.names, model.stream_arguments(_SOURCE, kwargs), on_result)
        self._on_result = on_result
        self._users = threading.Condition()
        self._n_users = 0
        self._is_closed = False
        atexit.register(self.close)
        self._job.thread.start()

    def push(self, frame: Any, time_s: Optional[float] = None, timeout: Optional[float] = None) -> bool:
        """One frame: an array (height, width, 3) in BGR, a PIL image or a tensor. It is copied. time_s: when in the film
        it is; None: it is of now. Waits for room, timeout seconds at most; False: there was none in time."""
        if threading.current_thread() is self._job.thread:
            raise ArgumentError("push() within on_result would wait for itself", "push()", "push from another thread")
        found = _pictures.pictures_of(frame)
        if found is None or len(found) != 1:
            raise ArgumentError(f"a {type(frame).__name__} is no frame", "push()", "give one array, PIL image or tensor")
        with self._using("push()"):
            return self._push(found[0][0].image, math.nan if time_s is None else float(time_s), timeout)

    @contextlib.contextmanager
    def _using(self, where: str) -> Iterator[None]:
        """While it is entered the handle stays open."""
        with self._users:
            if self._is_closed:
                raise Interrupted("the stream is closed", where)
            self._n_users += 1
        try:
            yield
        finally:
            with self._users:
                self._n_users -= 1
                self._users.notify_all()

    def _push(self, image: Any, time_s: float, timeout: Optional[float]) -> bool:
        end = math.inf if timeout is None else time.monotonic() + timeout
        err = ffi.new("vg_error *")
        while True:
            left = end - time.monotonic()
            status = lib.vg_stream_push(self._job.handle.p, ffi.NULL, image, time_s, int(1e3 * max(0.0, min(left, _SLICE_S))), err)
            if status == lib.VG_OK:
                return True
            if status == lib.VG_ERR_LIMIT and self._job.thread.is_alive():
                if left <= _SLICE_S:
                    return False
                continue
            if status in (lib.VG_ERR_LIMIT, lib.VG_ERR_INTERRUPTED):  # it has ended, and this may be why
                self._raise_failure()
            raise error(err, status)

    def _raise_failure(self) -> None:
        failure = self._job.calls.failure or self._job.failure
        if failure is not None and not (self._job.stop.is_set() and isinstance(failure, Interrupted)):
            raise failure

    def end(self) -> None:
        """No more frames will come. Results of those that were pushed still do."""
        with self._using("end()"):
            lib.vg_stream_push_end(self._job.handle.p, ffi.NULL)

    def wait(self) -> None:
        """end(), and until on_result has had the last."""
        if self._on_result is None:
            raise ArgumentError("nobody takes the results", "wait()", "give on_result, or iterate until the end")
        if not self._is_closed:
            self.end()
        self._job.thread.join()
        self._raise_failure()

    def __iter__(self) -> Iterator[Results]:
        if self._on_result is not None:
            raise ArgumentError("on_result has the results", "Stream", "leave on_result out to iterate")
        while True:
            is_alive = self._job.thread.is_alive()
            try:
                item = self._job.waiting.get(timeout=_SLICE_S)
            except queue.Empty:
                if is_alive:
                    continue
                break
            if self._job.is_end(item):
                break
            yield item
        self._raise_failure()

    def close(self) -> None:
        """Ends it at once; may be called twice, and from any thread."""
        if self._job.handle.is_of_parent:
            return
        self._job.stop.set()
        if threading.current_thread() is self._job.thread:
            return  # on_result's wish: who made the stream closes it
        with self._users:
            self._is_closed = True
        self._job.thread.join()  # pushing ends with the run
        with self._users:
            self._users.wait_for(lambda: self._n_users == 0)
        self._job.handle.close()
        atexit.unregister(self.close)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            if kind is None and self._on_result is not None and not self._is_closed:
                self.wait()
        finally:
            self.close()
