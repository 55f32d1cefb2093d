"""What ``make dist`` makes, for which systems, and that it makes the same again."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from edge_asd import __version__
from tests.dist.conftest import make_dist
from tests.packages import ROOT, Packages

pytestmark = pytest.mark.prove

EXTENSION = "edge_asd/frontend/_native.abi3.so"


def test_it_makes_a_source_distribution_and_two_wheels_for_old_systems(dist: Path) -> None:
    names = sorted(path.name for path in dist.iterdir())
    wheel = f"edge_asd-{__version__}-cp311-abi3-manylinux2014_{{0}}.manylinux_2_17_{{0}}.whl"
    assert names == sorted(
        ["SHA256SUMS", f"edge_asd-{__version__}.tar.gz", wheel.format("aarch64"), wheel.format("x86_64")]
    )
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=dist, capture_output=True, text=True)
    assert (done.returncode, done.stdout.count(": OK")) == (0, 3), done.stderr


def test_the_wheels_differ_in_the_compiled_front_end_alone(dist: Path) -> None:
    held = []
    for wheel in sorted(dist.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            held.append({name: archive.read(name) for name in archive.namelist()})
    one, other = held
    assert one.keys() == other.keys()
    about = f"edge_asd-{__version__}.dist-info"
    assert {name for name in one if one[name] != other[name]} == {EXTENSION, f"{about}/RECORD", f"{about}/WHEEL"}
    # Two bytes at 18 are the processor.
    assert {content[EXTENSION][18] for content in held} == {62, 183}
    # Of nobody's computer.
    assert not [content for content in held if re.search(rb"/(home|root|tmp|usr)/", content[EXTENSION])]


def test_they_hold_what_the_plain_build_holds(dist: Path, packages: Packages) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as one, tarfile.open(packages.source) as other:
        files = [{file.name: tar.extractfile(file).read() for file in tar if file.isfile()} for tar in (one, other)]  # type: ignore[union-attr]
    assert files[0] == files[1]
    names = []
    for path in (next(dist.glob("*x86_64.whl")), packages.wheel):
        with zipfile.ZipFile(path) as archive:
            names.append({name for name in archive.namelist() if not name.endswith("/")})
    assert names[0] == names[1]


def test_the_same_commit_gives_the_same_bytes(
    dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("CFLAGS", "-O0 -g")
    before = os.umask(0o077)
    try:
        again = make_dist(tmp_path / "elsewhere", dist.parent)
    finally:
        os.umask(before)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in dist.iterdir()
    }


def clone_of(dist: Path, folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", dist.parent, folder], check=True)
    return folder


def run_dist(clone: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / ".venv-dist/bin/python", ".ci/dist.py"], cwd=clone, capture_output=True, text=True)


def test_what_is_not_committed_is_told_and_left_out(dist: Path, tmp_path: Path) -> None:
    clone = clone_of(dist, tmp_path / "clone")
    (clone / "edge_asd/start.py").write_text("changed")
    (clone / "edge_asd/new.py").write_text("new")
    done = run_dist(clone)
    assert (done.returncode, done.stderr) == (0, "Not in the packages, as it is not committed: edge_asd/start.py\n")
    assert (clone / "dist/SHA256SUMS").read_bytes() == (dist / "SHA256SUMS").read_bytes()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("void nowhere(void); void edge_asd_lost(void) { nowhere(); }", "nobody defines nowhere in edge_asd-"),
        ("double sqrt(double); double edge_asd_root(double x) { return sqrt(x); }", "nobody defines sqrt in edge_asd-"),
        ("#error no", "the C front end was not compiled into edge_asd-"),
        ("int PyUnicode_AsWideCharString(void); void *edge_asd_wide = PyUnicode_AsWideCharString;", None),
        ("int _PyLong_Sign(void); void *edge_asd_private = _PyLong_Sign;", "abi3audit"),
    ],
)
def test_a_front_end_that_is_broken_is_refused(dist: Path, tmp_path: Path, code: str, words: str | None) -> None:
    clone = clone_of(dist, tmp_path / "clone")
    with (clone / "edge_asd/frontend/csrc/edge_asd_frontend.c").open("a") as source:
        source.write(f"\n{code}\n")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, "commit", "--quiet", "--all", "--message", "Break it"], cwd=clone, check=True)
    (clone / "dist").mkdir()
    (clone / "dist/before").touch()
    done = run_dist(clone)
    if words is None:  # of the stable ABI, unlike the private one
        assert done.returncode == 0, done.stderr
        return
    assert (done.returncode, words in done.stderr) == (1, True), done.stderr
    assert [path.name for path in (clone / "dist").iterdir()] == ["before"]
