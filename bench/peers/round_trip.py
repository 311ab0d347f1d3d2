#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The work of ../round_trip.sh, which says what it is; it makes the environment that this needs.

A figure is that of the tool's own val, which runs ONNX by ONNX Runtime and an OpenVINO folder by OpenVINO; beside it is `vigil val`
on the same weights, with the --ap of that release. Pictures keep their shape where the reader of the file can (rect).
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

OLD = "8.3.9"
ALLOWED = 0.0005  # the third digit
FIGURES = ("precision", "recall", "map50", "map")
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


# ---- in the tool's process: round_trip.py tool train|val ARGUMENTS, as JSON

def tool(job, arguments):
    import torch
    import ultralytics
    torch.set_num_threads(arguments.pop("threads"))
    model = ultralytics.YOLO(arguments.pop("model"), task="detect")
    if job == "train":
        model.train(**arguments)
        answer = {}
    else:
        box = model.val(**arguments).box
        answer = dict(zip(FIGURES, (float(v) for v in (box.mp, box.mr, box.map50, box.map))))
    answer["version"] = ultralytics.__version__
    print("ANSWER " + json.dumps(answer))


def ask(args, job, old, **arguments):
    """What the release answers; its talk goes to a log."""
    env = dict(os.environ, YOLO_CONFIG_DIR=str(args.dir / "settings"), YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true",
               OMP_NUM_THREADS=str(args.threads))
    env.pop("PYTHONPATH", None)
    if old:
        env["PYTHONPATH"] = args.old
    arguments.update(data=args.yaml, imgsz=args.imgsz, plots=False, verbose=False, workers=0, threads=args.threads,
                     project=str(args.dir / "runs"), exist_ok=True)
    for cache in args.dir.glob("data/labels/*.cache"):  # one release does not read another's
        cache.unlink()
    done = subprocess.run([sys.executable, __file__, "tool", job, json.dumps(arguments)], env=env, cwd=args.dir, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open(args.dir / "tool.log", "a", encoding="utf-8") as log:
        log.write(done.stdout)
    for line in done.stdout.splitlines():
        if line.startswith("ANSWER "):
            return json.loads(line[7:])
    sys.exit(f"{job} of {'the old' if old else 'the new'} release failed:\n" + "\n".join(done.stdout.splitlines()[-15:]))


# ---- the parts

def take_data(args):
    """A copy of its own, since the tool writes beside the pictures: the first so many of train, all of val."""
    import yaml
    source = yaml.safe_load(pathlib.Path(args.data).read_text(encoding="utf-8"))
    root = pathlib.Path(args.data).parent / source.get("path", ".")
    shutil.rmtree(args.dir / "data", ignore_errors=True)
    for split, most in (("train", args.pictures), ("val", None)):
        folder = root / source[split]
        if not folder.is_dir():
            sys.exit(f"{split}: {folder} is no folder of pictures")
        for kind in ("images", "labels"):
            (args.dir / "data" / kind / split).mkdir(parents=True)
        for picture in sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES)[:most]:
            shutil.copyfile(picture, args.dir / "data/images" / split / picture.name)
            labels = "/labels/".join(str(picture).rsplit("/images/", 1))
            label = pathlib.Path(labels).with_suffix(".txt")
            if label.exists():
                shutil.copyfile(label, args.dir / "data/labels" / split / label.name)
    args.yaml = str(args.dir / "data.yaml")
    with open(args.yaml, "w", encoding="utf-8") as file:
        yaml.safe_dump({"path": str(args.dir / "data"), "train": "images/train", "val": "images/val",
                        "names": source["names"]}, file)


def vigil(args, *words):
    done = subprocess.run([args.vigil, *[str(w) for w in words]], cwd=args.dir, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"vigil {' '.join(map(str, words))} failed:\n{done.stderr}")
    return done.stdout


def vigil_val(args, weights, ap):
    said = vigil(args, "val", "--data", args.yaml, "--weights", weights, "--imgsz", args.imgsz, "--ap", ap, "--no-plots", "--json",
                 "--threads", args.threads)
    return json.loads(said)["validation"]


