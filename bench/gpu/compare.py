#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vigil beside PyTorch on a GPU: forward passes and whole training steps, one table.

    bench/gpu/compare.py --build build [--device gpu] [--weights-n N.safetensors --weights-s S.safetensors] [--quick]

vigil's forward goes from floats in this machine's memory to whole maps there (`vigil bench --device`); PyTorch's is timed
with the same copies, and without them. Training steps (build/bench/train_device) have the pictures' way up, forward, loss,
backward, AdamW and the average in them; PyTorch's have the same, by bench/peers/torch_model.py, in eager mode,
channels_last, with AMP and without. Medians, after steps that warm up; peak_mb is PyTorch's allocator's peak, and what
vigil planned or its driver says is taken (0: it does not say). A forward wants a file of the model's weights.

Where there is no GPU it says so and ends with 77: nothing is measured on a CPU under a GPU's name.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "peers"))
NO_GPU = 77


def find_vigils_gpu(vigil, wanted):
    """The line of `vigil devices` that is a GPU; None: there is none."""
    said = subprocess.run([vigil, "devices"], capture_output=True, text=True, check=False).stdout
    rows = [line for line in said.splitlines() if line.startswith(("cuda:", "opencl:"))]
    gpus = [line for line in rows if "by name only" not in line]
    return next((line for line in gpus if wanted == "gpu" or line.split()[0] == wanted), None)


def find_torchs_gpu():
    """PyTorch, and why it cannot be measured ("": it can)."""
    try:
        import torch
    except ImportError:
        return None, "PyTorch is not installed"
    return torch, "" if torch.cuda.is_available() else "PyTorch sees no GPU"


def timed(torch, run, n, warm_up=5):
    times = []
    for i in range(-warm_up, n):
        torch.cuda.synchronize()
        began = time.perf_counter()
        run()
        torch.cuda.synchronize()
        if i >= 0:
            times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times)


def torch_forward(torch, scale, batch, half, imgsz, n):
    from torch_model import Yolo11
    dtype = torch.float16 if half else torch.float32
    torch.cuda.reset_peak_memory_stats()
    model = Yolo11(scale, 80).eval().cuda().to(dtype).to(memory_format=torch.channels_last)
    here = torch.rand(batch, 3, imgsz, imgsz).pin_memory()
    there = here.cuda().to(dtype).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        bare = timed(torch, lambda: model(there), n)

        def with_copies():
            x = here.cuda(non_blocking=True).to(dtype).to(memory_format=torch.channels_last)
            return [y.float().cpu() for y in model(x)]
        copied = timed(torch, with_copies, n)
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            for _ in range(3):
                model(there)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            model(there)
        replayed = timed(torch, graph.replay, n)
    return {"ms": bare, "with_copies_ms": copied, "cuda_graph_ms": replayed, "peak_mb": torch.cuda.max_memory_allocated() / 1e6}


def torch_step(torch, scale, batch, amp, imgsz, n):
    from torch_model import Loss, Yolo11
    torch.cuda.reset_peak_memory_stats()
    model = Yolo11(scale, 80).train().cuda().to(memory_format=torch.channels_last)
    average = [v.detach().clone() for v in model.state_dict().values() if v.dtype.is_floating_point]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    scaler = torch.amp.GradScaler("cuda", enabled=amp)
    loss = Loss(80)
    here = torch.rand(batch, 3, imgsz, imgsz).pin_memory()
    torch.manual_seed(1)
    boxes = torch.cat((0.2 + 0.6 * torch.rand(12 * batch, 2), 0.05 + 0.3 * torch.rand(12 * batch, 2)), 1)
    i = torch.arange(12 * batch)
    targets = torch.cat(((i // 12)[:, None].float(), (i % 80)[:, None].float(), boxes), 1).cuda()

    def step():
        x = here.cuda(non_blocking=True).to(memory_format=torch.channels_last)
        with torch.autocast("cuda", torch.float16, enabled=amp):
            raw = model(x)
        total, items = loss([r.float() for r in raw], targets)
        scaler.scale(total).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            now = [v for v in model.state_dict().values() if v.dtype.is_floating_point]
            torch._foreach_lerp_(average, now, 1e-4)
        return items.cpu()
    return {"ms": timed(torch, step, n), "peak_mb": torch.cuda.max_memory_allocated() / 1e6}


def run_json(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}:\n{done.stderr}")
    return json.loads(done.stdout)


def row(what, vigils, torchs, memory):
    print(f"{what:38} {vigils:10.2f} {torchs if isinstance(torchs, str) else format(torchs, '10.2f'):>10}   {memory}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default="build")
    p.add_argument("--device", default="gpu", help="as of vigil: gpu, cuda:0, opencl:0")
    p.add_argument("--weights-n", help="a file of yolo11n; without it, its forward is left out")
    p.add_argument("--weights-s", help="likewise of yolo11s")
    p.add_argument("--imgsz", type=int, default=640)
    p.add_argument("--steps", type=int, default=30)
    p.add_argument("--quick", action="store_true", help="n alone, small batches")
    o = p.parse_args()
    vigil = os.path.join(o.build, "vigil")
    gpu = find_vigils_gpu(vigil, o.device)
    torch, lack = find_torchs_gpu()
    if gpu is None:
        print(f"there is no GPU {o.device} here ({vigil} devices lists those that there are): nothing was measured")
        sys.exit(NO_GPU)
    print(f"vigil: {gpu.strip()}")
    print(f"PyTorch: {torch.__version__ + ', ' + torch.cuda.get_device_name() if not lack else lack + ': its columns are empty'}")
    print(f"\n{'':38} {'vigil ms':>10} {'torch ms':>10}   memory, MB: vigil / torch")
    batches = (1, 4) if o.quick else (1, 16, 64)
    for scale in "n" if o.quick else "ns":
        weights = getattr(o, f"weights_{scale}")
        if not weights:
            print(f"forward {scale}: left out, no --weights-{scale}")
            continue
        for batch in batches:
            for half in (False, True):
                b = run_json([vigil, "bench", "--weights", weights, "--device", o.device, "--imgsz", str(o.imgsz), "--batch", str(batch),
                              "--repeats", str(o.steps), "--json"] + (["--half"] if half else []))
                ms = next(s["ms"] for s in b["speeds"] if s["batch"] == batch)
                mine = b["gpu_memory"]["peak"] / 1e6
                t = None if lack else torch_forward(torch, scale, batch, half, o.imgsz, o.steps)
                name = f"forward {scale} b{batch} {'f16' if half else 'f32'}, with copies"
                row(name, ms, t["with_copies_ms"] if t else "-", f"{mine:.0f} / {t['peak_mb']:.0f}" if t else f"{mine:.0f}")
                if t:
                    print(f"{'  PyTorch without copies, and by a graph':38} {'':10} {t['ms']:10.2f}   {t['cuda_graph_ms']:.2f} ms")
    for scale in "n" if o.quick else "ns":
        for batch in (4,) if o.quick else (16, 64):
            for amp in (False, True):
                b = run_json([os.path.join(o.build, "bench", "train_device"), o.device, scale, str(o.imgsz), str(batch), str(o.steps),
                              "amp" if amp else "f32"])
                mine = b["taken_bytes"] / 1e6
                t = None if lack else torch_step(torch, scale, batch, amp, o.imgsz, o.steps)
                row(f"training step {scale} b{batch} {'amp' if amp else 'f32'}", b["ms"], t["ms"] if t else "-",
                    f"{mine:.0f} / {t['peak_mb']:.0f}" if t else f"{mine:.0f}")


if __name__ == "__main__":
    main()
