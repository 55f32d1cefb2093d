"""Table 4 of the paper from one call: baselines, and other models, on every machine, and the report."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_asd.bundle.kinds import KINDS
from edge_asd.errors import DataError
from edge_asd.files import results_folder
from edge_asd.quantize.jobs.heard_pictures import heard_pictures
from edge_asd.quantize.jobs.reproduction_part import Part, Step, run_part
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.report.describe import describe_data
from edge_asd.train.report.results import Reproduction
from edge_asd.train.report.results_json import write_results
from edge_asd.train.report.writing import Written, write_report
from edge_asd.train.runs.fitting import Settings

_GROUP = 3
"""Sections that the published systems train together: 00-02, and 03-05."""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """Results, and where the report is."""

    results: Reproduction
    written: Written
    results_file: Path


def reproduce(
    data: Path,
    out: Path,
    settings: Sequence[Settings],
    *,
    machines: Sequence[str],
    sections: Sequence[str] | None = None,
    seeds: Sequence[int] = (0,),
    int8: bool = False,
    command: str = "edge-asd reproduce",
    ground_truth: Path | None = None,
    year: int | None = None,
    cache: FeatureCache | None = None,
    step: Step = lambda *_: None,
) -> Reproduced:
    """Train and score every part that is not kept already, and write the report.

    Parameters
    ----------
    data : Path
        Data set in the layout of MIMII DUE.
    out : Path
        Folder for everything; a call with the same arguments goes on where one was stopped.
    settings : sequence of Settings
        One a model; their seeds do not count.
    machines : sequence of str
    sections : sequence of str, optional
        All that have labelled test clips by default.
    seeds : sequence of int
    int8 : bool
        Also score in fixed point, and in the shipped arithmetic.
    command : str
        What the report says it was made with.
    ground_truth : Path, optional
        Labels of evaluation clips (see `edge_asd.train.data.ground_truth`).
    year : int, optional
        Whose measures (`edge_asd.train.figures.measures`); the data set's by default.
    cache : FeatureCache, optional
        The user's by default.
    step : callable, optional
        Called with a sentence for each step.

    Raises
    ------
    EdgeAsdError
        If the data cannot be used, nothing can be trained, or `out` cannot be written.
    """
    cache = cache or FeatureCache()
    notes: list[str] = []
    clips = {}
    parts: list[Part] = []
    years: dict[str, int] = {}
    for machine in machines:
        dataset = Dataset(data, machine, sections, ground_truth=ground_truth, channel=settings[0].channel)
        notes += dataset.notes
        years[machine] = dataset.year
        groups = _groups(dataset, notes)
        wanted = {section for group in groups for section in group}
        clips[machine] = [clip for clip in dataset.clips if clip.name.section in wanted]
        for group in groups:
            for one in settings:
                if KINDS[one.model].classifies and len(group) + len(one.negatives) < 2:
                    notes.append(
                        f"{machine}: {one.model} was left out, since section {group[0]} alone has nothing to be told "
                        "apart from. --negatives names other machines as further classes."
                    )
                    continue
                negatives = tuple(name for name in one.negatives if name != machine)
                parts += [
                    Part(machine, group, replace(one, seed=seed, negatives=negatives), int8, year or dataset.year)
                    for seed in seeds
                ]
    if not parts:
        raise DataError(f"{data} has nothing to reproduce. {' '.join(notes)}")
    if year is None and len(set(years.values())) > 1:
        by_year = ", ".join(f"{machine} {told}" for machine, told in years.items())
        raise DataError(f"The machines' sets are of several years: {by_year}. Give --year, or reproduce them apart.")
    with results_folder(out, "parts"):
        (out / "parts").mkdir(exist_ok=True)  # so that a call that was stopped can go on
    done = []
    for number, part in enumerate(parts, 1):

        def say(text: str, *progress: object, number: int = number) -> None:
            step(f"[{number}/{len(parts)}] {text}", *progress)

        done.append(run_part(part, data, out, ground_truth=ground_truth, cache=cache, step=say))
    step("report")
    first = replace(
        done[0],
        data=describe_data(data, {machine: found for machine, found in clips.items() if found}),
        arguments=replace(
            done[0].arguments,
            command=command,
            seeds=tuple(seeds),
            models={model: how for part in done for model, how in part.arguments.models.items()},
        ),
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        notes=(*notes, *done[0].notes),
    )
    merged = first.merged(replace(part, data=first.data) for part in done[1:])
    heard = heard_pictures(parts, done, data, out, ground_truth=ground_truth, cache=cache, step=step)
    results_file = out / "results.json"
    write_results(results_file, merged)
    return Reproduced(
        merged,
        write_report(merged, out, data=data, channel=settings[0].channel, heard=heard, cache=cache, progress=step),
        results_file,
    )


def _groups(dataset: Dataset, notes: list[str]) -> list[tuple[str, ...]]:
    """Group the sections that can be trained and judged."""
    usable = []
    for section in dataset.sections:
        if not dataset.select(split="train", section=section):
            notes.append(f"{dataset.machine}: section {section} has no training clips and was left out.")
        elif not any(clip.name.label for clip in dataset.select(split="test", section=section)):
            notes.append(
                f"{dataset.machine}: section {section} has no labelled test clips and was left out. "
                "--ground-truth gives the labels of evaluation data."
            )
        else:
            usable.append(section)
    numbers = sorted({int(section) // _GROUP for section in usable})
    return [tuple(section for section in usable if int(section) // _GROUP == number) for number in numbers]
