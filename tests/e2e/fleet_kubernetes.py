#!/usr/bin/env python3
"""fleet_kubernetes.py BUILD SOURCE: cameras that several processes share by leases of Kubernetes, against a stand-in of its API
(kube_api.py) that answers with conflicts, forgotten pages, errors and not at all."""
import shutil
import sys
import tempfile
import time
from pathlib import Path

from checks import Checks

if shutil.which("openssl") is None:
    print("skipped: no openssl")
    sys.exit(77)
from kube_api import Api  # noqa: E402

build, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
sys.path.insert(0, str(source / "bench/fleet"))
import simulate  # noqa: E402

check = Checks()


def until(holds, why):
    end = time.time() + 300
    while not holds():
        check(time.time() < end, why)
        time.sleep(0.05)


def options(*more):
    return simulate.options([str(build / "vigil"), str(source / "tests/golden/yolo11n_random.pt"), "--cameras", "24", "--shards", "3", "--most",
                             "24", "--lease", "3", "--pause", "2", "--quiet", *more])


# Shards that are killed, ended and stopped, while calls fail.
with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as account:
    api = Api(account, has_faults=True)
    leases = ["--lease-kubernetes", "yard", "--lease-account", account]
    fleet = simulate.run(options("--faults", "5"), folder, leases, api.env)
    check(len({name for name, _, _ in fleet.spans}) == 24, "not every camera was read")
    check(len(fleet.spans) > 24, "no camera changed hands")
    for what in ("pages", 500, "lost", 409, 410):
        check(api.counts.get(what, 0) > 0, f"there was no {what}: {api.counts}")
    api.close()

# The API hangs: all stop reading by themselves; when it answers again, all are read again, and another token is found.
with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as account:
    api = Api(account)
    leases = ["--lease-kubernetes", "yard", "--lease-account", account]
    fleet = simulate.Fleet(options(), folder, leases, api.env)
    try:
        for i in range(3):
            fleet.start(i)
        fleet.wait_until_read("start of all", time.time())
        api.hangs = True
        until(lambda: fleet.n_read() == 0, "cameras are read though no lease can be renewed")
        api.token = "second-token"
        (Path(account) / "token").write_text("second-token\n")
        api.hangs = False
        fleet.wait_until_read("a pause of the API", time.time())
        api.token = "third-token"  # which the pods are not told
        until(lambda: fleet.n_read() == 0, "cameras are read though no lease can be renewed")
        check(api.counts[401] > 0, "nobody was refused")
        fleet.finish()
        check(not fleet.doubles(), "a camera was read twice at once")
    finally:
        for shard in fleet.shards.values():
            shard.process.kill()
    names = set(api.leases)
    check(len([n for n in names if n.startswith("yard-camera-")]) == 24, f"leases of cameras: {names}")
    api.close()
print(f"{check.n} checks passed")
