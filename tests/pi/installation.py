"""The core package in the emulated machine: its source distribution, compiled there, on real aarch64 wheels."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.pi.build import ROOT, remove
from tests.pi.machine import Finished, Machine

PYTHON = "3.11"
"""Python's version in the machine."""

GLIBC = 36
"""The machine has glibc 2.36; wheels for any older one run there."""


@dataclass(frozen=True, slots=True)
class Installed:
    """The machine with edge-asd.

    Attributes
    ----------
    machine : Machine
    seconds : float [s]
        Time that pip took to compile and install.
    """

    machine: Machine
    seconds: float

    def edge_asd(self, *arguments: object) -> Finished:
        """Run the command in the machine."""
        return self.machine.run("/work/venv/bin/edge-asd", *arguments)

    def python(self, program: str) -> Finished:
        """Run a program by the Python that edge-asd is installed for."""
        return self.machine.run("/work/venv/bin/python", "-c", program)


def install(machine: Machine) -> Installed:
    """Install the core package afresh, with no network in reach of the machine's pip."""
    remove(machine.work)
    wheels = machine.work / "wheels"
    wheels.mkdir(parents=True)
    source = _source_distribution(machine.work)
    _fetch_wheels(wheels)
    _succeeded(machine.run("python3", "-m", "venv", "/work/venv"))
    done = machine.run(
        "/work/venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index",
        "--no-compile", "--root-user-action=ignore", "--find-links", "/work/wheels", f"/work/{source.name}",
    )  # fmt: skip
    _succeeded(done)
    return Installed(machine, done.seconds)


def _source_distribution(out: Path) -> Path:
    # From a copy: what lies about in a working tree, such as a compiled front end, must not slip in.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "edge-asd"
        copy.mkdir()
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        for name in ("edge_asd", "train", "quantize", "firmware_export"):
            rubbish = shutil.ignore_patterns("__pycache__", "*.so", "*.o")
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=rubbish)
        program = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
        subprocess.run([sys.executable, "-c", program, out], cwd=copy, check=True, capture_output=True)
    (made,) = out.glob("edge_asd-*.tar.gz")
    return made


def _fetch_wheels(folder: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    platforms = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, GLIBC + 1))]
    subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--dest", folder,
            "--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON,
            *(f"--platform={platform}" for platform in platforms), *needs,
        ],
        check=True,
    )  # fmt: skip


def _succeeded(done: Finished) -> None:
    if done.code:
        raise RuntimeError(f"exit code {done.code}: {done.stdout}{done.stderr}")
