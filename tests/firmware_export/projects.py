"""Exported projects in folders, and the tools that people use on them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

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
def library(kind: str = DETECTOR, detector: str = "ae") -> Library:
    """The library of a committed bundle."""
    if kind == MODEL:
        return model_library(bundle(detector).model)
    return (detector_library if kind == DETECTOR else frontend_library)(bundle(detector))


def project(
    folder: Path, target: str, kind: str = DETECTOR, detector: str = "ae", report: Mapping[str, Any] | None = None
) -> Path:
    """Write a project into `folder`."""
    for name, text in laid_out(library(kind, detector), target, report).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def call(*command: object, folder: Path, status: int = 0, stdin: bytes = b"") -> str:
    """Run a command that must end with `status`; return what it printed. Skips where it is not installed."""
    words = [str(word) for word in command]
    if shutil.which(words[0]) is None and not Path(words[0]).exists():
        pytest.skip(f"needs {words[0]}")
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == status, text
    return text


def built(folder: Path, *options: str, build: str = "build") -> Path:
    """Configure and build with CMake, without a warning; return the folder with what was built."""
    call("cmake", "-B", build, "-S", ".", f"-DCMAKE_C_FLAGS={WARNINGS}", *options, folder=folder)
    call("cmake", "--build", build, "--parallel", "2", folder=folder)
    return folder / build


def commands(readme: str) -> str:
    """The first block of commands of a README."""
    found = re.search(r"^```\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]
