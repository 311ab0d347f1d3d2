#!/usr/bin/env python3
"""kafka.py BUILD SOURCE: results of two shards in one topic of Kafka (librdkafka's own cluster): each once, in order, with the
camera's name as its key; what was delivered is counted; without brokers the job ends all the same and says what is left."""
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from checks import Checks

build, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
check = Checks()
N_FRAMES, CAMERAS = 30, 6


def predict(*more):
    return subprocess.run([str(build / "vigil"), "predict", "--weights", str(source / "tests/golden/yolo11n_random.pt"), "--imgsz", "32",
                           "--threads", "1", "--device", "cpu", "--save", "false", *more], capture_output=True, text=True, timeout=280,
                          stdin=subprocess.DEVNULL, check=False)


with tempfile.TemporaryDirectory() as folder:
    cameras = Path(folder, "cameras.streams")
    names = [f"lavfi:color=c=0x{i:06x}:size=32x32:rate=10:duration={N_FRAMES / 10}" for i in range(CAMERAS)]
    cameras.write_text("\n".join(names) + "\n")
    cluster = subprocess.Popen([str(build / "tests/kafka_mock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    brokers = cluster.stdout.readline().strip()
    for shard in range(2):
        done = predict("--source", str(cameras), "--shard", f"{shard}/2", "--kafka", f"kafka://{brokers}/boxes", "--kafka-what", "results")
        check(done.returncode == 0, f"shard {shard}: {done.returncode}, {done.stderr}")
        check("messages left" not in done.stderr, f"shard {shard} left messages: {done.stderr}")
    frames, partitions = {}, {}
    for _ in range(N_FRAMES * CAMERAS):
        partition, key, value = cluster.stdout.readline().split(" ", 2)
        frames.setdefault(key, []).append(json.loads(value)["frame"])
        partitions.setdefault(key, set()).add(partition)
        check(json.loads(value)["source"] == key, f"key {key} of {value}")
    check(set(frames) == set(names), f"keys: {set(frames)}")
    check(all(f == sorted(set(f)) and len(f) == N_FRAMES for f in frames.values()), f"frames: {frames}")
    check(all(len(p) == 1 for p in partitions.values()), f"partitions: {partitions}")

    # Brokers that are gone: nobody waits for them longer than the end may take.
    cluster.stdin.close()
    cluster.wait()
    begin = time.time()
    done = predict("--source", str(cameras), "--kafka", f"kafka://{brokers}/boxes", "--kafka-what", "results")
    check(done.returncode == 0, f"without brokers: {done.returncode}, {done.stderr}")
    check(f"sink=kafka messages={N_FRAMES * CAMERAS}" in done.stderr, f"what was left is not told: {done.stderr}")

    done = predict("--source", names[0], "--kafka", "kafka://user:secret@broker/boxes")
    check(done.returncode == 2 and "secret" not in done.stderr and "kafka" in done.stderr, f"a login: {done.returncode}, {done.stderr}")
    done = predict("--source", names[0], "--kafka", "kafka://broker")
    check(done.returncode == 2, f"no topic: {done.returncode}, {done.stderr}")
print(f"{check.n} checks passed")
