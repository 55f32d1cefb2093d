"""The packages, made once for all tests from what git tracks: a source distribution, and a wheel from that alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.once import Once

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Packages:
    """The source distribution and the wheel of this computer's processor."""

    source: Path
    wheel: Path


@pytest.fixture(scope="session")
def packages(once: Once) -> Packages:
    """Make both."""

    def make(folder: Path) -> None:
        source = source_distribution(folder)
        subprocess.run(["tar", "-xf", source, "-C", folder], check=True)
        _build("wheel", folder / source.name.removesuffix(".tar.gz"), folder)

    folder = once("packages", make)
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Packages(source, wheel)


def tracked() -> list[str]:
    """Name the files of the repository, and the links in it."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return done.stdout.rstrip("\0").split("\0")


def source_distribution(out: Path) -> Path:
    """Make the source distribution in `out`, of the files that git tracks, as they are here.

    What else lies about in a working tree, such as a compiled front end, must not slip in.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in tracked():
            copy = Path(folder, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy, follow_symlinks=False)
        return _build("sdist", Path(folder), out)


def _build(what: str, source: Path, out: Path) -> Path:
    program = f"import sys; from setuptools import build_meta; print(build_meta.build_{what}(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", program, out], cwd=source, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return out / done.stdout.splitlines()[-1]
