"""What the default policy promises of healthy sound, beside plain crossing of the threshold."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from edge_asd.false_alarms import alarms_per_day, allowed_rate, at_least, begins, decisions_over_per_day
from edge_asd.monitor.alarms import Alarms, EventName, Policy
from edge_asd.monitor.decisions import Decision

DAY = 86400
DEFAULT = Policy()


def test_by_binomial_arithmetic() -> None:
    assert at_least(1, 1, 0.1) == pytest.approx(0.1)
    assert at_least(3, 5, 0.1) == pytest.approx(0.00856)
    assert at_least(3, 5, 0.1) == pytest.approx(sum(math.comb(5, i) * 0.1**i * 0.9 ** (5 - i) for i in (3, 4, 5)))
    # Were decisions a second apart independent: crossings a day, and beginnings of 3 of 5.
    assert DAY * begins(1, 1, 0.1) == pytest.approx(7776)
    assert DAY * begins(3, 5, 0.1) == pytest.approx(378, abs=0.5)
    assert DAY * begins(DEFAULT.needed, DEFAULT.of, 0.1) < 1e-25
    # They are not: scores span ten seconds. Six spans beside one another are a minute, and 45 of 60 is 5 of 6 of them.
    spans = DAY / 10
    assert spans * begins(1, 1, 0.1) == pytest.approx(778, abs=0.5)
    assert spans * begins(3, 5, 0.1) == pytest.approx(38, abs=0.5)
    assert spans * begins(5, 6, 0.1) == pytest.approx(0.35, abs=0.005)


def rolling(days: int, share: float) -> tuple[np.ndarray, int]:
    """Scores a second apart, each the mean of ten independent seconds; `share` of them over the threshold."""
    seconds = np.random.default_rng(13).normal(size=days * DAY + 9)
    sums = np.concatenate([[0.0], np.cumsum(seconds)])
    # A deviation of 3 %, like healthy scores of the demonstration's fan.
    scores = 10 * (1 + 0.03 * (sums[10:] - sums[:-10]) / math.sqrt(10))
    threshold = 10 * (1 + 0.03 * NormalDist().inv_cdf(1 - share))
    return np.rint(scores * 65536).astype(np.int64), round(threshold * 65536)


def alarms(scores: np.ndarray, threshold: int, policy: Policy) -> list[float]:
    machine = Alarms(policy, "00", 16000)
    events = [
        machine.push(Decision(10.0 + i, "00", score, threshold, score > threshold))
        for i, score in enumerate(scores.tolist())
    ]
    return [event.time_s for event in events if event is not None and event.event is EventName.alarm]


def test_of_overlapping_scores() -> None:
    days = 7
    scores, threshold = rolling(days, 0.1)
    crossings = np.count_nonzero(np.diff((scores > threshold).astype(np.int8)) == 1) / days
    few = len(alarms(scores[:DAY], threshold, Policy(needed=3, of=5)))
    assert crossings == pytest.approx(2690, rel=0.02)
    assert few == pytest.approx(640, rel=0.05)
    assert len(alarms(scores, threshold, DEFAULT)) <= 1
    # The threshold was fitted on few clips, and is too low.
    scores, threshold = rolling(days, 0.2)
    assert len(alarms(scores, threshold, DEFAULT)) / days == pytest.approx(3, abs=1.5)


@pytest.mark.parametrize(("rise", "delay_s"), [(0.07, 58), (0.1, 49)])
def test_what_it_costs(rise: float, delay_s: float) -> None:
    """Faults that raise scores by 7 % (told apart with an AUC of 0.95) and 10 %: when the alarms come."""
    scores, threshold = rolling(1, 0.1)
    fault = np.clip((np.arange(300) - 100) / 10, 0, 1)  # until it fills a score's span
    delays = []
    for start in range(600, 60_000, 600):
        sound = np.rint(scores[start : start + 300] * (1 + rise * fault)).astype(np.int64)
        delays += [time_s - 110 for time_s in alarms(sound, threshold, DEFAULT) if time_s >= 110][:1]
    assert len(delays) == 99  # all
    assert np.median(delays) == pytest.approx(delay_s, abs=2)


def test_the_model_of_a_threshold_for_so_many_alarms_a_day() -> None:
    """It is what the arithmetic above says of a policy, and true alarms are no more."""
    assert alarms_per_day(DEFAULT, 10, 0.1) == pytest.approx(0.35, abs=0.005)
    assert alarms_per_day(Policy(needed=1, of=1), 10, 0.1) == pytest.approx(7776)
    assert decisions_over_per_day(0.1) == pytest.approx(8640)
    for alarms_a_day in (0.01, 0.3, 1, 20):
        rate = allowed_rate(DEFAULT, 9.984, alarms_a_day)
        assert alarms_per_day(DEFAULT, 9.984, rate) == pytest.approx(alarms_a_day)
        assert alarms_per_day(DEFAULT, 9.984, rate * 1.001) > alarms_a_day
    # No rate is over a half, and alarms that last are not fewer.
    assert allowed_rate(DEFAULT, 10, 10**5) == 0.5
    assert alarms_per_day(DEFAULT, 10, 1.0) == max(alarms_per_day(DEFAULT, 10, rate) for rate in np.linspace(0, 1, 101))


@pytest.mark.parametrize(
    "policy",
    [
        DEFAULT,
        *(
            pytest.param(Policy(needed=k, of=n), marks=pytest.mark.prove)
            for k, n in ((1, 1), (15, 30), (30, 60), (60, 120))
        ),
    ],
)
def test_the_model_is_no_promise_too_much(policy: Policy) -> None:
    days = 3
    for share in (0.1, 0.2):
        scores, threshold = rolling(days, share)
        assert len(alarms(scores, threshold, policy)) / days <= alarms_per_day(policy, 10, share)
