"""Trying a Dockerfile where no engine runs: its steps in bare systems that debootstrap makes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def instructions(text: str) -> list[tuple[str, str]]:
    """Split a Dockerfile into its instructions: their names and the rest of them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined)]


def copy_context(folder: Path) -> Path:
    """Copy what an engine would be given of this repository, by docs/docker/Dockerfile.dockerignore."""
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "_native*")
    for line in (ROOT / "docs/docker/Dockerfile.dockerignore").read_text().splitlines():
        if not line.startswith("!"):
            continue
        path = ROOT / line.removeprefix("!")
        if path.is_dir():
            shutil.copytree(path, folder / path.name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(path, folder)
    return folder


def apt_mirror(suite: str) -> str | None:
    """Where this machine's own packages of a suite come from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {suite}"]
    found = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return found[0] if found else None


@dataclass
class Image:
    """A stage of a Dockerfile, as a folder.

    Attributes
    ----------
    root : Path
    environment : dict of str
    user : str
    healthcheck, entrypoint, command : list of str
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    healthcheck: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def popen(self, words: list[str], user: str | None = None) -> subprocess.Popen[str]:
        """Start a program in it, with processes of its own."""
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **self.environment}
        if CERTIFICATES.is_file():
            shutil.copy(CERTIFICATES, self.root / "etc/host-certificates.crt")
            environment["PIP_CERT"] = "/etc/host-certificates.crt"
        kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        assigned = [f"{name}={value}" for name, value in {**kept, **environment}.items()]
        away = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root}/proc"]
        inside = ["chroot", f"--userspec={user or self.user}", str(self.root), "/usr/bin/env", "-i", *assigned, *words]
        return subprocess.Popen(
            [*away, *inside], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, words: list[str]) -> tuple[int, str]:
        """Run a program in it to its end: exit code and all that it says."""
        with self.popen(words) as process:
            out, _ = process.communicate(timeout=1800)
            return process.returncode, out


def build(dockerfile: Path, context: Path, folder: Path) -> Image:
    """Do what a Dockerfile says; return its last stage."""
    stages: dict[str, Image] = {}
    image = Image(folder)
    for name, rest in instructions(dockerfile.read_text()):
        words = shlex.split(rest) if name in ("FROM", "COPY", "ENV", "USER") else []
        if name == "FROM":
            image = Image(folder / f"stage{len(stages)}")
            stages[words[2] if len(words) > 1 else ""] = image
            _bare_system(words[0], folder, image.root)
        elif name == "RUN":
            done, out = image.run(["/bin/sh", "-c", rest])
            assert done == 0, f"RUN {rest}\n{out[-3000:]}"
        elif name == "COPY":
            _copy(words, stages, context, image.root)
        elif name == "ENV":
            image.environment |= dict(word.split("=", 1) for word in words)
        elif name == "USER":
            image.user = rest
        elif name == "HEALTHCHECK":
            image.healthcheck = json.loads(rest.partition(" CMD ")[2])
        elif name == "ENTRYPOINT":
            image.entrypoint = json.loads(rest)
        elif name == "CMD":
            image.command = json.loads(rest)
        else:
            assert name == "VOLUME", name
    return image


def _bare_system(name: str, folder: Path, root: Path) -> None:
    """Make what the image debian:SUITE-slim holds."""
    suite = name.removeprefix("debian:").removesuffix("-slim")
    base = folder / suite
    if not base.exists():
        mirror = apt_mirror(suite)
        command = ["debootstrap", "--variant=minbase", suite, str(base), *([mirror] if mirror else [])]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=1800)
    subprocess.run(["cp", "-a", str(base), str(root)], check=True)


def _copy(words: list[str], stages: dict[str, Image], context: Path, root: Path) -> None:
    source = context
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].root
    *files, target = words
    place = root / target.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if target.endswith("/"):
        place.mkdir(exist_ok=True)
    for file in files:
        subprocess.run(["cp", "-a", "--no-preserve=ownership", f"{source}/{file.lstrip('/')}", str(place)], check=True)
