"""What other computers must have as this one has it, so that their results are the same to the last bit."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True, slots=True)
class Alike:
    """What the last bits of a job's results depend on, besides the version of Python.

    Attributes
    ----------
    packages : tuple of str
        Names of distributions.
    variables : tuple of str
        Of the environment.
    extra : str
        What to install of edge-asd for them.
    module : str
        Sets those variables that the user has not, when it is imported: a process that has not worked on a part yet
        would lack them.
    """

    packages: tuple[str, ...]
    variables: tuple[str, ...]
    extra: str
    module: str

    def here(self) -> Mapping[str, str]:
        """Return what this process has."""
        importlib.import_module(self.module)
        found = {"Python": platform.python_version()}
        found |= {name: _version(name) for name in (*FOR_PARTS, *self.packages)}
        return found | {name: os.environ.get(name, "nothing") for name in self.variables}


FOR_PARTS = ("joblib", "threadpoolctl")
"""Packages that parts come in, and are bounded by."""


@cache
def _version(package: str) -> str:
    """Look a version up, which takes milliseconds, once in a process: each part is asked for all of them."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "nothing"


SCORING = Alike(
    ("edge-asd", "numpy", "ai-edge-litert", "soxr", "soundfile", "pyarrow"), (), "archive", "edge_asd.archive"
)
"""Of scores on the device: a front end and networks of integers, and a table of them."""
