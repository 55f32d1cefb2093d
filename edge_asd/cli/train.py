"""``edge-asd train``: fit a detector to healthy clips."""

from __future__ import annotations

from collections.abc import Sized
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.cli.choices import FrameLength, ModelName, SplitName
from edge_asd.cli.common import (
    CacheOption,
    ChannelOption,
    DataArgument,
    JobsOption,
    JsonOption,
    SchedulerOption,
    finite,
    note,
    print_json,
    where,
)
from edge_asd.cli.progress import Progress, SweepProgress
from edge_asd.cli.stopping import told_when_stopped
from edge_asd.errors import EdgeAsdError
from edge_asd.files import kept_if_filled
from edge_asd.stages import load_stage


def command(
    data: DataArgument,
    machine: Annotated[
        str,
        typer.Option(metavar="NAME", help="Machine type: the name of its folder in DATA; several with commas; all."),
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder for the run; for several machines, of their runs.")],
    model: Annotated[
        ModelName | None,
        typer.Option(
            help="distance: the distance from healthy sound, fitted in a second, and the default for own sets; ae: the "
            "dense autoencoder, the default for others; mobilenetv2: the section classifier."
        ),
    ] = None,
    sections: Annotated[
        str | None, typer.Option(metavar="00,01,...", help="Sections to train together; all by default.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Of a network, in all; as published: ae 100, mobilenetv2 20; own sets: at most 100."),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Windows a step; as published: ae 512, mobilenetv2 32; own sets: fewer for few clips."
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(callback=finite, help="Adam's; as published: ae 0.001, mobilenetv2 0.00001; own sets: 0.001."),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Stop after so many epochs without gain on held-back clips, and keep the best; 0: never, and keep "
            "the last, the default; own sets: 10.",
        ),
    ] = None,
    negatives: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Other machines of DATA as further classes (mobilenetv2).")
    ] = None,
    mels: Annotated[
        int, typer.Option(min=16, max=128, help="Mel bands; as published 128. mobilenetv2 needs 32 or more.")
    ] = 128,
    frame: Annotated[
        FrameLength, typer.Option(help="Samples of a frame, at 16 kHz; as published 1024.")
    ] = FrameLength.published,
    hop: Annotated[
        int | None,
        typer.Option(min=1, help="Samples from one frame to the next, at most a frame; by default half a frame."),
    ] = None,
    score_seconds: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            help="Span of a score, for which distance is fitted; 10, or the shortest clip, by default. Of the other "
            "models, quantize takes it.",
        ),
    ] = None,
    channel: ChannelOption = 0,
    faithful: Annotated[
        bool, typer.Option("--faithful", help="As the published code: padded float features, its split.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="One seed, one result.")] = 0,
    split: Annotated[
        SplitName,
        typer.Option(help="default: hold clips back from every section; faithful: the last tenth, as published."),
    ] = SplitName.default,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last whole epoch of RUN.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that RUN holds.")] = False,
    cache: CacheOption = None,
    jobs: JobsOption = 1,
    scheduler: SchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Fit a detector to the healthy training clips of one machine, or of several.

    distance, the default for one's own machine (recorded by data record or data import), is fitted to
    all clips in one step, and each is held out in turn for the threshold. Of a network, some clips of
    every section and domain are held back: quantize fits the thresholds on them, and for one's own
    machine they tell when to stop. Ctrl-C keeps a network's last whole epoch. Its losses for
    TensorBoard lie in RUN/tensorboard.
    """
    if resume and overwrite:
        raise typer.BadParameter("give one of --resume and --overwrite")
    from edge_asd.frontend.spec import FeatureSpec

    try:
        features = FeatureSpec(n_fft=int(frame), hop_length=int(frame) // 2 if hop is None else hop, n_mels=mels)
    except EdgeAsdError as error:
        raise typer.BadParameter(str(error)) from error
    line = Progress()
    line("loading")
    fitting, many = load_stage("train.runs.fitting"), load_stage("train.runs.machines")
    from edge_asd.own_set import is_own
    from edge_asd.sweeps.parts import Failure
    from edge_asd.sweeps.running import results_of

    at = where(jobs, scheduler)
    settings = fitting.Settings(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        faithful=faithful,
        split=split.value,
        patience=patience,
        negatives=tuple(negatives.split(",")) if negatives else (),
        features=features,
        channel=channel,
        score_seconds=score_seconds,
    )
    machines = load_stage("train.data.dataset").machine_names(data, machine)
    trainings = []
    for name in machines:
        chosen = model or (ModelName.distance if is_own(data / name) and not faithful else ModelName.ae)
        folder = out if len(machines) == 1 else out / name
        trainings.append(many.Training(name, at.path(folder), replace(settings, model=chosen.value)))

    def stopped() -> str:
        if scheduler is not None:
            return (
                f"Stopped. The workers come to the end of what they are at in {out}, and it is kept; --resume goes on."
            )
        if any(out.glob("epoch_*.keras" if len(machines) == 1 else "*/epoch_*.keras")):
            epoch = "The last whole epoch is" if len(machines) == 1 else "The last whole epochs are"
            return f"Stopped. {epoch} kept in {out}; go on with the same command and --resume."
        return "Stopped before anything was fitted; nothing was kept."

    # The workers of a cluster are to find the folder there, and train makes it for a machine alone.
    folder_kept = kept_if_filled(out) if len(machines) > 1 or scheduler else nullcontext()
    with told_when_stopped(stopped), line, folder_kept:
        outcomes = many.train_machines(
            data,
            trainings,
            out if len(machines) > 1 else out.absolute().parent,  # a run's own folder takes no other files
            sections=sections.split(",") if sections else None,
            resume=resume,
            overwrite=overwrite,
            cache=cache,
            where=at,
            progress=SweepProgress(line),
            note=line.note,
        )
    documents = []
    for name, run in zip(machines, outcomes, strict=True):
        if isinstance(run, Failure):
            continue
        named, folder = (f"{name}: ", out / name) if len(machines) > 1 else ("", out)
        # What its numbers of clips lack was said before the training.
        for text in (
            *load_stage("train.runs.advice").advice(run),
            *load_stage("train.runs.sufficiency").cell_notes(run),
        ):
            note(f"Note: {named}{text}")
        documents.append(_document(folder, run))
        if not json:
            _print(folder, run, data)
    results_of(
        [(name, None) for name in machines],
        outcomes,
        f"What is finished is kept in {out}; the same command with --resume goes on from there.",
    )
    if json:
        print_json(documents[0] if len(documents) == 1 else {"runs": documents})


def _document(folder: Path, run: Any) -> dict[str, Any]:
    sufficiency = load_stage("train.runs.sufficiency")
    own = run.cells is not None
    return {
        "run": str(folder),
        "machine": run.machine,
        "model": run.model,
        "sections": run.sections,
        "clips_fit": len(run.fit),
        "clips_held_back": len(run.held_back),
        "epochs": len(run.loss),
        "best_epoch": run.best_epoch or None,
        "loss": run.loss[run.best_epoch - 1] if run.loss else None,
        "held_back_loss": run.validation_loss[run.best_epoch - 1] if run.loss else None,
        "advice": load_stage("train.runs.advice").advice(run),
        "own": own,
        "cells": [asdict(cell) for cell in run.cells] if own else None,
        "threshold_clips": ([asdict(one) for one in sufficiency.clips_of_run(run)] if own else None),
        "shortcomings": sufficiency.shortcomings(run),
    }


def _print(folder: Path, run: Any, data: Path) -> None:
    sections_text = f"section{'s' if len(run.sections) > 1 else ''} {', '.join(run.sections)}"
    suffice = ""
    if load_stage("train.runs.sufficiency").shortcomings(run) == []:
        judged = "by their number and by how the held-back clips fare" if run.kind.network else "by their number"
        suffice = f"Its recordings suffice, {judged}.\n"
    following = f"{suffice}Next: edge-asd quantize {folder} --data {data} --out {folder.resolve().name}.easd"
    if not run.kind.network:
        seconds = run.features.sample_count(run.span_frames) / run.features.sample_rate
        print(
            f"{run.machine}, {sections_text}: fitted on {_count(run.fit, 'clip')}, each of which was held out in turn "
            f"to be scored as a new one. A score spans {seconds:.1f} s.\n{following}"
        )
        return
    what = "Cross-entropy" if run.classes else "Mean squared error"
    best, unit = run.best_epoch - 1, run.kind.unit
    stopped = f" Stopped early; epoch {run.best_epoch} was best." if len(run.loss) < run.epochs else ""
    if not stopped and run.best_epoch < run.epochs:
        stopped = f" Epoch {run.best_epoch} was best, and is kept."
    print(
        f"{run.machine}, {sections_text}: {_count(run.loss, 'epoch')} on {_count(run.fit, 'clip')} "
        f"({len(run.held_back)} held back).{stopped}\n"
        f"{what} {run.loss[best]:.3g} {unit}, held back {run.validation_loss[best]:.3g} {unit}.\n"
        f"{following}"
    )


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'s' if len(things) != 1 else ''}"
