"""What happens, while it happens: in a notebook one output of the cell that is drawn anew, elsewhere lines of text.

    model.train(data=...)                          curves, progress and pictures by themselves in a notebook
    model.train(data=..., live=False)              none; live=True: also outside a notebook, as lines
    live.play(model.track("street.mp4", ...))      pictures of a video as they are looked at
    live.video("runs/track/exp/street.mp4")        a recording, with the browser's own player

No script, no network: HTML and pictures that the notebook shows as they are."""
import base64
import glob
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from html import escape
from typing import Any, Dict, Iterable, Iterator, List, Optional

import numpy as np

from . import _html, _pictures
from ._c import ArgumentError, Error

# Between two drawings of the progress, and of the pictures of a video: more is not seen, and would fill the connection.
LEAST_S = 0.5
LEAST_FRAME_S = 0.04
MOST_WIDTH = 900
MOST_PICTURES = 2


def is_notebook() -> bool:
    """Whether this runs in a kernel that shows HTML: Jupyter's, not IPython in a terminal, and not without IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


class Output:
    """One place in a cell's output that can be written anew; outside a notebook each text is printed that differs."""

    def __init__(self) -> None:
        self._display: Any = None
        self._said: Optional[str] = None

    def show(self, html: str, words: str) -> None:
        if not is_notebook():
            if words != self._said:
                print(words, flush=True)
            self._said = words
            return
        from IPython.display import display

        bundle = {"text/html": html, "text/plain": words}
        if self._display is None:
            self._display = display(bundle, raw=True, display_id=True)
        else:
            self._display.update(bundle, raw=True)


