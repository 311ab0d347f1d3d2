"""job.py: what the programs of this folder share: a job that goes on for some time, at some pace.

A program is one job that leaks in one way, or one that looks so and does not. Its time is natural:
epochs of ten minutes, frames at 25 a second; --speedup says how much faster it is to be played, so
that hours fit into minutes. All of them take

    --duration S   natural seconds that it lasts
    --speedup X    natural seconds in one real second
    --rate R       times as much leaked (or cached, or read) as usual
    --noise N      0: none; 1: as much memory comes and goes as a restless job's
    --seed K       of the noise
    --run FOLDER   where results.csv is written, a row an epoch

and end with status 0. A program that cannot do its deed on this machine ends with 77 and says why.
Standard library alone.
"""

import argparse
import os
import random
import sys
import time

MB = 1 << 20


def skip(why):
    print("skipped: " + why, file=sys.stderr)
    sys.exit(77)


def touched(n_bytes, byte=1):
    """A buffer that is resident: a fresh bytearray of zeros is not."""
    return bytearray([byte]) * int(n_bytes)


class Job:
    def __init__(self, what, epoch_s=600, duration_s=4 * 3600, speedup=100):
        p = argparse.ArgumentParser(description=what)
        p.add_argument("--duration", type=float, default=duration_s)
        p.add_argument("--speedup", type=float, default=speedup)
        p.add_argument("--rate", type=float, default=1)
        p.add_argument("--noise", type=float, default=0.3)
        p.add_argument("--seed", type=int, default=1)
        p.add_argument("--run", default="")
        self.parser = p
        self.epoch_s = epoch_s
        self.epoch = 0
        self.hum_held = []

    def begin(self):
        self.o = self.parser.parse_args()
        self.rate = self.o.rate
        self.random = random.Random(self.o.seed)
        self.began_s = time.monotonic()
        if self.o.run:
            os.makedirs(self.o.run, exist_ok=True)
            with open(os.path.join(self.o.run, "results.csv"), "w") as f:
                f.write("epoch,time,train/box_loss\n")
        return self

    def now_s(self):
        """Natural seconds since it began."""
        return (time.monotonic() - self.began_s) * self.o.speedup

    def is_over(self):
        return self.now_s() >= self.o.duration

    def hum(self):
        """What every job does: takes some memory and gives it back. Up to 16 MB at noise 1."""
        self.hum_held = [touched(64 << 10) for _ in range(int(self.random.random() * 256 * self.o.noise))]

    def ticks(self, every_s):
        """Counts steps, one every so many natural seconds, until the job is over; writes epochs."""
        step = 0
        while not self.is_over():
            while self.now_s() < (step + 1) * every_s and not self.is_over():
                left_s = ((step + 1) * every_s - self.now_s()) / self.o.speedup
                time.sleep(min(max(left_s, 0), 0.25))
            if self.is_over():
                break
            step += 1
            self.hum()
            while self.now_s() >= (self.epoch + 1) * self.epoch_s:
                self.end_epoch()
            yield step

    def end_epoch(self):
        self.epoch += 1
        if self.o.run:
            with open(os.path.join(self.o.run, "results.csv"), "a") as f:
                f.write("%d,%.1f,%.4f\n" % (self.epoch, self.now_s(), 1 / (1 + self.epoch)))
