#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""YOLO11 segment and pose for training in PyTorch, and their losses, from our own specification: the peers that training
steps are measured against. Module names give the keys of a state dict, so that the golden data checks them.

    torch_tasks.py --check FOLDER                                   loss, gradient and first step against the golden data
    torch_tasks.py --task segment --imgsz 320 --batch 8 --steps 5   times of forward, loss and backward, as bench/train_step
"""
import argparse
import json
import os
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

from torch_model import Conv, Detect, Loss, Yolo11, flatten
from yolo_weights import GeneratedWeights, read_safetensors

SIGMAS = (0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
          0.089, 0.089)


class Proto(nn.Module):
    def __init__(self, c1, c, n_maps):
        super().__init__()
        self.cv1, self.cv2, self.cv3 = Conv(c1, c, 3), Conv(c, c, 3), Conv(c, n_maps)
        self.upsample = nn.ConvTranspose2d(c, c, 2, 2)

    def forward(self, x):
        return self.cv3(self.cv2(self.upsample(self.cv1(x))))


class Extra(Detect):
    """Detect with a third branch of n_extra channels a cell."""

    def __init__(self, nc, channels, n_extra):
        super().__init__(nc, channels)
        c4 = max(channels[0] // 4, n_extra)
        self.cv4 = nn.ModuleList(nn.Sequential(Conv(c, c4, 3), Conv(c4, c4, 3), nn.Conv2d(c4, n_extra, 1))
                                 for c in channels)

    def extras(self, xs):
        return [branch(x) for x, branch in zip(xs, self.cv4)]


class Segment(Extra):
    def __init__(self, nc, channels, width):
        super().__init__(nc, channels, 32)
        self.proto = Proto(channels[0], 8 * -(-int(256 * width) // 8), 32)

    def forward(self, xs):
        return super().forward(xs), self.extras(xs), self.proto(xs[0])


class Pose(Extra):
    def __init__(self, nc, channels, width):
        super().__init__(nc, channels, 51)

    def forward(self, xs):
        return super().forward(xs), self.extras(xs), None


def make_model(task, nc):
    """yolo11n of the task: the network of torch_model.py with another head."""
    model = Yolo11("n", nc)
    model.model[-1] = {"segment": Segment, "pose": Pose}[task](nc, (64, 128, 256), 0.25)
    return model


class TaskLoss(Loss):
    """Spec 3.1, 3.2: boxes and classes as Loss has them, and what the task adds for positive anchors."""

    def parts(self, maps, targets):
        """As Loss, but also which object each positive anchor answers for."""
        (box, cls, dfl), fg, target_box, gt_box, valid, points, strides, size = super().parts(maps, targets)
        owner = torch.zeros(fg.shape, dtype=torch.long)
        if gt_box.shape[1]:
            same = (target_box[:, :, None] == gt_box[:, None]).all(-1) & valid[:, None]
            owner = same.int().argmax(-1)
        return box, cls, dfl, fg, target_box, owner, points, strides, size


class SegmentLoss(TaskLoss):
    def __call__(self, outputs, targets, masks):
        maps, extras, protos = outputs
        box, cls, dfl, fg, target_box, owner, _, _, size = self.parts(maps, targets)
        coefficients = flatten(extras)
        mh, mw = protos.shape[2:]
        if masks.shape[1:] != (mh, mw):
            masks = F.interpolate(masks[None].float(), (mh, mw), mode="nearest")[0]
        seg = coefficients.sum() * 0 + protos.sum() * 0
        columns, rows = torch.arange(mw), torch.arange(mh)[:, None]
        for i in range(len(protos)):
            if not fg[i].any():
                continue
            b = target_box[i][fg[i]] / size.repeat(2)
            area = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
            x1, y1, x2, y2 = (b * torch.tensor((mw, mh, mw, mh))).T[:, :, None, None]
            inside = (columns >= x1) & (columns < x2) & (rows >= y1) & (rows < y2)
            wanted = (masks[i][None] == (owner[i][fg[i]] + 1)[:, None, None]).float()
            logits = (coefficients[i][fg[i]] @ protos[i].flatten(1)).view(-1, mh, mw)
            each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * inside
            seg = seg + (each.mean((1, 2)) / area).sum()
        seg = seg / max(int(fg.sum()), 1)
        items = torch.stack((box * self.gains[0], seg * self.gains[0], cls * self.gains[1], dfl * self.gains[2]))
        return items.sum() * len(maps[0]), items.detach()


class PoseLoss(TaskLoss):
    def __call__(self, outputs, targets, keypoints):
        """keypoints (objects, 17, 3) normalised, in the order of targets."""
        maps, extras, _ = outputs
        box, cls, dfl, fg, target_box, owner, points, strides, size = self.parts(maps, targets)
        raw = flatten(extras)
        pose = kobj = raw.sum() * 0
        if fg.any():
            image, anchor = fg.nonzero(as_tuple=True)
            counts = torch.bincount(targets[:, 0].long(), minlength=len(fg))
            first = counts.cumsum(0) - counts
            order = torch.argsort(targets[:, 0].long(), stable=True)
            wanted = keypoints[order][first[image] + owner[fg]]
            found = raw[fg].view(len(image), 17, 3)
            at, stride = points[anchor][:, None], strides[anchor][:, None]
            xy = found[..., :2] * 2 + at - 0.5
            visible = (wanted[..., 2] != 0).float()
            d2 = (xy - wanted[..., :2] * size / stride).square().sum(-1)
            cells = target_box[fg] / strides[anchor]
            area = ((cells[:, 2] - cells[:, 0]) * (cells[:, 3] - cells[:, 1]))[:, None]
            e = d2 / ((2 * torch.tensor(SIGMAS)).square() * (area + 1e-9) * 2)
            factor = 17 / (visible.sum(1, keepdim=True) + 1e-9)
            pose = (factor * (1 - torch.exp(-e)) * visible).mean()
            kobj = F.binary_cross_entropy_with_logits(found[..., 2], visible)
        items = torch.stack((box * self.gains[0], pose * 12, kobj, cls * self.gains[1], dfl * self.gains[2]))
        return items.sum() * len(maps[0]), items.detach()


class TaskWeights(GeneratedWeights):
    """The generator of the tasks' own tensors (spec of the tasks, section 8)."""

    def _scale_and_offset(self, key, shape):
        if key.endswith("proto.upsample.bias"):
            return 0.2, 0
        if key.endswith("proto.upsample.weight"):
            return 1.4 * (3.0 / shape[0]) ** 0.5, 0
        if ".cv4." in key and key.endswith(".2.bias"):
            return 0.5, 0
        if ".cv4." in key and key.endswith(".2.weight"):
            return self.head_g * (3.0 / shape[1]) ** 0.5, 0
        return super()._scale_and_offset(key, shape)


