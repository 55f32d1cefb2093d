"""What a source's records rest on: its bundle and its rule of alarms, noted once each time it starts."""

from __future__ import annotations

from dataclasses import dataclass

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.kinds import KINDS
from edge_asd.bundle.policy import Policy


@dataclass(frozen=True, slots=True)
class Origin:
    """A source as it was started.

    Attributes
    ----------
    source, section : str
    rate : int [Hz]
        Of its sound and its sample counter.
    machine : str
    bundle : str
        `Bundle.digest`.
    unit : str
        Of the scores.
    policy : Policy
    """

    source: str
    section: str
    rate: int
    machine: str
    bundle: str
    unit: str
    policy: Policy

    @classmethod
    def of(cls, source: str, section: str, bundle: Bundle, policy: Policy) -> Origin:
        """Take it from the bundle that judges the source."""
        unit = KINDS[bundle.detector].unit
        return cls(source, section, bundle.features.sample_rate, bundle.machine, bundle.digest, unit, policy)
