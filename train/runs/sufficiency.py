"""Whether a user's own recordings suffice: for a threshold, and for the model."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edge_asd.bundle.manifest import complement
from edge_asd.clips import UNNAMED_DOMAIN, ClipName
from edge_asd.false_alarms import CONFIDENCE, lowest_rate
from edge_asd.own_set import TEST_EVERY
from edge_asd.thresholds import Target
from edge_asd.train.data.splits import OWN_HELD_BACK, held_back_count
from edge_asd.train.runs.run import Run

_GAP = 0.15
"""Share by which an autoencoder's loss on held-back clips exceeds that on fitted ones, above which more are advised."""

_GAP_NAT = 0.1
"""The same of a classifier, whose losses come near zero: a difference."""

_LEVELS_DB = 6.0
"""Between the quietest and the loudest clip: twice the amplitude."""

_CLIPS_A_MINUTE = 6

_ASKED_RATE = complement(Target().value)


@dataclass(frozen=True, slots=True)
class ThresholdClips:
    """What the clips that a section's threshold will rest on can promise.

    Attributes
    ----------
    section : str
    clips : int
        Held back from a network; of the distance detector all of the source domain, each of which its fit holds out in
        turn.
    lowest_rate : float or None, 0 to 1
        Share of healthy clips over the threshold that they can promise not to exceed, with 95 % confidence; None
        without a clip.
    clips_needed : int
        That promise the share that ``quantize`` asks for by default.
    more_training_clips : int
        To add until there are so many: to the section's domain with most, or to the source; 0 where there are.
    """

    section: str
    clips: int
    lowest_rate: float | None
    clips_needed: int
    more_training_clips: int


def clips_of_run(run: Run) -> list[ThresholdClips]:
    """Judge the numbers of clips of each section of a run."""
    if run.kind.network:
        return threshold_clips(run.fit, run.held_back)
    names = [ClipName.parse(key.rpartition("/")[2]) for key in run.fit]
    return [
        ThresholdClips(section, n, lowest_rate(n) if n else None, OWN_HELD_BACK, max(0, OWN_HELD_BACK - n))
        for section in run.sections
        for n in [sum((name.section, name.domain or UNNAMED_DOMAIN) == (section, UNNAMED_DOMAIN) for name in names)]
    ]


def threshold_clips(fit: Sequence[str], held_back: Sequence[str]) -> list[ThresholdClips]:
    """Judge the numbers of clips of each section that a network is fitted on.

    Parameters
    ----------
    fit, held_back : sequence of str
        Keys of the clips fitted on and of those held back, as a run lists them.
    """
    counts: dict[str, Counter[str | None]] = {}
    for key in (*fit, *held_back):
        name = ClipName.parse(key.rpartition("/")[2])
        counts.setdefault(name.section, Counter())[name.domain] += 1
    held = Counter(ClipName.parse(key.rpartition("/")[2]).section for key in held_back)
    judged = []
    for section, count in sorted(counts.items()):
        # Clips that overlap count for less: for three times as many as are held back, where a third of them is.
        most = min(max(count.values()), 3 * held[section] + 2)
        others = held[section] - held_back_count(most, OWN_HELD_BACK)
        more = next(k for k in itertools.count() if others + held_back_count(most + k, OWN_HELD_BACK) >= OWN_HELD_BACK)
        lowest = lowest_rate(held[section]) if held[section] else None
        judged.append(ThresholdClips(section, held[section], lowest, OWN_HELD_BACK, more))
    return judged


def shortcomings(run: Run) -> list[str] | None:
    """Say what is wanting in the recordings of a finished run; None where they were not judged."""
    if run.cells is None:
        return None
    return [
        *threshold_notes(clips_of_run(run)),
        *cell_notes(run),
    ]


def threshold_notes(judged: Sequence[ThresholdClips]) -> list[str]:
    """Say, before training, of which sections the threshold will rest on too few clips."""
    return [
        f"Section {one.section}: its threshold will rest on {one.clips} clip{'' if one.clips == 1 else 's'}, which "
        f"can promise no better than {100 * one.lowest_rate:.0f} % of healthy clips over it (with "
        f"{100 * CONFIDENCE:g} % confidence). "
        f"{100 * _ASKED_RATE:g} %, the default of quantize, takes {one.clips_needed}: record about "
        f"{_minutes(one.more_training_clips)} more, or fit the threshold on site with edge-asd calibrate."
        for one in judged
        if one.lowest_rate is not None and one.clips < one.clips_needed
    ]


def cell_notes(run: Run) -> list[str]:
    """Say, after its training, where the model knows its fitted clips better than new ones, and where levels differ."""
    kind, texts = run.kind, []
    for cell in run.cells or ():
        where = f"Section {cell.section}" + (f", {cell.domain}" if cell.domain else "")
        spread = cell.level_high_db - cell.level_low_db
        wide = spread > _LEVELS_DB
        fitted, new = cell.loss_fit, cell.loss_held_back
        if new is None and kind.network:
            clips = f"its {cell.clips_fit} clips" if cell.clips_fit > 1 else "its one clip"
            texts.append(
                f"{where}: nothing of {clips} is held back, so neither the threshold nor the number of epochs rests on "
                "this sound, and how well the model knows it was not measured. Record more of it."
            )
        if fitted is not None and new is not None and _gap(fitted, new, kind.classifies):
            reason = (
                f"Their levels differ, too, by {spread:.0f} dB: record more of each way in which the machine runs."
                if wide
                else "More recordings of it are likely to help."
            )
            texts.append(
                f"{where}: on held-back clips the loss is {new:.3g} {kind.unit}, on the {cell.clips_fit} fitted "
                f"{fitted:.3g}: the model does not know all of this machine's healthy sound yet. {reason}"
            )
        elif wide:
            texts.append(
                f"{where}: its clips' levels differ by {spread:.0f} dB. If the machine runs in several ways, record "
                "each for long enough, or give it a section of its own."
            )
    return texts


def _gap(fitted: float, new: float, classifies: bool) -> bool:
    return new - fitted > _GAP_NAT if classifies else new > (1 + _GAP) * fitted


def _minutes(training_clips: int) -> str:
    recorded = training_clips * TEST_EVERY / (TEST_EVERY - 1)
    minutes = max(1, math.ceil(recorded / _CLIPS_A_MINUTE))
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
