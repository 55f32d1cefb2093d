"""A trained model to a bundle."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_asd.bundle.bundle import MAX_SCORE_FRAMES, Bundle, check_replaceable, golden_section
from edge_asd.bundle.detector_model import DEFAULT_ARITHMETIC
from edge_asd.detectors.loading import load_detector
from edge_asd.errors import DataError, OutputError
from edge_asd.files import prepare_folder
from edge_asd.quantize.golden import golden_vectors
from edge_asd.quantize.healthy_scores import held_back_scores, held_out_scores, section_threshold
from edge_asd.quantize.healthy_spectrum import healthy_spectrum
from edge_asd.quantize.int8.convert import DEFAULT_CONVERTER, converter_versions
from edge_asd.quantize.int8.methods import DEFAULT, check_method
from edge_asd.quantize.int8.range_report import check_report_replaceable
from edge_asd.quantize.int8.representative import HEADROOM_DB
from edge_asd.quantize.model_making import int8_network, integer_distance
from edge_asd.quantize.source import Source, run_source
from edge_asd.quantize.threshold_fitting import check_target
from edge_asd.quantize.versions import versions
from edge_asd.thresholds import Target
from edge_asd.train.data.dataset import Clip
from edge_asd.train.data.rates import header_notes, headers_of, rates_of
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.figures.measures import measures_of
from edge_asd.train.runs.fitting import SCORE_SECONDS
from edge_asd.train.runs.run import Run

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
    converter: str = DEFAULT_CONVERTER,
    headroom_db: float = HEADROOM_DB,
    ranges: Path | None = None,
    arithmetic: str = DEFAULT_ARITHMETIC,
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
    converter : str
        What makes the .tflite files, one of `edge_asd.quantize.int8.convert.CONVERTERS`.
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
    run, dataset = source.run, source.dataset
    check_target(target)
    check_method(quantisation)
    used = converter_versions(converter)
    if not run.kind.network:
        _check_no_network(run, score_seconds, quantisation, converter, headroom_db, ranges, arithmetic)
    cache = cache or FeatureCache()
    notes: list[str] = []
    chosen = _threshold_clips(run, source.fit, source.held_back, notes)
    clips = list(zip(chosen, cache.features(chosen, run.features, run.window_frames), strict=True))
    score_frames = _score_frames(run, score_seconds, clips, notes) if run.kind.network else run.span_frames
    _check_places(out, ranges, run.machine)

    headers = headers_of([*source.fit, *source.held_back])
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

    if source.fitted is None:
        made = int8_network(
            source,
            cache,
            quantisation=quantisation,
            converter=converter,
            headroom_db=headroom_db,
            arithmetic=arithmetic,
            progress=progress,
        )
    else:
        made = integer_distance(source, source.fitted)
    notes += made.notes
    progress("thresholds")
    detector = load_detector(made.model)
    healthy = (
        held_back_scores(detector, made.model, score_frames, clips, {clip.name.section for clip in source.held_back})
        if source.fitted is None
        else held_out_scores(source.fitted)
    )
    thresholds = {
        section: section_threshold(section, healthy.get(section), target, notes, domains=domain_thresholds)
        for section in run.sections
    }
    level = statistics.median(features.level_db for _, features in clips)
    bundle = Bundle(
        **made.model.parts(),
        machine=run.machine,
        score_window_frames=score_frames,
        thresholds=thresholds,
        float_model=made.float_model,
        golden=golden_vectors(made.model, golden_section(thresholds), level),
        healthy=healthy_spectrum(detector, clips, score_frames),
        provenance={
            "data_sha256": run.data_hash,
            "channel": run.channel,
            "training_rates": {str(rate): count for rate, count in rates_of(headers).items()},
            **source.provenance,
            "quantisation": made.provenance,
            "versions": versions(network=run.kind.network) | (used if run.kind.network else {}),
        },
    )
    bundle.save(out)
    made.write_ranges(ranges)
    return Quantised(bundle, detector.saturated / max(1, detector.quantised), notes)


def _check_no_network(
    run: Run,
    score_seconds: float | None,
    quantisation: str,
    converter: str,
    headroom_db: float,
    ranges: Path | None,
    arithmetic: str,
) -> None:
    """Refuse what is asked of a network, and a span that the detector was not fitted for."""
    asked = (quantisation, converter, headroom_db, ranges, arithmetic)
    if asked != (DEFAULT, DEFAULT_CONVERTER, HEADROOM_DB, None, DEFAULT_ARITHMETIC):
        raise DataError(
            f"The model {run.model} holds no network: it is rounded to integers, in the one arithmetic that it has. "
            "Leave --quantisation, --converter, --headroom, --ranges and --arithmetic out."
        )
    if score_seconds is not None:
        seconds = run.features.sample_count(run.span_frames) / run.features.sample_rate
        raise DataError(
            f"The model {run.model} was fitted for scores that span {seconds:.2f} s: leave --score-seconds out here, "
            "or train anew with edge-asd train --score-seconds."
        )


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
    chosen = list(held_back) if run.kind.network else list(fit)
    for section in run.sections if run.kind.network else ():
        fitted = [clip for clip in fit if clip.name.section == section]
        if len(fitted) > 1 and not any(clip.name.section == section for clip in held_back):
            chosen += fitted
            notes.append(
                f"Section {section}: no clip was held back, so its threshold rests on clips that the model was fitted "
                "on; it may be too low for new ones."
            )
    return chosen
