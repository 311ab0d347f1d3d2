#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""COCO's own evaluation of what `vigil val --save-json` wrote.

    pip install pycocotools pillow
    vigil val --data DATA.yaml --weights W --save-json --no-plots      # ... --ap 8.4
    coco_ap.py --images DATA/images/val runs/val/exp/predictions.json

The labels are those beside the pictures, labels/ in the place of images/. At most 300 detections a picture count, as in val.
"""
import argparse
import json
import pathlib

import numpy as np
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

MOST_DETECTIONS = 300


def read_labels(folder, predictions):
    """The split as a COCO data set, with the ids that the predictions have for pictures and classes."""
    id_of = {str(p["image_id"]): p["image_id"] for p in predictions}
    first_class = min(p["category_id"] for p in predictions)
    images, boxes, classes = [], [], set()
    for picture in sorted(pathlib.Path(folder).iterdir()):
        w, h = Image.open(picture).size
        stem = picture.stem
        image_id = id_of.get(stem, int(stem) if stem.isnumeric() else stem)
        images.append({"id": image_id, "width": w, "height": h, "file_name": picture.name})
        label = pathlib.Path(str(picture.parent).replace("images", "labels", 1)) / (stem + ".txt")
        rows = {tuple(row.split()) for row in label.read_text().splitlines() if row.strip()} if label.exists() else set()
        for c, x, y, bw, bh in rows:
            x, y, bw, bh = float(x) * w, float(y) * h, float(bw) * w, float(bh) * h
            classes.add(int(c))
            boxes.append({"id": len(boxes) + 1, "image_id": image_id, "category_id": int(c) + first_class, "iscrowd": 0,
                          "bbox": [x - bw / 2, y - bh / 2, bw, bh], "area": bw * bh})
    data = COCO()
    data.dataset = {"images": images, "annotations": boxes,
                    "categories": [{"id": c + first_class, "name": str(c)} for c in sorted(classes)]}
    data.createIndex()
    return data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True)
    parser.add_argument("predictions")
    args = parser.parse_args()
    predictions = json.loads(pathlib.Path(args.predictions).read_text())
    truth = read_labels(args.images, predictions)
    evaluation = COCOeval(truth, truth.loadRes(predictions), "bbox")
    evaluation.params.maxDets = [1, 10, MOST_DETECTIONS]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # thresholds, recalls, classes; all areas
    print(f"all: AP50 {np.mean(precision[0]):.4f}, AP50-95 {np.mean(precision):.4f}")
    for k, c in enumerate(evaluation.params.catIds):
        print(f"class {c}: AP50 {np.mean(precision[0, :, k]):.4f}, AP50-95 {np.mean(precision[:, :, k]):.4f}")


if __name__ == "__main__":
    main()
