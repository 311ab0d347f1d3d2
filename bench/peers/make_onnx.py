#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a YOLO11 detector as an ONNX file, so that other engines can be measured on the very weights that vigil runs.

Built from our specification of the model alone. BN is folded into the convolutions, and the nodes are those that an
ordinary exporter emits (Conv, Sigmoid, Mul, ...), so each engine's own optimiser finds what it knows how to fuse.

    make_onnx.py yolo11n_640.onnx --scale n --imgsz 640 --seed 0 --head-g 8
    make_onnx.py yolo11n_256x416.onnx --weights state_dict.safetensors --scale n --imgsz 256 416

B batch, C channels, H and W pixels, A anchors, N pixels of the attention's map.
"""
import argparse
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from yolo_weights import GeneratedWeights, StoredWeights

SCALES = {  # depth, width, max_channels
    "n": (0.50, 0.25, 1024), "s": (0.50, 0.50, 1024), "m": (0.50, 1.00, 512),
    "l": (1.00, 1.00, 512), "x": (1.00, 1.50, 512),
}
STRIDES = (8, 16, 32)
REG_MAX = 16
BN_EPS = 1e-3
OPSET = 17


class Graph:
    """Nodes and constants in order. Every value is (name, C, H, W); the batch is fixed."""

    def __init__(self, batch):
        self.batch = batch
        self.nodes = []
        self.constants = []

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def ints(self, name, values):
        return self.constant(name, np.array(values, dtype=np.int64))

    def op(self, kind, name, inputs, n_outputs=1, **attributes):
        outputs = [name] if n_outputs == 1 else [f"{name}.{i}" for i in range(n_outputs)]
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name, **attributes))
        return name if n_outputs == 1 else outputs

    def concat(self, name, values):
        _, _, height, width = values[0]
        joined = self.op("Concat", name, [value[0] for value in values], axis=1)
        return joined, sum(value[1] for value in values), height, width

    def halves(self, name, x):
        """The two halves on channels."""
        half = x[1] // 2
        sizes = self.ints(name + ".sizes", [half, half])
        a, b = self.op("Split", name, [x[0], sizes], n_outputs=2, axis=1)
        return (a, half, *x[2:]), (b, half, *x[2:])

    def add(self, name, a, b):
        return (self.op("Add", name, [a[0], b[0]]), *a[1:])

    def upsample2(self, name, x):
        scales = self.constant(name + ".scales", np.array([1, 1, 2, 2], dtype=np.float32))
        big = self.op("Resize", name, [x[0], "", scales], mode="nearest",
                      coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        return big, x[1], 2 * x[2], 2 * x[3]

    def maxpool5(self, name, x):
        return (self.op("MaxPool", name, [x[0]], kernel_shape=[5, 5], strides=[1, 1], pads=[2, 2, 2, 2]), *x[1:])

    def reshape(self, name, x_name, shape):
        return self.op("Reshape", name, [x_name, self.ints(name + ".shape", shape)])


class Yolo11:
    """The modules of the model over a Graph; keys are those of the state dict."""

    def __init__(self, graph, weights, scale, nc):
        self.graph = graph
        self.weights = weights
        self.scale = scale
        self.nc = nc

    def channels(self, yaml_channels):
        _, width, most = SCALES[self.scale]
        if yaml_channels == self.nc:  # an accident of the reference: such a layer is not scaled
            return yaml_channels
        return 8 * math.ceil(min(yaml_channels, most) * width / 8)

    def repeats(self, yaml_repeats):
        depth = SCALES[self.scale][0]
        return max(round(yaml_repeats * depth), 1) if yaml_repeats > 1 else yaml_repeats

    # Modules

    def plain_conv(self, key, x, weight, bias, stride=1, groups=1):
        k = weight.shape[2]
        inputs = [x[0], self.graph.constant(key + ".weight", weight), self.graph.constant(key + ".bias", bias)]
        pad = k // 2
        name = self.graph.op("Conv", key, inputs, kernel_shape=[k, k], strides=[stride, stride],
                             pads=[pad] * 4, dilations=[1, 1], group=groups)
        return name, weight.shape[0], (x[2] + 2 * pad - k) // stride + 1, (x[3] + 2 * pad - k) // stride + 1

    def conv(self, key, x, c2, k=1, stride=1, groups=1, act=True):
        """Conv, BN folded in double, SiLU."""
        get = self.weights.get
        weight = get(key + ".conv.weight", (c2, x[1] // groups, k, k)).astype(np.float64)
        gamma, beta, mean, var = (get(f"{key}.bn.{part}", (c2,)).astype(np.float64)
                                  for part in ("weight", "bias", "running_mean", "running_var"))
        factor = gamma / np.sqrt(var + BN_EPS)
        folded = (weight * factor[:, None, None, None]).astype(np.float32)
        y = self.plain_conv(key + ".conv", x, folded, (beta - mean * factor).astype(np.float32), stride, groups)
        if not act:
            return y
        gate = self.graph.op("Sigmoid", key + ".sigmoid", [y[0]])
        return (self.graph.op("Mul", key + ".silu", [y[0], gate]), *y[1:])

    def bottleneck(self, key, x, c2, e):
        hidden = int(c2 * e)
        y = self.conv(key + ".cv2", self.conv(key + ".cv1", x, hidden, 3), c2, 3)
        return self.graph.add(key + ".add", x, y) if x[1] == c2 else y

    def c3k(self, key, x, c2):
        hidden = int(c2 * 0.5)
        y = self.conv(key + ".cv1", x, hidden)
        for i in range(2):
            y = self.bottleneck(f"{key}.m.{i}", y, hidden, e=1.0)
        side = self.conv(key + ".cv2", x, hidden)
        return self.conv(key + ".cv3", self.graph.concat(key + ".cat", [y, side]), c2)

    def c3k2(self, key, x, yaml_c2, c3k, e=0.5):
        c2 = self.channels(yaml_c2)
        hidden = int(c2 * e)
        c3k = c3k or self.scale in "mlx"
        parts = list(self.graph.halves(key + ".split", self.conv(key + ".cv1", x, 2 * hidden)))
        for i in range(self.repeats(2)):
            block = f"{key}.m.{i}"
            last = parts[-1]
            parts.append(self.c3k(block, last, hidden) if c3k else self.bottleneck(block, last, hidden, e=0.5))
        return self.conv(key + ".cv2", self.graph.concat(key + ".cat", parts), c2)

    def sppf(self, key, x):
        c2 = self.channels(1024)
        pyramid = [self.conv(key + ".cv1", x, x[1] // 2)]
        for i in range(3):
            pyramid.append(self.graph.maxpool5(f"{key}.pool{i}", pyramid[-1]))
        return self.conv(key + ".cv2", self.graph.concat(key + ".cat", pyramid), c2)

    def attention(self, key, x):
        g, batch = self.graph, self.graph.batch
        _, h, height, width = x
        heads, n = h // 64, height * width
        head_dim = h // heads
        key_dim = head_dim // 2
        qkv = self.conv(key + ".qkv", x, h + 2 * key_dim * heads, act=False)
        per_head = g.reshape(key + ".heads", qkv[0], [batch, heads, 2 * key_dim + head_dim, n])
        sizes = g.ints(key + ".sizes", [key_dim, key_dim, head_dim])
        q, k, v = g.op("Split", key + ".split", [per_head, sizes], n_outputs=3, axis=2)
        q_t = g.op("Transpose", key + ".q_t", [q], perm=[0, 1, 3, 2])
        logits = g.op("MatMul", key + ".qk", [q_t, k])
        factor = g.constant(key + ".scale", np.array(key_dim ** -0.5, dtype=np.float32))
        weights = g.op("Softmax", key + ".softmax", [g.op("Mul", key + ".scaled", [logits, factor])], axis=-1)
        weights_t = g.op("Transpose", key + ".softmax_t", [weights], perm=[0, 1, 3, 2])
        out = g.op("MatMul", key + ".av", [v, weights_t])
        out_map = (g.reshape(key + ".out_map", out, [batch, h, height, width]), h, height, width)
        v_map = (g.reshape(key + ".v_map", v, [batch, h, height, width]), h, height, width)
        place = self.conv(key + ".pe", v_map, h, 3, groups=h, act=False)
        return self.conv(key + ".proj", g.add(key + ".add", out_map, place), h, act=False)

    def c2psa(self, key, x):
        c2 = self.channels(1024)
        hidden = int(c2 * 0.5)
        a, b = self.graph.halves(key + ".split", self.conv(key + ".cv1", x, 2 * hidden))
        for i in range(self.repeats(2)):
            block = f"{key}.m.{i}"
            b = self.graph.add(block + ".add1", b, self.attention(block + ".attn", b))
            ffn = self.conv(block + ".ffn.1", self.conv(block + ".ffn.0", b, 2 * hidden), hidden, act=False)
            b = self.graph.add(block + ".add2", b, ffn)
        return self.conv(key + ".cv2", self.graph.concat(key + ".cat", [a, b]), c2)

    # Head

    def head_last(self, key, x, c2):
        get = self.weights.get
        return self.plain_conv(key, x, get(key + ".weight", (c2, x[1], 1, 1)), get(key + ".bias", (c2,)))

    def detect(self, key, levels):
        """The output's name: (B, 4+nc, A), boxes as x,y,w,h in pixels of the input."""
        g, batch, nc = self.graph, self.graph.batch, self.nc
        c2 = max(16, levels[0][1] // 4, 4 * REG_MAX)
        c3 = max(levels[0][1], min(nc, 100))
        flat, n_anchors = [], 0
        for i, x in enumerate(levels):
            box, cls = f"{key}.cv2.{i}", f"{key}.cv3.{i}"
            y = self.conv(box + ".1", self.conv(box + ".0", x, c2, 3), c2, 3)
            box_map = self.head_last(box + ".2", y, 4 * REG_MAX)
            y = self.conv(cls + ".0.1", self.conv(cls + ".0.0", x, x[1], 3, groups=x[1]), c3)
            y = self.conv(cls + ".1.1", self.conv(cls + ".1.0", y, c3, 3, groups=c3), c3)
            raw = g.concat(f"{key}.raw{i}", [box_map, self.head_last(cls + ".2", y, nc)])
            n = raw[2] * raw[3]
            flat.append(g.reshape(f"{key}.flat{i}", raw[0], [batch, 4 * REG_MAX + nc, n]))
            n_anchors += n
        joined = g.op("Concat", key + ".cat", flat, axis=2)
        sizes = g.ints(key + ".sizes", [4 * REG_MAX, nc])
        box, cls = g.op("Split", key + ".split", [joined, sizes], n_outputs=2, axis=1)
        xywh = self.decode(key, box, levels, n_anchors)
        return g.op("Concat", "output0", [xywh, g.op("Sigmoid", key + ".scores", [cls])], axis=1)

    def decode(self, key, box, levels, n_anchors):
        g, batch = self.graph, self.graph.batch
        bins = g.reshape(key + ".sides", box, [batch, 4, REG_MAX, n_anchors])
        bins = g.op("Transpose", key + ".bins", [bins], perm=[0, 2, 1, 3])
        chances = g.op("Softmax", key + ".dfl.softmax", [bins], axis=1)
        dfl = self.weights.get(key + ".dfl.conv.weight", (1, REG_MAX, 1, 1))
        mean = g.op("Conv", key + ".dfl.conv", [chances, g.constant(key + ".dfl.weight", dfl)], kernel_shape=[1, 1])
        ltrb = g.reshape(key + ".ltrb", mean, [batch, 4, n_anchors])
        two = g.ints(key + ".two", [2, 2])
        near, far = g.op("Split", key + ".corners", [ltrb, two], n_outputs=2, axis=1)
        points, strides = [], []
        for (_, _, height, width), stride in zip(levels, STRIDES):
            y, x = np.mgrid[0:height, 0:width]
            points.append(np.stack([x.ravel() + 0.5, y.ravel() + 0.5]))
            strides.append(np.full((1, height * width), stride))
        anchors = g.constant(key + ".anchors", np.concatenate(points, axis=1)[None].astype(np.float32))
        stride = g.constant(key + ".strides", np.concatenate(strides, axis=1)[None].astype(np.float32))
        first = g.op("Sub", key + ".x1y1", [anchors, near])
        last = g.op("Add", key + ".x2y2", [anchors, far])
        half = g.constant(key + ".half", np.array(2, dtype=np.float32))
        centre = g.op("Div", key + ".centre", [g.op("Add", key + ".sum", [first, last]), half])
        size = g.op("Sub", key + ".size", [last, first])
        xywh = g.op("Concat", key + ".xywh", [centre, size], axis=1)
        return g.op("Mul", key + ".pixels", [xywh, stride])

    # The model

    def build(self, images):
        g, channels = self.graph, self.channels
        x = self.conv("model.0", images, channels(64), 3, 2)
        x = self.conv("model.1", x, channels(128), 3, 2)
        x = self.c3k2("model.2", x, 256, False, e=0.25)
        x = self.conv("model.3", x, channels(256), 3, 2)
        p3 = self.c3k2("model.4", x, 512, False, e=0.25)
        x = self.conv("model.5", p3, channels(512), 3, 2)
        p4 = self.c3k2("model.6", x, 512, True)
        x = self.conv("model.7", p4, channels(1024), 3, 2)
        x = self.c3k2("model.8", x, 1024, True)
        p5 = self.c2psa("model.10", self.sppf("model.9", x))
        x = g.concat("model.12", [g.upsample2("model.11", p5), p4])
        n4 = self.c3k2("model.13", x, 512, False)
        x = g.concat("model.15", [g.upsample2("model.14", n4), p3])
        out3 = self.c3k2("model.16", x, 256, False)
        x = g.concat("model.18", [self.conv("model.17", out3, channels(256), 3, 2), n4])
        out4 = self.c3k2("model.19", x, 512, False)
        x = g.concat("model.21", [self.conv("model.20", out4, channels(512), 3, 2), p5])
        out5 = self.c3k2("model.22", x, 1024, True)
        return self.detect("model.23", [out3, out4, out5])


def make_model(weights, scale, nc, batch, height, width):
    """The whole ONNX ModelProto, checked."""
    if height % 32 or width % 32 or height <= 0 or width <= 0:
        raise ValueError(f"imgsz {height}x{width}: both sides must be positive multiples of 32")
    graph = Graph(batch)
    Yolo11(graph, weights, scale, nc).build(("images", 3, height, width))
    n_anchors = sum((height // stride) * (width // stride) for stride in STRIDES)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, f"yolo11{scale}",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, height, width])],
            [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [batch, 4 + nc, n_anchors])],
            graph.constants),
        producer_name="vigil-bench", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", help="the .onnx file to write")
    parser.add_argument("--scale", choices=SCALES, default="n")
    parser.add_argument("--nc", type=int, default=80, help="classes (default 80)")
    parser.add_argument("--imgsz", type=int, nargs="+", default=[640], metavar="PX", help="one side, or H W")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--weights", help="a safetensors state dict; without it the weights are generated")
    parser.add_argument("--seed", type=int, default=0, help="of the generator")
    parser.add_argument("--head-g", type=float, default=8.0, help="gain of the generator's last head convolutions")
    args = parser.parse_args()
    weights = StoredWeights(args.weights) if args.weights else GeneratedWeights(args.seed, args.head_g)
    model = make_model(weights, args.scale, args.nc, args.batch, args.imgsz[0], args.imgsz[-1])
    onnx.save(model, args.output)
    print(f"{args.output}: {len(model.graph.node)} nodes, {len(model.SerializeToString()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
