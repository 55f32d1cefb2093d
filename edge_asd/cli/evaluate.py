"""``edge-asd evaluate``: float against the shipped arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.cli.choices import DomainName
from edge_asd.cli.common import (
    BundleArgument,
    CacheOption,
    DataOption,
    GroundTruthOption,
    JsonOption,
    YearOption,
    figure,
    finite,
    measures_line,
    note,
    print_json,
    table,
)
from edge_asd.cli.hears_text import healthy_text, heard_text
from edge_asd.cli.progress import Progress
from edge_asd.errors import DataError
from edge_asd.stages import load_stage


def command(
    bundle: BundleArgument,
    data: DataOption,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the official CSV files.")],
    max_auc_drop: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0.0,
            callback=finite,
            help="Exit with 1 if the mean AUC drop (sections and domains with 10+10 clips) exceeds X.",
        ),
    ] = None,
    domain: Annotated[
        DomainName | None,
        typer.Option(help="Evaluate this domain alone, by its own thresholds where the bundle has them."),
    ] = None,
    year: YearOption = None,
    ground_truth: GroundTruthOption = None,
    hears: Annotated[
        bool | None,
        typer.Option(
            "--hears/--no-hears",
            help="Mix faults into healthy clips and tell which are flagged; by default in sections without anomalous "
            "test clips, and in sets of your own.",
        ),
    ] = None,
    cache: CacheOption = None,
    json: JsonOption = False,
) -> None:
    """Measure AUC and pAUC, float and fixed point against shipped, for every section and domain.

    From 2022 on a domain's AUC takes the anomalies of both domains, and the pAUC is the section's; the
    year is told from the data set. --domain is for MIMII DUE and sets like it.

    float: float features, float model; fixed: fixed-point features, float model; shipped:
    fixed-point features, int8 model. The drop is float less shipped, with its 95 % interval. F1
    judges the decisions by the bundle's thresholds. The level column is the AUC of the clips'
    loudness alone: near 1 or near 0, loudness by itself tells the classes apart.
    """
    from edge_asd.bundle.bundle import Bundle

    evaluation, feature_cache = load_stage("quantize.evaluation.cost"), load_stage("train.features.cache")
    with Progress() as line:
        done = evaluation.evaluate(
            Bundle.load(bundle),
            data,
            out,
            domain=domain,
            year=year,
            ground_truth=ground_truth,
            hears=hears,
            cache=feature_cache.FeatureCache(cache, note=line.note),
            progress=line,
        )
    for text in done.notes:
        note(f"Note: {text}")
    if json:
        print_json(done.as_dict())
    else:
        _print(done, bundle, out)
    _gate(done, max_auc_drop)


def _print(done: Any, bundle: Path, out: Path) -> None:
    print(results_table(done.results))
    print(healthy_text(done.healthy) + heard_text(done.heard))
    scores = done.agreement
    share = done.saturated_share
    cut_off = "" if share is None else f"Input values cut off: {share:.3%}. "
    correlation = "-" if scores.score_correlation is None else f"{scores.score_correlation:.5f}"
    print(
        f"Scores, float against shipped: least correlation in a section {correlation}, largest relative error "
        f"{scores.max_relative_score_error:.2%}, decisions that flip {scores.flipped_decisions:.1%}.\n"
        f"{measures_line(done.measures)}\n"
        f"{cut_off}Scores, decisions and a picture: {out}\n"
        f"Next: edge-asd monitor {bundle} --section {done.results[0].section}"
    )


def _gate(done: Any, limit: float | None) -> None:
    """Exit with 1 where the mean AUC drop is over the limit, or cannot be told."""
    if limit is None:
        return
    if done.mean_drop is None:
        raise DataError(
            "No section and domain has ten normal and ten anomalous test clips: a mean AUC drop would mean nothing. "
            "Leave --max-auc-drop out, or evaluate on more clips."
        )
    if done.mean_drop > limit:
        raise DataError(f"The mean AUC drop is {done.mean_drop:.4f}, over --max-auc-drop {limit:g}.")


def results_table(results: list[Any]) -> str:
    """Lay out evaluation results of one machine for people, within a hundred columns."""
    machine = results[0].machine if results else ""
    legend = (
        f"{machine}: AUC of float, of fixed-point features, of what ships, and the drop from first to last;\n"
        "pAUC and F1 of what ships; AUC of the loudness alone (level).\n\n"
    )
    return legend + table(
        ["section", "domain", "clips", "float", "fixed", "shipped", "drop [95 %]", "pAUC", "F1", "level"],
        [
            [
                r.section,
                r.domain or "-",
                f"{r.n_normal}+{r.n_anomaly}",
                figure(r.auc_float),
                figure(r.auc_fixed),
                figure(r.auc_shipped),
                _drop(r),
                figure(r.pauc_shipped),
                figure(r.f1),
                figure(r.auc_level),
            ]
            for r in results
        ],
    )


def _drop(r: Any) -> str:
    if r.auc_drop is None:
        return "-"
    interval = "" if r.auc_drop_low is None else f" [{r.auc_drop_low:+.3f}, {r.auc_drop_high:+.3f}]"
    return f"{r.auc_drop:+.3f}{interval}"
