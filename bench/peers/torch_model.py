# SPDX-License-Identifier: Apache-2.0
"""YOLO11 for training in PyTorch, and its loss, from our own specification (sections 1 and 3): the peer that training
is measured against. Module names give the keys of a state dict, so that the golden data checks it.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

SCALES = {"n": (0.5, 0.25, 1024), "s": (0.5, 0.5, 1024), "m": (0.5, 1.0, 512), "l": (1.0, 1.0, 512), "x": (1.0, 1.5, 512)}
STRIDES = (8, 16, 32)
N_BINS = 16


class Conv(nn.Module):
    def __init__(self, c1, c2, k=1, s=1, groups=1, act=True):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, k, s, k // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(c2, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU(inplace=True) if act else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, c1, c2, e=0.5):
        super().__init__()
        hidden = int(c2 * e)
        self.cv1, self.cv2 = Conv(c1, hidden, 3), Conv(hidden, c2, 3)
        self.adds = c1 == c2

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.adds else y


class C3k(nn.Module):
    def __init__(self, c1, c2):
        super().__init__()
        hidden = c2 // 2
        self.cv1, self.cv2, self.cv3 = Conv(c1, hidden), Conv(c1, hidden), Conv(2 * hidden, c2)
        self.m = nn.Sequential(*(Bottleneck(hidden, hidden, e=1.0) for _ in range(2)))

    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class C3k2(nn.Module):
    def __init__(self, c1, c2, n, c3k, e=0.5):
        super().__init__()
        c = int(c2 * e)
        self.cv1, self.cv2 = Conv(c1, 2 * c), Conv((2 + n) * c, c2)
        self.m = nn.ModuleList(C3k(c, c) if c3k else Bottleneck(c, c) for _ in range(n))

    def forward(self, x):
        y = list(self.cv1(x).chunk(2, 1))
        for m in self.m:
            y.append(m(y[-1]))
        return self.cv2(torch.cat(y, 1))


class SPPF(nn.Module):
    def __init__(self, c1, c2, k=5):
        super().__init__()
        self.cv1, self.cv2 = Conv(c1, c1 // 2), Conv(2 * c1, c2)
        self.pool = nn.MaxPool2d(k, 1, k // 2)

    def forward(self, x):
        y = [self.cv1(x)]
        for _ in range(3):
            y.append(self.pool(y[-1]))
        return self.cv2(torch.cat(y, 1))


class Attention(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.heads, self.head_dim = heads, c // heads
        self.key_dim = self.head_dim // 2
        self.qkv = Conv(c, c + 2 * self.key_dim * heads, act=False)
        self.proj = Conv(c, c, act=False)
        self.pe = Conv(c, c, 3, groups=c, act=False)

    def forward(self, x):
        b, c, h, w = x.shape
        qkv = self.qkv(x).reshape(b, self.heads, 2 * self.key_dim + self.head_dim, h * w)
        q, k, v = qkv.split((self.key_dim, self.key_dim, self.head_dim), 2)
        weights = (q.transpose(-2, -1) @ k * self.key_dim ** -0.5).softmax(-1)
        out = (v @ weights.transpose(-2, -1)).reshape(b, c, h, w)
        return self.proj(out + self.pe(v.reshape(b, c, h, w)))


class PSABlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attn = Attention(c, c // 64)
        self.ffn = nn.Sequential(Conv(c, 2 * c), Conv(2 * c, c, act=False))

    def forward(self, x):
        x = x + self.attn(x)
        return x + self.ffn(x)


class C2PSA(nn.Module):
    def __init__(self, c, n):
        super().__init__()
        self.cv1, self.cv2 = Conv(c, c), Conv(c, c)
        self.m = nn.Sequential(*(PSABlock(c // 2) for _ in range(n)))

    def forward(self, x):
        a, b = self.cv1(x).chunk(2, 1)
        return self.cv2(torch.cat((a, self.m(b)), 1))


class Concat(nn.Module):
    def forward(self, xs):
        return torch.cat(xs, 1)


class Detect(nn.Module):
    def __init__(self, nc, channels):
        super().__init__()
        c2, c3 = max(16, channels[0] // 4, 4 * N_BINS), max(channels[0], min(nc, 100))
        self.cv2 = nn.ModuleList(nn.Sequential(Conv(c, c2, 3), Conv(c2, c2, 3), nn.Conv2d(c2, 4 * N_BINS, 1))
                                 for c in channels)
        self.cv3 = nn.ModuleList(nn.Sequential(nn.Sequential(Conv(c, c, 3, groups=c), Conv(c, c3)),
                                               nn.Sequential(Conv(c3, c3, 3, groups=c3), Conv(c3, c3)),
                                               nn.Conv2d(c3, nc, 1)) for c in channels)
        for box, cls, stride in zip(self.cv2, self.cv3, STRIDES):
            nn.init.constant_(box[-1].bias, 1.0)
            nn.init.constant_(cls[-1].bias, math.log(5 / nc / (640 / stride) ** 2))

    def forward(self, xs):
        return [torch.cat((box(x), cls(x)), 1) for x, box, cls in zip(xs, self.cv2, self.cv3)]


class Yolo11(nn.Module):
    """The three raw maps (B, 64 + nc, H, W) of a batch in training mode."""

    def __init__(self, scale, nc):
        super().__init__()
        depth, width, most = SCALES[scale]
        n = max(round(2 * depth), 1)
        deep = scale in "mlx"

        def ch(c):
            return 8 * math.ceil(min(c, most) * width / 8)

        c64, c128, c256, c512, c1024 = (ch(c) for c in (64, 128, 256, 512, 1024))
        self.model = nn.ModuleList([
            Conv(3, c64, 3, 2), Conv(c64, c128, 3, 2), C3k2(c128, c256, n, deep, 0.25), Conv(c256, c256, 3, 2),
            C3k2(c256, c512, n, deep, 0.25), Conv(c512, c512, 3, 2), C3k2(c512, c512, n, True),
            Conv(c512, c1024, 3, 2), C3k2(c1024, c1024, n, True), SPPF(c1024, c1024), C2PSA(c1024, n),
            nn.Upsample(scale_factor=2), Concat(), C3k2(c1024 + c512, c512, n, deep),
            nn.Upsample(scale_factor=2), Concat(), C3k2(c512 + c512, c256, n, deep),
            Conv(c256, c256, 3, 2), Concat(), C3k2(c256 + c512, c512, n, deep),
            Conv(c512, c512, 3, 2), Concat(), C3k2(c512 + c1024, c1024, n, True),
            Detect(nc, (c256, c512, c1024))])
        self.sources = {12: 6, 15: 4, 18: 13, 21: 10}

    def forward(self, x):
        kept = {}
        for i, layer in enumerate(self.model[:-1]):
            x = layer((x, kept[self.sources[i]])) if i in self.sources else layer(x)
            if i in (4, 6, 10, 13, 16, 19):
                kept[i] = x
        return self.model[-1]((kept[16], kept[19], x))


# ---- the loss ----

def ciou(a, b, eps=1e-7):
    """Complete IoU of xyxy boxes, broadcasting; alpha takes no gradient."""
    ax1, ay1, ax2, ay2 = a.unbind(-1)
    bx1, by1, bx2, by2 = b.unbind(-1)
    aw, ah, bw, bh = ax2 - ax1, ay2 - ay1 + eps, bx2 - bx1, by2 - by1 + eps
    inter = (ax2.minimum(bx2) - ax1.maximum(bx1)).clamp_(0) * (ay2.minimum(by2) - ay1.maximum(by1)).clamp_(0)
    iou = inter / (aw * ah + bw * bh - inter + eps)
    cw, ch = ax2.maximum(bx2) - ax1.minimum(bx1), ay2.maximum(by2) - ay1.minimum(by1)
    rho2 = ((bx1 + bx2 - ax1 - ax2).square() + (by1 + by2 - ay1 - ay2).square()) / 4
    v = 4 / math.pi ** 2 * (torch.atan(bw / bh) - torch.atan(aw / ah)).square()
    with torch.no_grad():
        alpha = v / (v - iou + (1 + eps))
    return iou - (rho2 / (cw.square() + ch.square() + eps) + v * alpha)


class Assigner:
    """Spec 3.2: which anchors answer for which box, and how well."""

    def __init__(self, nc, n_best=10, eps=1e-9):
        self.nc, self.n_best, self.eps = nc, n_best, eps

    @torch.no_grad()
    def __call__(self, scores, boxes, points, gt_class, gt_box, valid):
        """scores (B,A,nc), boxes (B,A,4) and points (A,2) in pixels; gt_class (B,G), gt_box (B,G,4), valid (B,G).
        Target boxes (B,A,4), target scores (B,A,nc), foreground (B,A)."""
        n_gt = gt_box.shape[1]
        if n_gt == 0:
            return torch.zeros_like(boxes), torch.zeros_like(scores), torch.zeros(scores.shape[:2], dtype=torch.bool)
        corner1, corner2 = gt_box[:, :, None].chunk(2, -1)
        inside = torch.cat((points - corner1, corner2 - points), -1).amin(-1) > self.eps
        inside &= valid[..., None]
        overlap = torch.zeros(inside.shape)
        metric = torch.zeros(inside.shape)
        b, g, a = inside.nonzero(as_tuple=True)
        overlap[b, g, a] = ciou(gt_box[b, g], boxes[b, a]).clamp_(0)
        metric[b, g, a] = scores[b, a, gt_class[b, g]].sqrt() * overlap[b, g, a].pow(6)
        best = metric.topk(self.n_best, dim=-1).indices
        positive = torch.zeros_like(inside).scatter_(-1, best, True) & inside
        if (positive.sum(1) > 1).any():
            shared = (positive.sum(1) > 1)[:, None]
            winner = F.one_hot(overlap.argmax(1), n_gt).transpose(1, 2).bool()
            positive = torch.where(shared, winner, positive)
        foreground = positive.any(1)
        owner = positive.int().argmax(1)
        target_box = gt_box.gather(1, owner[..., None].expand(-1, -1, 4))
        metric = metric * positive
        best_metric, best_overlap = metric.amax(-1, keepdim=True), (overlap * positive).amax(-1, keepdim=True)
        norm = (metric * best_overlap / (best_metric + self.eps)).amax(1)
        target_score = torch.zeros_like(scores)
        target_score.scatter_(-1, gt_class.gather(1, owner)[..., None], (norm * foreground)[..., None])
        return target_box, target_score, foreground


def flatten(maps):
    """(B,C,H,W) of every level as (B,A,C)."""
    return torch.cat([m.flatten(2) for m in maps], 2).permute(0, 2, 1)


class Loss:
    """Spec 3: (box, cls, dfl) with their gains; the backward scalar is their sum times the batch."""

    def __init__(self, nc, gains=(7.5, 0.5, 1.5)):
        self.nc, self.gains = nc, gains
        self.assigner = Assigner(nc)
        self.bins = torch.arange(N_BINS, dtype=torch.float32)
        self.grid_of = {}

    def grid(self, maps):
        shapes = tuple(m.shape[2:] for m in maps)
        if shapes not in self.grid_of:
            points, strides = [], []
            for (h, w), stride in zip(shapes, STRIDES):
                y, x = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
                points.append(torch.stack((x, y), -1).view(-1, 2))
                strides.append(torch.full((h * w, 1), float(stride)))
            self.grid_of[shapes] = torch.cat(points), torch.cat(strides)
        return self.grid_of[shapes]

    @staticmethod
    def pad_targets(targets, batch, size):
        """Rows (image, class, xywh normalised) as (B,G) classes, (B,G,4) xyxy in pixels, (B,G) valid."""
        image = targets[:, 0].long()
        counts = torch.bincount(image, minlength=batch)
        order = torch.argsort(image, stable=True)
        place = torch.arange(len(targets)) - (counts.cumsum(0) - counts)[image[order]]
        n = int(counts.max()) if len(targets) else 0
        classes = torch.zeros((batch, n), dtype=torch.long)
        boxes = torch.zeros((batch, n, 4))
        rows = targets[order]
        center, half = rows[:, 2:4] * size, rows[:, 4:6] * size / 2
        classes[image[order], place] = rows[:, 1].long()
        boxes[image[order], place] = torch.cat((center - half, center + half), 1)
        return classes, boxes, boxes.sum(-1) > 0

    def parts(self, maps, targets):
        """(box, cls, dfl) without gains, and what a task adds to: foreground (B,A), target boxes (B,A,4) in pixels, padded
        boxes and which are there, points, strides, the input's size."""
        points, strides = self.grid(maps)
        batch = maps[0].shape[0]
        size = torch.tensor((maps[0].shape[3] * 8.0, maps[0].shape[2] * 8.0))
        logits, classes = flatten(maps).split((4 * N_BINS, self.nc), 2)
        bins = logits.reshape(batch, -1, 4, N_BINS)
        distance = bins.softmax(-1) @ self.bins
        boxes = torch.cat((points - distance[..., :2], points + distance[..., 2:]), -1)
        gt_class, gt_box, valid = self.pad_targets(targets, batch, size)
        target_box, target_score, fg = self.assigner(classes.detach().sigmoid(), boxes.detach() * strides,
                                                     points * strides, gt_class, gt_box, valid)
        total = target_score.sum().clamp(min=1)
        cls = F.binary_cross_entropy_with_logits(classes, target_score, reduction="sum") / total
        box = dfl = logits.sum() * 0
        if fg.any():
            weight = target_score.sum(-1)[fg]
            cells = (target_box / strides)[fg]
            box = ((1 - ciou(boxes[fg], cells)) * weight).sum() / total
            at = points.expand(batch, -1, -1)[fg]
            t = torch.cat((at - cells[:, :2], cells[:, 2:] - at), -1).clamp_(0, N_BINS - 1 - 0.01)
            low = t.long()
            share = t - low
            per_bin = bins[fg].view(-1, N_BINS)
            per_side = (F.cross_entropy(per_bin, low.view(-1), reduction="none").view(t.shape) * (1 - share) +
                        F.cross_entropy(per_bin, low.view(-1) + 1, reduction="none").view(t.shape) * share)
            dfl = (per_side.mean(-1) * weight).sum() / total
        return (box, cls, dfl), fg, target_box, gt_box, valid, points, strides, size

    def __call__(self, maps, targets):
        (box, cls, dfl), *_ = self.parts(maps, targets)
        items = torch.stack((box * self.gains[0], cls * self.gains[1], dfl * self.gains[2]))
        return items.sum() * len(maps[0]), items.detach()
