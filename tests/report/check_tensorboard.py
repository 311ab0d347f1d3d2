#!/usr/bin/env python3
"""check_tensorboard.py GALLERY FOLDER: has GALLERY (build/tests/report_gallery) write event files into FOLDER, reads
them with the real tensorboard package and compares every value with what was written. Exit status 77 (skipped) where
that package is not installed: pip install tensorboard."""

import csv
import glob
import os
import shutil
import subprocess
import sys

try:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

N_EPOCHS = 40
gallery, folder = sys.argv[1:3]
shutil.rmtree(folder, ignore_errors=True)
subprocess.run([gallery, folder, "3", str(N_EPOCHS)], check=True, stdout=subprocess.DEVNULL)

failures = 0


def check(claim, holds):
    global failures
    failures += not holds
    print(("ok      " if holds else "FAILED  ") + claim)


# Record by record: the loader stops at the first wrong checksum, so counting events checks all of them.
counts = [len(list(EventFileLoader(path).Load())) for path in sorted(glob.glob(folder + "/events.out.tfevents.*"))]
check(f"events in the two files: {counts}", counts == [1 + 2 * N_EPOCHS + 1, 2 + N_EPOCHS // 2])

events = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0, "images": 0})
events.Reload()
tags = events.Tags()


def scalars(tag):
    """As TensorBoard shows them: new readers turn simple values into tensors."""
    if tag in tags["scalars"]:
        return [(e.step, e.value) for e in events.Scalars(tag)]
    return [(e.step, e.tensor_proto.float_val[0]) for e in events.Tensors(tag)]


squares = dict(scalars("check/step_squared"))
wanted = {i: float(i * i) if i < N_EPOCHS // 2 else float(-i) for i in range(N_EPOCHS)}
check("scalars are what was written, and a restart takes back what came after it", squares == wanted)

with open(os.path.join(folder, "results.csv"), encoding="ascii") as file:
    losses = [float(row["train/box_loss"]) for row in csv.DictReader(file)]
shown = [value for _, value in scalars("train/box_loss")]
half = N_EPOCHS // 2
check("losses equal those of results.csv before the restart",
      len(shown) == half and all(abs(a - b) <= 1e-5 for a, b in zip(shown, losses)))

with open(os.path.join(folder, "train_batch0.jpg"), "rb") as file:
    picture = file.read()
if "train_batch0" in tags["images"]:
    encoded = events.Images("train_batch0")[0].encoded_image_string
else:
    loader = EventFileLoader(sorted(glob.glob(folder + "/events.out.tfevents.*"))[0])
    encoded = next(v.tensor.string_val[2] for e in loader.Load() for v in e.summary.value if v.tag == "train_batch0")
check(f"the picture's {len(picture)} bytes came through whole", encoded == picture)
sys.exit(failures > 0)
