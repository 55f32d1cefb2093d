"""From a share of healthy scores over a threshold to alarms a day, and what few scores can promise of either.

The model: healthy spans of a score beside one another are independent, each over the threshold with the same chance.
The last decisions, among which a policy counts, are then as many spans as fit into their time, and of them the same
share, rounded up, is needed: 45 of 60 decisions a second apart are 5 of 6 spans of ten seconds. Where that time is
shorter than two spans, each decision over the threshold after one that was not may raise an alarm, and the model takes
decisions as independent: true scores overlap, and cross the threshold less often. Cooldown, minimum duration and the
release threshold only make alarms fewer; the model leaves them out. A machine whose sound wanders for minutes makes
more alarms than this.
"""

from __future__ import annotations

import math

from edge_asd.binomial import clopper_pearson, incomplete_beta
from edge_asd.bundle.policy import INTERVAL_S, Policy
from edge_asd.errors import DataError

DAY_S = 86400

CONFIDENCE = 0.95
"""Of what is promised: one time in twenty it may be missed."""

_HALVINGS = 60


def at_least(k: int, n: int, p: float) -> float:
    """Chance of `k` or more of `n` independent decisions over the threshold, each with chance `p`, 0 < `p` < 1."""
    return incomplete_beta(k, n - k + 1, p)


def begins(k: int, n: int, p: float) -> float:
    """Chance that the next independent decision makes `k` of the last `n`, where the one before it did not."""
    return math.comb(n - 1, k - 1) * p**k * (1 - p) ** (n - k) * (1 - p)


def alarms_per_day(policy: Policy, span_s: float, rate: float, interval_s: float = INTERVAL_S) -> float:
    """Return how many alarms a day healthy sound raises, by the model.

    Parameters
    ----------
    policy : Policy
    span_s : float > 0 [s]
        Of a score.
    rate : float, 0 to 1
        Share of healthy scores over the threshold.
    interval_s : float > 0 [s]
        Time between two decisions.
    """
    needed, of, per_day = _independent(policy, span_s, interval_s)
    # Beyond its summit the formula falls, as alarms then last: they are no fewer.
    return per_day * begins(needed, of, min(rate, needed / (of + 1)))


def alarms_text(alarms: float) -> str:
    """Write a number of alarms a day in few digits, and none below a thousandth."""
    return f"{alarms:,.0f}" if alarms >= 10 else f"{max(alarms, 0.001):.2g}"


def decisions_over_per_day(rate: float, interval_s: float = INTERVAL_S) -> float:
    """Return how many decisions a day are over the threshold: a share of them all, dependent or not."""
    return DAY_S / interval_s * rate


def allowed_rate(policy: Policy, span_s: float, alarms: float, interval_s: float = INTERVAL_S) -> float:
    """Return the largest share of healthy scores over the threshold, at most a half, with no more alarms a day."""
    needed, of, _ = _independent(policy, span_s, interval_s)
    low, high = 0.0, min(0.5, needed / (of + 1))
    if alarms_per_day(policy, span_s, high, interval_s) <= alarms:
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fits = alarms_per_day(policy, span_s, middle, interval_s) <= alarms
        low, high = (middle, high) if fits else (low, middle)
    return low


def upper_limit(flagged: int, spans: int) -> float:
    """Return the share of scores over a threshold that new healthy sound keeps to, with `CONFIDENCE`.

    Parameters
    ----------
    flagged, spans : int
        Of so many independent scores that the threshold was fitted on, so many lie above it.
    """
    return clopper_pearson(flagged, spans, 2 * CONFIDENCE - 1)[1]


def lowest_rate(spans: int) -> float:
    """Return the lowest rate that so many independent scores can promise: about 3 / `spans`.

    It is that of a threshold at the greatest of them.
    """
    return upper_limit(0, spans)


def spans_for_rate(rate: float) -> int:
    """Return how many independent scores can promise a rate, 0 < `rate` < 1."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-rate))


def check_alarms(alarms: float) -> None:
    """Refuse a number of false alarms a day that no threshold can be fitted to.

    Raises
    ------
    DataError
    """
    if not 0 < alarms <= DAY_S:
        raise DataError(f"There cannot be {alarms:g} false alarms a day to aim at; use for example 0.5.")


def _independent(policy: Policy, span_s: float, interval_s: float) -> tuple[int, int, float]:
    """Needed and looked-at independent scores, and how many there are a day."""
    spans = policy.of * interval_s / span_s
    if spans < 2:
        return 1, 1, DAY_S / interval_s
    of = round(spans)
    return min(of, math.ceil(policy.needed / policy.of * of)), of, DAY_S / span_s
