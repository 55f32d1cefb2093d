"""The core package in the emulated machine: its source distribution, compiled there, on real aarch64 wheels."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.packages import ROOT, source_distribution
from tests.pi.build import remove
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
    source = source_distribution(machine.work)
    _fetch_wheels(wheels)
    _succeeded(machine.run("python3", "-m", "venv", "/work/venv"))
    done = machine.run(
        "/work/venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index",
        "--no-compile", "--root-user-action=ignore", "--find-links", "/work/wheels", f"/work/{source.name}",
    )  # fmt: skip
    _succeeded(done)
    return Installed(machine, done.seconds)


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
