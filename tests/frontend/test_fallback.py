"""Without the C extension, or with one of other sources, NumPy takes over and says so once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_asd import frontend
from edge_asd.frontend.build_native import source_hash

ROOT = Path(frontend.__file__).resolve().parents[2]
PROGRAM = """
import numpy as np
from edge_asd import frontend
from edge_asd.frontend import fixed_point
x = np.random.default_rng(0).integers(-999, 999, 5000).astype(np.int16)
assert np.array_equal(frontend.log_mel(x), fixed_point.log_mel(x))
assert np.array_equal(frontend.Stream().push(x), fixed_point.log_mel(x))
print(frontend.implementation(), frontend.why_not_native())
"""


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `PROGRAM` on the package in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def copy_package(folder: Path, *ignored: str) -> Path:
    shutil.copytree(ROOT / "edge_asd", folder / "edge_asd", ignore=shutil.ignore_patterns("__pycache__", *ignored))
    return folder


def test_without_the_extension(tmp_path: Path) -> None:
    done = run(copy_package(tmp_path, "_native*"))
    assert done.stdout.startswith("numpy The front end runs in NumPy")
    assert done.stderr.count("The front end runs in NumPy") == 1
    assert "apt install gcc" in done.stderr


def test_stale_extension(tmp_path: Path) -> None:
    if frontend.implementation() != "native":
        pytest.skip("the C front end is not built")
    folder = copy_package(tmp_path)
    assert run(folder).stdout.startswith("native None")
    with (folder / "edge_asd" / "frontend" / "csrc" / "edge_asd_frontend.c").open("a") as source:
        source.write("/* changed */\n")
    done = run(folder)
    assert done.stdout.startswith("numpy")
    assert "it was built from other sources than the ones installed" in done.stderr


def test_build_with_and_without_a_compiler(tmp_path: Path) -> None:
    setuptools = pytest.importorskip("setuptools", minversion="77")
    assert setuptools
    for name, compiler, expected in (("with", "gcc", "native"), ("without", "no-such-compiler", "numpy")):
        folder = copy_package(tmp_path / name, "_native*")
        for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / file, folder)
        for package in ("train", "quantize", "firmware_export"):
            (folder / package).mkdir()
            (folder / package / "__init__.py").touch()
        if expected == "native" and shutil.which(compiler) is None:
            continue
        done = subprocess.run(
            [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
            capture_output=True,
            text=True,
            env={**os.environ, "CC": compiler},
            cwd=folder,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert run(folder).stdout.startswith(expected)


def test_source_hash_covers_every_c_file(tmp_path: Path) -> None:
    folder = copy_package(tmp_path) / "edge_asd" / "frontend"
    original = source_hash()
    program = "import runpy; print(runpy.run_path('build_native.py')['source_hash']())"
    seen = {original}
    for file in [None, *sorted((folder / "csrc").iterdir())]:
        if file is not None:
            file.write_bytes(file.read_bytes() + b"\n")
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=True)
        seen.add(done.stdout.strip())
    assert len(seen) == 1 + len(list((folder / "csrc").iterdir()))