def near(what, ours, golden, relative, absolute=0.0):
    ours, golden = torch.as_tensor(ours).double(), torch.as_tensor(golden.copy()).double()
    off = (ours - golden).abs().max().item()
    print(f"{what}: off by {off:.3g}, largest {golden.abs().max().item():.3g}")
    if not torch.allclose(ours, golden, rtol=relative, atol=absolute):
        raise ValueError(f"{what} is not the golden one")


def check(folder):
    for task, kind, other in (("segment", SegmentLoss, "mc"), ("pose", PoseLoss, "kpt_raw")):
        for case in ("a_regular", "c_overlap", "d_no_objects"):
            path = os.path.join(folder, f"{task}_loss_{case}.safetensors")
            if not os.path.exists(path):
                continue
            g = {k: torch.from_numpy(v.copy()) for k, v in read_safetensors(path).items() if v.dtype.kind in "fiu"}
            raw = [g[f"raw{i}"].requires_grad_() for i in range(3)]
            # Its extra maps come flattened; one map of one row is the same to us.
            extra = g[other].requires_grad_()
            proto = g["proto"].requires_grad_() if task == "segment" else None
            truth = g["masks"] if task == "segment" else g["keypoints"]
            total, items = kind(raw[0].shape[1] - 64)((raw, [extra[:, :, None]], proto), g["targets"], truth)
            total.backward()
            near(f"{task} {case} items", items, g["loss_items"].numpy(), 1e-4, 1e-6)
            for i in range(3):
                near(f"{task} {case} grad_raw{i}", raw[i].grad, g[f"grad_raw{i}"].numpy(), 1e-3, 1e-5)
            near(f"{task} {case} grad_{other}", extra.grad, g[f"grad_{other}"].numpy(), 1e-3, 1e-5)
            if task == "segment":
                near(f"{task} {case} grad_proto", proto.grad, g["grad_proto"].numpy(), 1e-3, 1e-5)
        g = read_safetensors(os.path.join(folder, f"{task}_train_n_nc3_64.safetensors"))
        model = make_model(task, 3)
        weights = TaskWeights(0, 1.0)
        for key, tensor in model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                tensor.copy_(torch.from_numpy(weights.get(key, tuple(tensor.shape))))
        model.train()
        outputs = model(torch.from_numpy(g["input"].copy()).float() / 255)
        for i in range(3):
            near(f"{task} step 1 raw{i}", outputs[0][i].detach(), g[f"step1.raw{i}"], 1e-3, 1e-3)
        near(f"{task} step 1 extra", flatten(outputs[1]).permute(0, 2, 1).detach(), g["step1.extra"], 1e-3, 1e-3)
        if task == "segment":
            near(f"{task} step 1 proto", outputs[2].detach(), g["step1.proto"], 1e-3, 1e-3)
        truth = torch.from_numpy(g["masks" if task == "segment" else "keypoints"].copy())
        total, items = kind(3)(outputs, torch.from_numpy(g["targets"].copy()), truth)
        total.backward()
        near(f"{task} step 1 items", items, g["loss_items"][0], 1e-4)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        near(f"{task} step 1 gradient norm", norm, g["grad_total_norm_preclip"][0], 5e-3)


