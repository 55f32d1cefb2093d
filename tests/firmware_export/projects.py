"""Exported projects in folders, and the tools that people use on them."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export.layout import laid_out
from edge_asd.firmware_export.library import (
    DETECTOR,
    FRONTEND,
    MODEL,
    Library,
    detector_library,
    frontend_library,
    model_library,
)
from tests.golden.committed import NAMES

KINDS = (DETECTOR, MODEL, FRONTEND)

WARNINGS = "-Wall -Wextra -Wconversion -Wdouble-promotion -Werror"


@cache
def bundle(detector: str = "ae") -> Bundle:
    """A committed bundle."""
    return Bundle.load(NAMES[detector])


@cache
def library(kind: str = DETECTOR, detector: str = "ae", hops: int = 1) -> Library:
    """The library of a committed bundle."""
    if kind == MODEL:
        return model_library(bundle(detector).model)
    return detector_library(bundle(detector), hops=hops) if kind == DETECTOR else frontend_library(bundle(detector))


def project(folder: Path, target: str, of: Library | None = None) -> Path:
    """Write a project into `folder`: of a library, by default `library`'s."""
    for name, text in laid_out(of or library(), target).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def need(*tools: str) -> None:
    """Skip the test where a tool is not installed."""
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        pytest.skip(f"needs {', '.join(missing)}")


def call(*command: object, folder: Path, status: int = 0, stdin: bytes = b"") -> str:
    """Run a command that must end with `status`; return what it printed. Skips where it is not installed."""
    words = [str(word) for word in command]
    if "/" not in words[0]:
        need(words[0])
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == status, text
    return text


def built(folder: Path, *options: str, build: str = "build") -> Path:
    """Configure and build with CMake as C99, without a warning; return the folder with what was built."""
    flags = (f"-DCMAKE_C_FLAGS={WARNINGS}", "-DCMAKE_C_STANDARD=99", "-DCMAKE_C_EXTENSIONS=OFF")
    call("cmake", "-B", build, "-S", ".", *flags, *options, folder=folder)
    call("cmake", "--build", build, "--parallel", "2", folder=folder)
    return folder / build


def commands(readme: str) -> str:
    """The first block of commands of a README."""
    found = re.search(r"^```\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]
