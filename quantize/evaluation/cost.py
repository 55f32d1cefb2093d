"""What int8 and fixed point cost: float, fixed point and the shipped arithmetic, section by section."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_asd.bundle.bundle import Bundle
from edge_asd.clips import DOMAINS, Domain
from edge_asd.detectors.scores import score_value
from edge_asd.errors import DataError
from edge_asd.files import results_folder, write_atomically
from edge_asd.quantize.evaluation.agreement import Agreement, agreement
from edge_asd.quantize.evaluation.agreement_picture import agreement_picture
from edge_asd.quantize.evaluation.probe.report import Judged, Report, report
from edge_asd.quantize.evaluation.remarks import ENOUGH, remarks
from edge_asd.quantize.evaluation.scoring import float_scores, shipped_scores
from edge_asd.thresholds import is_anomalous
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.rates import header_notes, headers_of, rates_note
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.figures.bootstrap import cell_seed, paired_difference_interval
from edge_asd.train.figures.metrics import decision_figures, rank_figures
from edge_asd.train.figures.official_csv import Row, write_result
from edge_asd.train.figures.score_files import decisions_name, scores_name, write_pairs


@dataclass(frozen=True, slots=True)
class Result:
    """One section and domain; None where a class is missing.

    Attributes
    ----------
    auc_float, pauc_float, f1_float
        Of float features and the float model; the bundle's threshold decides.
    auc_fixed, pauc_fixed, f1_fixed
        Of fixed-point features and the float model.
    auc_shipped, pauc_shipped, precision, recall, f1
        Of the shipped arithmetic.
    auc_drop, pauc_drop
        Float less shipped.
    auc_drop_low, auc_drop_high
        95 % interval of `auc_drop`, by a bootstrap of the clips.
    auc_level
        AUC of the clips' RMS level alone.
    false_positive_rate
        Share of normal clips that the shipped arithmetic flags.
    """

    machine: str
    section: str
    domain: str
    n_normal: int
    n_anomaly: int
    auc_float: float | None
    auc_fixed: float | None
    auc_shipped: float | None
    auc_drop: float | None
    auc_drop_low: float | None
    auc_drop_high: float | None
    pauc_float: float | None
    pauc_fixed: float | None
    pauc_shipped: float | None
    pauc_drop: float | None
    auc_level: float | None
    f1_float: float | None
    f1_fixed: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    false_positive_rate: float | None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON, where the names say int8 for shipped, as programs know them."""
        return {name.replace("shipped", "int8"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class ClipScores:
    """One clip, scored three ways; `shipped` is an integer in Q15.16."""

    clip: Clip
    shipped: int
    fixed: float
    floating: float
    level: float
    frames: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All results, and what the reader should know about them."""

    results: list[Result]
    clips: list[ClipScores]
    agreement: Agreement
    saturated_share: float
    notes: list[str]
    healthy: Report

    @property
    def mean_drop(self) -> float | None:
        """Mean AUC drop over sections and domains with at least `ENOUGH` clips of either class."""
        drops = [r.auc_drop for r in self.results if min(r.n_normal, r.n_anomaly) >= ENOUGH]
        return statistics.mean(drop for drop in drops if drop is not None) if drops else None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON."""
        return {
            "results": [result.as_dict() for result in self.results],
            "mean_auc_drop": self.mean_drop,
            **asdict(self.agreement),
            "saturation": self.saturated_share,
            **self.healthy.as_dict(),
            "notes": self.notes,
        }


def evaluate(
    bundle: Bundle,
    data: Path,
    out: Path,
    *,
    domain: Domain | None = None,
    ground_truth: Path | None = None,
    cache: FeatureCache | None = None,
    hears: bool | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Evaluation:
    """Evaluate a bundle on the test clips of its machine and write the official files.

    Parameters
    ----------
    bundle : Bundle
    data : Path
        Data set in the layout of MIMII DUE.
    out : Path
        Folder for ``result.csv``, scores and decisions of the shipped arithmetic (integers,
        Q15.16), ``float/`` and ``fixed/`` with the float model's scores (dB^2 or nat),
        ``agreement.png`` and ``evaluation.json``; ``hears.png`` where faults were mixed in.
    domain : {"source", "target"}, optional
        Evaluate this domain alone, by its own thresholds where the bundle has them. Otherwise both,
        by the thresholds of their sections.
    ground_truth : Path, optional
        File or folder with the labels of evaluation clips (see `edge_asd.train.data.ground_truth`).
    cache : FeatureCache, optional
        The user's by default.
    hears : bool, optional
        Whether faults are mixed into healthy clips (see `edge_asd.quantize.evaluation.probe.report`).
    progress : callable, optional
        Called with (what, clips done, clips).

    Raises
    ------
    EdgeAsdError
        If the data cannot be used or `out` cannot be written.
    """
    dataset = Dataset(data, bundle.machine, ground_truth=ground_truth, channel=bundle.channel)
    sections = [section for section in dataset.sections if section in bundle.thresholds]
    domains = DOMAINS if domain is None else (domain,)
    clips = [
        clip for clip in dataset.select(split="test") if clip.name.section in sections and clip.name.domain in domains
    ]
    if not clips:
        raise DataError(
            f"{data / bundle.machine} has no {f'{domain} ' if domain else ''}test clips of the bundle's sections "
            f"({', '.join(sorted(bundle.thresholds))})."
        )
    notes = [*dataset.notes] + [
        f"Section {section} is not in this bundle and was left out."
        for section in dataset.sections
        if section not in bundle.thresholds
    ]
    notes += [
        f"Section {section} has no threshold of its own for the domain {domain}; the section's decides."
        for section in bundle.without_own_threshold(domain)
        if section in sections
    ]
    rate = bundle.features.sample_rate
    notes += filter(None, [rates_note(bundle.training_rates, rate, "training clips")])
    notes += header_notes(headers_of(clips), rate, bundle.channel, "test clips")
    with results_folder(out, "evaluation.json"):
        scored, saturated = _score(bundle, clips, cache or FeatureCache(), progress)
    if any(clip.frames != bundle.score_window_frames for clip in scored):
        notes.append(
            f"Some clips do not span {bundle.score_window_frames} frames, the length that the thresholds belong to."
        )

    cells: list[tuple[Result, int, list[ClipScores]]] = []
    for cell_domain in domains:
        for section in sections:
            group = [s for s in scored if (s.clip.name.section, s.clip.name.domain) == (section, cell_domain)]
            if group:
                threshold = bundle.threshold(section, domain).score
                cells.append(
                    (_evaluate_group(bundle.machine, section, cell_domain, threshold, group), threshold, group)
                )
            else:
                notes.append(f"Section {section} has no {cell_domain} test clips.")
    healthy = report(
        bundle,
        [Judged(s.clip, s.shipped, bundle.threshold(s.clip.name.section, domain).score) for s in scored],
        hears,
        progress=lambda done, total: progress("mixing faults into healthy clips", done, total),
    )
    notes += healthy.notes
    # Nothing is written before all is computed: whoever stops this sees no scores that look complete.
    for cell in cells:
        _write_group(*cell, out)
    results = [result for result, _, _ in cells]
    rows = [
        Row(r.machine, r.section, r.domain, (r.auc_shipped, r.pauc_shipped, r.precision, r.recall, r.f1))
        for r in results
    ]
    write_result(out / "result.csv", rows)
    notes += remarks(results)
    evaluation = Evaluation(results, scored, _agreement(bundle, domain, scored), saturated, notes, healthy)
    agreement_picture(
        out / "agreement.png",
        [(s.clip.name.domain, s.floating, score_value(s.shipped)) for s in scored],
        unit=bundle.kind.unit,
        title=f"{bundle.machine}: scores of {len(scored)} test clips",
    )
    healthy.draw(out, f"{bundle.machine}: faults mixed into healthy test clips")
    document = json.dumps(evaluation.as_dict(), indent=1, allow_nan=False) + "\n"
    write_atomically(out / "evaluation.json", document.encode())
    return evaluation


def _score(
    bundle: Bundle, clips: Sequence[Clip], cache: FeatureCache, progress: Callable[[str, int, int], None]
) -> tuple[list[ClipScores], float]:
    def step(what: str) -> Callable[..., None]:
        return lambda done, total, *_: progress(what, done, total)

    # The same frames in all three: the differences are arithmetic, not padding.
    spec, frames = bundle.features, bundle.window_frames
    fixed = cache.features(clips, spec, frames, progress=step("fixed-point features"))
    floating = cache.features(clips, spec, frames, kind="float", progress=step("float features"))
    sections = [clip.name.section for clip in clips]
    shipped = shipped_scores(bundle, list(zip(sections, fixed, strict=True)), step("int8 model"))
    by_fixed = float_scores(bundle, list(zip(sections, fixed, strict=True)), step("float model"))
    by_float = float_scores(bundle, list(zip(sections, floating, strict=True)), step("float model and features"))
    scored = [
        ClipScores(clip, score, a, b, features.level_db, len(features.frames))
        for clip, score, a, b, features in zip(clips, shipped.scores, by_fixed, by_float, fixed, strict=True)
    ]
    return scored, shipped.saturated_share


def _agreement(bundle: Bundle, domain: Domain | None, scored: Sequence[ClipScores]) -> Agreement:
    return agreement(
        [s.floating for s in scored],
        [score_value(s.shipped) for s in scored],
        [score_value(bundle.threshold(s.clip.name.section, domain).score) for s in scored],
        signed=bool(bundle.classes),
    )


def _write_group(result: Result, threshold: int, group: Sequence[ClipScores], out: Path) -> None:
    """Write the official files of one section and domain."""
    cell = result.machine, result.section, result.domain
    names = [s.clip.path.name for s in group]
    flagged = [is_anomalous(s.shipped, threshold) for s in group]
    for folder, values in (
        (out, [s.shipped for s in group]),
        (out / "float", [s.floating for s in group]),
        (out / "fixed", [s.fixed for s in group]),
    ):
        write_pairs(folder / scores_name(*cell), zip(names, values, strict=True))
    write_pairs(out / decisions_name(*cell), zip(names, (int(flag) for flag in flagged), strict=True))


def _evaluate_group(machine: str, section: str, domain: str, threshold: int, group: Sequence[ClipScores]) -> Result:
    labelled = [s for s in group if s.clip.name.label is not None]
    anomaly = [s.clip.name.label == "anomaly" for s in labelled]
    floating = rank_figures(anomaly, float_column := [s.floating for s in labelled])
    fixed = rank_figures(anomaly, fixed_column := [s.fixed for s in labelled])
    shipped = rank_figures(anomaly, shipped_column := [s.shipped for s in labelled])
    decided = [is_anomalous(score, threshold) for score in shipped_column]
    decisions = decision_figures(anomaly, decided)
    normal = [flag for flag, label in zip(decided, anomaly, strict=True) if not label]
    interval = paired_difference_interval(
        anomaly, float_column, shipped_column, seed=cell_seed(0, machine, section, domain)
    )
    return Result(
        machine=machine,
        section=section,
        domain=domain,
        n_normal=anomaly.count(False),
        n_anomaly=anomaly.count(True),
        auc_float=floating.auc,
        auc_fixed=fixed.auc,
        auc_shipped=shipped.auc,
        auc_drop=_difference(floating.auc, shipped.auc),
        auc_drop_low=None if interval is None else interval[0],
        auc_drop_high=None if interval is None else interval[1],
        pauc_float=floating.pauc,
        pauc_fixed=fixed.pauc,
        pauc_shipped=shipped.pauc,
        pauc_drop=_difference(floating.pauc, shipped.pauc),
        auc_level=rank_figures(anomaly, [s.level for s in labelled]).auc,
        f1_float=decision_figures(anomaly, [score > score_value(threshold) for score in float_column]).f1,
        f1_fixed=decision_figures(anomaly, [score > score_value(threshold) for score in fixed_column]).f1,
        precision=decisions.precision,
        recall=decisions.recall,
        f1=decisions.f1,
        false_positive_rate=sum(normal) / len(normal) if normal else None,
    )


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
