"""Are the scores of healthy sound those of one machine in one state? A rule that a few odd scores cannot mislead.

*Spread* is 1.4826 times the median distance from the median, which is the standard deviation of normally distributed
scores; at least 2 % of the median's magnitude, and 0.02 of the score's unit, as scores that hardly differ stand out by
nothing. A score *stands out* when it lies more than `OUTLIER_SPREADS` spreads from the median: a hammer, a voice, a
machine that was off for a moment. Scores *drift* when the median of the last third lies more than `DRIFT_SPREADS` from
that of the first; here the spread is 1.0483 times the median distance between neighbours, which a drift does not widen.
`tests/calibration/test_stability.py` says how often the rule meets sound that is in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

OUTLIER_SPREADS = 10.0
DRIFT_SPREADS = 6.0

LEAST_SPANS = 10
"""With fewer scores nothing can be told."""

_LEAST_SHARE = 0.02
_UNIT = 65536  # of Q15.16


def outliers(scores: Sequence[int]) -> list[int]:
    """Return the places of the scores [Q15.16] that stand out; none of fewer than `LEAST_SPANS`."""
    if len(scores) < LEAST_SPANS:
        return []
    middle = median(scores)
    spread = max(1.4826 * median(abs(score - middle) for score in scores), _least_spread(middle))
    return [i for i, score in enumerate(scores) if abs(score - middle) > OUTLIER_SPREADS * spread]


def drift(scores: Sequence[int]) -> float:
    """Return how far scores [Q15.16] drift from their first third to their last; 0 where they do not, or are few."""
    if len(scores) < LEAST_SPANS:
        return 0.0
    third = len(scores) // 3
    moved = median(scores[-third:]) - median(scores[:third])
    steps = [abs(after - before) for before, after in pairwise(scores)]
    # Neighbours differ by sqrt(2) standard deviations.
    spread = max(1.0483 * median(steps), _least_spread(median(scores)))
    return moved if abs(moved) > DRIFT_SPREADS * spread else 0.0


def _least_spread(middle: float) -> float:
    return _LEAST_SHARE * max(abs(middle), _UNIT)
