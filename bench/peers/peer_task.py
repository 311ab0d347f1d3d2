#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A picture to masks, keypoints, turned boxes or classes by another engine, held ready for compare_tasks.py.

    peer_task.py ort|openvino MODEL.onnx --task segment|pose|obb|classify --picture RGB.npy --threads 1

The picture (H,W,3, 8 bits) is of the network's size. What is timed is all that lies between it and results: to float, the
forward, suppression, and what the task adds, by NumPy and OpenCV as people write it: masks are combined for kept boxes
alone, cropped, enlarged to the input's size and compared with 0. The protocol is README.md's; `out FILE` writes JSON.
"""
import argparse
import json
import resource
import sys
import time

import cv2
import numpy as np

MOST = 300


def rows_of(output, nc, conf):
    """(boxes xyxy or xywh, scores, classes, extras) of the cells whose best class passes."""
    scores = output[4:4 + nc]
    best = scores.max(0)
    keep = np.nonzero(best > conf)[0]
    kept = output[:, keep]
    return kept[:4].T, best[keep], kept[4:4 + nc].argmax(0), kept[4 + nc:].T


def suppress(boxes, scores, classes, iou):
    """boxes x, y, w, h around their centre; indices of those that stay, best first."""
    corner = np.concatenate((boxes[:, :2] - boxes[:, 2:] / 2 + classes[:, None] * 7680.0, boxes[:, 2:]), 1)
    order = cv2.dnn.NMSBoxes(corner, scores, 0.0, iou)
    return np.asarray(order, dtype=np.int64).reshape(-1)[:MOST]


def corners_of(boxes):
    return np.concatenate((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2), 1)


def masks_of(coefficients, prototypes, boxes, size):
    """(n, size, size) bytes: combined at a quarter of the size, cropped, enlarged, compared."""
    n_maps, mh, mw = prototypes.shape
    maps = (coefficients @ prototypes.reshape(n_maps, -1)).reshape(-1, mh, mw)
    scaled = boxes * np.array([mw, mh, mw, mh], np.float32) / size
    columns, rows = np.arange(mw, dtype=np.float32), np.arange(mh, dtype=np.float32)
    x1, y1, x2, y2 = scaled.T[:, :, None]
    inside = ((rows >= y1) & (rows < y2))[:, :, None] & ((columns >= x1) & (columns < x2))[:, None, :]
    maps *= inside
    out = np.empty((len(maps), size, size), np.uint8)
    for i, m in enumerate(maps):
        np.greater(cv2.resize(m, (size, size), interpolation=cv2.INTER_LINEAR), 0, out=out[i].view(bool))
    return out


def prob_iou(boxes):
    """Of every pair of boxes (n, 5), eps 1e-7: the Gaussians' Hellinger distance."""
    x, y, w, h, angle = boxes.T
    a0, b0, c, s = w * w / 12, h * h / 12, np.cos(angle), np.sin(angle)
    a, b, m = a0 * c * c + b0 * s * s, a0 * s * s + b0 * c * c, (a0 - b0) * c * s
    sa, sb, sm = a[:, None] + a, b[:, None] + b, m[:, None] + m
    dx, dy = x[:, None] - x, y[:, None] - y
    det = sa * sb - sm * sm
    own = np.maximum(a * b - m * m, 0)
    t1 = 0.25 * (sa * dy * dy + sb * dx * dx) / (det + 1e-7)
    t2 = 0.5 * sm * -dx * dy / (det + 1e-7)
    t3 = 0.5 * np.log(det / (4 * np.sqrt(own[:, None] * own) + 1e-7) + 1e-7)
    return 1 - np.sqrt(1 - np.exp(-np.clip(t1 + t2 + t3, 1e-7, 100)) + 1e-7)


class Segment:
    @staticmethod
    def find(outputs, args, size):
        boxes, scores, classes, extras = rows_of(outputs[0][0], args.nc, args.conf)
        keep = suppress(boxes, scores, classes, args.iou)
        boxes = corners_of(boxes[keep])
        masks = masks_of(extras[keep], outputs[1][0], boxes, size)
        return boxes.clip(0, size), scores[keep], classes[keep], masks

    @staticmethod
    def told(found):
        boxes, scores, classes, masks = found
        return [{"box": b.tolist(), "conf": float(s), "cls": int(c), "pixels": int(np.count_nonzero(m))}
                for b, s, c, m in zip(boxes, scores, classes, masks)]


