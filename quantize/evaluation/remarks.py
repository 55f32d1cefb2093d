"""What a reader of an evaluation should know before believing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

ENOUGH = 10
"""Normal and anomalous clips from which on an AUC is remarked on."""

_PLAIN = 0.95
"""AUC of the loudness from which on, and from one less it downward, loudness alone tells the classes apart."""

_CHANCE = 0.6
"""AUC below which, and above one less it, scores are near chance."""


_ALIKE = 0.5
"""Different shipped scores of a section, as a share of its different float scores, up to which it is remarked on."""


class Figures(Protocol):
    """What is read of a section's and domain's result."""

    @property
    def section(self) -> str: ...
    @property
    def domain(self) -> str | None: ...
    @property
    def n_normal(self) -> int: ...
    @property
    def n_anomaly(self) -> int: ...
    @property
    def auc_shipped(self) -> float | None: ...
    @property
    def auc_level(self) -> float | None: ...


def remarks(results: Sequence[Figures]) -> list[str]:
    """Say where loudness alone tells the classes apart, and where AUC is near chance.

    Parameters
    ----------
    results : sequence of Result
    """
    enough = [r for r in results if min(r.n_normal, r.n_anomaly) >= ENOUGH]
    loud = [r for r in enough if r.auc_level is not None and not 1 - _PLAIN < r.auc_level < _PLAIN]
    chance = [r for r in enough if r.auc_shipped is not None and 1 - _CHANCE < r.auc_shipped < _CHANCE]
    texts = []
    if loud:
        texts.append(
            f"Loudness alone tells the classes apart in {_places(loud)}: a good AUC there need not mean that the "
            "detector hears the fault."
        )
    if chance:
        texts.append(
            f"AUC is near chance in {_places(chance)}: the detector hears little of these faults. Longer training, "
            "more healthy clips, or another model may."
        )
    return texts


def told_apart(scores: Mapping[str, Sequence[tuple[int, float]]]) -> list[str]:
    """Say where the shipped arithmetic gives clips the same score that differ in floating point.

    Parameters
    ----------
    scores : mapping of section to sequence of (int, float)
        Shipped and float score of each clip.
    """
    texts = []
    for section, of in scores.items():
        shipped, floating = (len(set(values)) for values in zip(*of, strict=True))
        if shipped <= _ALIKE * floating:
            texts.append(
                f"Section {section}: {len(of)} clips have {floating} different scores in floating point, and as "
                f"shipped only {shipped}. The model hardly tells them apart; it may have learnt too little."
            )
    return texts


def _places(results: Sequence[Figures]) -> str:
    return ", ".join(" ".join(filter(None, ("section", r.section, r.domain))) for r in results)
