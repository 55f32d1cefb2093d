"""``edge-asd reproduce``: the paper's table and figures from one command."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.bundle.kinds import AUTOENCODER, DISTANCE, SECTION_CLASSIFIER
from edge_asd.cli.choices import Models
from edge_asd.cli.common import (
    CacheOption,
    ChannelOption,
    DataArgument,
    GroundTruthOption,
    JobsOption,
    JsonOption,
    SchedulerOption,
    YearOption,
    figure,
    finite,
    measures_line,
    note,
    print_json,
    table,
    where,
)
from edge_asd.cli.progress import Progress, SweepProgress
from edge_asd.cli.stopping import goes_on, told_when_stopped
from edge_asd.errors import DataError
from edge_asd.stages import load_stage

_PLACES = ("--out", "--cache", "--ground-truth", "--jobs", "--scheduler")
_FLAGS = ("--int8", "--faithful", "--json")
"""The options without a value."""


def command(
    data: DataArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for models, results and the report.")],
    machine: Annotated[str, typer.Option(metavar="NAME", help="Machines of DATA, with commas; or all.")] = "all",
    model: Annotated[
        Models, typer.Option(help="Both baselines, one of them, distance (no baseline of the paper's), or all.")
    ] = Models.both,
    sections: Annotated[
        str | None, typer.Option(metavar="00,01,...", help="Sections; all that have labels by default.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Trainings of each model: seeds 0, 1, ...")] = 1,
    int8: Annotated[bool, typer.Option("--int8", help="Also score in fixed point, and as shipped.")] = False,
    faithful: Annotated[
        bool, typer.Option("--faithful", help="As the published code, with its quirks (docs/baselines.md).")
    ] = False,
    ae_epochs: Annotated[int | None, typer.Option(min=1, help="As published: 100.")] = None,
    ae_learning_rate: Annotated[float | None, typer.Option(callback=finite, help="As published: 0.001.")] = None,
    mobilenetv2_epochs: Annotated[int | None, typer.Option(min=1, help="As published: 20.")] = None,
    mobilenetv2_learning_rate: Annotated[
        float | None, typer.Option(callback=finite, help="As published: 0.00001.")
    ] = None,
    negatives: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Other machines of DATA as further classes (mobilenetv2).")
    ] = None,
    channel: ChannelOption = 0,
    year: YearOption = None,
    ground_truth: GroundTruthOption = None,
    cache: CacheOption = None,
    jobs: JobsOption = 1,
    scheduler: SchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Train the baselines, or other models, on every machine; write the paper's table and figures as one HTML file.

    Its parts are each group of sections of a machine, by each model and seed. One that fails is told, and the others go
    on. A call with the same arguments goes on where one was stopped. Data that is not MIMII DUE is said
    to be so in the report.
    """
    reproduce, fitting = load_stage("quantize.jobs.reproduce"), load_stage("train.runs.fitting")
    dataset, at = load_stage("train.data.dataset"), where(jobs, scheduler)
    settings = []
    if model in {Models.both, Models.ae, Models.all}:
        settings.append(
            fitting.Settings(
                model=AUTOENCODER.name,
                epochs=ae_epochs,
                learning_rate=ae_learning_rate,
                faithful=faithful,
                channel=channel,
            )
        )
    if model in {Models.both, Models.mobilenetv2, Models.all}:
        settings.append(
            fitting.Settings(
                model=SECTION_CLASSIFIER.name,
                epochs=mobilenetv2_epochs,
                learning_rate=mobilenetv2_learning_rate,
                faithful=faithful,
                negatives=tuple(negatives.split(",")) if negatives else (),
                channel=channel,
            )
        )
    elif negatives:
        raise DataError("Of the models, mobilenetv2 alone learns from other machines: leave --negatives out.")
    if model in {Models.distance, Models.all}:
        settings.append(fitting.Settings(model=DISTANCE.name, faithful=faithful, channel=channel))
    with told_when_stopped(lambda: goes_on(out, scheduler)), Progress() as line:
        done = reproduce.reproduce(
            data,
            out,
            settings,
            machines=dataset.machine_names(data, machine),
            sections=sections.split(",") if sections else None,
            seeds=range(seeds),
            int8=int8,
            command=command_line(),
            ground_truth=ground_truth,
            year=year,
            cache=cache,
            where=at,
            progress=SweepProgress(line),
            note=line.note,
            step=line,
        )
    rows = _rows(done.written.figures)
    for text in done.results.notes:
        note(f"Note: {text}")
    if json:
        print_json(
            {
                "report": str(done.written.html),
                "results_file": str(done.results_file),
                "is_mimii_due": done.results.data.is_mimii_due,
                "year": done.results.arguments.year,
                "results": rows,
                "notes": list(done.results.notes),
            }
        )
        return
    if not done.results.data.is_mimii_due:
        print(f"Not MIMII DUE: {done.results.data.not_mimii_due}\n")
    print(
        table(
            ["machine", "section", "domain", "model", "column", "AUC", "SD", "pAUC", "AUC level"],
            [
                [
                    *(row[name] or "-" for name in ("machine", "section", "domain", "model", "column")),
                    *(figure(row[name]) for name in ("auc", "auc_sd", "pauc", "auc_level")),
                ]
                for row in rows
            ],
        )
    )
    print(measures_line(load_stage("train.figures.measures").measures_of(done.results.arguments.year)))
    tables = list(done.written.results.values())
    print(f"\nReport: {done.written.html}")
    print(f"Official table{'s' if len(tables) > 1 else ''}: {', '.join(map(str, tables))}")


def command_line() -> str:
    """The command as it was given, without the places of this computer and without where the parts were worked on."""
    given: list[str] = []
    words = iter(sys.argv[sys.argv.index("reproduce") + 1 :])
    for word in words:
        name, joined, _ = word.partition("=")
        if not name.startswith("-"):
            continue  # DATA
        option = [word] if joined or name in _FLAGS else [word, next(words, "")]
        if name not in _PLACES:
            given += option
    return shlex.join(["edge-asd", "reproduce", "DATA", *given, "--out", "DIR"])


def _rows(found: Any) -> list[dict[str, Any]]:
    figures = load_stage("train.report.figures")
    rows = []
    for machine, section in found.sections:
        for domain in found.domains:
            for model in found.models:
                for column in found.columns:
                    if not found.rows(machine, section, domain, model):
                        continue
                    key = figures.Key(machine, section, domain, model, column)
                    auc, pauc = found.spread("auc", key), found.spread("pauc", key)
                    rows.append(
                        {
                            "machine": machine,
                            "section": section,
                            "domain": domain,
                            "model": model,
                            "column": column,
                            "auc": auc and auc.mean,
                            "auc_sd": auc and auc.sd,
                            "pauc": pauc and pauc.mean,
                            "auc_level": found.level.get((machine, section, domain)),
                        }
                    )
    return rows
