#!/usr/bin/env python3
"""kubernetes.py VIGIL SOURCE: packaging/kubernetes.yaml: every name that a part uses is that of another part, nothing runs as
root, and its configuration is read by `vigil check`. With the package kubernetes-validate every part is held against its
schema, too."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from checks import Checks

try:
    import yaml
except ImportError:
    print("skipped: no python3-yaml")
    sys.exit(77)

vigil, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
path = source / "packaging/kubernetes.yaml"
check = Checks()
parts = [p for p in yaml.safe_load_all(path.read_text()) if p]
by_kind = {}
for part in parts:
    check({"apiVersion", "kind", "metadata"} <= part.keys(), f"a part without kind: {part}")
    names = by_kind.setdefault(part["kind"], {})
    check(part["metadata"]["name"] not in names, f"{part['kind']} {part['metadata']['name']} twice")
    names[part["metadata"]["name"]] = part
check(set(by_kind) == {"Secret", "ConfigMap", "PersistentVolumeClaim", "Service", "Deployment"}, f"kinds: {set(by_kind)}")

deployment, = by_kind["Deployment"].values()
service, = by_kind["Service"].values()
template = deployment["spec"]["template"]
pod = template["spec"]
labels = template["metadata"]["labels"]
check(deployment["spec"]["selector"]["matchLabels"].items() <= labels.items(), "the deployment does not select its pod")
check(service["spec"]["selector"].items() <= labels.items(), "the service does not select the pod")
check(deployment["spec"]["strategy"]["type"] == "Recreate", "two pods would open every camera twice")
check(pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0, "the pod runs as root")
check(pod["automountServiceAccountToken"] is False, "the pod gets a token of the cluster")

volumes = {}
for volume in pod["volumes"]:
    volumes[volume["name"]] = volume
    for key, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"),
                            ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName")):
        if key in volume:
            check(volume[key][name] in by_kind[kind], f"volume {volume['name']}: no {kind} {volume[key][name]}")
claims = {v["persistentVolumeClaim"]["claimName"] for v in volumes.values() if "persistentVolumeClaim" in v}
check(claims == set(by_kind["PersistentVolumeClaim"]), f"claims that are mounted: {claims}")

containers = pod["initContainers"] + pod["containers"]
ports = {port["name"]: port["containerPort"] for c in containers for port in c.get("ports", [])}
for c in containers:
    for mount in c["volumeMounts"]:
        check(mount["name"] in volumes, f"{c['name']} mounts {mount['name']}, which is no volume")
    security = c["securityContext"]
    check(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"] and security["capabilities"]["drop"] == ["ALL"],
          f"{c['name']} may do more than it needs")
    check("memory" in c["resources"]["limits"] and c["resources"]["requests"], f"{c['name']} has no limit of memory")
    check(c["image"] == containers[0]["image"], f"{c['name']} is of another image")
main = pod["containers"][0]
for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
    check(main[probe]["httpGet"] == {"path": "/healthz", "port": "http"} and "http" in ports, f"{probe} asks elsewhere")
for port in service["spec"]["ports"]:
    check(port["targetPort"] in ports, f"the service's port goes to {port['targetPort']}, which no container has")

# What the program makes of the configuration, with the files of the mounts in a folder here.
config_map, = by_kind["ConfigMap"].values()
secret, = by_kind["Secret"].values()
where = {m["name"]: m["mountPath"] for m in main["volumeMounts"]}
check(f"{where['config']}/streams.yaml" in main["command"], "the program reads another file than the mounted one")
with tempfile.TemporaryDirectory() as folder:
    for name, text in secret["stringData"].items():
        Path(folder, name).write_text(text)
    text = config_map["data"]["streams.yaml"]
    config = yaml.safe_load(text)
    check(config["weights"].startswith(where["models"] + "/"), "the weights are not in the mounted volume")
    check(config["weights"] in pod["initContainers"][0]["command"][-1], "another file is waited for than is opened")
    check(config["project"] == where["data"], "results go elsewhere than into the mounted volume")
    check(config["serve"].endswith(f":{ports['http']}"), "the page is at another port than the container's")
    for key in secret["stringData"]:
        check(f"${{file:{where['secrets']}/{key}}}" in text, f"the secret {key} is not used")
    text = text.replace(where["secrets"], folder).replace(config["weights"], str(source / "tests/golden/yolo11n_random.pt"))
    Path(folder, "streams.yaml").write_text(text.replace(where["data"], folder))
    done = subprocess.run([vigil, "check", f"{folder}/streams.yaml"], capture_output=True, text=True)
    check(done.returncode == 0 and "is good" in done.stdout, f"vigil check: {done.stdout}{done.stderr}")

try:
    import kubernetes_validate
except ImportError:
    print("kubernetes-validate is not here: no schema was asked")
else:
    for part in parts:
        version = kubernetes_validate.validate(part, "1.30", strict=True)
        check(version, f"{part['kind']} against its schema")
print(f"{check.n} checks passed")
