#!/usr/bin/env python3
"""check_run.py RUN: reads the event files of a finished run's folder with the real tensorboard package and compares
every scalar with results.csv and every picture with the file it was made from. Exit status 1 when something differs,
77 where the package is not installed: pip install tensorboard."""

import csv
import glob
import math
import os
import sys

try:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

run = sys.argv[1]
failures = 0


def check(claim, holds):
    global failures
    failures += not holds
    print(("ok      " if holds else "FAILED  ") + claim)


def close(text, value):
    """results.csv rounds losses and metrics to 5 decimals and writes 6 digits; events are float32."""
    wanted = float(text)
    if math.isnan(wanted) or math.isnan(value):
        return math.isnan(wanted) and math.isnan(value)
    return abs(wanted - value) <= 0.5e-5 + 1e-6 * max(abs(wanted), abs(value))


# The loader stops at the first record with a wrong checksum: what it counts is whole.
n_events = 0
for path in sorted(glob.glob(run + "/events.out.tfevents.*")):
    loader = EventFileLoader(path)
    n_events += len(list(loader.Load()))
check(f"{n_events} records with right checksums", n_events > 0)

events = event_accumulator.EventAccumulator(run, size_guidance={"scalars": 0, "tensors": 0, "images": 0})
events.Reload()
tags = events.Tags()


def scalars(tag):
    """As TensorBoard shows them: new readers turn simple values into tensors."""
    if tag in tags["scalars"]:
        return {e.step: e.value for e in events.Scalars(tag)}
    if tag in tags["tensors"]:
        return {e.step: e.tensor_proto.float_val[0] for e in events.Tensors(tag)}
    return {}


with open(os.path.join(run, "results.csv"), encoding="ascii") as file:
    rows = list(csv.DictReader(file))
compared = 0
for tag in [name for name in rows[0] if name not in ("epoch", "time")]:
    shown = scalars(tag)
    wrong = [row["epoch"] for row in rows if not close(row[tag], shown.get(int(row["epoch"]), math.inf))]
    compared += len(rows)
    check(f"{tag}: {len(rows)} epochs as in results.csv" + (f", but {wrong}" if wrong else ""),
          not wrong and len(shown) == len(rows))
for tag in ("memory/in_use_MB", "memory/resident_MB"):
    shown = scalars(tag)
    check(f"{tag}: {len(rows)} epochs", len(shown) == len(rows) and all(v > 0 for v in shown.values()))


def pictures():
    """The encoded bytes of every picture, by tag."""
    found = {tag: events.Images(tag)[-1].encoded_image_string for tag in tags["images"]}
    for tag in tags["tensors"]:
        strings = events.Tensors(tag)[-1].tensor_proto.string_val
        if len(strings) == 3:
            found[tag] = strings[2]
    return found


for tag, encoded in sorted(pictures().items()):
    with open(os.path.join(run, tag + ".jpg"), "rb") as file:
        check(f"{tag}: the {len(encoded)} bytes of its file", file.read() == encoded)
print(f"{compared} values compared, {failures} failures")
sys.exit(failures > 0)
