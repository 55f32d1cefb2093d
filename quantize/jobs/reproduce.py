"""Table 4 of the paper from one call: baselines, and other models, on every machine, and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from edge_asd.bundle.kinds import KINDS
from edge_asd.errors import DataError
from edge_asd.files import results_folder
from edge_asd.quantize.jobs.part import Part, kept_results, results_path
from edge_asd.quantize.jobs.reproduction_part import Places, run_part
from edge_asd.sweeps.parts import Voice
from edge_asd.sweeps.running import HERE, Standing, Where, results_of, sweep
from edge_asd.train.backend import TRAINING
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.hashes import content_hash, file_digest
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.report.describe import describe_data
from edge_asd.train.report.drawing import Picture
from edge_asd.train.report.figures import Figures, machines_of
from edge_asd.train.report.pictures import MachinePictures, draw_clips, draw_scores
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
    cache: Path | None = None,
    where: Where = HERE,
    progress: Callable[[Standing], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
    step: Callable[[str], None] = lambda _: None,
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
    cache : Path, optional
        Folder of features; the user's by default.
    where : Where, optional
        Where the parts are worked on: one after the other in this process by default. The results are the same.
    progress : callable, optional
        Called with a `Standing` for each step of a part.
    note : callable, optional
        Called with a sentence for the user.
    step : callable, optional
        Called with a sentence for each step after the parts.

    Raises
    ------
    EdgeAsdError
        If the data cannot be used, nothing can be trained, or `out` cannot be written; a `SweepError` where some of
        several parts have failed, after the others are done.
    """
    notes: list[str] = []
    clips = {}
    parts: list[Part] = []
    datasets: dict[tuple[str, tuple[str, ...]], tuple[Dataset, str]] = {}
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

    digest = lru_cache(maxsize=None)(file_digest)  # of a group's clips, and of all: each is read once

    def kept(part: Part) -> Reproduction | None:
        if not results_path(out, part).is_file():
            return None
        place = part.machine, part.sections
        if place not in datasets:
            dataset = Dataset(data, *place, ground_truth=ground_truth, channel=part.settings.channel)
            datasets[place] = dataset, content_hash(dataset.clips, digest)
        return kept_results(part, *datasets[place], out)

    # Seed by seed: parts that are worked on side by side then need features of different machines, each computed once.
    by_seed = sorted(parts, key=lambda part: part.settings.seed)
    missing = [(part.title, part) for part in by_seed if kept(part) is None]
    places = Places(
        where.path(data), where.path(out), ground_truth and where.path(ground_truth), cache and where.path(cache)
    )
    with where.staying(len(parts)) as staying:
        outcomes = sweep(
            missing,
            partial(run_part, places=places),
            staying,
            reads=[path for path in (data, ground_truth) if path is not None],
            writes=out,
            alike=TRAINING,
            main="training: epochs",
            progress=progress,
            note=note,
        )
        results_of(missing, outcomes, f"What is finished is kept in {out}; the same command goes on from there.")
        done = []
        for part in parts:
            if (found := kept(part)) is None:
                raise DataError(f"{results_path(out, part)} was written, and is gone. The same command makes it again.")
            done.append(found)
        step("report")
        first = replace(
            done[0],
            data=describe_data(
                data,
                {machine: found for machine, found in clips.items() if found},
                hashes={machine: content_hash(found, digest) for machine, found in clips.items()},
            ),
            arguments=replace(
                done[0].arguments,
                command=command,
                seeds=tuple(seeds),
                models={model: how for part in done for model, how in part.arguments.models.items()},
            ),
            notes=(*notes, *done[0].notes),
        )
        merged = first.merged(replace(part, data=first.data) for part in done[1:])
        figures, pictures = _reckon_and_draw(
            merged, list(zip(parts, done, strict=True)), places, staying, progress, note
        )
    results_file = out / "results.json"
    write_results(results_file, merged)
    return Reproduced(merged, write_report(merged, figures, out, pictures), results_file)


def _reckon_and_draw(
    merged: Reproduction,
    found: Sequence[tuple[Part, Reproduction]],
    places: Places,
    where: Where,
    progress: Callable[[Standing], None],
    note: Callable[[str], None],
) -> tuple[Figures, list[MachinePictures]]:
    """Reckon the report's figures and draw each machine's pictures, in parts of a sweep, those that take longest first.

    Processes that have just trained have what that needs at hand already.
    """
    machines = machines_of(merged.cells)
    own = {machine: [(part, result) for part, result in found if part.machine == machine] for machine in machines}
    items: list[tuple[str, _Make]] = [
        ("report's figures", partial(_figures, merged)),
        *((f"pictures of {machine}'s clips", partial(_draw_clips, own[machine])) for machine in machines),
        *((f"pictures of {machine}'s scores", partial(_draw_scores, own[machine])) for machine in machines),
    ]
    outcomes = sweep(
        items,
        partial(_make, places=places),
        where,
        reads=[path for path in (places.data, places.ground_truth) if path is not None],
        writes=places.out,
        alike=TRAINING,
        main="",
        progress=progress,
        note=note,
    )
    made = results_of(items, outcomes, f"The results are kept in {places.out}; the same command draws again.")
    of_clips, of_scores = made[1 : 1 + len(machines)], made[1 + len(machines) :]
    return made[0], [MachinePictures(clips, *scores) for clips, scores in zip(of_clips, of_scores, strict=True)]


_Make = Callable[[Places, FeatureCache], Any]
_Found = list[tuple[Part, Reproduction]]
"""A machine's parts, and what came of each."""


def _make(item: _Make, voice: Voice, *, places: Places) -> Any:
    voice.step("started")
    return item(places, FeatureCache(places.cache, note=voice.note))


def _figures(merged: Reproduction, places: Places, cache: FeatureCache) -> Figures:
    return Figures(merged)


def _draw_clips(found: _Found, places: Places, cache: FeatureCache) -> tuple[Picture | None, Picture | None]:
    channel = found[0][0].settings.channel
    return draw_clips([cell for _, result in found for cell in result.cells], places.data, channel=channel, cache=cache)


def _draw_scores(
    found: _Found, places: Places, cache: FeatureCache
) -> tuple[Picture | None, tuple[Picture, ...], tuple[Picture, ...]]:
    # Whoever draws in other processes does without what this needs.
    from edge_asd.quantize.jobs.heard_pictures import heard_pictures

    cells = [cell for _, result in found for cell in result.cells]
    return *draw_scores(cells, found[0][0].year), tuple(heard_pictures(found, places, cache))


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
