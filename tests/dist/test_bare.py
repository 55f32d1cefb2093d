"""The wheels where no compiler is: bare Debian systems, and every Python that is here."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd import __version__
from edge_asd.frontend import FeatureSpec, fixed_point
from edge_asd.frontend.c_tables import packed_tables
from tests.cli.command import edge_asd
from tests.dist import extension, probe
from tests.dist.systems import OLDEST, SYSTEMS
from tests.golden.committed import NAMES, PITCHES, made_sound
from tests.pi.build import finished, remove
from tests.pi.installation import fetch, install
from tests.pi.machine import Machine

pytestmark = pytest.mark.prove

PYTHONS = ("3.11", "3.12", "3.13")

Run = Callable[..., str]
"""Runs a program of the environment, its first argument, in the folder of files; returns what it printed."""


def twelve_seconds() -> npt.NDArray[np.int16]:
    return np.concatenate([made_sound(seed, pitch) for seed, pitch in enumerate(PITCHES)])


def no_compiler(machine: Machine) -> bool:
    compiler = re.compile(r"(.*-)?(cc|gcc|clang|as|ld)(-\d+)?")
    return not any(compiler.fullmatch(path.name) for path in (machine.root / "usr/bin").iterdir())


def check(run: Run, folder: Path, processor: str) -> dict[str, Any]:
    """The front end is the compiled one and gives the specification's bits; the committed bundles' vectors are equal."""
    sound = twelve_seconds()
    np.save(folder / "sound.npy", sound)
    shutil.copy(probe.__file__, folder / "probe.py")
    told: dict[str, Any] = json.loads(run("python", "probe.py", "sound.npy"))
    expected = hashlib.sha256(fixed_point.log_mel(sound).astype("<i4").tobytes()).hexdigest()
    assert (told["version"], told["machine"], told["why_not_native"]) == (__version__, processor, None)
    assert "site-packages" in told["place"]
    assert set(told["log_mel"].values()) == {expected}
    assert {"plain", "stream"} < told["log_mel"].keys()
    print(f"\nPython {told['python']}, {processor}, glibc {told['glibc']}: {', '.join(told['log_mel'])} equal")
    for name, bundle in NAMES.items():
        shutil.copy(bundle, folder / "bundle.easd")
        there = json.loads(run("edge-asd", "selftest", "bundle.easd", "--json"))
        here = json.loads(edge_asd("selftest", bundle, "--json").stdout)
        assert there["verdict"] == "equal"
        assert there["front_end"].startswith("C (")
        assert there["stages"] == here["stages"]
        values = sum(stage["values"] for stage in there["stages"])
        print(f"  selftest {name}: equal, {values} values, {there['runtime']}, {there['front_end']}")
    return told


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_bare_system(name: str, dist: Path) -> None:
    recipe = SYSTEMS[name]
    machine = finished(recipe)
    if machine is None:
        pytest.skip("needs that system: run make prove-dist once, as root")
    processor = {"amd64": "x86_64", "arm64": "aarch64"}[recipe.architecture]
    (wheel,) = dist.glob(f"*_{processor}.whl")
    assert no_compiler(machine)
    installed = install(machine, recipe, wheel)

    def run(program: str, *arguments: object) -> str:
        done = machine.run("sh", "-c", f'cd /work && exec venv/bin/{program} "$@"', "sh", *arguments)
        assert done.code == 0, done.stderr
        return done.stdout

    told = check(run, machine.work, processor)
    assert told["python"].startswith(f"{recipe.python}.")
    assert told["glibc"] == f"2.{recipe.glibc}"
    print(f"  {name}, installed in {installed.seconds:.0f} s")


def test_the_compiled_front_end_in_debian_11(dist: Path) -> None:
    machine = finished(OLDEST)
    if machine is None:
        pytest.skip("needs that system: run make prove-dist once, as root")
    assert no_compiler(machine)
    remove(machine.work)
    fetch(OLDEST, "install", machine.work, ["cffi", "numpy"])
    with zipfile.ZipFile(next(dist.glob("*_x86_64.whl"))) as archive:
        archive.extract("edge_asd/frontend/_native.abi3.so", machine.work)
    shutil.copy(extension.__file__, machine.work)
    sound, tables = twelve_seconds(), packed_tables(FeatureSpec())
    vectors = {"pcm": sound, "log_mel": fixed_point.log_mel(sound), "scalars": json.dumps(tables.scalars)}
    np.savez(machine.work / "vectors.npz", **vectors, **tables.arrays)
    files = ("/work/edge_asd/frontend/_native.abi3.so", "/work/vectors.npz")
    done = machine.run("python3", "/work/extension.py", *files)
    assert done.code == 0, done.stderr
    told = json.loads(done.stdout)
    print(f"\n{OLDEST.name}: {told}")
    assert (told["glibc"], told["values"]) == (f"2.{OLDEST.glibc}", vectors["log_mel"].size)
    assert set(told["differing"].values()) == {0}


def interpreter(version: str) -> str | None:
    """Find a Python of this version: on the path, or pyenv's."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [shutil.which(f"python{version}"), *sorted(root.glob(f"versions/{version}.*/bin/python{version}"))]
    for path in filter(None, found):
        # A stand-in of pyenv's may be there for a version that is not chosen.
        if subprocess.run([path, "-c", "import ensurepip, ssl"], capture_output=True).returncode == 0:
            return str(path)
    return None


@pytest.mark.parametrize("version", PYTHONS)
def test_every_python(version: str, dist: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    (wheel,) = dist.glob(f"*_{platform.machine()}.whl")
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    pip = [sys.executable, "-m", "pip", "--python", tmp_path / "venv/bin/python", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-qq", "--no-compile", "--only-binary=:all:", wheel], check=True)

    def run(program: str, *arguments: object) -> str:
        environment = {"PATH": str(tmp_path / "venv/bin"), "HOME": str(tmp_path)}
        done = subprocess.run(
            [tmp_path / "venv/bin" / program, *arguments],
            capture_output=True, text=True, cwd=tmp_path, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert check(run, tmp_path, platform.machine())["python"].startswith(f"{version}.")
