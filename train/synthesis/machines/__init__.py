"""The five machines of MIMII DUE as physical models: base.py says what a machine is, one module each makes it."""

from __future__ import annotations

from functools import cache

from edge_asd.errors import DataError
from edge_asd.train.data.table1 import MACHINES, table1
from edge_asd.train.synthesis.machines.base import NO_FAULT, Machine
from edge_asd.train.synthesis.machines.fan import Fan
from edge_asd.train.synthesis.machines.gearbox import Gearbox
from edge_asd.train.synthesis.machines.pump import Pump
from edge_asd.train.synthesis.machines.slider import Slider
from edge_asd.train.synthesis.machines.valve import Valve

__all__ = ["MODELS", "NO_FAULT", "Machine", "machine_of"]

MODELS: dict[str, type[Machine]] = {model.NAME: model for model in (Fan, Gearbox, Pump, Slider, Valve)}
"""Models by machine type."""


@cache
def machine_of(machine: str, section: str) -> Machine:
    """Return the product of a section: always the same one.

    Raises
    ------
    DataError
        If Table 1 has no such machine or section.
    """
    if machine not in MODELS:
        raise DataError(f"There is no synthetic {machine!r}. There are: {', '.join(MACHINES)}.")
    if (machine, section) not in table1():
        raise DataError(f"There is no synthetic section {section!r} of {machine}. There are 00 to 05, as in Table 1.")
    return MODELS[machine](section)
