"""The packages hold what a build and a device need, and nothing else; the version has one source."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tomllib
import zipfile

import pytest

from edge_asd import __version__
from tests.packages import ROOT, Packages, tracked

STAGES = ("train", "quantize", "firmware_export")
BUILD = {"LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"}
GENERATED = {"PKG-INFO", "setup.cfg"}


@pytest.fixture(scope="module")
def package_files() -> dict[str, bytes]:
    """Every file of the four packages, by the name that it has when installed."""
    placed = {}
    for name in tracked():
        top, _, rest = name.partition("/")
        if rest and (top == "edge_asd" or top in STAGES) and (ROOT / name).is_file():
            placed[name if top == "edge_asd" else f"edge_asd/{name}"] = (ROOT / name).read_bytes()
    return placed


def test_the_source_distribution_holds_what_a_build_needs(
    packages: Packages, package_files: dict[str, bytes]
) -> None:
    with tarfile.open(packages.source) as archive:
        members = [member for member in archive.getmembers() if not member.isdir()]
        assert all(member.isfile() for member in members)  # no link that leads out of it
        found = {
            member.name.removeprefix(f"edge_asd-{__version__}/"): archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in members
        }
    made = {name for name in found if name.startswith("edge_asd.egg-info/")} | GENERATED
    assert {name: found[name] for name in found.keys() - made - BUILD} == package_files
    assert {name: found[name] for name in BUILD} == {name: (ROOT / name).read_bytes() for name in BUILD}


def test_the_wheel_from_it_holds_the_packages(packages: Packages, package_files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(packages.wheel) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    about = {name for name in found if name.startswith(f"edge_asd-{__version__}.dist-info/")}
    compiled = {"edge_asd/frontend/_native.abi3.so"}
    assert {name: found[name] for name in found.keys() - about - compiled} == package_files
    assert compiled <= found.keys()
    assert found[f"edge_asd-{__version__}.dist-info/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_version_has_one_source(packages: Packages) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "edge_asd.__version__"}
    assert packages.source.name == f"edge_asd-{__version__}.tar.gz"
    assert packages.wheel.name.startswith(f"edge_asd-{__version__}-cp311-abi3-")
    # Nowhere else in what is shipped, or what builds it.
    stated = re.compile(rf"(?<![\w.=]){re.escape(__version__)}(?![\w.])")
    places = ["edge_asd", *STAGES, "pyproject.toml", "setup.py", "Makefile", ".ci"]
    listed = subprocess.run(["git", "ls-files", "-z", *places], cwd=ROOT, capture_output=True, check=True, text=True)
    texts = {name: ROOT / name for name in listed.stdout.rstrip("\0").split("\0") if (ROOT / name).is_file()}
    assert [name for name, path in texts.items() if stated.search(path.read_text(errors="replace"))] == [
        "edge_asd/__init__.py"
    ]
