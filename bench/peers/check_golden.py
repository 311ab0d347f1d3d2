#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run our ONNX models against the golden forward files: a peer that computes something else is not a peer.

    check_golden.py [--weights state_dict.safetensors] GOLDEN_DIR/forward_n_320.safetensors ...

With --weights the n files use that state dict, else all use the generator (seed 0, head_g 8).
Exit status 1 when a box is off by more than 2e-3 px or a score by more than 1e-5.
"""
import argparse
import os
import re
import sys

import numpy as np
import onnxruntime as ort

from make_onnx import make_model
from yolo_weights import GeneratedWeights, StoredWeights, read_safetensors

BOX_TOLERANCE_PX = 2e-3
SCORE_TOLERANCE = 1e-5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--weights")
    args = parser.parse_args()
    failed = False
    for path in args.files:
        scale = re.match(r"forward_([nsmlx])_", os.path.basename(path)).group(1)
        golden = read_safetensors(path)
        image, decoded = golden["input"], golden["decoded"]
        weights = StoredWeights(args.weights) if args.weights and scale == "n" else GeneratedWeights(0, 8.0)
        batch, _, height, width = image.shape
        model = make_model(weights, scale, decoded.shape[1] - 4, batch, height, width)
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (output,) = session.run(None, {"images": image})
        difference = np.abs(output.astype(np.float64) - decoded)
        box_px, score = difference[:, :4].max(), difference[:, 4:].max()
        good = box_px <= BOX_TOLERANCE_PX and score <= SCORE_TOLERANCE
        failed |= not good
        print(f"{'pass' if good else 'FAIL'}  {os.path.basename(path)}: boxes {box_px:.2e} px, scores {score:.2e}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
