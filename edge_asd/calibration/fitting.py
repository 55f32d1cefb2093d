"""The bundle with a new threshold, and what the threshold promises."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge_asd.binomial import clopper_pearson
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.manifest import FalsePositives, Threshold, complement
from edge_asd.bundle.policy import Policy
from edge_asd.calibration.adapting import adapt, with_golden_scores
from edge_asd.calibration.heard import Heard, Request
from edge_asd.calibration.off_level import learn_off_level, round_down
from edge_asd.errors import BundleError, DataError
from edge_asd.false_alarms import (
    alarms_per_day,
    allowed_rate,
    decisions_over_per_day,
    lowest_rate,
    spans_for_rate,
    upper_limit,
)
from edge_asd.thresholds import FEW_CLIPS, false_positive_threshold, is_anomalous, quantile_threshold


@dataclass(frozen=True, slots=True)
class Promise:
    """What a threshold promises of healthy sound like the one it was fitted on, by `edge_asd.false_alarms`.

    Attributes
    ----------
    spans : int
        Independent scores that it rests on.
    rate, highest_rate : float, 0 to 1
        Share of new scores above it: expected, and at most with 95 % confidence.
    decisions_per_day : float
        Over the threshold, expected.
    alarms_per_day, highest_alarms_per_day : float
        Under the bundle's policy: expected, and at most with 95 % confidence.
    lowest_rate, lowest_alarms_per_day : float
        What so many scores could promise at best, with 95 % confidence.
    """

    spans: int
    rate: float
    highest_rate: float
    decisions_per_day: float
    alarms_per_day: float
    highest_alarms_per_day: float
    lowest_rate: float
    lowest_alarms_per_day: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A bundle with a new threshold.

    Attributes
    ----------
    bundle : Bundle
    threshold : Threshold
        The new one.
    previous : Threshold or None
        The one in its place before; None for a new section, or a domain that had none of its own.
    promise : Promise or None
        None for a threshold that was put back.
    notes : list of str
        What the user should know.
    """

    bundle: Bundle
    threshold: Threshold
    previous: Threshold | None
    promise: Promise | None
    notes: list[str]


def calibrate(bundle: Bundle, request: Request, heard: Heard) -> Calibrated:
    """Fit a threshold on healthy sound; model, golden vectors and all other thresholds stay as they are.

    What the section had before is kept as its `previous`.

    Raises
    ------
    EdgeAsdError
        If the bundle cannot have what is asked for, or the sound does not suffice.
    """
    request.check(bundle)
    section, domain, count = request.section, request.domain, heard.count
    notes = list(heard.notes)
    if domain is not None and count < FEW_CLIPS:
        raise DataError(
            f"There are {count} score spans of the domain {domain}; a threshold of its own needs {FEW_CLIPS}. The "
            f"threshold of section {section} goes on to decide there. Record more, or calibrate the section, without "
            "--domain."
        )
    fitted = replace(_fit(bundle, request, heard.scores), calibrated=True)
    old = bundle.thresholds.get(section)
    if count < FEW_CLIPS:
        notes.append(
            f"Section {section}: its threshold rests on {count} score span{'s' if count > 1 else ''}; expect it to be "
            "rough. More healthy recordings make it better."
        )
    if domain is not None and old is not None:
        previous, whole = old.domains.get(domain), replace(old, domains={**old.domains, domain: fitted})
    else:
        previous, whole = old, replace(fitted, domains=old.domains if old else {})
        if whole.domains:
            notes.append(
                f"Section {section}: the threshold{'s' if len(whole.domains) > 1 else ''} of its domain"
                f"{'s' if len(whole.domains) > 1 else ''} {' and '.join(sorted(whole.domains))} stayed as before; "
                "--domain fits them anew."
            )
    whole = replace(
        whole, off_level_db=_off_level(request, heard, old, notes), previous=old and replace(old, previous=None)
    )
    return Calibrated(
        replace(bundle, thresholds={**bundle.thresholds, section: whole}),
        fitted,
        previous,
        _promise(bundle, heard.scores, fitted),
        notes,
    )


def calibrate_new(bundle: Bundle, request: Request, heard: Heard) -> Calibrated:
    """Teach a distance detector a section that it does not know, and fit its threshold to the same sound.

    Each span is scored by what the others sound like.

    Raises
    ------
    EdgeAsdError
        If the sound does not suffice.
    """
    learnt = adapt(bundle, request.section, request.domain, heard.features)
    heard.scores[learnt.domain] = learnt.held_out
    done = calibrate(learnt.bundle, request, heard)
    return replace(done, bundle=with_golden_scores(done.bundle))


