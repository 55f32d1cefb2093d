"""What an evaluation says of healthy clips alone: how often they are flagged, and what would be heard in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from edge_asd.binomial import clopper_pearson
from edge_asd.bundle.bundle import Bundle
from edge_asd.frontend import log_mel
from edge_asd.quantize.evaluation.probe import words
from edge_asd.quantize.evaluation.probe.detection import Hearing, Score, Subject, hearings
from edge_asd.quantize.evaluation.probe.picture import hears_picture
from edge_asd.quantize.evaluation.scoring import ShippedScorer
from edge_asd.thresholds import is_anomalous
from edge_asd.train.data.dataset import Clip
from edge_asd.train.synthesis.signals import SAMPLE_RATE

PICTURE = "hears.png"

_CLIPS, _CLIPS_OF_CLASSIFIERS = 12, 4
"""Healthy clips of a section that faults are mixed into; a classifier takes twenty times as long."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A test clip, its score in the shipped arithmetic, and the threshold that decides [both Q15.16]."""

    clip: Clip
    score: int
    threshold: int

    @property
    def healthy(self) -> bool:
        """It is known to be."""
        return self.clip.name.label == "normal"

    @property
    def flagged(self) -> bool:
        """The detector calls it anomalous."""
        return is_anomalous(self.score, self.threshold)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many healthy test clips of a section and domain are flagged, and the rate's exact 95 % interval."""

    section: str
    domain: str | None
    flagged: int
    clips: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Report:
    """False alarms, and what would be heard.

    Attributes
    ----------
    false_alarms : list of FalseAlarms
        By section and domain; those without healthy clips are left out.
    hears : list of Hearing or None
        None where it was not asked.
    notes : list of str
    """

    false_alarms: list[FalseAlarms]
    hears: list[Hearing] | None = None
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON, without the notes."""
        return {
            "false_alarms": [asdict(row) for row in self.false_alarms],
            "hears": None if self.hears is None else [hearing.as_dict() for hearing in self.hears],
        }

    @property
    def sections(self) -> dict[str, list[Hearing]]:
        """What was found, by section."""
        found: dict[str, list[Hearing]] = {}
        for hearing in self.hears or ():
            found.setdefault(hearing.section, []).append(hearing)
        return found

    def summaries(self) -> list[str]:
        """Say for people what each section would hear, best and worst."""
        return [words.summary(group) for group in self.sections.values()]

    def draw(self, folder: Path, title: str) -> None:
        """Write `PICTURE` where there is something to see; an earlier one goes where there is nothing."""
        if self.hears:
            hears_picture(folder / PICTURE, self.sections, title=title)
        else:
            (folder / PICTURE).unlink(missing_ok=True)


def report(
    bundle: Bundle,
    judged: Sequence[Judged],
    wanted: bool | None,
    *,
    own_set: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Report:
    """Count false alarms, and mix faults into healthy clips where that is wanted.

    Parameters
    ----------
    bundle : Bundle
    judged : sequence of Judged
        All test clips that were evaluated.
    wanted : bool, optional
        Whether to probe with faults. By default in sections without an anomalous clip, and in all of a set that is
        the user's own.
    own_set : bool
        The set is the user's own recordings.
    progress : callable, optional
        Called with (searches done, searches).

    Raises
    ------
    DataError
        If a clip can no longer be read.
    """
    sections = sorted({item.clip.name.section for item in judged})
    if not (wanted or own_set):
        # Unlabelled clips are neither: without healthy ones there is nothing to mix faults into.
        anomalous = {item.clip.name.section for item in judged if item.clip.name.label == "anomaly"}
        healthy = {item.clip.name.section for item in judged if item.healthy}
        sections = [section for section in sections if section in healthy - anomalous]
    rows = _false_alarms(judged)
    if wanted is False or not sections:
        return Report(rows)
    notes: list[str] = []
    if bundle.features.sample_rate != SAMPLE_RATE:
        return Report(rows, [], [f"Faults are made at {SAMPLE_RATE} Hz alone: what it would hear was not tried."])
    subjects = []
    for section in sections:
        found, problem = healthy_subjects(bundle, section, judged)
        subjects += found
        notes += [problem] if problem else []
    return Report(rows, hearings(shipped_score(bundle), subjects, progress), notes)


def shipped_score(bundle: Bundle) -> Score:
    """Return what scores sound as the monitor does: the shipped front end, then the int8 model."""
    scorer = ShippedScorer(bundle)
    return lambda pcm, section: scorer.score(log_mel(pcm, bundle.features), section)


def healthy_subjects(
    bundle: Bundle, section: str, judged: Sequence[Judged], count: int | None = None
) -> tuple[list[Subject], str]:
    """Choose some of a section's healthy clips that are not flagged, spread evenly, and read them.

    Parameters
    ----------
    bundle : Bundle
    section : str
    judged : sequence of Judged
        Test clips of any section.
    count : int, optional
        How many; 12 by default, or 4 where the detector is a classifier.

    Returns
    -------
    subjects : list of Subject
    problem : str
        Why there are none; "" where there are some.
    """
    healthy = [item for item in judged if item.healthy and item.clip.name.section == section]
    quiet = sorted((item for item in healthy if not item.flagged), key=lambda item: item.clip.key)
    if not healthy:
        return [], f"Section {section} has no test clips known to be healthy, into which faults could be mixed."
    if not quiet:
        return [], (
            f"Section {section}: all {len(healthy)} healthy test clips are flagged as they are, so that faults in "
            "them would tell nothing. Fit its threshold anew: quantize --false-positive-rate, or calibrate."
        )
    count = min(len(quiet), count or (_CLIPS_OF_CLASSIFIERS if bundle.kind.classifies else _CLIPS))
    chosen = np.unique(np.linspace(0, len(quiet) - 1, count).round().astype(int))
    subjects = [
        Subject(section, number, item.threshold, item.clip.read(bundle.features, bundle.window_frames).pcm)
        for number, item in enumerate(quiet[i] for i in chosen)
    ]
    return subjects, ""


def _false_alarms(judged: Sequence[Judged]) -> list[FalseAlarms]:
    cells: dict[tuple[str, str | None], list[bool]] = {}
    for item in judged:
        if item.healthy:
            cells.setdefault((item.clip.name.section, item.clip.name.domain), []).append(item.flagged)
    return [
        FalseAlarms(
            section, domain, sum(flags), len(flags), sum(flags) / len(flags), *clopper_pearson(sum(flags), len(flags))
        )
        for (section, domain), flags in sorted(cells.items(), key=lambda cell: (cell[0][0], cell[0][1] or ""))
    ]
