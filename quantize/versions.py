"""Versions of what computes the results, for manifests and reports."""

from __future__ import annotations

import platform
from importlib.metadata import version

from edge_asd import __version__
from edge_asd.interpreter import runtime_name
from edge_asd.train.backend import import_tensorflow


def versions() -> dict[str, str]:
    """Return versions by name."""
    return {
        "edge-asd": __version__,
        "tensorflow": import_tensorflow().__version__,
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "runtime": runtime_name(),
    }
