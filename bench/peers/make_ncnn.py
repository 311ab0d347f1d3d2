#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn one of our ONNX files into ncnn's .param and .bin with pnnx, f32.

pnnx meets our SiLU as Sigmoid and Mul, and keeps the pair apart where an addition follows. ncnn's own users come from
PyTorch, where SiLU is one node and becomes Swish; so we put those pairs together again, or ncnn would be wronged.

    make_ncnn.py yolo11n_640.onnx yolo11n_640      # writes yolo11n_640.ncnn.param and yolo11n_640.ncnn.bin
"""
import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile

import onnx

BINARY_OP_MUL = "0=2"


def fuse_swish(lines):
    """Replace Split(x) -> a,b; Sigmoid(b) -> c; BinaryOp mul(a,c) -> y by Swish(x) -> y in the lines of a .param file."""
    n_layers, n_blobs = (int(word) for word in lines[1].split())
    layers, done, i, n_fused = [line.split() for line in lines[2:]], [], 0, 0
    while i < len(layers):
        trio = layers[i:i + 3]
        kinds = [layer[0] for layer in trio]
        if kinds == ["Split", "Sigmoid", "BinaryOp"] and trio[0][2:4] == ["1", "2"]:
            source, left, right = trio[0][4:7]
            gate = trio[1][5]
            if trio[1][4] == right and trio[2][4:6] == [left, gate] and trio[2][7:] == [BINARY_OP_MUL]:
                done.append(["Swish", trio[1][1] + "_swish", "1", "1", source, trio[2][6]])
                n_fused += 1
                i += 3
                continue
        done.append(layers[i])
        i += 1
    head = [lines[0], f"{n_layers - 2 * n_fused} {n_blobs - 3 * n_fused}"]
    return head + [" ".join(layer) for layer in done], n_fused


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="the .onnx file, batch 1")
    parser.add_argument("output", help="prefix of the two files to write")
    args = parser.parse_args()
    dims = onnx.load(args.model).graph.input[0].type.tensor_type.shape.dim
    shape = ",".join(str(dim.dim_value) for dim in dims)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(args.model, os.path.join(folder, "m.onnx"))
        package = importlib.util.find_spec("pnnx")  # importing it would ask for torch, which its binary does not need
        if not package:
            raise ModuleNotFoundError("pnnx: not installed; pip install --no-deps pnnx")
        pnnx_binary = os.path.join(package.submodule_search_locations[0], "pnnx")
        subprocess.run([pnnx_binary, "m.onnx", f"inputshape=[{shape}]", "fp16=0", "optlevel=2"],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(folder, "m.ncnn.param"), encoding="ascii") as file:
            lines, n_fused = fuse_swish(file.read().splitlines())
        shutil.copy(os.path.join(folder, "m.ncnn.bin"), args.output + ".ncnn.bin")
    with open(args.output + ".ncnn.param", "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    left_over = sum(line.startswith("Sigmoid") for line in lines) - 1  # one belongs to the scores
    print(f"{args.output}.ncnn.param: {n_fused} Swish put together, {left_over} left apart")
    sys.exit(1 if left_over else 0)


if __name__ == "__main__":
    main()
