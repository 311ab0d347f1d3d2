#!/usr/bin/env python3
"""fleet_packaging.py BUILD SOURCE: packaging for a fleet: every metric that the alerts and the dashboard ask for is one that a
shard serves, every label and value of it too; the sample for Kubernetes fits together, and its configuration is read by vigil."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from checks import Checks

try:
    import yaml
except ImportError:
    print("skipped: no python3-yaml")
    sys.exit(77)

build, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
vigil, weights = build / "vigil", source / "tests/golden/yolo11n_random.pt"
check = Checks()

# What a shard serves: {name: {label: values}}.
served = {}
with tempfile.TemporaryDirectory() as folder:
    cameras = Path(folder, "c.streams")
    cameras.write_text("lavfi:color=size=32x32:rate=5\nrtsp://127.0.0.1:9/none\n")
    shard = subprocess.Popen([str(vigil), "predict", "--weights", str(weights), "--imgsz", "32", "--threads", "1", "--device", "cpu", "--source",
                              str(cameras), "--shard", "0/1", "--lease-dir", folder, "--serve", "127.0.0.1:0", "--webhook", "http://127.0.0.1:9/"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    url = next(line for line in shard.stderr if "serving url=" in line).split("serving url=")[1].split()[0]
    end = time.time() + 120
    while "vigil_frames_total" not in served.get("", {}):  # a camera is read
        check(time.time() < end, "no camera was read")
        text = urllib.request.urlopen(url + "metrics", timeout=30).read().decode()
        if 'vigil_frames_total{source="lavfi' in text:
            served[""] = {"vigil_frames_total": set()}
        time.sleep(0.1)
    shard.terminate()
    for _ in shard.stderr:
        pass
    shard.wait()
del served[""]
for line in text.splitlines():
    found = re.match(r'([a-z_]+)(?:\{(.*)\})? ', line)
    if found and not line.startswith("#"):
        labels = served.setdefault(found[1], {"job": set(), "instance": set()})
        for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or ""):
            labels.setdefault(name, set()).add(value)
check("vigil_fleet_cameras" in served, f"no metric of the fleet: {sorted(served)}")


def look(expression, where):
    """Every name, label and value of a PromQL expression that is about vigil."""
    names = re.findall(r"\b((?:vigil|process)_[a-z_]+)\b(?:\{([^}]*)\})?", expression)
    check(names, f"{where}: no metric in {expression}")
    for name, labels in names:
        check(name in served, f"{where}: no shard serves {name}")
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            check(label in served[name], f"{where}: {name} has no label {label}")
            check(value.startswith("$") or value in served[name][label], f"{where}: no {name} with {label}={value}")
    for label in ",".join(re.findall(r"by \(([^)]*)\)", expression)).replace(" ", "").split(","):
        check(label == "" or any(label in served[n] for n, _ in names), f"{where}: nothing has a label {label}")


rules_path = source / "packaging/alerts/vigil-fleet.rules.yml"
rules = [r for g in yaml.safe_load(rules_path.read_text())["groups"] for r in g["rules"]]
check(len({r["alert"] for r in rules}) == len(rules) >= 8, "alerts of one name, or few")
for rule in rules:
    look(rule["expr"], rule["alert"])
    check(rule["labels"]["severity"] in ("warning", "critical") and rule["annotations"]["summary"], f"{rule['alert']}: no summary")
if shutil.which("promtool"):
    check(subprocess.run(["promtool", "check", "rules", str(rules_path)], check=False).returncode == 0, "promtool does not take the rules")

board = json.loads((source / "packaging/grafana/vigil-fleet.json").read_text())
check(board["uid"] == "vigil-fleet" and len({p["id"] for p in board["panels"]}) == len(board["panels"]), "panels of one number")
places = set()
for panel in board["panels"]:
    for target in panel["targets"]:
        look(target["expr"], panel["title"])
    at = panel["gridPos"]
    for x in range(at["x"], at["x"] + at["w"]):
        for y in range(at["y"], at["y"] + at["h"]):
            check((x, y) not in places and x < 24, f"{panel['title']} lies over another")
            places.add((x, y))

# The sample for Kubernetes.
parts = {}
for part in yaml.safe_load_all((source / "packaging/kubernetes-fleet.yaml").read_text()):
    parts[part["kind"]] = part
check({p["metadata"]["name"] for k, p in parts.items() if k != "PersistentVolumeClaim"} == {"vigil-fleet"}, "names that differ")
state = parts["StatefulSet"]["spec"]
pod = state["template"]["spec"]
check(state["serviceName"] == parts["Service"]["metadata"]["name"] and pod["serviceAccountName"] == parts["ServiceAccount"]["metadata"]["name"] ==
      parts["RoleBinding"]["subjects"][0]["name"], "parts that do not know each other")
check(parts["RoleBinding"]["roleRef"]["name"] == parts["Role"]["metadata"]["name"], "a role of another name")
check(set(parts["Role"]["rules"][0]["verbs"]) == {"get", "list", "create", "update", "patch", "delete"}, "verbs")
check(state["selector"]["matchLabels"].items() <= state["template"]["metadata"]["labels"].items(), "the set does not select its pods")
claims = {v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "persistentVolumeClaim" in v}
check(claims == {parts["PersistentVolumeClaim"]["metadata"]["name"]}, f"claims: {claims}")
config = parts["ConfigMap"]["data"]["fleet.yaml"]
check(f"shard: auto/{state['replicas']} " in config, "N is not the number of replicas")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "fleet.yaml")
    path.write_text(config.replace("/models/yolo11n.pt", str(weights)))
    for ordinal, status in ((3, 0), (4, 1)):  # a pod too many is told
        done = subprocess.run([str(vigil), "check", str(path)], capture_output=True, text=True, check=False,
                              env={**os.environ, "POD_NAME": f"vigil-fleet-{ordinal}"})
        check(done.returncode == status, f"vigil check as pod {ordinal}: {done.returncode}: {done.stderr}")
print(f"{check.n} checks passed")