def shrunk(bgr: np.ndarray, most_width: int = MOST_WIDTH) -> np.ndarray:
    """A picture by a whole number smaller, so that it is at most that wide: means of squares."""
    n = -(-bgr.shape[1] // most_width)
    if n <= 1:
        return bgr
    h, w = bgr.shape[0] // n * n, bgr.shape[1] // n * n
    return bgr[:h, :w].reshape(h // n, n, w // n, n, 3).mean(axis=(1, 3)).astype(np.uint8)


def _jpeg(bgr: np.ndarray, alt: str) -> str:
    data = base64.b64encode(_pictures.encoded(shrunk(bgr), "jpg", 80)).decode()
    return f'<img alt="{escape(alt, True)}" style="max-width:100%" src="data:image/jpeg;base64,{data}">'


def _mb(n: float) -> str:
    return f"{n / 1e6:.1f} MB"


def _time(s: float) -> str:
    s = int(s)
    return f"{s // 3600}:{s // 60 % 60:02}:{s % 60:02}" if s >= 3600 else f"{s // 60}:{s % 60:02}"


def memory_of(pid: int) -> int:
    """Resident bytes of a process; 0: there is none."""
    try:
        with open(f"/proc/{pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


class Training:
    """Follows a run by its callbacks. The progress is one output, drawn twice a second at most; curves and pictures are
    another, drawn after each epoch, so that pictures are not sent again with every batch."""

    def __init__(self) -> None:
        self.progress, self.figure = Output(), Output()
        # What the process held before: Python and all that it had done so far is not the run's.
        self._before = memory_of(os.getpid())
        self.resident_mb: List[float] = []
        self.planned_mb: List[float] = []
        self.pictures_per_s: List[float] = []
        self._drawn_at = -1e9

    EVENTS = {"on_train_start": "begin", "on_train_batch_end": "batch", "on_fit_epoch_end": "epoch", "on_train_end": "end"}

    def attach(self, callbacks: Any) -> None:
        for event, name in self.EVENTS.items():
            callbacks.add(event, getattr(self, name))

    def detach(self, callbacks: Any) -> None:
        for event, name in self.EVENTS.items():
            functions = callbacks[event]
            if getattr(self, name) in functions:
                functions.remove(getattr(self, name))

    # ---- what is called ----

    def begin(self, t: Any) -> None:
        self._state(t, "begins")

    def batch(self, t: Any) -> None:
        # As text a line for each epoch is enough.
        if is_notebook() and time.monotonic() - self._drawn_at >= LEAST_S:
            self._state(t, "")

    def epoch(self, t: Any) -> None:
        pace = t.pace()
        self.resident_mb.append(self._of_run(pace) / 1e6)
        self.planned_mb.append(pace["planned_bytes"] / 1e6)
        self.pictures_per_s.append(pace["pictures_per_s"])
        self._state(t, "")
        if is_notebook():
            self.figure.show(self.html(t), self.words(t))

    def end(self, t: Any) -> None:
        self._state(t, "stopped, with a checkpoint" if t.stopped else "done")
        if t.history and is_notebook():
            self.figure.show(self.html(t), self.words(t))

    def _of_run(self, pace: Dict[str, float]) -> float:
        return max(0.0, pace["resident_bytes"] - self._before)

    # ---- what is drawn ----

    def _state(self, t: Any, word: str) -> None:
        self._drawn_at = time.monotonic()
        words = self.words(t)
        if word:
            words += f", {word}"
        share = (t.epoch + t.batch / t.n_batches if t.n_batches else t.epoch) / max(1, t.epochs)
        if word == "done":
            share = 1.0
        # <progress> has the look of the page, light or dark, and says its value to a screen reader.
        self.progress.show(f'<div><progress value="{share:.4f}" style="width:min(100%,480px)"></progress><br>{escape(words)}</div>',
                           words)

    def words(self, t: Any) -> str:
        """One line: where it is, how well it goes, how long yet, what it holds."""
        pace = t.pace()
        parts = [f"{t.save_dir}: epoch {t.epoch + 1} of {t.epochs}"]
        if t.n_batches and t.batch < t.n_batches:
            parts.append(f"batch {t.batch} of {t.n_batches}")
        if t.n_batches:
            parts.append("loss " + " ".join(f"{n} {v:.3f}" for n, v in zip(("box", "cls", "dfl"), t.loss_items)))
        if "metrics/mAP50(B)" in t.metrics:
            parts.append(f"mAP50 {t.metrics['metrics/mAP50(B)']:.3f}, mAP50-95 {t.metrics['metrics/mAP50-95(B)']:.3f}")
        if pace["pictures_per_s"] > 0:
            parts.append(f"{pace['pictures_per_s']:.0f} pictures/s, {_time(pace['left_s'])} left")
        if pace["resident_bytes"] > 0:
            parts.append(f"memory of the run {_mb(self._of_run(pace))} of {_mb(pace['planned_bytes'])} planned")
        return "; ".join(parts)

    def html(self, t: Any) -> str:
        more = _html.curve("memory of the run, MB", {"resident": self.resident_mb, "planned": self.planned_mb}) + \
            _html.curve("pictures/s", {"speed": self.pictures_per_s})
        pictures = "".join(f"<div>{escape(title)}</div>{picture}" for title, picture in self.pictures(t))
        return f'{_html.curves(t.history)}<div style="display:flex;flex-wrap:wrap;gap:8px">{more}</div>{pictures}'

    @staticmethod
    def pictures(t: Any) -> Iterator[tuple]:
        """What the run has drawn so far (plots=True, the default): its newest batch and the newest validation."""
        for title, pattern in (("what was found in validation", "val_batch*_pred.jpg"), ("a batch, as the network sees it", "train_batch*.jpg")):
            files = sorted(glob.glob(os.path.join(glob.escape(t.save_dir), pattern)), key=os.path.getmtime)
            for file in files[-1:]:
                try:
                    yield title, _jpeg(_pictures.load(file), title)
                except Error:  # being written anew: the next epoch shows it
                    continue


@contextmanager
def following(callbacks: Any, live: Optional[bool]) -> Iterator[Optional[Training]]:
    """While it is entered, trainings that call these callbacks are shown. live as train() takes it: None is "in a notebook"."""
    training = Training() if live or (live is None and is_notebook()) else None
    if training is not None:
        training.attach(callbacks)
    try:
        yield training
    finally:
        if training is not None:
            training.detach(callbacks)


# ---- video ----


def play(results: Iterable[Any], width: int = 640, boxes: bool = True, most: Optional[int] = None) -> Dict[str, int]:
    """Shows the pictures of results as they come, each in the place of the one before; at most 25 a second are shown, and
    all are taken. Outside a notebook a line for each second. most: ends after so many. Returns how many results there were,
    how many were shown, and how many objects of each class were seen."""
    output = Output()
    counts: Dict[str, int] = {}
    n, n_shown, last = 0, 0, -1e9
    for result in results:
        n += 1
        for c in np.asarray(result.boxes.cls).astype(int):
            name = result.names.get(int(c), str(int(c)))
            counts[name] = counts.get(name, 0) + 1
        now = time.monotonic()
        if now - last >= (LEAST_FRAME_S if is_notebook() else 1.0):
            last, n_shown = now, n_shown + 1
            words = f"frame {n}: {result.verbose().rstrip(', ')}"
            html = ""
            if is_notebook():
                try:
                    html = _jpeg(shrunk(result.plot() if boxes else result.orig_img, width), words)
                except Error:  # a video's results have no pixels: its words are shown, and video() shows its recording
                    pass
                html += f"<div>{escape(words)}</div>"
            output.show(html, words)
        if most is not None and n >= most:
            break
    return {"results": n, "shown": n_shown, **counts}


def video(path: str, width: int = 640) -> Any:
    """A recording (MP4, WebM) for a notebook's cell, within the notebook: nothing is fetched when it is shown. Up to 64 MB."""
    path = os.fspath(path)
    kind = {".mp4": "mp4", ".webm": "webm"}.get(os.path.splitext(path)[1].lower())
    if kind is None:
        raise ArgumentError(f"{path} is not what browsers play", "video()", "give an .mp4 or .webm")
    if os.path.getsize(path) > 64 << 20:
        raise Error(f"{path} has {os.path.getsize(path) >> 20} MB", "video()", "show a shorter piece: ffmpeg -i FILE -t 30 -c copy PIECE.mp4",
                    "VG_ERR_LIMIT")
    with open(path, "rb") as f:
        data = base64.b64encode(f.read()).decode()
    return Shown(f'<video controls muted loop style="max-width:min(100%,{width}px)" src="data:video/{kind};base64,{data}"></video>',
                 f"{path}: {os.path.getsize(path):,} bytes")


class Shown:
    """HTML for a notebook, words for elsewhere."""

    def __init__(self, html: str, words: str):
        self.html, self.words = html, words

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.words


# ---- a guarded job ----


def follow(guard: Any, series: str = "auto", every_s: float = 1.0) -> Any:
    """Until the guard's job has ended: one of its series as a curve (by itself its memory, then the first series that rises in
    earnest; names are those of docs/watch.md), and what the guard found so far. Ctrl-C ends the guard and, with it, the job. Returns the guard."""
    output = Output()
    try:
        while True:
            is_running = guard.is_running
            output.show(chart(guard, series) + _html.guard(guard), repr(guard))
            if not is_running:
                break
            time.sleep(every_s)
    except KeyboardInterrupt:
        guard.stop()
        raise
    guard.wait()
    return guard


def samples(guard: Any) -> Dict[str, dict]:
    """The series that the guard has measured so far: {"unit", "points": [(seconds, value), ...], "state"} by name."""
    if guard.folder is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            with open(guard.report("json", os.path.join(folder, "report.json")), encoding="utf-8") as f:
                told = json.load(f)
        except Error:  # nothing has been written yet
            return {}
    return {name: {"unit": s["unit"], "state": s["verdict"]["state"] if s.get("verdict") else "",
                   "points": [(p[0], p[1]) for p in s["points"] if p[1] is not None]} for name, s in told["series"].items()}


def chart(guard: Any, series: str = "auto") -> str:
    """A curve of one series over time; "auto": of the first that the guard told of, before that the process's memory."""
    found = samples(guard)
    if series == "auto":
        series = next((e["series"] for e in list(guard.events) if found.get(e.get("series"), {}).get("points")), "main.rss_bytes")
    s = found.get(series)
    if not s or not s["points"]:
        return ""
    scale = 1e6 if s["unit"] == "bytes" else 1.0
    values = [v / scale for _, v in s["points"]]
    title = f"{series}{', MB' if scale > 1 else ''}: {s['state']}"
    return _html.curve(title, {"": values}, width=480, height=180, across=f"{s['points'][-1][0]:.0f} s")


# ---- numbers ----


def bars(title: str, counts: Iterable[float], edges: Iterable[float], width: int = 480, height: int = 160) -> "Shown":
    """A histogram, as numpy.histogram() gives it: counts, and one edge more than there are counts."""
    counts, edges = [float(c) for c in counts], [float(e) for e in edges]
    if not counts or len(edges) != len(counts) + 1:
        raise ArgumentError(f"{len(counts)} counts and {len(edges)} edges", "bars()", "as numpy.histogram() gives them: one edge more than counts")
    most, n = max(counts) or 1.0, len(counts)
    out = [f'<svg role="img" aria-label="{escape(title, True)}" width="{width}" height="{height}" style="font:11px sans-serif;'
           f'fill:currentColor"><text x="4" y="14">{escape(title)}</text>']
    step, foot = (width - 8) / n, height - 20
    for i, c in enumerate(counts):
        tall = (foot - 24) * c / most
        out.append(f'<rect x="{4 + i * step:.1f}" y="{foot - tall:.1f}" width="{step - 2:.1f}" height="{tall:.1f}" fill="#4269d0">'
                   f"<title>{edges[i]:.3g} to {edges[i + 1]:.3g}: {c:g}</title></rect>")
    out.append(f'<text x="4" y="{height - 5}">{edges[0]:.3g}</text>'
               f'<text x="{width - 4}" y="{height - 5}" text-anchor="end">{edges[-1]:.3g}</text></svg>')
    return Shown(_html.drawing("".join(out), title), f"{title}: " + " ".join(f"{c:g}" for c in counts))
