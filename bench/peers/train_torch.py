#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""YOLO11 trained by PyTorch, as a peer of `vigil train`: the same recipe, with its loader.

    train_torch.py --data FOLDER/images/train --nc 3 --imgsz 320 --batch 16 --threads 2     measures
    train_torch.py --check ../../tests/golden                                               compares with golden data

Prints a line of JSON: seconds and CPU seconds (worker processes included) an epoch, how much of it the loader was waited
for, peak resident memory of the main process alone. The first epoch, which warms up, is not among them.
"""
import argparse
import copy
import json
import os
import resource
import statistics
import time

import torch
from torch.utils.data import DataLoader

from torch_model import Loss, Yolo11
from yolo_weights import GeneratedWeights, read_safetensors


def load_generated(model, head_g):
    weights = GeneratedWeights(0, head_g)
    state = model.state_dict()
    for key, tensor in state.items():
        if not key.endswith("num_batches_tracked"):
            tensor.copy_(torch.from_numpy(weights.get(key, tuple(tensor.shape))))


def check(folder, channels_last):
    """Loss, its gradient and the first training step against the golden files; ValueError when one is off."""
    def near(what, ours, golden, relative, absolute=0.0):
        ours, golden = torch.as_tensor(ours).double(), torch.as_tensor(golden.copy()).double()
        off = (ours - golden).abs().max().item()
        print(f"{what}: off by {off:.3g}, largest {golden.abs().max().item():.3g}")
        if not torch.allclose(ours, golden, rtol=relative, atol=absolute):
            raise ValueError(f"{what} is not the golden one")

    for case in ("a_regular", "b_one_image_empty", "c_overlap", "d_no_objects"):
        g = read_safetensors(os.path.join(folder, f"loss_{case}.safetensors"))
        raw = [torch.from_numpy(g[f"raw{i}"].copy()).requires_grad_() for i in range(3)]
        total, items = Loss(6)(raw, torch.from_numpy(g["targets"].copy()))
        total.backward()
        near(f"{case} items", items, g["loss_items"], 1e-4, 1e-6)
        for i in range(3):
            near(f"{case} grad{i}", raw[i].grad, g[f"grad{i}"], 1e-3, 1e-5)
    g = read_safetensors(os.path.join(folder, "train_n_nc3_64.safetensors"))
    model = Yolo11("n", 3)
    load_generated(model, 1.0)
    x = torch.from_numpy(g["input"].copy())
    if channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    model.train()
    total, items = Loss(3)(model(x), torch.from_numpy(g["targets"].copy()))
    total.backward()
    near("step 1 items", items, g["loss_items"][0], 1e-4)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    near("step 1 gradient norm", norm, g["grad_total_norm_preclip"].reshape(-1)[0], 5e-3)


def make_optimizer(model, name, nc, decay):
    groups = [[], [], []]
    for key, p in model.named_parameters():
        groups[0 if "bias" in key else 2 if ".bn." in key else 1].append(p)
    settings = [{"params": groups[0], "weight_decay": 0.0}, {"params": groups[1], "weight_decay": decay},
                {"params": groups[2], "weight_decay": 0.0}]
    if name == "SGD":
        return torch.optim.SGD(settings, lr=0.01, momentum=0.9, nesterov=True, foreach=True)
    lr = round(0.002 * 5 / (4 + nc), 6)
    return torch.optim.AdamW(settings, lr=lr, betas=(0.9, 0.999), fused=True)


class Average:
    def __init__(self, model):
        self.state = [v for v in copy.deepcopy(model).state_dict().values() if v.dtype.is_floating_point]
        self.source = [v for v in model.state_dict().values() if v.dtype.is_floating_point]
        self.n = 0

    @torch.no_grad()
    def update(self):
        self.n += 1
        decay = 0.9999 * (1 - 2.718281828459045 ** (-self.n / 2000))
        torch._foreach_lerp_(self.state, self.source, 1 - decay)


def cpu_seconds():
    """Of this process and its children that ended or still live."""
    total = 0.0
    pids = [os.getpid()]
    with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as file:
        pids += file.read().split()
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return total + ended.ru_utime + ended.ru_stime


def train(args):
    from torch_data import MosaicSet, collate, start_worker
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    data = MosaicSet(args.data, args.imgsz, args.batch, args.pictures)
    loader = DataLoader(data, args.batch, shuffle=True, num_workers=args.workers, collate_fn=collate,
                        worker_init_fn=start_worker, persistent_workers=args.workers > 0)
    model = Yolo11(args.scale, args.nc)
    if args.channels_last:
        model = model.to(memory_format=torch.channels_last)
    model.train()
    optimizer = make_optimizer(model, args.optimizer, args.nc, 0.0005)
    average, loss = Average(model), Loss(args.nc)
    run = torch.compile(model) if args.compile else model
    n_warm = max(3 * len(loader), 100)
    full = [group["lr"] for group in optimizer.param_groups]
    parameters = list(model.parameters())
    ni, last, epochs = 0, -1, []
    for epoch in range(args.epochs):
        began, began_cpu, waited, n, asked = time.monotonic(), cpu_seconds(), 0.0, 0, time.monotonic()
        for pixels, targets in loader:
            waited += time.monotonic() - asked
            warm = min(ni / n_warm, 1.0)
            accumulate = max(1, round(1 + warm * (64 / args.batch - 1)))
            for group, lr in zip(optimizer.param_groups, full):
                group["lr"] = lr * warm
            x = pixels.float() / 255
            if args.channels_last:
                x = x.to(memory_format=torch.channels_last)
            total, items = loss(run(x), targets)
            total.backward()
            if ni - last >= accumulate:
                torch.nn.utils.clip_grad_norm_(parameters, 10.0, foreach=True)
                optimizer.step()
                optimizer.zero_grad()
                average.update()
                last = ni
            ni += 1
            n += len(pixels)
            asked = time.monotonic()
        epochs.append({"wall_s": time.monotonic() - began, "cpu_s": cpu_seconds() - began_cpu, "wait_s": waited,
                       "pictures": n, "loss": items.sum().item()})
    timed = epochs[1:]
    print(json.dumps({
        "name": f"PyTorch {torch.__version__}", "imgsz": args.imgsz, "batch": args.batch, "threads": args.threads,
        "pictures_per_s": statistics.median(e["pictures"] / e["wall_s"] for e in timed),
        "cpu_ms_per_picture": statistics.median(1e3 * e["cpu_s"] / e["pictures"] for e in timed),
        "wait": statistics.median(e["wait_s"] / e["wall_s"] for e in timed),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, "loss": epochs[-1]["loss"]}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="FOLDER", help="compare with golden data, and nothing else")
    parser.add_argument("--data", help="folder of training pictures, labels beside it")
    parser.add_argument("--pictures", type=int, help="only the first so many")
    parser.add_argument("--scale", default="n")
    parser.add_argument("--nc", type=int, default=3)
    parser.add_argument("--imgsz", type=int, default=320)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=2, help="the first is not counted")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--optimizer", default="AdamW", choices=("AdamW", "SGD"))
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true", help="torch.compile; the first epoch then takes minutes")
    args = parser.parse_args()
    if args.check:
        check(args.check, args.channels_last)
    elif not args.data:
        parser.error("--data or --check is wanted")
    else:
        train(args)


if __name__ == "__main__":
    main()
