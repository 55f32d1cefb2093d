"""Scores of healthy clips that were not fitted on, and the thresholds of sections that are fitted to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.bundle.manifest import Threshold
from edge_asd.clips import DOMAINS, UNNAMED_DOMAIN
from edge_asd.detectors.detector import BaseDetector
from edge_asd.detectors.scores import SCORE_FRACTION_BITS, SCORE_MAX, span_scores
from edge_asd.errors import DataError
from edge_asd.quantize.threshold_fitting import fit_threshold, with_domains
from edge_asd.thresholds import FEW_CLIPS, Target
from edge_asd.train.data.dataset import Clip
from edge_asd.train.distance.fit import Fitted
from edge_asd.train.features.store import ClipFeatures


@dataclass(frozen=True, slots=True)
class HealthyScores:
    """What a section's threshold rests on.

    Attributes
    ----------
    section, domains : mapping of domain to list of int [Q15.16]
        Scores that the section's threshold is fitted to, and those for thresholds of single domains.
    clips : dict of domain to int
        Clips that those of single domains are from.
    count : int
        Clips that those of the section are from.
    noun : str
        What they are called: "held-back clip" or "clip".
    """

    section: Mapping[str, Sequence[int]]
    domains: Mapping[str, Sequence[int]]
    clips: Mapping[str, int]
    count: int
    noun: str


def held_back_scores(
    detector: BaseDetector,
    model: DetectorModel,
    score_frames: int,
    clips: Sequence[tuple[Clip, ClipFeatures]],
    held_back: Collection[str],
) -> dict[str, HealthyScores]:
    """Score the clips that were held back from a network's training, by section.

    Parameters
    ----------
    detector : BaseDetector
        Of `model`.
    model : DetectorModel
    score_frames : int
        Span of a score.
    clips : sequence of (Clip, ClipFeatures)
    held_back : collection of str
        Sections whose clips were really held back.
    """
    windows = model.window_count(score_frames)
    scores: dict[str, dict[str, list[int]]] = {}
    counts: dict[str, dict[str, int]] = {}
    for clip, features in clips:
        section, domain = clip.name.section, clip.name.domain or UNNAMED_DOMAIN
        of = scores.setdefault(section, {name: [] for name in DOMAINS})
        of[domain] += span_scores(
            detector.window_scores(features.frames, section), windows, model.windows_per_span(windows)
        )
        counts.setdefault(section, dict.fromkeys(DOMAINS, 0))[domain] += 1
    return {
        section: HealthyScores(
            of, of, counts[section], sum(counts[section].values()), "held-back clip" if section in held_back else "clip"
        )
        for section, of in scores.items()
    }


def held_out_scores(fitted: Fitted) -> dict[str, HealthyScores]:
    """Return the scores that a distance detector's fit made of its clips, each held out in turn, by section.

    The section's threshold is fitted to those of the source domain by its own centre: few target clips make a wide
    target, in which half of the source's clips lie, too, and a threshold on the least score would sink with them until
    a third of the healthy target clips lay over it (docs/distance.md).
    """
    found = {}
    for section, of in fitted.held_out.items():
        scores: dict[str, list[int]] = {
            domain: [min(SCORE_MAX, round(score * 2.0**SCORE_FRACTION_BITS)) for score in values.tolist()]
            for domain, values in of.items()
        }
        by_domain: dict[str, list[int]] = {domain: scores.get(domain, []) for domain in DOMAINS}
        counts: dict[str, int] = {domain: len(values) for domain, values in by_domain.items()}
        source: dict[str, list[int]] = {UNNAMED_DOMAIN: by_domain[UNNAMED_DOMAIN]}
        found[section] = HealthyScores(source, by_domain, counts, counts[UNNAMED_DOMAIN], "clip")
    return found


def section_threshold(
    section: str, healthy: HealthyScores | None, target: Target, notes: list[str], *, domains: bool
) -> Threshold:
    """Fit a section's threshold, and with `domains` those of its domains; say in `notes` what it rests on.

    Raises
    ------
    DataError
        If there are no scores, or too few or too alike for the target.
    """
    if healthy is None or healthy.count == 0:
        raise DataError(
            f"Section {section} has no clip held back from fitting, so it can have no threshold. "
            "It needs at least two training clips."
        )
    kind = healthy.noun
    if healthy.count < FEW_CLIPS:
        notes.append(
            f"Section {section}: its threshold rests on {healthy.count} {kind}{'s' if healthy.count > 1 else ''}; "
            "expect it to be rough. More healthy recordings make it better."
        )
    if healthy.count > 1 and len({score for scores in healthy.section.values() for score in scores}) == 1:
        notes.append(
            f"Section {section}: all {healthy.count} {kind}s have the same score. The model does not tell them apart; "
            "it may have learnt too little."
        )
    fitted = fit_threshold(healthy.section, target)
    if not domains:
        return fitted
    fitted, without = with_domains(fitted, target, healthy.domains, healthy.clips)
    notes += [
        f"Section {section}, {domain}: {healthy.clips[domain]} {kind}{'' if healthy.clips[domain] == 1 else 's'}, "
        f"fewer than {FEW_CLIPS}, make no threshold of its own; the section's decides there."
        for domain in without
    ]
    return fitted
