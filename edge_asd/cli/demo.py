"""``edge-asd demo``: the whole job on a small synthetic data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_asd.cli.common import JsonOption, note, print_json
from edge_asd.cli.evaluate import results_table
from edge_asd.cli.progress import Progress
from edge_asd.stages import load_stage


def command(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for everything the demo leaves.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="One seed, one result.")] = 0,
    json: JsonOption = False,
) -> None:
    """Do the whole job on synthetic sound: make data, train, quantise, evaluate, monitor.

    A made-up fan, two products, two operating conditions. At the end a recording that turns from
    healthy to faulty is monitored, and a picture shows when its score went over the threshold. Takes about a minute.
    """
    demo = load_stage("quantize.jobs.demo")
    with Progress() as line:
        done = demo.run(out, seed=seed, progress=line)
    if json:
        print_json(
            {
                "auc": done.auc_float,
                "auc_int8": done.auc_shipped,
                "change_s": done.change_s,
                "alarm_s": done.alarm_s,
                "bundle": str(done.bundle),
                "picture": str(done.picture),
                "results": [result.as_dict() for result in done.results],
            }
        )
    else:
        print("Synthetic fan (made up by this program; not MIMII DUE):\n")
        print(results_table(done.results))
        print(f"\nMean AUC: float {done.auc_float:.3f}, shipped {done.auc_shipped:.3f}.")
        print(f"Monitored recording: {done.monitored_text}")
        print(f"\nBundle:  {done.bundle}\nCSVs:    {done.csv_folder}\nPicture: {done.picture}")
    if done.alarm_s is None or done.alarm_s < done.change_s:
        note("The score did not go over the threshold as it should: the demo failed.")
        raise typer.Exit(1)
