"""``edge-asd metrics``: the official figures of anybody's scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.cli.common import (
    GroundTruthOption,
    JsonOption,
    YearOption,
    figure,
    measures_line,
    note,
    print_json,
    table,
)
from edge_asd.errors import OutputError
from edge_asd.stages import load_stage

_FEWEST_RESAMPLES = 100


def _resamples(value: int) -> int:
    if 0 < value < _FEWEST_RESAMPLES:
        raise typer.BadParameter(f"{value} resamples tell nothing; use 0, or {_FEWEST_RESAMPLES} and more.")
    return value


def command(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCORES_DIR",
            help="Folder of anomaly_score_<machine>_section_<NN>_<domain>_test.csv (from 2022 on without domain, in "
            "2020 ..._id_<NN>.csv), and decision_result_... where there are decisions; several folders make up one "
            "result.",
        ),
    ],
    year: YearOption = None,
    ground_truth: GroundTruthOption = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[MACHINE=]NUMBER",
            help="Take scores above as anomalies, of one machine or of all, whatever the decision files say.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the figures as the published result.csv.")
    ] = None,
    bootstrap: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=1_000_000,
            callback=_resamples,
            help="Resamples behind the 95 % intervals; 0 for no intervals.",
        ),
    ] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same intervals.")] = 0,
    json: JsonOption = False,
) -> None:
    """Compute the official DCASE Task 2 figures of 2020 to 2026 from score files, whoever made them.

    The files are lines of a clip's file name and its score (or decision, 1: anomaly) without a
    header. Names tell the labels (..._anomaly_0000.wav), or --ground-truth does. The files' names tell
    the year as well: 2020, 2021, or 2022 and later, whose measures are the same.
    """
    if out is not None and out.suffix != ".csv":
        raise OutputError(f"The official table is a CSV file: give --out a name that ends in .csv, not {out.name}.")
    thresholds = dict(map(_threshold, threshold or []))
    if out is not None:
        load_stage("train.figures.official_csv").check_result_replaceable(out)
    done = load_stage("train.figures.official_figures").official_figures(
        folders, year=year, ground_truth=ground_truth, thresholds=thresholds, resamples=bootstrap, seed=seed
    )
    if out is not None:
        load_stage("train.figures.official_csv").write_result(out, done.rows, done.measures)
    document = done.as_dict()
    for text in document["notes"]:
        note(f"Note: {text}")
    if json:
        print_json(document)
    else:
        _print_figures(document, done.measures, by_names=year is None)


def _threshold(text: str) -> tuple[str | None, float]:
    machine, _, number = text.rpartition("=")
    value: float | None = load_stage("train.figures.score_files").parse_score(number.strip())
    if value is None or text.startswith("="):
        raise typer.BadParameter(f"{text!r} is no threshold; use for example 9.6 or fan=9.6.", param_hint="--threshold")
    return machine or None, value


def _print_figures(document: dict[str, Any], measures: Any, *, by_names: bool) -> None:
    intervals = document["bootstrap"]["resamples"] > 0

    def ranks(values: dict[str, Any], name: str) -> list[str]:
        return [figure(values[name]), *([_interval(values, name)] if intervals else [])]

    def line(place: list[str], values: dict[str, Any]) -> list[str]:
        decisions = [figure(values[name]) for name in ("precision", "recall", "f1")]
        return [*place, *ranks(values, "auc"), *ranks(values, "pauc"), *decisions]

    between = ["95 % interval"] if intervals else []
    header = ["machine", "section", "domain", "normal", "anomaly"]
    rows = [
        line([r["machine"], r["section"], r["domain"] or "-", str(r["n_normal"]), str(r["n_anomaly"])], r)
        for r in document["results"]
    ]
    for kind in measures.means:
        rows.append(line([f"{kind} mean", "", "", "", ""], document[kind]))
    print(table([*header, "AUC", *between, "pAUC", *between, "precision", "recall", "F1"], rows))
    print(measures_line(measures, by_names=by_names))
    if not measures.official:
        return
    official = f"{figure(document['official'])} {_interval(document, 'official')}".rstrip()
    once = ", a section's pAUC counted once" if measures.mixed else ""
    print(f"Official score, the harmonic mean of all AUC and pAUC{once}: {official}")


def _interval(values: dict[str, Any], name: str) -> str:
    low, high = values.get(f"{name}_low"), values.get(f"{name}_high")
    return "" if low is None else f"[{low:.3f}, {high:.3f}]"
