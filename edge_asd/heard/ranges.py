"""From what each band contributes to a score to the few ranges of bands that the score is about.

A score's excess is a quadratic form of what differs from healthy sound, d^T M d with several features for each band.
Without the features of the bands R, all others as they are, it would be less by

    e(R) = g_R^T (M_RR)^-1 g_R,  where g = M d

(a squared Mahalanobis distance less that of the marginal distribution; by the inverse of a partitioned matrix), and
s_R = (M_RR)^-1 g_R is by how much these features differ from what the rest of the sound leads one to expect. Unlike
a band's own term d_b g_b, e(R) is never negative, and never less for a wider range: bands that move together count
together.

The range named first is the one of at most an octave for which e(R), less a price for each band, is greatest. The
price is what a healthy band explains by chance, and a small share of the most that any range explains, so that what
leaks from a loud band into its neighbours does not widen it. The next range is found in the same way in what is left
over, and is named if it explains enough. docs/heard.md says how the numbers were chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.spec import FeatureSpec
from edge_asd.frontend.tables import mel_edges

Floats = npt.NDArray[np.float64]

MOST_RANGES = 3
WIDEST = 2.0
"""Highest frequency of a range over its lowest, at most, where it is not a single band."""

_CHANCE = 1.0
_LEAK = 0.002
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """A score as a quadratic form.

    Attributes
    ----------
    matrix : ndarray, float64 [shape=(k * n_mels, k * n_mels)]
        M, positive definite; features of all bands of the first kind, then of the next.
    pull : ndarray, float64 [shape=(k * n_mels,)]
        g = M d.
    chance : float > 0
        What the features of all bands explain together in healthy sound.
    kinds : int > 0
        Features of each band, k.
    """

    matrix: Floats
    pull: Floats
    chance: float
    kinds: int


@dataclass(frozen=True, slots=True)
class Range:
    """Neighbouring bands.

    Attributes
    ----------
    first, last : int >= 0
    explained : float >= 0
        By how much the score would be less without them, the ranges before taken out already.
    """

    first: int
    last: int
    explained: float

    @property
    def bands(self) -> slice:
        """Its bands among all."""
        return slice(self.first, self.last + 1)

    def features(self, kinds: int, n_mels: int) -> npt.NDArray[np.intp]:
        """Places of its bands' features among those of `kinds` kinds, band by band."""
        return (np.arange(self.first, self.last + 1)[:, None] + np.arange(kinds) * n_mels).ravel()


def band_limits(spec: FeatureSpec) -> Floats:
    """Return where one band takes over from the next [shape=(n_mels + 1,), Hz]: midway between their peaks."""
    edges = mel_edges(spec)
    limits: Floats = (edges[:-1] + edges[1:]) / 2
    limits[-1] = edges[-1]
    return limits


def find_ranges(evidence: Evidence, limits: Floats) -> list[Range]:
    """Find the ranges of bands that a score is about, at most `MOST_RANGES`, the one that explains most first.

    Parameters
    ----------
    evidence : Evidence
    limits : ndarray, float64 [shape=(n_mels + 1,), Hz]
        See `band_limits`.
    """
    n_mels = len(limits) - 1
    free = np.ones(n_mels, dtype=np.bool_)
    found: list[Range] = []
    matrix, pull, kinds = evidence.matrix, evidence.pull, evidence.kinds
    while len(found) < MOST_RANGES and free.any():
        one = _best(Evidence(matrix, pull, evidence.chance, kinds), limits, free)
        if one is None or (found and one.explained < _ENOUGH * found[0].explained):
            break
        found.append(one)
        free[max(0, one.first - 1) : one.last + 2] = False
        own = one.features(kinds, n_mels)
        solved = np.linalg.solve(matrix[np.ix_(own, own)], np.column_stack([matrix[own], pull[own]]))
        matrix, pull = matrix - matrix[:, own] @ solved[:, :-1], pull - matrix[:, own] @ solved[:, -1]
    return found


def explained(evidence: Evidence, own: npt.NDArray[np.intp]) -> tuple[float, Floats]:
    """Return e(R) of some features, and s_R: by how much each differs from what the others lead one to expect."""
    pull = evidence.pull[own]
    surprise = np.linalg.solve(evidence.matrix[np.ix_(own, own)], pull)
    return float(pull @ surprise), np.asarray(surprise, np.float64)


def _best(evidence: Evidence, limits: Floats, free: npt.NDArray[np.bool_]) -> Range | None:
    """Look at all ranges of free bands; None if none is worth its price."""
    n_mels, kinds = len(free), evidence.kinds
    runs: list[tuple[int, Floats]] = []
    for first in np.flatnonzero(free).tolist():
        last = first
        while last + 1 < n_mels and free[last + 1] and limits[last + 2] <= WIDEST * limits[first]:
            last += 1
        own = Range(first, last, 0.0).features(kinds, n_mels)
        # Cholesky factors are nested: one of the widest range has those of all that begin with the same band.
        factor = np.linalg.cholesky(evidence.matrix[np.ix_(own, own)])
        runs.append((first, np.cumsum(np.linalg.solve(factor, evidence.pull[own]) ** 2)[kinds - 1 :: kinds]))
    price = _CHANCE * evidence.chance / n_mels + _LEAK * max(float(run[-1]) for _, run in runs)
    best: tuple[float, Range] | None = None
    for first, run in runs:
        worth = run - price * np.arange(1, len(run) + 1)
        width = int(worth.argmax())
        if worth[width] > 0 and (best is None or worth[width] > best[0]):
            best = float(worth[width]), Range(first, first + width, float(run[width]))
    return None if best is None else best[1]
