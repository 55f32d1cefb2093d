"""Which faults a detector hears, by its decisions: search after search, in all threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from edge_asd.quantize.evaluation.probe.faults import BANDS, FAULTS, Band, fault_wave
from edge_asd.quantize.evaluation.probe.levels import (
    Heard,
    levels_within,
    loudest_level,
    mixed,
    search,
    share_level,
    softest_level,
)
from edge_asd.quantize.evaluation.scoring import in_threads
from edge_asd.thresholds import is_anomalous

SEED = 0
"""The faults are drawn from it, the section, the clip's number in it, the band and the fault."""


Score = Callable[[npt.NDArray[np.int16], str], int]
"""Takes a clip at `edge_asd.train.synthesis.signals.SAMPLE_RATE` and its section, from any thread."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A healthy clip that faults are mixed into; without one, its score is not over the threshold.

    Attributes
    ----------
    section : str
    number : int >= 0
        Its own among the section's.
    threshold : int
        In the unit of the scores.
    pcm : ndarray, int16 [shape=(n,)]
    """

    section: str
    number: int
    threshold: int
    pcm: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Hearing:
    """How loud one kind of fault must be in one band of a section's sound; levels relative to the machine's own.

    Attributes
    ----------
    section : str
    fault : str
    band : Band
    level_half_db, level_90_db : int or None [dB]
        The softest level from which on half of the clips are flagged, and nine tenths; None where they are not up to
        the loudest that was tried.
    loudest_db, softest_db : int or None [dB]
        The loudest and the softest level that were tried in at least half of the clips each.
    clips : int
        Clips that the fault was mixed into.
    lost : int
        Of them, those that are flagged at a softer level, but not at the loudest.
    """

    section: str
    fault: str
    band: Band
    level_half_db: int | None
    level_90_db: int | None
    loudest_db: int | None
    softest_db: int | None
    clips: int
    lost: int

    @property
    def levels_text(self) -> str:
        """Both levels for tables and pictures, a dash where there is none."""
        levels = (self.level_half_db, self.level_90_db)
        return " / ".join("-" if level is None else f"{level:+d}" for level in levels) if self.clips else "not tried"

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON."""
        return {
            "section": self.section,
            "band_low_hz": self.band.low_hz,
            "band_high_hz": self.band.high_hz,
            "fault": self.fault,
            "level_half_db": self.level_half_db,
            "level_90_db": self.level_90_db,
            "loudest_db": self.loudest_db,
            "softest_db": self.softest_db,
            "clips": self.clips,
            "clips_lost": self.lost,
        }


def hearings(
    score: Score,
    subjects: Sequence[Subject],
    progress: Callable[[int, int], None] = lambda *_: None,
    *,
    bands: Sequence[Band] = BANDS,
    faults: Sequence[str] = FAULTS,
    seed: int = SEED,
) -> list[Hearing]:
    """Mix every fault in every band into every clip, and search for the level from which on it is heard.

    Parameters
    ----------
    score : callable
        The detector.
    subjects : sequence of Subject
    progress : callable, optional
        Called with (searches done, searches).
    bands : sequence of Band
    faults : sequence of str
    seed : int >= 0

    Returns
    -------
    found : list of Hearing
        By section, fault and band.
    """

    def one(task: tuple[Subject, str, Band]) -> Heard | None:
        subject, fault, band = task
        key = [seed, int(subject.section), subject.number, BANDS.index(band), FAULTS.index(fault)]
        clip = subject.pcm.astype(np.float64)
        wave = fault_wave(fault, clip, band, np.random.default_rng(key))
        if wave is None:
            return None
        levels = levels_within(subject.pcm, wave)
        if not levels:
            return None

        def heard(level: int) -> bool:
            mix = mixed(subject.pcm, wave, level)
            assert mix is not None  # the levels are those at which it can be made
            return is_anomalous(score(mix, subject.section), subject.threshold)

        return search(heard, levels)

    tasks = list(product(subjects, faults, bands))
    results: dict[tuple[str, str, Band], list[Heard]] = {}
    for (subject, fault, band), result in zip(tasks, in_threads(one, tasks, progress), strict=True):
        results.setdefault((subject.section, fault, band), []).extend([] if result is None else [result])
    return [
        Hearing(
            section=section,
            fault=fault,
            band=band,
            level_half_db=share_level(group, 5),
            level_90_db=share_level(group, 9),
            loudest_db=loudest_level(group),
            softest_db=softest_level(group),
            clips=len(group),
            lost=sum(result.lost for result in group),
        )
        for (section, fault, band), group in results.items()
    ]
