"""``edge-asd data synth``: a data set made by the recipe of the MIMII DUE paper."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.cli.choices import PresetName
from edge_asd.cli.common import JobsOption, JsonOption, SchedulerOption, figure, note, print_json, table, where
from edge_asd.cli.progress import Progress, SweepProgress
from edge_asd.errors import DataError
from edge_asd.stages import load_stage


def command(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the data set; it must not exist yet.")],
    preset: Annotated[
        PresetName, typer.Option(help="tiny: for a try; small: for trials; full: as many clips as MIMII DUE.")
    ] = PresetName.tiny,
    machine: Annotated[
        str, typer.Option(metavar="NAME", help="Machine types of MIMII DUE, with commas; or all.")
    ] = "all",
    sections: Annotated[
        str | None, typer.Option(metavar="00,01,...", help="Sections to make, 00 to 05; the preset's by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="One seed, one data set, bit for bit.")] = 0,
    machine_clips: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Own recordings of one machine instead of the models: normal/ and anomaly/."),
    ] = None,
    noise_clips: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Own recordings of noise instead of the synthetic factories.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Threads of a job; they do not change the result.")] = 2,
    jobs: JobsOption = 1,
    scheduler: SchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Make a data set by the recipe of the MIMII DUE paper: five synthetic machines in factory noise.

    The machines are physical models with the paper's domain shifts and faults. The result is not
    MIMII DUE, and says nothing about how well a detector would hear your machine.
    """
    at, synthesis = where(jobs, scheduler), load_stage("train.synthesis")
    machines = load_stage("train.data.dataset").chosen_machines(machine, synthesis.MACHINES, "MIMII DUE")
    chosen = sections.split(",") if sections else None
    if machine_clips is not None and (len(machines) != 1 or (chosen and len(chosen) != 1)):
        raise DataError(
            "--machine-clips are recordings of one machine. Say which one with --machine, "
            "and name one section at most with --sections."
        )
    with Progress() as line:
        made = synthesis.make_machines(
            out,
            machines,
            preset=preset.value,
            sections=chosen,
            seed=seed,
            machine_clips=machine_clips,
            noise_clips=noise_clips,
            workers=workers,
            where=at,
            progress=SweepProgress(line),
            note=line.note,
        )
    for text in dict.fromkeys(text for one in made for text in one.notes):
        note(f"Note: {text}")
    document = {
        "out": str(out),
        "preset": preset.value,
        "seed": seed,
        "machines": [{"machine": one.machine, "sections": [asdict(row) for row in one.rows]} for one in made],
    }
    if json:
        print_json(document)
    else:
        _print(document)


def _print(document: dict[str, Any]) -> None:
    rows = [
        [one["machine"], row["section"], row["domain"]]
        + [str(row[key]) for key in ("train", "normal", "anomaly")]
        + [figure(row["auc_level"])]
        for one in document["machines"]
        for row in one["sections"]
    ]
    clips = sum(
        row[key] for m in document["machines"] for row in m["sections"] for key in ("train", "normal", "anomaly")
    )
    print(table(["machine", "section", "domain", "train", "test normal", "anomaly", "AUC level"], rows))
    print(f"\n{clips:,} clips in {document['out']}. AUC level: what the loudness of a test clip alone would tell.")
    first = document["machines"][0]["machine"]
    print(f"Next: edge-asd train {document['out']} --machine {first} --epochs 20 --out runs/{first}")
    note("Note: synthetic sound, made by this program; not MIMII DUE.")
