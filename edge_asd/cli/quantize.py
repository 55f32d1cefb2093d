"""``edge-asd quantize``: a run to an int8 bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_asd.cli.choices import Arithmetic, ConverterName, QuantisationMethod, ThresholdMethod
from edge_asd.cli.common import CacheOption, DataOption, JsonOption, finite, note, print_json
from edge_asd.cli.progress import Progress
from edge_asd.cli.thresholds import (
    DEFAULT_QUANTILE,
    FalsePositiveRateOption,
    QuantileOption,
    check_one_target,
    describe,
    false_positives,
)
from edge_asd.errors import OutputError
from edge_asd.stages import load_stage
from edge_asd.thresholds import Target


def command(
    data: DataOption,
    out: Annotated[Path, typer.Option(metavar="BUNDLE", help="Bundle to write, by custom NAME.easd.")],
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="Folder made by edge-asd train.")] = None,
    keras: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="Instead of RUN, a model trained elsewhere: .h5, .keras or SavedModel."),
    ] = None,
    machine: Annotated[str | None, typer.Option(help="With --keras: the machine type in DATA.")] = None,
    sections: Annotated[
        str | None, typer.Option(metavar="00,01,...", help="With --keras: the model's sections; all by default.")
    ] = None,
    threshold: Annotated[
        ThresholdMethod, typer.Option(help="quantile of held-back scores, or the published gamma fit.")
    ] = ThresholdMethod.quantile,
    quantile: QuantileOption = None,
    false_positive_rate: FalsePositiveRateOption = None,
    domain_thresholds: Annotated[
        bool,
        typer.Option(
            "--domain-thresholds",
            help="Fit a threshold for each domain, too, where at least 20 clips of it were held back.",
        ),
    ] = False,
    score_seconds: Annotated[
        float | None,
        typer.Option(callback=finite, help="Span of a clip or rolling score; 10, or the shortest clip, by default."),
    ] = None,
    quantisation: Annotated[
        QuantisationMethod, typer.Option(help="Way to int8; docs/quantisation.md compares them.")
    ] = QuantisationMethod.compensated,
    converter: Annotated[
        ConverterName,
        typer.Option(help="What makes the .tflite files; litert needs the extra edge-asd[converter]."),
    ] = ConverterName.tensorflow,
    headroom: Annotated[
        float,
        typer.Option(
            min=0.0, max=40.0, callback=finite, help="Room of the int8 ranges for levels beyond training's, in dB."
        ),
    ] = 9.0,
    ranges: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="File to write: range and saturation of each layer, section and domain."),
    ] = None,
    arithmetic: Annotated[
        Arithmetic,
        typer.Option(help="Kernels that scores and thresholds are made with, here and on every device."),
    ] = Arithmetic.litert_ref,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace BUNDLE if it exists.")] = False,
    cache: CacheOption = None,
    json: JsonOption = False,
) -> None:
    """Convert a run, or a Keras model from elsewhere, to integers, fit a threshold for each section, write the bundle.

    Representative data comes from every section and domain, with copies louder and softer by the headroom.
    """
    if (run is None) == (keras is None):
        raise typer.BadParameter("give either RUN, or --keras MODEL and --machine")
    if (keras is None) != (machine is None):
        raise typer.BadParameter("--keras and --machine belong together")
    if keras is None and sections is not None:
        raise typer.BadParameter("--sections belongs to --keras; a run knows its own")
    check_one_target(quantile, false_positive_rate)
    if false_positive_rate is None:
        target = Target(threshold.value, DEFAULT_QUANTILE if quantile is None else quantile)
    elif threshold is ThresholdMethod.gamma:
        raise typer.BadParameter("--false-positive-rate counts scores, and does not go with --threshold gamma")
    else:
        target = Target("false-positive-rate", false_positive_rate)
    from edge_asd.bundle.bundle import check_replaceable

    if out.is_file() and not overwrite:
        check_replaceable(out)
        raise OutputError(
            f"{out} exists. Name another bundle with --out, or give --overwrite to replace it with its thresholds."
        )
    pipeline, feature_cache = load_stage("quantize.pipeline"), load_stage("train.features.cache")
    with Progress() as line:
        if keras is None:
            source = load_stage("quantize.source").run_source(run, data)
        else:
            chosen = sections.split(",") if sections else None
            source = load_stage("quantize.foreign").foreign_source(keras, data, machine, chosen)
        done = pipeline.quantise_source(
            source,
            out,
            target=target,
            domain_thresholds=domain_thresholds,
            score_seconds=score_seconds,
            quantisation=quantisation.value,
            converter=converter.value,
            headroom_db=headroom,
            ranges=ranges,
            arithmetic=arithmetic.value,
            cache=feature_cache.FeatureCache(cache, note=line.note),
            progress=line,
        )
    bundle = done.bundle
    for text in done.notes:
        note(f"Note: {text}")
    if json:
        print_json(
            {
                "bundle": str(out),
                "machine": bundle.machine,
                "arithmetic": bundle.model_arithmetic,
                "model_bytes": len(bundle.model),
                "quantisation": bundle.provenance["quantisation"]["method"],
                "saturation": done.saturated_share,
                "saturation_by_domain": bundle.provenance["quantisation"]["saturation"],
                "thresholds": {s: t.score for s, t in sorted(bundle.thresholds.items())},
                "domain_thresholds": {
                    s: {domain: own.score for domain, own in sorted(t.domains.items())}
                    for s, t in sorted(bundle.thresholds.items())
                },
                "false_positives": {s: false_positives(t) for s, t in sorted(bundle.thresholds.items())},
                "clips": {s: t.clips for s, t in sorted(bundle.thresholds.items())},
                "notes": done.notes,
            }
        )
        return
    size, floating = len(bundle.model) / 1024, len(bundle.float_model) / 1024
    print(f"{out}: {'int8 model' if bundle.kind.network else 'integers'} of {size:.0f} KiB (float {floating:.0f} KiB).")
    if bundle.kind.network:
        print(f"Input values cut off on held-back clips: {done.saturated_share:.3%}.")
    unit = bundle.kind.unit
    for section, fitted in sorted(bundle.thresholds.items()):
        print(f"Section {section}: {describe(fitted, unit)}.")
        for domain, own in sorted(fitted.domains.items()):
            print(f"Section {section}, {domain}: {describe(own, unit)}.")
    print(f"Next: edge-asd evaluate {out} --data {data} --out results/{out.stem}")
