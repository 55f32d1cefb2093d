"""A trained model to a bundle."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_asd.bundle.bundle import MAX_SCORE_FRAMES, Bundle, check_replaceable, golden_section
from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.bundle.manifest import Quantisation, Threshold
from edge_asd.clips import DOMAINS, UNNAMED_DOMAIN
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import span_scores
from edge_asd.detectors.windowed import WindowDetector, output_multiplier
from edge_asd.errors import DataError, OutputError
from edge_asd.files import prepare_folder, write_atomically
from edge_asd.frontend.quantise_input import input_multiplier
from edge_asd.interpreter import Model
from edge_asd.model_file import read_model
from edge_asd.quantize.golden import golden_vectors
from edge_asd.quantize.int8.methods import DEFAULT, check_method, quantise
from edge_asd.quantize.int8.range_report import (
    cells_of,
    check_report_replaceable,
    range_report,
    saturation,
    saturation_warnings,
    to_csv,
)
from edge_asd.quantize.int8.representative import HEADROOM_DB, representative_windows
from edge_asd.quantize.source import Source, run_source
from edge_asd.quantize.threshold_fitting import check_target, fit_threshold, with_domains
from edge_asd.quantize.versions import versions
from edge_asd.thresholds import FEW_CLIPS, Target
from edge_asd.train.data.dataset import Clip
from edge_asd.train.data.rates import header_notes, headers_of, rates_of
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.figures.measures import measures_of
from edge_asd.train.runs.run import Run

SCORE_SECONDS = 10.0
"""Default span of a clip or rolling score, the length of MIMII DUE's clips."""

MAX_SCORE_SECONDS = 3600.0

_TARGET = Target()


@dataclass(frozen=True, slots=True)
class Quantised:
    """A finished bundle and what its maker should know about it."""

    bundle: Bundle
    saturated_share: float
    notes: list[str]


def quantise_run(folder: Path, data: Path, out: Path, **choices: Any) -> Quantised:
    """Convert a run to int8, fit its thresholds and write the bundle.

    Parameters
    ----------
    folder : Path
        The run.
    data : Path
        The data set it was trained on; its training clips must be unchanged.
    out : Path
        The bundle, by custom NAME.easd.
    **choices
        See `quantise_source`.

    Raises
    ------
    EdgeAsdError
        If the run or the data cannot be used, or `out` cannot be written.
    """
    return quantise_source(run_source(folder, data), out, **choices)