def scene(task, batch, size, nc, n_labels=12):
    """Random pictures and objects, as many as bench/train_step has."""
    torch.manual_seed(1)
    pixels = torch.rand(batch, 3, size, size)
    n = batch * n_labels
    targets = torch.cat((torch.arange(n)[:, None] // n_labels, torch.arange(n)[:, None] % nc,
                         0.2 + 0.6 * torch.rand(n, 2), 0.05 + 0.3 * torch.rand(n, 2)), 1).float()
    if task == "pose":
        offset = torch.rand(n, 17, 2) - 0.5
        xy = targets[:, None, 2:4] + offset * targets[:, None, 4:6]
        return pixels, targets, torch.cat((xy, torch.ones(n, 17, 1)), 2)
    masks = torch.zeros(batch, size // 4, size // 4, dtype=torch.int32)
    for i, (image, _, x, y, w, h) in enumerate(targets.tolist()):
        q = size // 4
        masks[int(image), int((y - h / 2) * q):int((y + h / 2) * q), int((x - w / 2) * q):int((x + w / 2) * q)] = \
            i % n_labels + 1
    return pixels, targets, masks


def measure(args):
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    nc = 1 if args.task == "pose" else 80
    model = make_model(args.task, nc)
    x, targets, truth = scene(args.task, args.batch, args.imgsz, nc)
    if args.channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    model.train()
    loss = (SegmentLoss if args.task == "segment" else PoseLoss)(nc)
    wall, cpu = [], []
    for i in range(args.steps + 1):
        began, began_cpu = time.monotonic(), time.process_time()
        total, _ = loss(model(x), targets, truth)
        total.backward()
        if i > 0:
            wall.append(1e3 * (time.monotonic() - began))
            cpu.append(1e3 * (time.process_time() - began_cpu))
        model.zero_grad()
    print(json.dumps({"name": f"PyTorch {torch.__version__}", "loss": total.item(), "wall_ms": statistics.median(wall),
                      "cpu_ms": statistics.median(cpu),
                      "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="FOLDER")
    parser.add_argument("--task", choices=("segment", "pose"), default="segment")
    parser.add_argument("--imgsz", type=int, default=320)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--channels-last", action="store_true")
    args = parser.parse_args()
    if args.check:
        check(args.check)
    else:
        measure(args)


if __name__ == "__main__":
    main()
