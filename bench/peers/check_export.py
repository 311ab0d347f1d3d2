#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether what `vigil export` writes is the network that vigil runs, for the programs that read it.

    check_export.py agree PHOTO... [--scales n s m l x] [--imgsz 320] [--engines ort openvino ncnn opencv]
    check_export.py forms PHOTO...        opsets 12 to 21, --half, --batch, --nms, in ONNX Runtime
    check_export.py tool DATA.yaml WEIGHTS [--imgsz 320]      the Python tool on our .pt and .onnx: val, and trained on

Weights of every scale are generated (seed 0, head_g 8, as the golden data). For each file: onnx.checker with full_check,
strict shape inference, then the engines' output0 beside vigil's own (bench/forward) on letterboxed photos. An error is
|a - b| / max(1, |b|), box and score apart; it fails above 1e-4.
"""
import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import cv2
import numpy as np
import onnx

from make_onnx import make_model
from yolo_weights import GeneratedWeights

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "..", "build")
ALLOWED = 1e-4


class Recorded(GeneratedWeights):
    """Remembers every tensor that was asked for: a state dict of the scale."""

    def __init__(self):
        super().__init__(0, 8.0)
        self.tensors = {}

    def get(self, key, shape):
        tensor = super().get(key, shape)
        self.tensors[key] = np.ascontiguousarray(tensor, dtype="<f4")
        return tensor


def write_weights(path, scale):
    recorded = Recorded()
    make_model(recorded, scale, 80, 1, 64, 64)
    head, at = {}, 0
    for key, tensor in recorded.tensors.items():
        head[key] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    text = json.dumps(head).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in recorded.tensors.values():
            file.write(tensor.tobytes())


def photos(paths, height, width):
    """(N, 3, H, W) RGB 0..1, letterboxed."""
    out = np.full((len(paths), height, width, 3), 114, dtype=np.uint8)
    for image, path in zip(out, paths):
        photo = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        scale = min(height / photo.shape[0], width / photo.shape[1])
        h, w = round(photo.shape[0] * scale), round(photo.shape[1] * scale)
        top, left = (height - h) // 2, (width - w) // 2
        image[top:top + h, left:left + w] = cv2.resize(photo, (w, h))
    return np.ascontiguousarray(out.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(255)


def vigil_output(args, weights, images):
    np.save("images.npy", images)
    subprocess.run([os.path.join(args.build, "bench/forward"), weights, "--input", "images.npy", "--threads", "2"],
                   input="out vigil.npy\n", text=True, check=True, stdout=subprocess.DEVNULL)
    return np.load("vigil.npy")


def export(args, weights, output, *options):
    said = subprocess.run([os.path.join(args.build, "vigil"), "export", "--weights", weights, "--output", output,
                           *[str(o) for o in options]], check=True, text=True, stdout=subprocess.PIPE).stdout
    if not output.endswith(".onnx"):
        return said.strip(), None
    model = onnx.load(output)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return said.strip(), model


def run_ort(path, images):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(["output0"], {"images": images})[0]


def run_openvino(path, images):
    import openvino
    core = openvino.Core()
    model = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2})
    return model({"images": images})[model.output(0)]


def run_ncnn(path, images):
    import ncnn
    subprocess.run([sys.executable, os.path.join(HERE, "make_ncnn.py"), path, "m"], check=True, stdout=subprocess.DEVNULL)
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    net.opt.num_threads = 2
    if net.load_param("m.ncnn.param") or net.load_model("m.ncnn.bin"):
        raise RuntimeError("ncnn: cannot load")
    outputs = []
    for image in images:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(image).clone())
        outputs.append(np.array(extractor.extract("out0")[1]))
    return np.stack(outputs)


def run_opencv(path, images):
    net = cv2.dnn.readNetFromONNX(path)
    net.setInput(images)
    return net.forward()


ENGINES = {"ort": run_ort, "openvino": run_openvino, "ncnn": run_ncnn, "opencv": run_opencv}


def errors(got, want):
    error = np.abs(got - want) / np.maximum(1, np.abs(want))
    return error[:, :4].max(), error[:, 4:].max()


class Report:
    def __init__(self):
        self.n_passed = self.n_failed = 0

    def row(self, name, values, good):
        self.n_passed += good
        self.n_failed += not good
        print(f"{name:34} {values} {'' if good else '  FAILED'}", flush=True)

    def compare(self, name, got, want):
        if got.shape != want.shape:
            self.row(name, f"shape {got.shape}, not {want.shape}", False)
            return
        box, score = errors(got, want)
        self.row(name, f"box {box:.1e}  score {score:.1e}", max(box, score) <= ALLOWED)

    def attempt(self, name, engine, path, images, want):
        try:
            got = ENGINES[engine](path, images)
        except Exception as problem:
            self.row(name, str(problem).strip().splitlines()[-1][:100], False)
            return
        self.compare(name, got, want)

    def end(self):
        print(f"{self.n_passed} passed, {self.n_failed} failed")
        sys.exit(self.n_failed > 0)


def agree(args, report):
    side = args.imgsz
    for scale in args.scales:
        write_weights("w.safetensors", scale)
        images = photos(args.photos, side, side)
        want = vigil_output(args, "w.safetensors", images[:1])
        said, _ = export(args, "w.safetensors", "static.onnx", "--imgsz", side)
        print(f"yolo11{scale}: {said}")
        for engine in args.engines:
            report.attempt(f"yolo11{scale} static {engine}", engine, "static.onnx", images[:1], want)
        wide = photos(args.photos, side // 2, side)
        wide_want = vigil_output(args, "w.safetensors", wide)
        export(args, "w.safetensors", "dynamic.onnx", "--imgsz", side, "--dynamic")
        for engine in args.engines:
            if engine in ("ort", "openvino"):
                report.attempt(f"yolo11{scale} dynamic {engine}", engine, "dynamic.onnx", images[:1], want)
                report.attempt(f"yolo11{scale} dynamic, {len(wide)} of {side // 2}x{side} {engine}", engine,
                               "dynamic.onnx", wide, wide_want)


def boxes_of(output, conf=0.25, iou=0.7, max_det=300):
    """Suppression of raw output in plain numpy: (max_det, 6) rows, zeros behind the last."""
    rows = []
    for picture in output:
        score, cls = picture[4:].max(0), picture[4:].argmax(0)
        keep = score > np.float32(conf)
        centre, size, score, cls = picture[:2, keep], picture[2:4, keep], score[keep], cls[keep]
        corners = np.concatenate([centre - size / 2, centre + size / 2]).T
        apart = corners + cls[:, None].astype(np.float32) * np.float32(7680)
        out = np.zeros((max_det, 6), np.float32)
        left, n = list(np.argsort(-score, kind="stable")), 0
        while left and n < max_det:
            best = left.pop(0)
            out[n] = [*corners[best], score[best], cls[best]]
            n += 1

            def overlap(i):
                low, high = np.maximum(apart[best][:2], apart[i][:2]), np.minimum(apart[best][2:], apart[i][2:])
                common = np.prod(np.clip(high - low, 0, None))
                area = lambda k: np.prod(apart[k][2:] - apart[k][:2])
                return common / (area(best) + area(i) - common + 1e-9)
            left = [i for i in left if overlap(i) <= iou]
        rows.append(out)
    return np.stack(rows)


def forms(args, report):
    side, weights = args.imgsz, "w.safetensors"
    write_weights(weights, "n")
    images = photos(args.photos, side, side)
    want = vigil_output(args, weights, images)
    for opset in range(12, 22):
        for more in ([], ["--dynamic"], ["--nms"], ["--nms", "--dynamic"], ["--half"]):
            name = f"opset {opset} {' '.join(more)}"
            export(args, weights, "m.onnx", "--imgsz", side, "--opset", opset, "--batch", len(images), *more)
            got = run_ort("m.onnx", images)
            if "--nms" in more:
                right = boxes_of(want)
                report.row(name, f"{int((right[..., 4] > 0).sum())} boxes, largest difference "
                           f"{np.abs(got - right).max():.1e}", got.shape == right.shape and np.abs(got - right).max() < 1e-2)
            elif "--half" in more:
                error = np.abs(got - want)
                report.row(name, f"median box {np.median(error[:, :4]):.1e}  median score {np.median(error[:, 4:]):.1e}",
                           np.median(error[:, :4]) < 1 and np.median(error[:, 4:]) < 1e-2)
            else:
                report.compare(name, got, want)
    for engine in ("ort", "openvino"):
        export(args, weights, "m.onnx", "--imgsz", side, "--nms")
        got = ENGINES[engine]("m.onnx", images[:1])
        right = boxes_of(want[:1])
        report.row(f"--nms {engine}", f"{np.abs(got - right).max():.1e}", np.abs(got - right).max() < 1e-2)
    export(args, weights, "m.onnx", "--imgsz", 32, "--nms", "--max-det", 40)  # 21 cells: rows of zeros behind them
    got = run_ort("m.onnx", images[:1, :, :32, :32].copy())
    report.row("--nms of fewer cells than rows", str(got.shape), got.shape == (1, 40, 6))


def tool(args, report):
    """The Python tool on what vigil writes: .pt as it stands, as the tool trains on, then each ONNX against that .pt."""
    import torch
    if not hasattr(np, "trapz"):  # the tool's 8.3.9 with a newer numpy
        np.trapz = np.trapezoid
    from ultralytics import YOLO, __version__
    torch.set_num_threads(2)
    with open(args.data, encoding="utf-8") as file:
        text = re.sub(r"(?m)^path:.*$", "path: " + os.path.dirname(args.data), file.read())
    with open("data.yaml", "w", encoding="utf-8") as file:
        file.write(text)
    side = args.imgsz
    vigil = os.path.join(args.build, "vigil")
    said = subprocess.run([vigil, "val", "--weights", args.weights, "--data", "data.yaml", "--imgsz", str(side),
                           "--no-plots", "--threads", "2"], text=True, stdout=subprocess.PIPE).stdout
    ours = [float(value) for value in re.search(r"^ *all +\d+ +\d+ +(\S+) +(\S+) +(\S+) +(\S+)", said, re.M).groups()]
    print(f"vigil val: P {ours[0]} R {ours[1]} mAP50 {ours[2]} mAP50-95 {ours[3]}")

    def val(name, **more):
        box = YOLO(name, task="detect").val(data="data.yaml", imgsz=side, plots=False, verbose=False, workers=0,
                                            project=os.getcwd(), name="v", exist_ok=True, **more).box
        return np.array([box.mp, box.mr, box.map50, box.map])

    def row(name, got, want, allowed):
        figures = "  ".join(f"{label} {value:.4f}" for label, value in zip(("P", "R", "mAP50", "mAP50-95"), got))
        report.row(f"{__version__} {name}", figures, bool((np.abs(got - want)[2:] <= allowed).all()))

    export(args, args.weights, "best.pt", "--format", "pt")
    rect, square = val("best.pt", rect=True, batch=16), val("best.pt", rect=False, batch=1)
    row(".pt, shape of the photos", rect, np.array(ours) if __version__ == "8.3.9" else rect, 1e-3)
    row(".pt, square", square, square, 0)
    export(args, args.weights, "dynamic.onnx", "--imgsz", side, "--dynamic", "--batch", 16)
    wanted = square if __version__ == "8.3.9" else rect  # it gives every ONNX a square
    row("--dynamic", val("dynamic.onnx", rect=True, batch=16), wanted, 1e-3)
    export(args, args.weights, "static.onnx", "--imgsz", side)
    row("static", val("static.onnx", rect=False, batch=1), square, 1e-3)
    export(args, args.weights, "half.onnx", "--imgsz", side, "--half")
    row("--half", val("half.onnx", rect=False, batch=1), square, 5e-3)
    if __version__ != "8.3.9":  # which had no nms=True yet
        export(args, args.weights, "nms.onnx", "--imgsz", side, "--nms", "--conf", 0.001)
        shutil.copy("best.pt", "theirs.pt")
        theirs = YOLO("theirs.pt").export(format="onnx", imgsz=side, nms=True, conf=0.001, iou=0.7, simplify=False)
        row("--nms, against the tool's own", val("nms.onnx", rect=False, batch=1), val(theirs, rect=False, batch=1), 1e-3)
    model = YOLO("best.pt")
    model.train(data="data.yaml", imgsz=96, epochs=1, fraction=0.1, workers=0, plots=False, verbose=False, amp=False,
                project=os.getcwd(), name="t", exist_ok=True)
    back = val("t/weights/best.pt", rect=True, batch=16)
    said = subprocess.run([vigil, "val", "--weights", "t/weights/best.pt", "--data", "data.yaml", "--imgsz", str(side),
                           "--no-plots", "--threads", "2"], text=True, stdout=subprocess.PIPE).stdout
    again = [float(value) for value in re.search(r"^ *all +\d+ +\d+ +(\S+) +(\S+) +(\S+) +(\S+)", said, re.M).groups()]
    row("trained on, the tool's val", back, np.array(again) if __version__ == "8.3.9" else back, 1e-3)
    print(f"vigil val of what the tool trained: P {again[0]} R {again[1]} mAP50 {again[2]} mAP50-95 {again[3]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=BUILD, help="build folder")
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("agree", "forms"):
        part = parts.add_parser(name)
        part.add_argument("photos", nargs="+")
        part.add_argument("--imgsz", type=int, default=320)
        part.add_argument("--scales", nargs="+", default=list("nsmlx"))
        part.add_argument("--engines", nargs="+", default=list(ENGINES))
    part = parts.add_parser("tool")
    part.add_argument("data")
    part.add_argument("weights")
    part.add_argument("--imgsz", type=int, default=320)
    args = parser.parse_args()
    for name in ("build", "data", "weights"):
        if hasattr(args, name):
            setattr(args, name, os.path.abspath(getattr(args, name)))
    if hasattr(args, "photos"):
        args.photos = [os.path.abspath(path) for path in args.photos]
    report = Report()
    sys.path.insert(0, HERE)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        {"agree": agree, "forms": forms, "tool": tool}[args.part](args, report)
    report.end()


if __name__ == "__main__":
    main()
