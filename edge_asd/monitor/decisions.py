"""What the engine says: decisions, with what they rest on, and changes of the input."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on the stretch of sound that ends at `time_s`.

    Attributes
    ----------
    time_s : float [s]
        End of the last frame scored, counted in samples since the start.
    section : str
    score, threshold : int [Q15.16]
    anomaly : bool
        The score is greater than the threshold.
    """

    time_s: float
    section: str
    score: int
    threshold: int
    anomaly: bool


class Condition(StrEnum):
    """What can be the matter with the input."""

    no_signal = "no signal"
    """No sound comes at all."""
    dead = "dead"
    """It is constant (`edge_asd.audio.health`)."""
    off = "off"
    """It is quieter than the machine ever is."""
    overloaded = "overloaded"
    """More comes than can be scored."""
    clipped = "clipped"
    """Too many samples are at full scale."""


@dataclass(frozen=True, slots=True)
class InputChange:
    """A condition of the input began, or ended.

    Attributes
    ----------
    time_s : float [s]
        Counted in samples since the start. A dead input is told where it had been constant for half a second, or where
        it was so no longer.
    condition : Condition
    began : bool
        False if it ended.
    text : str, optional
        What else there is to say, for people.
    """

    time_s: float
    condition: Condition
    began: bool
    text: str | None = None


class Verdict(NamedTuple):
    """A decision that fell due, with what keeps it from being made, and what its span holds.

    Attributes
    ----------
    decision : Decision
    level_db : float [dB re full scale]
        RMS of the span; -inf for zeros.
    dead, off : bool
        Part of the span is dead, or quieter than the machine ever is: the decision counts for nothing.
    clipped : bool
        Too many of its samples are at full scale: the score means little.
    """

    decision: Decision
    level_db: float
    dead: bool
    off: bool
    clipped: bool

    @property
    def made(self) -> bool:
        """Whether the decision counts."""
        return not (self.dead or self.off)

    @property
    def time_s(self) -> float:
        """The decision's."""
        return self.decision.time_s
