"""``edge-asd train``: fit a baseline on healthy clips."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edge_asd.cli.common import CacheOption, DataArgument, JsonOption, ProgressLine, note, print_json
from edge_asd.stages import load_stage


class SplitName(StrEnum):
    """Ways to hold clips back from fitting."""

    default = "default"
    faithful = "faithful"


class ModelName(StrEnum):
    """Models that can be trained."""

    ae = "ae"


def command(
    data: DataArgument,
    machine: Annotated[str, typer.Option(help="Machine type: the name of its folder in DATA.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder for the run.")],
    model: Annotated[ModelName, typer.Option(help="ae: the dense autoencoder.")] = ModelName.ae,
    sections: Annotated[
        str | None, typer.Option(metavar="00,01,...", help="Sections to train together; all by default.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs in all.")] = 100,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="One seed, one result.")] = 0,
    split: Annotated[
        SplitName,
        typer.Option(help="default: hold clips back from every section; faithful: the last tenth, as published."),
    ] = SplitName.default,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last whole epoch of RUN.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that RUN holds.")] = False,
    cache: CacheOption = None,
    json: JsonOption = False,
) -> None:
    """Fit a baseline on the healthy training clips of one machine.

    Some clips of every section and domain are held back: quantize fits the thresholds on them.
    Ctrl-C keeps the last whole epoch.
    """
    fitting, feature_cache = load_stage("train.fitting"), load_stage("train.feature_cache")
    line = ProgressLine()
    try:
        run = fitting.train(
            data,
            machine,
            out,
            sections=sections.split(",") if sections else None,
            epochs=epochs,
            seed=seed,
            split=split.value,
            resume=resume,
            overwrite=overwrite,
            cache=feature_cache.FeatureCache(cache, note=line.note),
            progress=lambda what, done, total, detail: line(f"{what} {done}/{total}  {detail}"),
        )
    except KeyboardInterrupt:
        line.clear()
        if any(out.glob("epoch_*.keras")):
            note(f"Stopped. The last whole epoch is kept in {out}; go on with the same command and --resume.")
        else:
            note("Stopped before the first epoch had ended; nothing was kept.")
        raise typer.Exit(130) from None
    finally:
        line.clear()
    if json:
        print_json(
            {
                "run": str(out),
                "machine": run.machine,
                "model": run.model,
                "sections": run.sections,
                "clips_fit": len(run.fit),
                "clips_held_back": len(run.held_back),
                "epochs": len(run.loss),
                "loss": run.loss[-1],
                "held_back_loss": run.validation_loss[-1],
            }
        )
        return
    sections_text = f"section{'s' if len(run.sections) > 1 else ''} {', '.join(run.sections)}"
    print(
        f"{run.machine}, {sections_text}: {len(run.loss)} epochs on {len(run.fit)} clips "
        f"({len(run.held_back)} held back).\n"
        f"Mean squared error {run.loss[-1]:.2f} dB², held back {run.validation_loss[-1]:.2f} dB².\n"
        f"Next: edge-asd quantize {out} --data {data} --out {run.machine}.easd"
    )
