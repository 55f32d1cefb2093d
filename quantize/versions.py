"""Versions of what computes the results, for manifests and reports."""

from __future__ import annotations

import platform
from importlib.metadata import version

from edge_asd import __version__
from edge_asd.interpreter import runtime_name
from edge_asd.train.backend import import_tensorflow


def versions(*, network: bool = True) -> dict[str, str]:
    """Return versions by name; TensorFlow is loaded, which takes seconds, for a network alone."""
    fitted_by = "tensorflow" if network else "scikit-learn"
    return {
        "edge-asd": __version__,
        fitted_by: import_tensorflow().__version__ if network else version(fitted_by),
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "runtime": runtime_name(),
    }