def restore(bundle: Bundle, section: str) -> Calibrated:
    """Put back what a section had before its last calibration: threshold, domains and machine-off level.

    What it had until now becomes the previous one, so that a second call undoes the first.

    Raises
    ------
    BundleError
        If there is nothing to put back.
    """
    bundle.threshold(section)
    now = bundle.thresholds[section]
    if now.previous is None:
        raise BundleError(
            f"Section {section} holds no previous threshold: it was not calibrated since it was made, or was new then. "
            "Nothing was changed."
        )
    back = replace(now.previous, previous=replace(now, previous=None))
    return Calibrated(replace(bundle, thresholds={**bundle.thresholds, section: back}), back, now, None, [])


def _fit(bundle: Bundle, request: Request, scores: Mapping[str, Sequence[int]]) -> Threshold:
    if request.false_alarms_per_day is not None:
        return _alarm_threshold(bundle, scores, request.false_alarms_per_day)
    if request.false_positive_rate is not None:
        return false_positive_threshold(scores, request.false_positive_rate)
    return quantile_threshold(scores, request.quantile)


def _alarm_threshold(bundle: Bundle, scores: Mapping[str, Sequence[int]], alarms: float) -> Threshold:
    """Take the lowest score whose rate of new scores above it is low enough, with 95 % confidence.

    All spans count alike, of whatever domain: the confidence is that of one sample.
    """
    pooled = sorted(score for values in scores.values() for score in values)
    policy, n = bundle.policy or Policy(), len(pooled)
    rate = allowed_rate(policy, bundle.score_seconds, alarms)
    if lowest_rate(n) > rate:
        least = alarms_per_day(policy, bundle.score_seconds, lowest_rate(n))
        needed = spans_for_rate(rate)
        minutes = (
            needed
            * bundle.span_step
            * bundle.window_hop
            * bundle.features.hop_length
            / bundle.features.sample_rate
            / 60
        )
        raise DataError(
            f"{n} score spans cannot promise {alarms:g} false alarms a day: {least:.3g} is the best that they can, "
            f"with 95 % confidence. That takes {needed} spans, {minutes + 0.05:.1f} minutes of healthy sound: record "
            f"for longer, or ask for {least * 1.05:.2g} or more."
        )
    flagged, score = next(
        (over, score) for score in pooled if upper_limit(over := n - bisect_right(pooled, score), n) <= rate
    )
    low, high = clopper_pearson(flagged, n)
    return Threshold(
        score,
        "false-positive-rate",
        complement(rate),
        {domain: len(values) for domain, values in scores.items() if len(values)},
        false_positives=FalsePositives(flagged=flagged, clips=n, low=low, high=high),
    )


def _off_level(request: Request, heard: Heard, old: Threshold | None, notes: list[str]) -> float | None:
    before = old.off_level_db if old else None
    if request.off_level == "keep":
        return before
    if request.off_level != "learn":
        return None if request.off_level is None else round_down(request.off_level)
    learnt, why_not = learn_off_level(heard.powers)
    if request.domain is not None and old is not None:
        # The other domain was not heard now: what is off must be off in both.
        return None if before is None or learnt is None else min(before, learnt)
    if learnt is None:
        notes.append(
            f"Section {request.section}: no machine-off level was set, as {why_not}. Sound of every level is judged; "
            "--off-level sets one by hand."
        )
    return learnt


def _promise(bundle: Bundle, scores: Mapping[str, Sequence[int]], fitted: Threshold) -> Promise:
    pooled = [score for values in scores.values() for score in values]
    n, flagged = len(pooled), sum(is_anomalous(score, fitted.score) for score in pooled)
    policy, span_s = bundle.policy or Policy(), bundle.score_seconds
    # Of n independent scores k lie above one of them: a new one does with chance (k + 1) / (n + 1).
    rate, highest, lowest = (flagged + 1) / (n + 1), upper_limit(flagged, n), lowest_rate(n)
    return Promise(
        spans=n,
        rate=rate,
        highest_rate=highest,
        decisions_per_day=decisions_over_per_day(rate),
        alarms_per_day=alarms_per_day(policy, span_s, rate),
        highest_alarms_per_day=alarms_per_day(policy, span_s, highest),
        lowest_rate=lowest,
        lowest_alarms_per_day=alarms_per_day(policy, span_s, lowest),
    )
