#!/usr/bin/env python3
"""containerfile.py SOURCE: what can be known of the Containerfile without a container engine: stages, users, paths that exist,
commands that the packages of a stage bring. packaging/containerfile.py runs its lines in a chroot, by hand."""
import json
import re
import subprocess
import sys
from pathlib import Path

source = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(source / "packaging"))
sys.dont_write_bytecode = True
import containerfile  # noqa: E402
from checks import Checks  # noqa: E402

check = Checks()

stages = containerfile.parse(source / "Containerfile")
names = [s.name for s in stages]
check(names == ["build", "streams", "notebook"], f"stages {names}")
tracked = set(subprocess.run(["git", "-C", str(source), "ls-files"], capture_output=True, text=True).stdout.split("\n"))
unit = (source / "packaging/vigil-stream.service").read_text()
for i, stage in enumerate(stages):
    check(stage.base.startswith("docker.io/library/debian:bookworm"), f"{stage.name} is not of Debian 12: {stage.base}")
    made_users, user = set(), "0"
    for word, text in stage.lines:
        if word == "COPY":
            words = text.split()
            if words[0].startswith("--from="):
                check(words[0][7:] in names[:i], f"{stage.name} copies from {words[0]}, which is no stage before it")
                check(any(words[1] in t for w, t in stages[names.index(words[0][7:])].lines if w == "RUN"),
                      f"{stage.name} copies {words[1]}, which no line of that stage makes")
            else:
                for name in words[:-1]:
                    check((source / name).exists(), f"{stage.name} copies {name}, which is not here")
                    check(name == "." or not tracked - {""} or any(t == name or t.startswith(name + "/") for t in tracked),
                          f"{stage.name} copies {name}, which is not under version control")
        elif word == "RUN":
            check(user == "0", f"{stage.name} runs a line as {user}")
            made_users |= set(re.findall(r"useradd --uid (\d+)", text))
            if "apt-get update" in text:
                check("--no-install-recommends" in text and "rm -rf /var/lib/apt/lists/*" in text, f"{stage.name} keeps apt's lists")
            for name in re.findall(r"(?<![\w/])\./([\w/]+)", text):
                check((source / name).exists(), f"{stage.name} uses ./{name}, which is not here")
            # A syntax error of the shell would be seen at the line's turn, after minutes.
            check(subprocess.run(["sh", "-n", "-c", text]).returncode == 0, f"{stage.name}: sh cannot read: {text}")
        elif word == "USER":
            user = text.split(":")[0]
    if stage.name != "build":
        check(user in made_users and user != "0", f"{stage.name} ends as user {user}, not as one that it makes")
        check(stage.last("WORKDIR") and stage.last("EXPOSE"), f"{stage.name} has no folder or no port")
        check(isinstance(json.loads(stage.last("CMD")), list), f"{stage.name}'s CMD is no list of words")

by_name = dict(zip(names, stages))
start = re.search(r"^ExecStart=\S+/vigil (.*)$", unit, re.M)[1].split()
check(json.loads(by_name["streams"].last("CMD")) == ["vigil"] + start, "the image and the unit start the program differently")
check(by_name["streams"].last("STOPSIGNAL") == "SIGTERM", "streams are not ended by SIGTERM")
# What the packages of this build are called.
for stage in stages[1:]:
    for text in (t for w, t in stage.lines if w == "RUN" and "apt-get" in t):
        check("/packages/vigil_*.deb" in text, f"{stage.name} does not install the program's package")
for pattern in ("build", "build-*", ".git", "runs", "work"):
    check(pattern in (source / ".dockerignore").read_text().split("\n"), f"{pattern} would be copied into the build")
print(f"{check.n} checks passed")