def openvino_folder(args, onnx):
    """As the tool knows one: the model and the metadata beside it."""
    import onnx as reader
    import openvino
    import yaml
    folder = args.dir / "best_openvino_model"
    shutil.rmtree(folder, ignore_errors=True)
    openvino.save_model(openvino.convert_model(str(onnx)), str(folder / "best.xml"), compress_to_fp16=False)
    pairs = {p.key: p.value for p in reader.load(str(onnx)).metadata_props}
    values = {k: yaml.safe_load(v) if k in ("stride", "batch", "imgsz", "names", "channels", "args") else v
              for k, v in pairs.items()}
    with open(folder / "metadata.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump(values, file)
    return folder


class Table:
    def __init__(self):
        self.rows, self.n_wrong = [], 0

    def row(self, what, got, want):
        worst = max(abs(got[f] - want[f]) for f in FIGURES)
        self.n_wrong += worst >= ALLOWED
        self.rows.append([what, *(f"{got[f]:.4f}" for f in FIGURES), *(f"{want[f]:.4f}" for f in FIGURES), f"{worst:.1e}",
                          "" if worst < ALLOWED else "differs"])
        print(f"{what}: " + " ".join(self.rows[-1][1:5]) + f"; vigil {' '.join(self.rows[-1][5:9])} {self.rows[-1][-1]}", flush=True)

    def text(self):
        head = ["validated", "P", "R", "mAP50", "mAP50-95", "vigil: P", "R", "mAP50", "mAP50-95", "most apart", ""]
        return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *self.rows]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("vigil", "old", "dir"):
        parser.add_argument("--" + name, required=True)
    for name in ("epochs", "imgsz", "pictures", "threads"):
        parser.add_argument("--" + name, required=True, type=int)
    parser.add_argument("data")
    args = parser.parse_args()
    args.dir = pathlib.Path(args.dir)
    for name in ("runs", "tool.log"):
        shutil.rmtree(args.dir / name, ignore_errors=True) if (args.dir / name).is_dir() else (args.dir / name).unlink(missing_ok=True)
    take_data(args)
    table = Table()

    print(f"{OLD} trains {args.epochs} epochs at {args.imgsz}", flush=True)
    fast = dict(optimizer="AdamW", lr0=0.002, warmup_epochs=1, mosaic=0.0, batch=8, amp=False, deterministic=True)
    ask(args, "train", True, model="yolo11n.yaml", name="theirs", epochs=args.epochs, val=False, **fast)
    theirs = args.dir / "runs/theirs/weights/last.pt"
    rect = dict(rect=True, batch=16)

    def both(what, model, weights, **more):
        for old, ap in ((True, "8.3"), (False, "8.4")):
            got = ask(args, "val", old, model=str(model), name="val", **more)
            table.row(f"{got['version']}: {what}", got, vigil_val(args, weights, ap))

    both("what it trained", theirs, theirs, **rect)

    print("vigil trains on", flush=True)
    vigil(args, "train", "--data", args.yaml, "--weights", theirs, "--imgsz", args.imgsz, "--epochs", 2, "--batch", 8, "--optimizer",
          "AdamW", "--lr0", 0.0005, "--warmup-epochs", 0, "--mosaic", 0, "--save-pt", "--no-plots", "--threads", args.threads,
          "--project", "runs", "--name", "ours")
    ours = args.dir / "runs/ours/weights/best.safetensors"
    both("best.pt of `train --save-pt`", ours.with_suffix(".pt"), ours, **rect)
    vigil(args, "export", ours, "--format", "pt", "--output", "ours.pt")
    both("`export --format pt`", args.dir / "ours.pt", ours, **rect)

    newest = vigil_val(args, ours, "8.4")
    dynamic = args.dir / "dynamic.onnx"
    vigil(args, "export", ours, "--imgsz", args.imgsz, "--dynamic", "--batch", 16, "--output", dynamic)
    for program, model in (("ONNX Runtime", dynamic), ("OpenVINO", openvino_folder(args, dynamic))):
        got = ask(args, "val", False, model=str(model), name="val", **rect)
        table.row(f"{got['version']}: `export --dynamic` in {program}", got, newest)

    # A file of one shape sees squares, as `vigil val` never does: beside it is the tool on the .pt, with squares as well.
    static = args.dir / "static.onnx"
    vigil(args, "export", ours, "--imgsz", args.imgsz, "--output", static)
    square = dict(rect=False, batch=1)
    for old in (True, False):
        want = ask(args, "val", old, model=str(args.dir / "ours.pt"), name="val", **square)
        got = ask(args, "val", old, model=str(static), name="val", **square)
        table.row(f"{got['version']}: `export` in ONNX Runtime, squares; beside it the .pt", got, want)

    (args.dir / "table.md").write_text(table.text(), encoding="utf-8")
    print("\n" + table.text())
    print(f"{len(table.rows) - table.n_wrong} agree to three digits, {table.n_wrong} do not")
    sys.exit(table.n_wrong > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["tool"]:
        tool(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
