"""What an evaluation says of flagged test clips: which bands moved in each, and in a section's as a whole."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_asd.bundle.bundle import Bundle
from edge_asd.heard.explaining import Explainer, Explanation, why_not
from edge_asd.heard.moved import Moved
from edge_asd.heard.ranges import MOST_RANGES, Floats
from edge_asd.heard.words import heard_text, range_text, way_text
from edge_asd.quantize.evaluation.heard.picture import heard_figure
from edge_asd.train.data.dataset import Clip
from edge_asd.train.features.store import ClipFeatures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from edge_asd.quantize.evaluation.probe.report import Judged

PICTURE = "heard.png"

_FEWEST = 0.1
"""Share of a section's flagged clips that a range must be named for to be told of the section."""

_QUIET_CLIPS = 20
"""Clips of a section that are not flagged, for the picture's comparison."""


@dataclass(frozen=True, slots=True)
class HeardClip:
    """A flagged clip, and what its score is about."""

    clip: Clip
    explanation: Explanation

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON."""
        moved = self.explanation.moved
        return {
            "section": self.clip.name.section,
            "clip": self.clip.path.name,
            "label": self.clip.name.label,
            "domain": self.clip.name.domain,
            "text": heard_text(moved),
            "ranges": [asdict(one) for one in moved],
        }


@dataclass(frozen=True, slots=True)
class Common:
    """A range that moved in several clips.

    Attributes
    ----------
    moved : Moved
        What most of them share: medians over the clips, and the bands that at least half of them name.
    clips : int
    """

    moved: Moved
    clips: int


@dataclass(frozen=True, slots=True)
class HeardSection:
    """A section's flagged clips.

    Attributes
    ----------
    section : str
    clips : list of HeardClip
    common : list of Common
        Ranges that are named for most of them, most first.
    named : ndarray, float64, 0 to 1 [shape=(n_mels,)]
        Share of them that each band is named for.
    quiet : list of Explanation
        Of some clips that are not flagged.
    """

    section: str
    clips: list[HeardClip]
    common: list[Common]
    named: Floats
    quiet: list[Explanation]

    @property
    def text(self) -> str:
        """Say it in words."""
        count = len(self.clips)
        ranges = "; ".join(
            f"{range_text(one.moved.low_hz, one.moved.high_hz)}: {way_text(one.moved)} (in {one.clips})"
            for one in self.common
        )
        clips = f"{count} flagged clip{'' if count == 1 else 's'}"
        return f"Section {self.section}, {clips}: {ranges or 'no band stands out'}."

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON."""
        return {
            "section": self.section,
            "clips": len(self.clips),
            "text": self.text,
            "ranges": [{**asdict(one.moved), "clips": one.clips} for one in self.common],
        }


