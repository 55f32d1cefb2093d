"""Loading the heavy stages (`train`, `quantize`, `firmware_export`) from inside a command.

Their names are common ones: a user's own ``train.py`` may lie in the way. What is loaded is
checked to be ours, and what hides it is named.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import edge_asd
from edge_asd.errors import DependencyError

_ROOT = Path(edge_asd.__file__).resolve().parent.parent

_TRAINING = ("train", ("tensorflow", "scipy", "sklearn", "matplotlib", "pyroomacoustics", "jinja2"))
_NEEDS = {
    "train": _TRAINING,
    "quantize": _TRAINING,
    "firmware_export": ("firmware", ("flatbuffers", "jinja2")),
}


def missing_modules(package: str) -> list[str]:
    """Return what is not installed of the modules that a stage's package needs."""
    return [module for module in _NEEDS[package][1] if importlib.util.find_spec(module) is None]


def load_stage(name: str) -> ModuleType:
    """Import a module of a stage, such as "train.fitting".

    Raises
    ------
    DependencyError
        If the stage is hidden by another file, or its extra is not installed.
    """
    package = name.split(".")[0]
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise DependencyError(f"The package {package!r} of edge-asd is missing. Install edge-asd again.")
    ours = _ROOT / package
    found = Path(spec.origin or next(iter(spec.submodule_search_locations or ["?"])))
    if ours not in found.resolve().parents:
        raise DependencyError(
            f"{found} hides edge-asd's own package {package!r} ({ours}). "
            "Rename it, or take its folder out of PYTHONPATH."
        )
    if missing := missing_modules(package):
        raise DependencyError(
            f"This command needs modules that are not installed: {', '.join(missing)}. "
            f"Install the extra with: pip install 'edge-asd[{_NEEDS[package][0]}]'"
        )
    return importlib.import_module(name)