class Pose:
    @staticmethod
    def find(outputs, args, size):
        boxes, scores, classes, extras = rows_of(outputs[0][0], args.nc, args.conf)
        keep = suppress(boxes, scores, classes, args.iou)
        points = extras[keep].reshape(len(keep), extras.shape[1] // 3, 3)
        points[..., :2] = points[..., :2].clip(0, size)
        points[points[..., 2] < 0.5, :2] = 0
        return corners_of(boxes[keep]).clip(0, size).round(), scores[keep], classes[keep], points

    @staticmethod
    def told(found):
        return [{"box": b.tolist(), "conf": float(s), "cls": int(c), "points": p.reshape(-1).tolist()}
                for b, s, c, p in zip(*found)]


class Obb:
    @staticmethod
    def find(outputs, args, size):
        boxes, scores, classes, extras = rows_of(outputs[0][0], args.nc, args.conf)
        order = np.argsort(-scores, kind="stable")
        rows = np.concatenate((boxes, extras), 1)[order]
        moved = rows.copy()
        moved[:, :2] += classes[order, None] * 7680.0
        above = np.triu(prob_iou(moved), 1).max(0) if len(rows) else np.zeros(0)
        keep = np.nonzero(above < args.iou)[0][:MOST]
        rows = rows[keep]
        wide = rows[:, 2] > rows[:, 3]
        w, h = np.where(wide, rows[:, 2], rows[:, 3]), np.where(wide, rows[:, 3], rows[:, 2])
        rows = np.stack((rows[:, 0], rows[:, 1], w, h, np.where(wide, rows[:, 4], rows[:, 4] + np.pi / 2) % np.pi), 1)
        rows[:, :4] = rows[:, :4].clip(0, size)
        return rows, scores[order][keep], classes[order][keep]

    @staticmethod
    def told(found):
        return [{"rotated": r.tolist(), "conf": float(s), "cls": int(c)} for r, s, c in zip(*found)]


class Classify:
    @staticmethod
    def find(outputs, args, size):
        probabilities = outputs[0][0]
        top = np.argsort(-probabilities)[:5]
        return top, probabilities[top]

    @staticmethod
    def told(found):
        return [{"cls": int(c), "conf": float(p)} for c, p in zip(*found)]


TASKS = {"segment": Segment, "pose": Pose, "obb": Obb, "classify": Classify}


class OnnxRuntime:
    def __init__(self, path, threads, spin):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.name = f"ort {ort.__version__}"
        self.input = self.session.get_inputs()[0].name

    def forward(self, blob):
        return self.session.run(None, {self.input: blob})


class OpenVino:
    def __init__(self, path, threads, _spin):
        import openvino as ov
        self.compiled = ov.Core().compile_model(path, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32", "CPU_DENORMALS_OPTIMIZATION": True, "ENABLE_CPU_PINNING": False})
        self.name = f"openvino {ov.__version__.split('-')[0]}"
        self.request = self.compiled.create_infer_request()
        self.n_outputs = len(self.compiled.outputs)
        self.tensor = ov.Tensor

    def forward(self, blob):
        self.request.set_input_tensor(self.tensor(blob, shared_memory=True))
        self.request.infer()
        return [self.request.get_output_tensor(i).data for i in range(self.n_outputs)]


ENGINES = {"ort": OnnxRuntime, "openvino": OpenVino}


class Job:
    def __init__(self, args):
        self.args, self.task = args, TASKS[args.task]
        cv2.setNumThreads(args.threads)
        self.engine = ENGINES[args.engine](args.model, args.threads, args.spin)
        self.picture = np.ascontiguousarray(np.load(args.picture, allow_pickle=False))
        for _ in range(3):
            self.run()

    def run(self):
        blob = cv2.dnn.blobFromImage(self.picture, 1 / 255)
        self.found = self.task.find(self.engine.forward(blob), self.args, self.picture.shape[0])

    def timed(self, n_runs):
        cpu_ms, wall_ms = [], []
        for _ in range(n_runs):
            wall, cpu = time.perf_counter_ns(), time.process_time_ns()
            self.run()
            cpu_ms.append((time.process_time_ns() - cpu) / 1e6)
            wall_ms.append((time.perf_counter_ns() - wall) / 1e6)
        return {"cpu_ms": cpu_ms, "wall_ms": wall_ms}

    def answer(self, line):
        words = line.split()
        if words == ["info"]:
            return {"name": self.engine.name, "threads": self.args.threads,
                    "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}
        if len(words) == 2 and words[0] == "run" and words[1].isdigit():
            return self.timed(int(words[1]))
        if len(words) == 2 and words[0] == "out":
            with open(words[1], "w", encoding="utf-8") as file:
                json.dump(self.task.told(self.found), file)
            return {"out": words[1]}
        return {"error": f"unknown line {line.strip()!r}; known: info, run K, out FILE"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("model")
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--nc", type=int, default=0, help="classes of the model")
    parser.add_argument("--picture", required=True, help="(H,W,3) uint8 .npy, RGB, of the network's size")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--spin", action="store_true", help="ONNX Runtime: waiting threads spin, its default")
    parser.add_argument("--conf", type=float, default=0.25)
    parser.add_argument("--iou", type=float, default=0.7)
    job = Job(parser.parse_args())
    for line in sys.stdin:
        print(json.dumps(job.answer(line)), flush=True)


if __name__ == "__main__":
    main()
