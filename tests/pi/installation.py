"""The core package in a machine, on the wheels that users get: its source distribution, compiled there, or a wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.packages import ROOT, source_distribution
from tests.pi.build import PI, Recipe, remove
from tests.pi.machine import Finished, Machine


@dataclass(frozen=True, slots=True)
class Installed:
    """The machine with edge-asd.

    Attributes
    ----------
    machine : Machine
    seconds : float [s]
        Time that pip took.
    """

    machine: Machine
    seconds: float

    def edge_asd(self, *arguments: object) -> Finished:
        """Run the command in the machine."""
        return self.machine.run("/work/venv/bin/edge-asd", *arguments)

    def python(self, program: str) -> Finished:
        """Run a program by the Python that edge-asd is installed for."""
        return self.machine.run("/work/venv/bin/python", "-c", program)


def install(machine: Machine, recipe: Recipe = PI, wheel: Path | None = None) -> Installed:
    """Install the core package afresh, with no network in reach of the machine's pip.

    Parameters
    ----------
    machine : Machine
    recipe : Recipe
        By which it was built.
    wheel : Path, optional
        What to install; by default the source distribution, which the machine compiles.
    """
    remove(machine.work)
    wheels = machine.work / "wheels"
    wheels.mkdir(parents=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = project["project"]["dependencies"]
    if wheel is None:
        package = source_distribution(machine.work)
        needs += project["build-system"]["requires"]
    else:
        package = Path(shutil.copy(wheel, machine.work))
    fetch(recipe, "download", wheels, needs)
    _succeeded(machine.run("python3", "-m", "venv", "/work/venv"))
    done = machine.run(
        "/work/venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index",
        "--no-compile", "--root-user-action=ignore", "--find-links", "/work/wheels", f"/work/{package.name}",
    )  # fmt: skip
    _succeeded(done)
    return Installed(machine, done.seconds)


def fetch(recipe: Recipe, how: str, folder: Path, needs: list[str]) -> None:
    """Have pip ``download`` the wheels for a machine into a folder, or ``install`` what is in them there."""
    processor = {"amd64": "x86_64", "arm64": "aarch64"}[recipe.architecture]
    platforms = [f"manylinux2014_{processor}", *(f"manylinux_2_{n}_{processor}" for n in range(17, recipe.glibc + 1))]
    subprocess.run(
        [
            sys.executable, "-m", "pip", how, "-qq", "--disable-pip-version-check", "--only-binary=:all:",
            {"download": "--dest", "install": "--target"}[how], folder,
            "--implementation", "cp", "--python-version", recipe.python,
            *(f"--platform={platform}" for platform in platforms), *needs,
        ],
        check=True,
    )  # fmt: skip


def _succeeded(done: Finished) -> None:
    if done.code:
        raise RuntimeError(f"exit code {done.code}: {done.stdout}{done.stderr}")
