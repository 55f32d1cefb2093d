"""``edge-asd evaluate``: float against the shipped arithmetic."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.cli.common import (
    BundleArgument,
    CacheOption,
    DataOption,
    GroundTruthOption,
    JsonOption,
    ProgressLine,
    figure,
    note,
    print_json,
    table,
)
from edge_asd.stages import load_stage


def command(
    bundle: BundleArgument,
    data: DataOption,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the official CSV files.")],
    ground_truth: GroundTruthOption = None,
    cache: CacheOption = None,
    json: JsonOption = False,
) -> None:
    """Measure AUC and pAUC, float against shipped, for every section and domain.

    F1 judges the decisions by the bundle's thresholds. The level column is the AUC of the clips'
    loudness alone: near 1 or near 0, loudness by itself tells the classes apart.
    """
    from edge_asd.bundle import Bundle

    evaluation, feature_cache = load_stage("quantize.evaluation"), load_stage("train.feature_cache")
    line = ProgressLine()
    try:
        done = evaluation.evaluate(
            Bundle.load(bundle),
            data,
            out,
            ground_truth=ground_truth,
            cache=feature_cache.FeatureCache(cache, note=line.note),
            progress=lambda n, total: line(f"clip {n}/{total}"),
        )
    finally:
        line.clear()
    for text in done.notes:
        note(f"Note: {text}")
    if json:
        results = [asdict(result) for result in done.results]
        print_json({"results": results, "saturation": done.saturated_share, "notes": done.notes})
        return
    print(results_table(done.results))
    print(f"Input values cut off: {done.saturated_share:.3%}. Scores and decisions of every clip: {out}")


def results_table(results: list[Any]) -> str:
    """Lay out evaluation results for people."""
    return table(
        [
            "machine",
            "section",
            "domain",
            "normal",
            "anomaly",
            "AUC float",
            "AUC int8",
            "drop",
            "pAUC int8",
            "F1 int8",
            "AUC level",
        ],
        [
            [
                r.machine,
                r.section,
                r.domain,
                str(r.n_normal),
                str(r.n_anomaly),
                figure(r.auc_float),
                figure(r.auc_int8),
                "-" if r.auc_drop is None else f"{r.auc_drop:+.3f}",
                figure(r.pauc_int8),
                figure(r.f1),
                figure(r.auc_level),
            ]
            for r in results
        ],
    )
