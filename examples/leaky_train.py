#!/usr/bin/env python3
"""A training that leaks, for trying `vigil watch` on: one of the three classic causes, chosen by --cause.

    callback   a callback keeps every batch's predictions for a plot that nobody draws
    workers    each epoch makes its loader's worker anew, and nobody ends the old ones
    frames     each augmented picture is appended to a list of results

The training itself is sound: a logistic regression on pictures it makes up, in the standard library
alone. After each epoch it writes RUN/results.csv and RUN/last.pt, a zip like PyTorch's; with
--resume FILE it goes on from one. With a memory limit of 200 MB it is killed before its epochs are
done; guarded, it finishes:

    vigil watch --memory-max 200M --interval 0.5s --on-critical restart --on-oom restart \\
        --run RUN --checkpoints RUN/last.pt --resume-args "--resume {checkpoint}" -- \\
        python3 examples/leaky_train.py --cause frames --run RUN
"""

import argparse
import json
import math
import multiprocessing
import os
import random
import time
import zipfile

PIXELS = 64
BATCHES = 20
BATCH = 32


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cause", choices=("callback", "workers", "frames", "none"), default="none")
    p.add_argument("--epochs", type=int, default=100)
    p.add_argument("--epoch-s", type=float, default=1, help="least time of an epoch")
    p.add_argument("--leak-mb", type=float, default=3, help="leaked by an epoch")
    p.add_argument("--run", default="leaky_run", help="folder of results.csv and last.pt")
    p.add_argument("--resume", default="", help="checkpoint to go on from")
    return p.parse_args()


# ---- checkpoints


def save(path, state):
    with zipfile.ZipFile(path + ".tmp", "w") as z:
        z.writestr("state.json", json.dumps(state))
    os.replace(path + ".tmp", path)


def load(path):
    with zipfile.ZipFile(path) as z:
        return json.loads(z.read("state.json"))


def keep_rows(path, n_epochs):
    """What was told of epochs after the checkpoint is done again."""
    with open(path) as f:
        rows = f.readlines()
    with open(path, "w") as f:
        f.writelines(rows[:1 + n_epochs])


# ---- data and model


def batch(rng):
    """Pictures with a bright left or right half, and which it is."""
    pictures = []
    for _ in range(BATCH):
        label = rng.randrange(2)
        bright = range(PIXELS // 2) if label else range(PIXELS // 2, PIXELS)
        pictures.append(([rng.random() + (0.3 if i in bright else 0) for i in range(PIXELS)], label))
    return pictures


def step(weights, pictures, rate):
    """One step of gradient descent; the mean loss."""
    gradient, loss = [0.0] * (PIXELS + 1), 0.0
    for pixels, label in pictures:
        score = weights[-1] + sum(w * x for w, x in zip(weights, pixels))
        p = 1 / (1 + math.exp(-max(min(score, 30), -30)))
        loss -= math.log(max(p if label else 1 - p, 1e-9))
        for i, x in enumerate(pixels):
            gradient[i] += (p - label) * x
        gradient[-1] += p - label
    for i, g in enumerate(gradient):
        weights[i] -= rate * g / BATCH
    return loss / BATCH


# ---- the three causes


def keep_predictions(kept, n_bytes):
    kept.append(bytearray(b"p") * n_bytes)


def loader_worker(n_bytes):
    prefetched, parent = bytearray(b"w") * n_bytes, os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    del prefetched


def make_worker(workers, n_bytes):
    context = multiprocessing.get_context("fork")
    # The process itself, a copy of this one, costs about as much again.
    workers.append(context.Process(target=loader_worker, args=(n_bytes // 3,), daemon=True))
    workers[-1].start()


def main():
    o = parse()
    last, results = os.path.join(o.run, "last.pt"), os.path.join(o.run, "results.csv")
    os.makedirs(o.run, exist_ok=True)
    state = {"epoch": 0, "weights": [0.0] * (PIXELS + 1)}
    if o.resume:
        state = load(o.resume)
        keep_rows(results, state["epoch"])
        print("resumed after epoch %d" % state["epoch"], flush=True)
    else:
        with open(results, "w") as f:
            f.write("epoch,time,train/loss\n")
    kept, workers, began_s = [], [], time.monotonic()
    leak = int(o.leak_mb * (1 << 20))
    while state["epoch"] < o.epochs:
        epoch_began_s, loss = time.monotonic(), 0.0
        rng = random.Random(state["epoch"])
        if o.cause == "workers":
            make_worker(workers, leak)
        for n in range(BATCHES):
            pictures = batch(rng)
            loss += step(state["weights"], pictures, 0.5) / BATCHES
            if o.cause in ("callback", "frames"):
                keep_predictions(kept, leak // BATCHES)
            left_s = epoch_began_s + o.epoch_s * (n + 1) / BATCHES - time.monotonic()
            time.sleep(max(left_s, 0))
        state["epoch"] += 1
        with open(results, "a") as f:
            f.write("%d,%.2f,%.5f\n" % (state["epoch"], time.monotonic() - began_s, loss))
        save(last, state)
    print("done: %d epochs, loss %.4f" % (state["epoch"], loss), flush=True)
    os._exit(0)  # what lingers is a daemon's


if __name__ == "__main__":
    main()