def quantise_source(
    source: Source,
    out: Path,
    *,
    target: Target = _TARGET,
    domain_thresholds: bool = False,
    score_seconds: float | None = None,
    quantisation: str = DEFAULT,
    headroom_db: float = HEADROOM_DB,
    ranges: Path | None = None,
    arithmetic: str = "litert-ref",
    cache: FeatureCache | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Quantised:
    """Convert a model to int8, fit its thresholds and write the bundle.

    Parameters
    ----------
    source : Source
    out : Path
        The bundle, by custom NAME.easd.
    target : Target
        What thresholds are fitted to; a quantile of 0.9 by default.
    domain_thresholds : bool
        Fit thresholds for single domains, too (`edge_asd.quantize.threshold_fitting.with_domains`).
    score_seconds : float, optional
        Span of the clip or rolling score, and of the stretches of held-back clips that the
        thresholds are fitted on. Ten seconds by default, or the shortest of these clips.
    quantisation : str
        How the model becomes int8, one of `edge_asd.quantize.int8.methods.METHODS`.
    headroom_db : float
        See `edge_asd.quantize.int8.representative.representative_windows`.
    ranges : Path, optional
        CSV file for the report on the ranges of every layer in every section and domain.
    arithmetic : str
        The bundle's arithmetic of record (see `edge_asd.interpreter.ARITHMETICS`): thresholds are
        fitted and golden vectors made in it, and devices run the model in it.
    cache : FeatureCache, optional
        The user's by default.
    progress : callable, optional
        Called with the name of each step.

    Raises
    ------
    EdgeAsdError
        If the run or the data cannot be used, or `out` cannot be written.
    """
    run, dataset, fit, held_back = source.run, source.dataset, source.fit, source.held_back
    check_target(target)
    check_method(quantisation)
    cache = cache or FeatureCache()
    notes: list[str] = []
    chosen = _threshold_clips(run, fit, held_back, notes)
    clips = list(zip(chosen, cache.features(chosen, run.features, run.baseline.window_frames), strict=True))
    score_frames = _score_frames(run, score_seconds, clips, notes)
    _check_places(out, ranges, run.machine)

    headers = headers_of([*fit, *held_back])
    notes += [*dataset.notes, *header_notes(headers, run.features.sample_rate, run.channel, "training clips")]

    measures = measures_of(dataset.year)
    if domain_thresholds and not measures.domains:
        domain_thresholds = False
        notes.append(f"The set is one of {dataset.year}, which knows no domains: no thresholds of single ones.")
    elif domain_thresholds and measures.mixed:
        notes.append(
            f"The set is one of {dataset.year}, whose test clips do not tell their domain: evaluate decides by the "
            "section's threshold. Those of single domains are for monitor --domain, where you know it."
        )

    progress("representative data")
    representative = representative_windows(
        fit,
        run.features,
        run.baseline.input_shape(run.features.n_mels),
        cache,
        headroom_db=headroom_db,
        domains=dataset.expected_domains,
    )
    notes += representative.notes
    progress("conversion")
    float_model = source.float_model()
    int8 = quantise(float_model, representative, method=quantisation)
    progress("ranges")
    report = range_report(float_model, int8, cells_of(run, dataset.clips, cache))
    notes += saturation_warnings(report)
    notes += processor_notes(int8, arithmetic)
    shipped = Model(int8, arithmetic=arithmetic)
    model = DetectorModel(
        detector=run.model,
        features=run.features,
        window_frames=run.baseline.window_frames,
        window_hop=run.baseline.test_hop,
        input=Quantisation(shipped.input_scale, shipped.input_zero_point, input_multiplier(shipped.input_scale)),
        output=Quantisation(shipped.output_scale, shipped.output_zero_point, output_multiplier(shipped.output_scale)),
        model=int8,
        classes=tuple(run.classes),
        model_arithmetic=arithmetic,
    )
    progress("thresholds")
    detector = load_detector(model)
    windows = model.window_count(score_frames)
    sections = {clip.name.section for clip in held_back}
    thresholds = {
        section: _section_threshold(detector, windows, section, clips, sections, target, domain_thresholds, notes)
        for section in run.sections
    }
    level = statistics.median(features.level_db for _, features in clips)
    bundle = Bundle(
        **model.parts(),
        machine=run.machine,
        score_window_frames=score_frames,
        thresholds=thresholds,
        float_model=float_model,
        golden=golden_vectors(model, golden_section(thresholds), level),
        provenance={
            "data_sha256": run.data_hash,
            "channel": run.channel,
            "training_rates": {str(rate): count for rate, count in rates_of(headers).items()},
            **source.provenance,
            "quantisation": {
                "method": quantisation,
                "representative": representative.record,
                "saturation": saturation(report),
            },
            "versions": versions(),
        },
    )
    bundle.save(out)
    if ranges is not None:
        write_atomically(ranges, to_csv(report))
    return Quantised(bundle, detector.saturated / max(1, detector.quantised), notes)


def processor_notes(model: bytes, arithmetic: str) -> list[str]:
    """Say whether scores will depend on the kind of processor.

    Parameters
    ----------
    model : bytes
        An int8 .tflite.
    arithmetic : str

    Returns
    -------
    notes : list of str
        One at most.
    """
    if arithmetic != "litert-builtin" or not any("CONV_2D" in one.kind for one in read_model(model).operators):
        return []
    return [
        "litert-builtin rounds convolutions in one way on x86 and in another on ARM: scores of this detector differ "
        "between the two, by up to a quarter. Take --arithmetic litert-ref or xnnpack, which give the same scores on "
        "both, or fit its thresholds on the device with edge-asd calibrate."
    ]


def _check_places(out: Path, ranges: Path | None, machine: str) -> None:
    """Refuse places that cannot be written, and files that are neither a bundle nor a report of ranges."""
    prepare_folder(out.absolute().parent)
    if out.is_dir():
        raise OutputError(f"{out} is a folder. Name a file for the bundle, such as {out / machine}.easd.")
    check_replaceable(out)
    if ranges is not None:
        prepare_folder(ranges.absolute().parent)
        if ranges.suffix != ".csv":
            raise OutputError(f"The ranges are a CSV file: give --ranges a name that ends in .csv, not {ranges.name}.")
        check_report_replaceable(ranges)


def _score_frames(run: Run, seconds: float | None, clips: list[tuple[Clip, ClipFeatures]], notes: list[str]) -> int:
    """Choose the span of a score: no longer than the clips that its thresholds are fitted on."""
    spec = run.features
    if seconds is not None and not 0 < seconds <= MAX_SCORE_SECONDS:
        raise DataError(f"A score cannot span {seconds} s; use for example 10, and {MAX_SCORE_SECONDS:g} at most.")
    wanted = spec.frame_count(round((SCORE_SECONDS if seconds is None else seconds) * spec.sample_rate))
    if wanted < run.baseline.window_frames:
        raise DataError(f"A score needs at least one window; {seconds} s is too short. Use for example 10.")
    if wanted > MAX_SCORE_FRAMES:
        longest = int(spec.sample_count(MAX_SCORE_FRAMES) / spec.sample_rate)
        raise DataError(f"A score spans {MAX_SCORE_FRAMES} frames at most: ask for --score-seconds {longest} or less.")
    clip, shortest = min(clips, key=lambda pair: len(pair[1].frames), default=(None, None))
    if clip is None or shortest is None or len(shortest.frames) >= wanted:
        return wanted
    length = spec.sample_count(len(shortest.frames)) / spec.sample_rate
    if seconds is not None:
        raise DataError(
            f"A score cannot span {seconds:g} s: {clip.path} lasts {length:.2f} s, and thresholds are fitted on whole "
            "spans. Ask for a shorter --score-seconds, or leave it out."
        )
    notes.append(
        f"Scores span {length:.2f} s, not {SCORE_SECONDS:g}, for the shortest clip, {clip.path.name}, has no more."
    )
    return len(shortest.frames)


def _threshold_clips(run: Run, fit: list[Clip], held_back: list[Clip], notes: list[str]) -> list[Clip]:
    """Choose the clips that thresholds are fitted on.

    A faithful split holds nothing back from all sections but the last: there, as in the published
    baselines, the clips that the model was fitted on have to do.
    """
    chosen = list(held_back)
    for section in run.sections:
        fitted = [clip for clip in fit if clip.name.section == section]
        if len(fitted) > 1 and not any(clip.name.section == section for clip in held_back):
            chosen += fitted
            notes.append(
                f"Section {section}: no clip was held back, so its threshold rests on clips that the model was fitted "
                "on; it may be too low for new ones."
            )
    return chosen


def _section_threshold(
    detector: WindowDetector,
    windows: int,
    section: str,
    clips: list[tuple[Clip, ClipFeatures]],
    held_back: set[str],
    target: Target,
    domain_thresholds: bool,
    notes: list[str],
) -> Threshold:
    kind = "held-back clip" if section in held_back else "clip"
    scores: dict[str, list[int]] = {domain: [] for domain in DOMAINS}
    counts: dict[str, int] = dict.fromkeys(DOMAINS, 0)
    for clip, features in clips:
        if clip.name.section == section:
            domain = clip.name.domain or UNNAMED_DOMAIN
            scores[domain] += span_scores(detector.window_scores(features.frames, section), windows)
            counts[domain] += 1
    count = sum(counts.values())
    if count == 0:
        raise DataError(
            f"Section {section} has no clip held back from fitting, so it can have no threshold. "
            "It needs at least two training clips."
        )
    if count < FEW_CLIPS:
        notes.append(
            f"Section {section}: its threshold rests on {count} {kind}{'s' if count > 1 else ''}; "
            "expect it to be rough. More healthy recordings make it better."
        )
    fitted = fit_threshold(scores, target)
    if not domain_thresholds:
        return fitted
    fitted, without = with_domains(fitted, target, scores, counts)
    notes += [
        f"Section {section}, {domain}: {counts[domain]} {kind}{'' if counts[domain] == 1 else 's'}, fewer than "
        f"{FEW_CLIPS}, make no threshold of its own; the section's decides there."
        for domain in without
    ]
    return fitted
