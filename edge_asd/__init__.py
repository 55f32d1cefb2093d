"""Anomalous sound detection on small computers.

For programs::

    import edge_asd

    detector = edge_asd.load("fan.easd", section="00")
    print(detector.score("clip.wav"))

`load` gives a `Detector`, which scores arrays and files and follows streams; a `Decision` is what it says;
everything it refuses is an `EdgeAsdError`. The names in `__all__` are kept; all others may move. Nothing
is imported before a name is used.

Inside: the front end (`frontend`), the detectors' scores (`detectors`), the bundle that stages hand on
(`bundle`), sound input (`audio`) and the monitor (`monitor`); docs/architecture.md shows the way.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "AudioDeviceError",
    "AudioFormatError",
    "Bundle",
    "BundleError",
    "ClusterError",
    "ConfigError",
    "DataError",
    "Decision",
    "DependencyError",
    "Detector",
    "DownloadError",
    "EdgeAsdError",
    "ModelError",
    "NoSuchDeviceError",
    "OutputError",
    "SweepError",
    "UnavailableDeviceError",
    "__version__",
    "load",
]

if TYPE_CHECKING:
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.errors import (
        AudioDeviceError,
        AudioFormatError,
        BundleError,
        ClusterError,
        ConfigError,
        DataError,
        DependencyError,
        DownloadError,
        EdgeAsdError,
        ModelError,
        NoSuchDeviceError,
        OutputError,
        SweepError,
        UnavailableDeviceError,
    )
    from edge_asd.interface import Detector, load
    from edge_asd.monitor.decisions import Decision

_PLACES = {
    "Bundle": "edge_asd.bundle.bundle",
    "Decision": "edge_asd.monitor.decisions",
    "Detector": "edge_asd.interface",
    "load": "edge_asd.interface",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'edge_asd' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES.get(name, "edge_asd.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
