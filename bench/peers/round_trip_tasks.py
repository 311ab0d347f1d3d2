#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models of every task through vigil and back: does the Python tool see in vigil's files what it sees in its own?

For segment, pose, obb and classify: the old release (8.3.9) makes a model, whose weights are drawn so that photos have results
(a fresh one has none), and saves it. `vigil export` reads that checkpoint and writes a .pt and an ONNX. Both releases predict on
photos with their own file and with vigil's .pt, and by ONNX Runtime with vigil's ONNX; what they answer is compared row by row.
A table of the largest differences goes to standard output. Exit 1 where one is too large, or a result is missing.

    python3 -m venv venv && . venv/bin/activate
    pip install torch torchvision "numpy<2.4" opencv-python-headless onnx onnxruntime pillow pyyaml requests scipy psutil \
        py-cpuinfo tqdm matplotlib pandas seaborn polars
    pip install --no-deps "ultralytics>=8.4" ultralytics-thop && pip install --no-deps --target old ultralytics==8.3.9
    bench/peers/round_trip_tasks.py --vigil build/vigil --old old --dir /tmp/round-trip PICTURES/*.jpg
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

TASKS = {"segment": ("seg", 320), "pose": ("pose", 320), "obb": ("obb", 320), "classify": ("cls", 224)}
# Of float sums in another order: pixels of boxes and points, radians, scores; pixels of a mask that may flip, in parts of it.
ALLOWED = {"boxes": 0.05, "scores": 1e-4, "points": 0.05, "angles": 2e-3, "masks": 0.02, "probabilities": 1e-5}


# ---- in the tool's process

def make(name, path):
    """The rules of vigil's golden weights with torch's random numbers."""
    import torch
    import ultralytics
    torch.manual_seed(1)
    model = ultralytics.YOLO(name)
    net = model.model
    for key, t in net.state_dict().items():
        if not t.is_floating_point() or key.endswith("dfl.conv.weight"):
            continue
        u = torch.rand(t.shape) * 2 - 1
        last = ".2." in key and any(f".{b}." in key for b in ("cv2", "cv3", "cv4")) and key.startswith("model.23")
        if key.endswith("bn.weight"):
            u = 1 + 0.25 * u
        elif key.endswith("bn.bias") or key.endswith("running_mean"):
            u = 0.2 * u
        elif key.endswith("running_var"):
            u = 1 + 0.5 * u
        elif last and key.endswith("bias"):
            u = 1 + 0.5 * u if ".cv2." in key else -2 + u if ".cv3." in key else 0.5 * u
        elif key.endswith("bias"):
            u = 0.3 * u
        else:
            gain = 2.5 if ".cv3." in key and last else 8 if last or "linear" in key else 0.6 if any(w in key for w in (".attn.", ".ffn.")) else 1.4
            fan = t.shape[0] if "upsample" in key else t[0].numel()
            u = gain * (3 / fan) ** 0.5 * u
        t.copy_(u)
    if task := getattr(net.model[-1], "kpt_shape", None):
        net.kpt_shape = task  # as its trainer does
    names = {i: f"thing{i}" for i in range(len(net.names))}
    net.names = names
    net.args = {"task": model.task, "imgsz": 640}
    torch.save({"epoch": -1, "model": net.float().eval(), "ema": None, "train_args": {"task": model.task, "imgsz": 640},
                "date": "2026-01-01", "version": ultralytics.__version__}, path)


def predict(path, task, imgsz, pictures):
    import numpy
    import torch
    import ultralytics
    torch.set_num_threads(1)
    answer = []
    model = ultralytics.YOLO(path, task=task)
    for picture in pictures:
        r = model.predict(picture, imgsz=imgsz, conf=0.3, iou=0.5, max_det=20, rect=False, verbose=False, device="cpu")[0]
        row = {}
        if r.probs is not None:
            row["probabilities"] = r.probs.data.tolist()
        elif r.obb is not None:
            row["boxes"], row["angles"] = r.obb.xywhr[:, :4].tolist(), r.obb.xywhr[:, 4].tolist()
            row["scores"], row["classes"] = r.obb.conf.tolist(), r.obb.cls.tolist()
        else:
            row["boxes"], row["scores"] = r.boxes.xyxy.tolist(), r.boxes.conf.tolist()
            row["classes"] = r.boxes.cls.tolist()
            if r.masks is not None:
                row["masks"] = [numpy.packbits(m.numpy().astype(bool)).tobytes().hex() for m in r.masks.data]
            if r.keypoints is not None:
                row["points"] = r.keypoints.data.flatten(1).tolist()
        answer.append(row)
    return answer


# ---- the comparison

def bits(text):
    return [bin(b).count("1") for b in bytes.fromhex(text)]


def mask_difference(a, b):
    wrong = sum(bin(x ^ y).count("1") for x, y in zip(bytes.fromhex(a), bytes.fromhex(b)))
    return wrong / max(sum(bits(b)), 1)


def largest(a, b):
    if isinstance(a, list):
        return max((largest(x, y) for x, y in zip(a, b, strict=True)), default=0)
    return abs(a - b)


def compare(got, want):
    """{kind: largest difference}, and the number of results; ValueError where results are others."""
    worst, n = {}, 0
    for g, w in zip(got, want, strict=True):
        if g.get("classes") != w.get("classes"):
            raise ValueError(f"classes {g.get('classes')} instead of {w.get('classes')}")
        n += len(w.get("classes", [0]))
        for kind in w:
            if kind == "classes":
                continue
            d = max((mask_difference(x, y) for x, y in zip(g[kind], w[kind], strict=True)), default=0) if kind == "masks" \
                else largest(g[kind], w[kind])
            worst[kind] = max(worst.get(kind, 0), d)
    return worst, n


def ask(args, old, job, *words):
    env = dict(os.environ, YOLO_CONFIG_DIR=str(args.dir / "settings"), YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true")
    env.pop("PYTHONPATH", None)
    if old:
        env["PYTHONPATH"] = str(pathlib.Path(args.old).resolve())
    out = args.dir / "answer.json"
    out.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "tool", job, str(out), *map(str, words)], env=env,
                          cwd=args.dir, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode or not out.exists():
        sys.exit(f"{job} of {'the old' if old else 'the new'} release failed:\n" + "\n".join(done.stdout.splitlines()[-15:]))
    return json.loads(out.read_text(encoding="utf-8"))


def export(args, weights, output, imgsz):
    done = subprocess.run([args.vigil, "export", "--weights", weights, "--format", output.suffix[1:], "--output", output, "--imgsz",
                           str(imgsz)] if output.suffix == ".onnx" else
                          [args.vigil, "export", "--weights", weights, "--format", "pt", "--output", output],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"vigil export of {output} failed:\n{done.stderr}")


def square(args, path):
    """Its middle: the old release letterboxes a .pt's picture to a rectangle, whatever it is asked, and an ONNX's to a square."""
    from PIL import Image
    picture = Image.open(path).convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    name = args.dir / (pathlib.Path(path).stem + ".png")
    picture.crop((left, top, left + side, top + side)).save(name)
    return str(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("vigil", "old", "dir"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("pictures", nargs="+")
    args = parser.parse_args()
    args.dir = pathlib.Path(args.dir).resolve()
    args.dir.mkdir(parents=True, exist_ok=True)
    args.vigil = str(pathlib.Path(args.vigil).resolve())
    pictures = [square(args, p) for p in args.pictures]
    n_wrong = 0
    print("| task | vigil's file | read by | results | largest differences |\n| --- | --- | --- | --- | --- |", flush=True)
    for task in args.tasks.split(","):
        suffix, imgsz = TASKS[task]
        theirs, pt, onnx = (args.dir / f"{task}-{n}" for n in ("theirs.pt", "vigil.pt", "vigil.onnx"))
        ask(args, True, "make", f"yolo11n-{suffix}.yaml", theirs)
        export(args, theirs, pt, imgsz)
        export(args, theirs, onnx, imgsz)
        for old in (True, False):
            want = ask(args, old, "predict", theirs, task, imgsz, *pictures)
            for path in (pt, onnx):
                got = ask(args, old, "predict", path, task, imgsz, *pictures)
                try:
                    worst, n = compare(got, want)
                except (ValueError, KeyError) as e:
                    worst, n = {"results": float("inf")}, str(e)
                wrong = n == 0 or any(d > ALLOWED.get(k, 0) for k, d in worst.items())
                n_wrong += wrong
                by = ("8.3.9" if old else "8.4") + (", ONNX Runtime" if path is onnx else "")
                print(f"| {task} | {path.suffix[1:]} | {by} | {n} | " + ", ".join(f"{k} {d:.1e}" for k, d in worst.items()) +
                      (" differs |" if wrong else " |"), flush=True)
    return n_wrong > 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["tool"]:
        job, out, words = sys.argv[2], sys.argv[3], sys.argv[4:]
        said = make(*words) if job == "make" else predict(words[0], words[1], int(words[2]), words[3:])
        pathlib.Path(out).write_text(json.dumps(said), encoding="utf-8")
    else:
        sys.exit(main())
