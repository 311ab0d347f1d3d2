#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One engine, one model, held ready: run it on demand so that a harness can interleave engines.

    peer.py ort|openvino|ncnn MODEL --threads 1 [--precision f32] [--input images.npy]

Loads, warms up, then answers each line of standard input with one line of JSON (see README.md, "The protocol").
Times cover the forward alone: the input is bound beforehand. CPU time is that of all threads of the process.
"""
import argparse
import json
import resource
import sys
import time

import numpy as np

from yolo_weights import synthetic_input


class OnnxRuntime:
    def __init__(self, path, threads, precision, spin):
        import onnxruntime as ort
        if precision != "f32":
            raise ValueError(f"ort: no {precision} on a CPU; use f32")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.version = ort.__version__
        self.input_shape = self.session.get_inputs()[0].shape
        self.output = np.zeros(self.session.get_outputs()[0].shape, dtype=np.float32)

    def bind(self, images):
        import onnxruntime as ort
        self.images = ort.OrtValue.ortvalue_from_numpy(images)
        self.result = ort.OrtValue.ortvalue_from_numpy(self.output)
        self.binding = self.session.io_binding()
        self.binding.bind_ortvalue_input("images", self.images)
        self.binding.bind_ortvalue_output("output0", self.result)

    def forward(self):
        self.session.run_with_iobinding(self.binding)

    def get_output(self):
        return self.result.numpy()


class OpenVino:
    def __init__(self, path, threads, precision, spin):
        import openvino as ov
        if spin:
            raise ValueError("openvino: its threads cannot be told to spin; leave --spin out")
        core = ov.Core()
        if precision.upper() not in [c.replace("FP", "F") for c in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")]:
            raise ValueError(f"openvino: this CPU has no {precision}")
        self.compiled = core.compile_model(path, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision, "CPU_DENORMALS_OPTIMIZATION": True,
            "ENABLE_CPU_PINNING": False})  # the harness pins, and others share the machine
        got = self.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        if got != precision:
            raise ValueError(f"openvino: asked for {precision}, it chose {got}")
        self.version = ov.__version__.split("-")[0]
        self.request = self.compiled.create_infer_request()
        self.input_shape = list(self.compiled.inputs[0].shape)

    def bind(self, images):
        import openvino as ov
        self.images = images
        self.request.set_input_tensor(ov.Tensor(images, shared_memory=True))

    def forward(self):
        self.request.infer()

    def get_output(self):
        return self.request.get_output_tensor(0).data.copy()


class Ncnn:
    def __init__(self, path, threads, precision, spin):
        import ncnn
        if precision not in ("f32", "bf16"):
            raise ValueError(f"ncnn: {precision} is not offered here")
        self.ncnn = ncnn
        self.net = ncnn.Net()
        option = self.net.opt
        option.num_threads = threads
        option.openmp_blocktime = 20 if spin else 0
        option.use_vulkan_compute = False
        for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
            setattr(option, name, False)
        option.use_bf16_storage = option.use_bf16_packed = precision == "bf16"
        self.blobs, self.workspace = ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()
        option.blob_allocator, option.workspace_allocator = self.blobs, self.workspace
        if self.net.load_param(path + ".ncnn.param") or self.net.load_model(path + ".ncnn.bin"):
            raise ValueError(f"ncnn: cannot load {path}.ncnn.param and .bin; make them with make_ncnn.py")
        self.version = ncnn.__version__
        self.input_shape = None

    def bind(self, images):
        if images.shape[0] != 1:
            raise ValueError(f"ncnn: one image at a time, the input has {images.shape[0]}")
        self.images = images
        self.mat = self.ncnn.Mat(self.images[0])

    def forward(self):
        self.out = None  # its memory goes back to the pool first
        with self.net.create_extractor() as extractor:
            extractor.input("in0", self.mat)
            status, self.out = extractor.extract("out0")
        if status:
            raise RuntimeError(f"ncnn: extract failed with {status}")

    def get_output(self):
        return np.array(self.out, dtype=np.float32)[None]


ENGINES = {"ort": OnnxRuntime, "openvino": OpenVino, "ncnn": Ncnn}


def timed_runs(engine, n_runs):
    cpu_ms, wall_ms = [], []
    for _ in range(n_runs):
        wall_start, cpu_start = time.perf_counter_ns(), time.process_time_ns()
        engine.forward()
        cpu_end, wall_end = time.process_time_ns(), time.perf_counter_ns()
        cpu_ms.append((cpu_end - cpu_start) / 1e6)
        wall_ms.append((wall_end - wall_start) / 1e6)
    return {"cpu_ms": cpu_ms, "wall_ms": wall_ms}


def answer(engine, args, line):
    words = line.split()
    if words == ["info"]:
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        name = f"{args.engine} {engine.version} {args.precision}{' spin' if args.spin else ''}"
        return {"name": name, "threads": args.threads,
                "model": args.model, "peak_rss_mb": round(peak_mb, 1)}
    if len(words) == 2 and words[0] == "run" and words[1].isdigit():
        return timed_runs(engine, int(words[1]))
    if len(words) == 2 and words[0] == "out":
        np.save(words[1], engine.get_output(), allow_pickle=False)
        return {"out": words[1]}
    return {"error": f"unknown line {line.strip()!r}; known: info, run K, out FILE"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("model", help="the .onnx file; for ncnn the prefix of .ncnn.param and .ncnn.bin")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--input", help="(B,3,H,W) float32 .npy in 0..1; else a synthetic picture, seed 0")
    parser.add_argument("--imgsz", type=int, nargs="+", default=[640], metavar="PX",
                        help="of the synthetic picture for ncnn, whose files do not tell")
    parser.add_argument("--spin", action="store_true", help="let waiting threads spin (ort, ncnn)")
    parser.add_argument("--warmup", type=int, default=5, help="forwards before the first answer")
    args = parser.parse_args()
    engine = ENGINES[args.engine](args.model, args.threads, args.precision, args.spin)
    if args.input:
        images = np.ascontiguousarray(np.load(args.input, allow_pickle=False), dtype=np.float32)
    else:
        images = synthetic_input(engine.input_shape or [1, 3, args.imgsz[0], args.imgsz[-1]], seed=0)
    engine.bind(images)
    for _ in range(max(args.warmup, 1)):
        engine.forward()
    for line in sys.stdin:
        print(json.dumps(answer(engine, args, line)), flush=True)


if __name__ == "__main__":
    main()
