"""What int8 and fixed point cost: float, fixed point and the shipped arithmetic, section by section."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_asd.bundle.bundle import Bundle
from edge_asd.clips import UNKNOWN_DOMAIN, Domain
from edge_asd.detectors.scores import score_value
from edge_asd.errors import DataError
from edge_asd.files import results_folder, write_atomically
from edge_asd.own_set import is_own
from edge_asd.quantize.evaluation.agreement import Agreement, agreement
from edge_asd.quantize.evaluation.agreement_picture import agreement_picture
from edge_asd.quantize.evaluation.cost_rows import ClipScores, Result, evaluate_row
from edge_asd.quantize.evaluation.earlier import DOCUMENT, check_earlier, left_note
from edge_asd.quantize.evaluation.heard.report import HeardReport, heard_report
from edge_asd.quantize.evaluation.probe.report import Judged, Report, report
from edge_asd.quantize.evaluation.remarks import ENOUGH, remarks, told_apart
from edge_asd.quantize.evaluation.scoring import float_scores, shipped_scores
from edge_asd.thresholds import is_anomalous
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.rates import header_notes, headers_of, rates_note
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.figures.means import Row
from edge_asd.train.figures.measures import Measures, measures_of, missing_domains, pick, rows_of
from edge_asd.train.figures.official_csv import write_result
from edge_asd.train.figures.score_files import decisions_name, remove_contradicted, scores_name, write_pairs


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All results, and what the reader should know about them; no `saturated_share` without a network's input."""

    measures: Measures
    results: list[Result]
    clips: list[ClipScores]
    agreement: Agreement
    saturated_share: float | None
    notes: list[str]
    healthy: Report
    heard: HeardReport

    @property
    def mean_drop(self) -> float | None:
        """Mean AUC drop over sections and domains with at least `ENOUGH` clips of either class."""
        drops = [r.auc_drop for r in self.results if min(r.n_normal, r.n_anomaly) >= ENOUGH]
        return statistics.mean(drop for drop in drops if drop is not None) if drops else None

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON."""
        return {
            "year": self.measures.year,
            "results": [result.as_dict() for result in self.results],
            "mean_auc_drop": self.mean_drop,
            **asdict(self.agreement),
            "saturation": self.saturated_share,
            **self.healthy.as_dict(),
            **self.heard.as_dict(),
            "notes": self.notes,
        }


def evaluate(
    bundle: Bundle,
    data: Path,
    out: Path,
    *,
    domain: Domain | None = None,
    year: int | None = None,
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
        ``agreement.png`` and ``evaluation.json``; ``hears.png`` where faults were mixed in, and ``heard.png`` where
        clips are flagged and the detector can tell which bands moved. It is of one machine and year: results of
        another are not mixed with these (`edge_asd.quantize.evaluation.earlier`).
    domain : {"source", "target"}, optional
        Evaluate this domain alone, by its own thresholds where the bundle has them. Otherwise both,
        by the thresholds of their sections. Of measures that mix domains, or know none, it cannot be chosen.
    year : int, optional
        Whose measures (`edge_asd.train.figures.measures`) and file names; the data set's by default.
    ground_truth : Path, optional
        File or folder with the labels, from 2022 on also the domains, of evaluation clips (see
        `edge_asd.train.data.ground_truth`).
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
    measures = measures_of(dataset.year if year is None else year)
    if domain is not None and (measures.mixed or not measures.domains):
        why = (
            "an AUC takes the anomalies of both domains, and a section's threshold cannot know a clip's"
            if measures.mixed
            else "there are no domains"
        )
        raise DataError(f"By the measures of {measures.year}, {why}: leave --domain out, or give --year 2021.")
    sections = [section for section in dataset.sections if section in bundle.thresholds]
    domains = (dataset.expected_domains if domain is None else (domain,)) if measures.domains else ()
    clips = [
        clip
        for clip in dataset.select(split="test")
        if clip.name.section in sections and domain in (None, clip.name.domain)
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
    check_earlier(out, bundle.machine, measures.year, any_year=year is not None)
    with results_folder(out, DOCUMENT):
        scored, saturated, fixed = _score(bundle, clips, cache or FeatureCache(), progress)
    if others := sum(bundle.window_count(clip.frames) != bundle.windows_per_score for clip in scored):
        span = bundle.features.sample_count(bundle.score_window_frames) / bundle.features.sample_rate
        notes.append(
            f"{others} of {len(scored)} clips do not last {span:.1f} s, the span that the thresholds belong to. Each "
            "clip is scored over its whole length: scores of shorter ones vary more, those of longer ones less."
        )

    groups = {section: [s for s in scored if s.clip.name.section == section] for section in sections}
    rows = {
        section: rows_of([s.clip.name.label for s in group], [s.clip.name.domain for s in group], measures)
        for section, group in groups.items()
    }
    notes += [text[0].upper() + text[1:] for text in missing_domains(rows, domains)]
    found = sorted(
        ((section, row) for section in sections for row in rows[section]), key=lambda one: (one[1].domain or "", one[0])
    )
    limits = {section: bundle.threshold(section, domain).score for section in sections}
    results = [evaluate_row(bundle.machine, section, row, limits[section], groups[section]) for section, row in found]
    judged = [Judged(s.clip, s.shipped, limits[s.clip.name.section]) for s in scored]
    healthy = report(
        bundle,
        judged,
        hears,
        own_set=is_own(data / bundle.machine),
        progress=lambda done, total: progress("mixing faults into healthy clips", done, total),
    )
    heard = heard_report(
        bundle, judged, fixed, lambda done, total: progress("looking for bands that moved", done, total)
    )
    notes += healthy.notes
    # Nothing is written before all is computed: whoever stops this sees no scores that look complete.
    by_domain = measures.domains and not measures.mixed
    files = {
        (section, row.domain if by_domain else None): pick(groups[section], row.own) if by_domain else groups[section]
        for section, row in found
    }
    for (section, row_domain), group in files.items():
        _write_scores((bundle.machine, section, row_domain, measures.year), limits[section], group, out)
    for folder in (out, out / "float", out / "fixed"):
        remove_contradicted(folder, [(bundle.machine, *place) for place in files], measures.year)
    left = left_note(out, bundle.machine, {scores_name(bundle.machine, *place, measures.year) for place in files})
    notes += filter(None, [left])
    table = [
        Row(r.machine, r.section, r.domain, (r.auc_shipped, r.pauc_shipped, r.precision, r.recall, r.f1))
        for r in results
    ]
    write_result(out / "result.csv", table, measures)
    notes += told_apart({section: [(s.shipped, s.floating) for s in group] for section, group in groups.items()})
    notes += remarks(results)
    evaluation = Evaluation(
        measures,
        results,
        scored,
        _agreement(bundle, domain, scored),
        saturated if bundle.kind.network else None,
        notes,
        healthy,
        heard,
    )
    agreement_picture(
        out / "agreement.png",
        [(s.clip.name.domain or UNKNOWN_DOMAIN, s.floating, score_value(s.shipped)) for s in scored],
        unit=bundle.kind.unit,
        title=f"{bundle.machine}: scores of {len(scored)} test clips",
    )
    healthy.draw(out, f"{bundle.machine}: faults mixed into healthy test clips")
    heard.draw(out, f"{bundle.machine}: how the sound of flagged test clips moved")
    document = json.dumps(evaluation.as_dict(), indent=1, allow_nan=False) + "\n"
    write_atomically(out / DOCUMENT, document.encode())
    return evaluation


def _score(
    bundle: Bundle, clips: Sequence[Clip], cache: FeatureCache, progress: Callable[[str, int, int], None]
) -> tuple[list[ClipScores], float, list[ClipFeatures]]:
    def step(what: str) -> Callable[..., None]:
        return lambda done, total, *_: progress(what, done, total)

    # The same frames in all three: the differences are arithmetic, not padding.
    spec, frames = bundle.features, bundle.window_frames
    fixed = cache.features(clips, spec, frames, progress=step("fixed-point features"))
    floating = cache.features(clips, spec, frames, kind="float", progress=step("float features"))
    sections = [clip.name.section for clip in clips]
    shipped = shipped_scores(bundle, list(zip(sections, fixed, strict=True)), step("as shipped"))
    by_fixed = float_scores(bundle, list(zip(sections, fixed, strict=True)), step("float model"))
    by_float = float_scores(bundle, list(zip(sections, floating, strict=True)), step("float model and features"))
    scored = [
        ClipScores(clip, score, a, b, features.level_db, len(features.frames))
        for clip, score, a, b, features in zip(clips, shipped.scores, by_fixed, by_float, fixed, strict=True)
    ]
    return scored, shipped.saturated_share, fixed


def _agreement(bundle: Bundle, domain: Domain | None, scored: Sequence[ClipScores]) -> Agreement:
    return agreement(
        [s.floating for s in scored],
        [score_value(s.shipped) for s in scored],
        [score_value(bundle.threshold(s.clip.name.section, domain).score) for s in scored],
        signed=bundle.kind.signed,
        sections=[s.clip.name.section for s in scored],
    )


def _write_scores(
    place: tuple[str, str, Domain | None, int], threshold: int, group: Sequence[ClipScores], out: Path
) -> None:
    """Write the official files of a machine's section, or of a domain of it, under a year's names."""
    names = [s.clip.path.name for s in group]
    flagged = [is_anomalous(s.shipped, threshold) for s in group]
    for folder, values in (
        (out, [s.shipped for s in group]),
        (out / "float", [s.floating for s in group]),
        (out / "fixed", [s.fixed for s in group]),
    ):
        write_pairs(folder / scores_name(*place), zip(names, values, strict=True))
    write_pairs(out / decisions_name(*place), zip(names, (int(flag) for flag in flagged), strict=True))
