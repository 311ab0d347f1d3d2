"""Files of pictures that came from memory: what `save=True` and its kin write of them, in a run folder as the command has it."""
import os
import urllib.parse
from pathlib import Path
from typing import Any, Mapping

from . import _options, _pictures
from .results import Results

MOST_FOLDERS = 100000


def run_folder(project: str, name: str, exist_ok: bool) -> str:
    """project/name, or name2, name3, ...: made here, unless exist_ok."""
    for i in range(1, MOST_FOLDERS):
        folder = os.path.join(project, name if i == 1 else f"{name}{i}")
        os.makedirs(os.path.dirname(folder) or ".", exist_ok=True)
        try:
            os.mkdir(folder)
            return folder
        except FileExistsError:
            if exist_ok:
                return folder
    raise FileExistsError(f"{project}: {MOST_FOLDERS} runs of the name {name}")


class Saver:
    """Writes results into one run folder: pictures, labels/NAME.txt, crops/CLASS/, predictions.jsonl."""

    def __init__(self, arguments: Mapping[str, Any]):
        def flag(name: str, default: bool = False) -> bool:
            return _options.truth(arguments.get(name, default), name)

        self.folder = run_folder(os.fspath(arguments.get("project", "runs/predict")), str(arguments.get("name", "exp")), flag("exist_ok"))
        self.what = {k: flag(k) for k in ("save", "save_txt", "save_conf", "save_crop", "save_json")}
        self.look = {"labels": flag("show_labels", True) and not flag("hide_labels"),
                     "conf": flag("show_conf", True) and not flag("hide_conf"), "boxes": flag("show_boxes", True),
                     "line_width": arguments.get("line_width") or arguments.get("line_thickness")}

    def save(self, result: Results) -> None:
        result.save_dir = self.folder
        name = Path(urllib.parse.urlsplit(result.path).path if "://" in result.path else result.path).name
        if self.what["save"]:
            stem, suffix = os.path.splitext(name)  # a kind that is not written is a JPEG here
            to = name if suffix.lower() in (".jpg", ".jpeg", ".png") else stem + ".jpg"
            result.save(os.path.join(self.folder, to), **self.look)
        if self.what["save_txt"]:
            result.save_txt(os.path.join(self.folder, "labels", Path(name).stem + ".txt"), self.what["save_conf"])
        if self.what["save_crop"]:
            result.save_crop(os.path.join(self.folder, "crops"), name)
        if self.what["save_json"]:
            with open(os.path.join(self.folder, "predictions.jsonl"), "ab") as f:
                f.write(_pictures.json_line(result) + b"\n")
