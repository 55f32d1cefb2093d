"""What a calibration is asked for, and what it has heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge_asd.audio.gain import Gain
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.kinds import DISTANCE
from edge_asd.calibration.spans import Span
from edge_asd.clips import DOMAINS, UNNAMED_DOMAIN, Domain
from edge_asd.distance.adapting import LEAST_SOURCE_CLIPS, LEAST_TARGET_CLIPS
from edge_asd.errors import BundleError
from edge_asd.false_alarms import check_alarms
from edge_asd.thresholds import FEW_CLIPS, false_positive_threshold, quantile_threshold

Progress = Callable[[float, float, str], None]
"""Called with what is done, all there is to do, and what else is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A threshold that is asked for.

    Attributes
    ----------
    section : str
        An autoencoder may get a section that it has not seen.
    domain : {"source", "target"}, optional
        Fit the domain's own threshold, not the section's.
    quantile : float, 0 < quantile <= 1
    false_positive_rate : float, 0 <= rate < 1, optional
        Fit by `edge_asd.thresholds.false_positive_threshold` instead.
    false_alarms_per_day : float > 0, optional
        Fit to so many alarms a day, at most, with 95 % confidence (`edge_asd.false_alarms`).
    off_level : float, "learn", "keep" or None [dB re full scale]
        The machine-off level: a given one, learnt, as before, or none.
    force : bool
        Fit on unstable scores, too.
    gain_db : float, -60 to 60 [dB]
        Digital gain put on the sound, as the monitor will do.
    adapt : bool
        Of a distance detector: learn what the section, or one of its domains, sounds like, not its threshold
        (`edge_asd.calibration.adapting`).
    """

    section: str
    domain: Domain | None = None
    quantile: float = 0.9
    false_positive_rate: float | None = None
    false_alarms_per_day: float | None = None
    off_level: float | Literal["learn", "keep"] | None = "learn"
    force: bool = False
    gain_db: float = 0.0
    adapt: bool = False

    @property
    def least_spans(self) -> int:
        """Spans that it takes."""
        if self.adapt:
            return LEAST_TARGET_CLIPS if self.domain == "target" else LEAST_SOURCE_CLIPS
        return 1 if self.domain is None else FEW_CLIPS

    def check(self, bundle: Bundle) -> None:
        """Refuse what cannot be done before any work: a value out of range, a section that the bundle cannot have.

        Raises
        ------
        EdgeAsdError
        """
        if self.adapt and bundle.kind != DISTANCE:
            raise BundleError(
                f"This bundle's detector ({bundle.detector}) cannot learn new sound without training: leave --adapt "
                "out to fit its threshold, or train anew with --model distance."
            )
        check_section(bundle, self.section, self.domain, adapt=self.adapt)
        Gain(self.gain_db)
        if self.false_alarms_per_day is not None:
            check_alarms(self.false_alarms_per_day)
        elif self.false_positive_rate is not None:
            false_positive_threshold({UNNAMED_DOMAIN: [0]}, self.false_positive_rate)
        else:
            quantile_threshold({UNNAMED_DOMAIN: [0]}, self.quantile)


@dataclass(slots=True)
class Heard:
    """Healthy sound, as far as a threshold needs it.

    Attributes
    ----------
    scores : dict of domain to list of int [Q15.16]
        Of spans that do not overlap.
    powers : list of int [LSB^2]
        Of the spans' blocks (`edge_asd.monitor.span_watch`).
    features : dict of domain to list of ndarray, int16 [shape=(2 * n_mels,), dB in Q8.7]
        Of the same spans, where a distance detector is to learn them.
    files : int
        Recordings; 0 for a microphone.
    seconds : float [s]
        Sound in the spans.
    notes : list of str
        What the user should know.
    """

    scores: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in DOMAINS})
    powers: list[int] = field(default_factory=list)
    features: dict[str, list[npt.NDArray[np.int16]]] = field(default_factory=lambda: {name: [] for name in DOMAINS})
    files: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of spans."""
        return sum(map(len, self.scores.values()))

    def add(self, spans: list[Span], domain: Domain) -> None:
        """Take spans of a domain."""
        for span in spans:
            self.scores[domain].append(span.score)
            self.powers += span.powers
            if span.features is not None:
                self.features[domain].append(span.features)


def check_section(bundle: Bundle, section: str, domain: Domain | None = None, *, adapt: bool = False) -> None:
    """Refuse a section or domain that the bundle can have no threshold for.

    Raises
    ------
    BundleError
    """
    if section in bundle.thresholds:
        return
    known = ", ".join(sorted(bundle.thresholds))
    if bundle.classes:
        raise BundleError(
            f"This bundle's model ({bundle.machine}) tells its sections {known} apart and has no class for section "
            f"{section}: it cannot score it. Choose one of these, or train anew with recordings of section {section}; "
            "an autoencoder (train --model ae) takes new sections by calibration alone."
        )
    if bundle.kind == DISTANCE and not adapt:
        raise BundleError(
            f"This bundle ({bundle.machine}) does not know what section {section} sounds like. It has: {known}. Teach "
            f"it {LEAST_SOURCE_CLIPS} score spans or more of its healthy sound with --adapt."
        )
    if domain is not None:
        raise BundleError(
            f"This bundle ({bundle.machine}) has no section {section}, so its domain {domain} can have no threshold "
            f"yet. It has: {known}. Calibrate the section first, without --domain."
        )
