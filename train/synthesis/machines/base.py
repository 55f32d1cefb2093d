"""What all machines have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from edge_asd.clips import Domain
from edge_asd.train.data.table1 import MACHINES
from edge_asd.train.synthesis.signals import Float64

NO_FAULT = "none"


class Machine(ABC):
    """One product of a machine type, and how it runs in each domain.

    A section is a product: its parameters come from its number alone, whatever a data set's seed.

    Parameters
    ----------
    section : str
        Two digits, one of Table 1's.

    Attributes
    ----------
    NAME : str
        Machine type, as its folder is called.
    FAULTS : tuple of str
        Conditions of Table 2.
    ANECHOIC : bool
        Whether the paper recorded it in an anechoic chamber (Table 3), so that a room is added.
    """

    NAME: ClassVar[str]
    FAULTS: ClassVar[tuple[str, ...]]
    ANECHOIC: ClassVar[bool] = False

    def __init__(self, section: str) -> None:
        self.section = section
        self.product = self._product(np.random.default_rng([0xED6E, MACHINES.index(self.NAME), int(section)]))

    @abstractmethod
    def _product(self, rng: np.random.Generator) -> Any:
        """Draw the parameters of the product."""

    @abstractmethod
    def condition(self, domain: Domain, rng: np.random.Generator) -> Any:
        """Draw how the machine runs during one clip of a domain."""

    @abstractmethod
    def attributes(self, condition: Any) -> str:
        """Say in a file name how it runs."""

    @abstractmethod
    def sound(
        self, condition: Any, n: int, rng: np.random.Generator, fault: str = NO_FAULT, severity: float = 0.0
    ) -> Float64:
        """Return n samples of the machine, at a power of no meaning.

        Parameters
        ----------
        condition
            From `condition`.
        n : int > 0
        rng : Generator
        fault : str
            One of `FAULTS`; any, where `severity` is 0.
        severity : float, 0 to 1
            0 is healthy, 1 about to fail.
        """


def levels_of(fault: str, severity: float, faults: tuple[str, ...]) -> dict[str, float]:
    """Return the severity of each fault: one of them, or none."""
    return {name: severity if name == fault else 0.0 for name in faults}
