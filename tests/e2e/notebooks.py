#!/usr/bin/env python3
"""notebooks.py SOURCE PACKAGE [NAME...]: the notebooks of examples/notebooks are kept without outputs, and run from the first cell
to the last in a kernel of their own, in a folder of their own; what came out is compared by value. PACKAGE is the folder that
holds the package vigil. Skipped (77) where nbclient, a kernel or the package is missing."""
import base64
import contextlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from checks import Checks

source, package = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
folder = source / "examples" / "notebooks"
check = Checks()

try:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    import ipykernel  # noqa: F401
except ImportError as e:
    print(f"skipped: {e} (apt-get install python3-nbclient python3-ipykernel)")
    sys.exit(77)
if not (package / "vigil" / "libvigil.so").exists():
    print("skipped: the Python package was not built")
    sys.exit(77)

names = sorted(p.stem for p in folder.glob("*.ipynb"))
check(len(names) == 5, f"notebooks: {names}")
for name in names:
    kept = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    nbformat.validate(kept)
    for cell in kept.cells:
        if cell.cell_type == "code":
            check(not cell.outputs and cell.execution_count is None, f"{name} is kept with outputs: jupyter nbconvert --clear-output --inplace")
    check("http" not in "".join(c.source for c in kept.cells if c.cell_type == "code"), f"{name} fetches something")


class Ran:
    """A notebook that has run: text of what a cell said, HTML of what it showed."""

    def __init__(self, name):
        self.name = name
        self.nb = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        client = NotebookClient(self.nb, timeout=600, kernel_name="python3", resources={"metadata": {"path": os.getcwd()}})
        try:
            client.execute()
        except CellExecutionError as e:
            sys.exit(f"FAILED: {name}: {e}")

    def cell(self, word):
        found = [c for c in self.nb.cells if c.cell_type == "code" and word in c.source]
        check(len(found) == 1, f"{self.name}: {len(found)} cells with {word!r}")
        return found[0]

    def text(self, word):
        parts = []
        for o in self.cell(word).outputs:
            if o.output_type == "stream" and o.name == "stdout":
                parts.append(o.text)
            elif o.output_type in ("execute_result", "display_data"):
                parts.append(o.data.get("text/plain", ""))
        return "\n".join(parts)

    def html(self, word):
        return "\n".join(o.data.get("text/html", "") for o in self.cell(word).outputs if o.output_type in ("execute_result", "display_data"))

    def number(self, word, pattern):
        found = re.search(pattern, self.text(word))
        check(found, f"{self.name}: no {pattern!r} in {self.text(word)!r}")
        return float(found[1].replace(",", ""))


def drawings(html):
    return [base64.b64decode(data).decode() for data in re.findall(r'data:image/svg\+xml;base64,([^"]*)"', html)]


PICTURE = 'src="data:image/jpeg;base64,'


def first_steps(nb):
    check("yolo11n" in nb.html("WEIGHTS ="), "the model's table does not name it")
    shown = nb.html("picture = shelves")
    check(shown.count(PICTURE) == 1 and shown.count("<tr>") >= 4, "a result is no picture with a table")
    check(re.search(r"\[\[[ \d.]+\]", nb.text("boxes = result")) and "'confidence': 0." in nb.text("boxes = result"), "no boxes")
    check(nb.text("np.array_equal").startswith("True "), "the same pixels have other boxes")
    counts = nb.text("counts = {}")
    check(sum(int(n) for n in re.findall(r": (\d+)", counts)) > 100 and "bottle" in counts, f"32 pictures hold {counts}")
    check(Path("runs/first.jpg").stat().st_size > 5000 and '"name"' in nb.text("result.save("), "nothing was saved")
    before, after = (int(n.replace(",", "")) for n in re.findall(r"([\d,]+) bytes before, ([\d,]+) after", nb.text("before = "))[0])
    check(before == after > 1_000_000, f"memory: {before} before, {after} after")


