#!/usr/bin/env python3
"""containerfile.py: tries a Containerfile without a container engine.

    sudo debootstrap --variant=minbase bookworm ROOT && sudo packaging/containerfile.py ROOT FOLDER [STAGE...]

Each stage is a copy of ROOT in FOLDER; RUN is sh -c in it by chroot as the USER of that moment, COPY, ENV, ARG and WORKDIR are
what they are. With SSL_CERT_FILE set, that file's authorities are believed there, too. The last user is the stage's, and its CMD's program is looked up as that user. FOLDER/STAGE is left to be looked
at. It knows what our Containerfile uses and refuses the rest. Parsing alone is what tests/e2e/containerfile.py uses."""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
WORDS = {"ARG", "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "CMD"}


class Stage:
    def __init__(self, name, base, lines):
        self.name, self.base, self.lines = name, base, lines

    def last(self, word):
        found = [text for w, text in self.lines if w == word]
        return found[-1] if found else None


def parse(path):
    """The stages of a Containerfile, with its first ARGs put in."""
    args, stages = {}, []
    for n, line in enumerate(Path(path).read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        word, _, text = line.partition(" ")
        if word not in WORDS:
            raise ValueError(f"{path}:{n}: {word} is not known here")
        if word == "FROM":
            m = re.fullmatch(r"(\S+) AS (\w+)", text.replace("${BASE}", args.get("BASE", "")))
            if not m:
                raise ValueError(f"{path}:{n}: FROM wants IMAGE AS NAME")
            stages.append(Stage(m[2], m[1], []))
        elif not stages:
            if word != "ARG":
                raise ValueError(f"{path}:{n}: {word} before the first FROM")
            name, _, value = text.partition("=")
            args[name] = value
        else:
            stages[-1].lines.append((word, text))
    return stages


def ignored(path, patterns):
    """As the engines match: from the top, unless a pattern begins with **/."""
    return any(Path(path).match(p[3:]) if p.startswith("**/") else fnmatch(path, p) for p in patterns)


def copy(stage, root, workdir, folder, text):
    words = shlex.split(text)
    start = SOURCE
    if words[0].startswith("--from="):
        start = folder / words.pop(0).removeprefix("--from=")
    *sources, to = words
    if not to.startswith("/"):
        to = f"{workdir}/{to}"
    patterns = [p for p in (SOURCE / ".dockerignore").read_text().split("\n") if p and not p.startswith("#")]
    for source in sources:
        at, there = start / source.lstrip("/"), root / to.lstrip("/")
        if at.is_dir():
            skip = (lambda d, names: [n for n in names if ignored(os.path.relpath(os.path.join(d, n), SOURCE), patterns)]) \
                if start == SOURCE else None  # what .dockerignore leaves out
            shutil.copytree(at, there, symlinks=True, ignore=skip, dirs_exist_ok=True)
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(at, there)


def build(stage, base, folder):
    root = folder / stage.name
    if root.exists():
        sys.exit(f"{root} is there already: remove it first")
    subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(root)], check=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    # How this machine reaches the network is the machine's business.
    passed = {k: v for k, v in os.environ.items() if re.fullmatch(r"(?i)(https?|no)_proxy", k)}
    bundle = os.environ.get("SSL_CERT_FILE")
    if bundle:
        (root / "run/certificates.crt").write_bytes(Path(bundle).read_bytes())
        passed.update(SSL_CERT_FILE="/run/certificates.crt", PIP_CERT="/run/certificates.crt")
    workdir, user = "/", []

    def run(command):
        print(f"{stage.name}: {command}", flush=True)
        done = subprocess.run(["chroot", *user, str(root), "sh", "-c", f"cd {workdir} && {command}"], env={**passed, **env})
        if done.returncode:
            sys.exit(f"{stage.name}: exit status {done.returncode}: {command}")

    for word, text in stage.lines:
        if word in ("ENV", "ARG"):
            name, _, value = text.partition("=")
            env[name] = value
        elif word == "WORKDIR":
            workdir = text
            (root / text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            copy(stage, root, workdir, folder, text)
        elif word == "USER":
            user = [f"--userspec={text}"]
        elif word == "RUN":
            run(text)
    if stage.last("CMD"):
        for command in ["id -u", "touch ./writable && rm ./writable", f"command -v {json.loads(stage.last('CMD'))[0]}"]:
            run(command)
    (root / "run/certificates.crt").unlink(missing_ok=True)
    subprocess.run(["du", "-shx", str(root)], check=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    wanted = sys.argv[3:]
    for one in parse(SOURCE / "Containerfile"):
        if not wanted or one.name in wanted:
            build(one, Path(sys.argv[1]), Path(sys.argv[2]))
