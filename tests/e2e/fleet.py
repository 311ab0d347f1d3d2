#!/usr/bin/env python3
"""fleet.py BUILD SOURCE: cameras that several processes share by leases, in small: bench/fleet/simulate.py with three shards that
are killed, ended, stopped and started again at random. What is simulated there with a thousand cameras holds here for a few."""
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from checks import Checks

build, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
sys.path.insert(0, str(source / "bench/fleet"))
import simulate  # noqa: E402

check = Checks()
for seed in (1, 2):
    o = simulate.options([str(build / "vigil"), str(source / "tests/golden/yolo11n_random.pt"), "--cameras", "24", "--shards", "3", "--most",
                          "24", "--faults", "5", "--lease", "2", "--pause", "2", "--seed", str(seed), "--quiet"])
    with tempfile.TemporaryDirectory() as folder:
        fleet = simulate.run(o, folder)
        check(len(fleet.waits) == 6, "not every fault was waited for")
        check(len({name for name, _, _ in fleet.spans}) == 24, "not every camera was read")
        check(len(fleet.spans) > 24, "no camera changed hands")
        check(not list(Path(folder, "leases/shards").iterdir()) or any(w.startswith("kill") for w, _ in fleet.waits),
              "who ended in order left its word behind")

# A camera whose retries are used up while its lease is held does not stay dark: it is opened again, and read when it is there.
with tempfile.TemporaryDirectory() as folder:
    film, cameras = Path(folder, "film.y4m"), Path(folder, "cameras.streams")
    film.write_bytes(b"")
    cameras.write_text(f"{film}\n")
    shard = subprocess.Popen([str(build / "vigil"), "predict", "--weights", str(source / "tests/golden/yolo11n_random.pt"), "--source",
                              str(cameras), "--imgsz", "32", "--threads", "1", "--device", "cpu", "--shard", "0/1", "--lease-dir",
                              str(Path(folder, "leases")), "--lease-time", "2s", "--max-retries", "1", "--retry-first", "0.1s", "--retry-most",
                              "0.1s", "--status-every", "0", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    said = []

    def hear():
        for line in shard.stderr:
            said.append(line)
            if line.startswith("info: camera opened") and sum("camera opened" in one for one in said) == 2:
                film.write_bytes(b"YUV4MPEG2 W32 H32 F1:1 Ip A1:1 C420jpeg\n" + 2 * (b"FRAME\n" + bytes(32 * 32 * 3 // 2)))

    hears = threading.Thread(target=hear)
    patience = threading.Timer(120, shard.kill)  # which a failure alone reaches
    hears.start()
    patience.start()
    first = shard.stdout.readline()
    shard.terminate()
    shard.stdout.read()
    shard.wait()
    patience.cancel()
    hears.join()
    check(first.startswith("{"), "an ended camera is not read again: " + "".join(said))
    check(any("source ended" in line for line in said), "its retries were not used up")

# It sees what it is there to see: two spans that overlap.
fleet.spans += [("camera", 1.0, 3.0), ("camera", 2.0, 4.0)]
check(len(fleet.doubles()) == 1, "two readers of a camera are not seen")
print(f"{check.n} checks passed")