@dataclass(frozen=True, slots=True)
class HeardReport:
    """What was heard.

    Attributes
    ----------
    sections : list of HeardSection
        Those with flagged clips.
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
        Of the bands.
    why_not : str
        Why it cannot be told; "" where it can.
    """

    sections: list[HeardSection] = field(default_factory=list)
    limits: Floats = field(default_factory=lambda: np.empty(0))
    why_not: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON: null where it cannot be told."""
        if self.why_not:
            return {"heard": None}
        clips = [clip.as_dict() for one in self.sections for clip in one.clips]
        return {"heard": {"sections": [one.as_dict() for one in self.sections], "clips": clips}}

    def figure(self, title: str) -> Figure | None:
        """Draw it; None where there is nothing to see."""
        if not self.sections:
            return None
        return heard_figure(
            {one.section: ([clip.explanation for clip in one.clips], one.quiet, one.named) for one in self.sections},
            self.limits,
            title=title,
        )

    def draw(self, folder: Path, title: str) -> None:
        """Write `PICTURE` where there is something to see; an earlier one goes where there is nothing."""
        figure = self.figure(title)
        if figure is None:
            (folder / PICTURE).unlink(missing_ok=True)
        else:
            figure.savefig(folder / PICTURE, dpi=120)


def heard_report(
    bundle: Bundle,
    judged: Sequence[Judged],
    features: Sequence[ClipFeatures],
    progress: Callable[[int, int], None] = lambda *_: None,
) -> HeardReport:
    """Tell which bands moved in the clips that are flagged.

    Parameters
    ----------
    bundle : Bundle
    judged : sequence of Judged
        All test clips that were evaluated.
    features : sequence of ClipFeatures
        Theirs, of the shipped front end.
    progress : callable, optional
        Called with (clips done, clips).
    """
    if reason := why_not(bundle):
        return HeardReport(why_not=reason)
    explainer = Explainer(bundle)
    groups: dict[str, tuple[list[int], list[int]]] = {}
    for i, item in enumerate(judged):
        groups.setdefault(item.clip.name.section, ([], []))[0 if item.flagged else 1].append(i)
    chosen = {
        section: (
            flagged,
            [quiet[int(k)] for k in np.unique(np.linspace(0, len(quiet) - 1, _QUIET_CLIPS).round())] if quiet else [],
        )
        for section, (flagged, quiet) in sorted(groups.items())
        if flagged and not why_not(bundle, section)
    }
    total, done = sum(len(a) + len(b) for a, b in chosen.values()), 0
    sections = []
    for section, places in chosen.items():
        explained: list[list[Explanation]] = []
        for some in places:
            explained.append([])
            for i in some:
                explained[-1].append(explainer.explain(np.asarray(features[i].frames), section))
                progress(done := done + 1, total)
        clips = [HeardClip(judged[i].clip, one) for i, one in zip(places[0], explained[0], strict=True)]
        moved = [one.moved for one in explained[0]]
        named = np.mean([_named(some, explainer.limits) for some in moved], axis=0)
        sections.append(HeardSection(section, clips, common_ranges(moved, explainer.limits), named, explained[1]))
    return HeardReport(sections, explainer.limits)


def common_ranges(clips: Sequence[Sequence[Moved]], limits: Floats) -> list[Common]:
    """Find the ranges of bands that are named for most of some clips, those named for most of them first.

    The band that most clips name begins one, with its neighbours that at least half of these clips name, too; then
    the ranges that hold it are laid aside, and the rest are looked at.

    Parameters
    ----------
    clips : sequence of sequence of Moved
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
    """
    left = [[one] for some in clips for one in some]
    found: list[Common] = []
    while left and len(found) < MOST_RANGES:
        counts = np.sum([_named(one, limits) for one in left], axis=0)
        middle = (limits[:-1] + limits[1:]) / 2
        peak = int(counts.argmax())
        own = [one for (one,) in left if one.low_hz <= middle[peak] <= one.high_hz]
        if len(own) < max(1, _FEWEST * len(clips)):
            break
        shared = np.sum([_named([one], limits) for one in own], axis=0) >= len(own) / 2
        first, last = peak, peak
        while first and shared[first - 1]:
            first -= 1
        while last + 1 < len(shared) and shared[last + 1]:
            last += 1
        ways = [way for way in ("level", "unsteadiness") if sum(way in one.ways for one in own) >= len(own) / 2]
        moved = Moved(
            low_hz=round(float(limits[first]), 1),
            high_hz=round(float(limits[last + 1]), 1),
            level_db=round(statistics.median(one.level_db for one in own), 1),
            unsteadiness=statistics.median_high(one.unsteadiness for one in own),
            share=round(statistics.median(one.share for one in own), 3),
            ways=tuple(ways),  # type: ignore[arg-type]
        )
        found.append(Common(moved, len(own)))
        left = [one for one in left if one[0] not in own]
    return found


def _named(moved: Sequence[Moved], limits: Floats) -> Floats:
    """Tell which bands are named [shape=(n_mels,), 0 or 1]."""
    middle = (limits[:-1] + limits[1:]) / 2
    named = np.zeros(len(middle))
    for one in moved:
        named[(one.low_hz <= middle) & (middle <= one.high_hz)] = 1
    return named
