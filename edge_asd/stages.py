"""Loading the heavy stages (`train`, `quantize`, `firmware_export`) from inside a command, and what they need."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from edge_asd.errors import DependencyError

_TRAINING = (
    "train",
    ("tensorflow", "scipy", "sklearn", "matplotlib", "pyroomacoustics", "jinja2", "pooch", "requests", "joblib"),
)
_NEEDS = {
    "train": _TRAINING,
    "quantize": _TRAINING,
    "firmware_export": ("firmware", ("jinja2",)),
}


def missing_modules(stage: str) -> list[str]:
    """Return what is not installed of the modules that a stage needs."""
    return [module for module in _NEEDS[stage][1] if importlib.util.find_spec(module) is None]


def load_stage(name: str) -> ModuleType:
    """Import a module of a stage, such as "train.runs.fitting".

    Raises
    ------
    DependencyError
        If the stage's extra is not installed.
    """
    stage = name.split(".")[0]
    if missing := missing_modules(stage):
        raise DependencyError(
            f"This command needs modules that are not installed: {', '.join(missing)}. "
            f"Install the extra with: pip install 'edge-asd[{_NEEDS[stage][0]}]'"
        )
    return importlib.import_module(f"edge_asd.{name}")