def train(nb):
    check("names:" in nb.text("DATA ="), "the dataset's YAML was not shown")
    check(nb.html("datasets.labelled").count(PICTURE) == 1, "no picture with its labels")
    cell = nb.cell('name="shelves"')
    kinds = [o.output_type for o in cell.outputs]
    check(kinds == ["display_data", "display_data", "execute_result"], f"a training's outputs: {kinds}")
    progress, figure, metrics = (o.data for o in cell.outputs)
    check('<progress value="1.0000"' in progress["text/html"] and progress["text/plain"].endswith(", done"), f"progress: {progress['text/plain']}")
    check(re.search(r"epoch 10 of 10; loss box \d\.\d+.*mAP50 0\.\d+.*memory of the run [\d.]+ MB of [\d.]+ MB planned", progress["text/plain"]),
          f"progress: {progress['text/plain']}")
    svgs = drawings(figure["text/html"])
    check(len(svgs) == 8 and "<script" not in figure["text/html"], f"{len(svgs)} curves")
    lines = re.findall(r'<polyline[^>]*points="([^"]*)"><title>(?:train|resident|speed)', "".join(svgs))
    check(len(lines) == 5, f"{len(lines)} lines over the whole run")
    for line in lines:
        check(len(line.split()) == 10, f"a curve over ten epochs has {len(line.split())} points")
    check(figure["text/html"].count(PICTURE) == 2, "the newest validation and a batch are not shown")
    check("<td" in metrics["text/html"] and "32 pictures" in metrics["text/plain"], "the metrics are no table")
    said = nb.text("results_dict")
    losses = [float(v) for v in re.search(r"\n\[([\d., ]+)\]\n", said)[1].split(",")]
    check(len(losses) == 10 and losses[-1] < losses[0] * 0.8, f"it has not learnt: {losses}")
    check(nb.number("results_dict", r"'metrics/mAP50\(B\)': ([\d.]+)") > 0.2, said)
    check("best.safetensors" in said, "no weights")
    check(re.search(r"^(True [1-4]|False 5|True 5)$", nb.text("enough("), re.M), f"the callback: {nb.text('enough(')}")
    shown = nb.html("unseen()[0], conf=0.25")
    check(shown.count(PICTURE) == 1 and shown.count("<tr>") >= 3, "nothing was found in the picture at the end")
    held, planned = (float(v) for v in re.search(r"memory of the run ([\d.]+) MB of ([\d.]+) MB", progress["text/plain"]).groups())
    check(0 < held <= planned, f"the run holds {held} MB of {planned} MB")


def look(nb):
    shown = nb.html("check = datasets.check(DATA)")
    check("0 faults" in shown and ">160<" in shown and ">32<" in shown, "the drawn dataset is not clean")
    check(nb.html("display(datasets").count(PICTURE) == 2, "no pictures with labels")
    check(nb.number("np.quantile", r"(\d+) objects") > 1000, "no sizes")
    check(drawings(nb.html("np.quantile"))[0].count("<rect") == 12, "no histogram of twelve bars")
    said = nb.text("for fault in")
    check("class 7" in said and "labels/train" in said and "again.jpg" in said, f"faults: {said}")
    check(len(said.strip().split("\n")) == 3, f"three mistakes, and these faults: {said}")


def watch(nb):
    shown = nb.html("live.follow")
    svg, = drawings(shown)
    check("<polyline" in svg and "MB: critical" in svg and "critical" in shown, "the job's memory was not drawn")
    said = nb.text("event = guard")
    check(re.search(r"\.\w+_bytes (critical|leaking)", said), said)
    check(re.search(r"cause: .*(keeps|kept|grows)", said) and re.search(r"try: .*\w", said), said)
    start, end = (float(v) for v in re.search(r"(\d+) MB at the start, (\d+) MB at", nb.text("live.samples")).groups())
    check(end > start + 50, f"{start} MB at the start, {end} MB at the end")
    check("watch" in nb.text("live.samples") and Path(nb.text("live.samples").strip().split("\n")[-1]).stat().st_size > 1000, "no report")
    check("has ended, " in nb.text("as own"), nb.text("as own"))


def video(nb):
    check(nb.number("save=True", r"(\d+) frames") == 60, "not every frame came")
    check(nb.number("save=True", r"to (\d+) objects") >= 3, "nothing was found")
    # One object is one number over frames: far fewer numbers than boxes.
    check(3 <= nb.number("save=True", r"; (\d+) different") <= 60, nb.text("save=True"))
    shown = nb.html("live.video")
    check("<video " in shown and "data:video/mp4;base64," in shown and len(shown) > 50_000, "no recording")
    seen = nb.text("def frames")
    check("'results': 40" in seen and re.search(r"'shown': (\d+)", seen), seen)
    check(sum(int(n) for n in re.findall(r"'(?:bottle|can|carton|jar|box)': (\d+)", seen)) > 40, seen)
    # One picture, drawn anew each time.
    check(nb.html("def frames").count(PICTURE) == 1, "the last frame is not shown, or every one is kept")


CHECKS = {"1-first-steps": first_steps, "2-train": train, "3-look-at-a-dataset": look, "4-watch-a-job": watch, "5-video": video}
check(set(CHECKS) == set(names), f"notebooks: {names}")
with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
    back = os.getcwd()
    os.chdir(work)
    stack.callback(os.chdir, back)
    shutil.copy(folder / "shelves.py", work)
    # Nothing of the user's: no start-up files, no kernels of other Pythons.
    os.environ.update(PYTHONPATH=str(package), HOME=work, IPYTHONDIR=work + "/ipython", JUPYTER_DATA_DIR=work + "/jupyter",
                      PYTHONDONTWRITEBYTECODE="1", OMP_WAIT_POLICY="passive")
    for name in sys.argv[3:] or names:
        CHECKS[name](Ran(name))
        print(f"{name}: ran", flush=True)
print(f"{check.n} checks passed")
