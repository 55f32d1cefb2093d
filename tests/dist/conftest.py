"""The packages of the last commit, as ``make dist`` makes them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.packages import ROOT

if TYPE_CHECKING:
    from tests.once import Once


def make_dist(clone: Path, origin: Path = ROOT) -> Path:
    """Run it in a clone, with the tools' environment of this checkout. Return the folder of packages."""
    subprocess.run(["git", "clone", "--quiet", origin, clone], check=True)
    done = subprocess.run(
        ["make", "--silent", "dist", f"DIST_VENV={ROOT / '.venv-dist'}"], cwd=clone, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"\n{done.stdout}")
    return clone / "dist"


@pytest.fixture(scope="session")
def dist(once: Once) -> Path:
    """The folder of packages."""
    return once("dist", lambda folder: make_dist(folder / "clone")) / "clone/dist"
