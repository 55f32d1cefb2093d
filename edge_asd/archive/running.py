"""Scoring an archive: finds what is to be done, has it done by so many processes, and says what there is then."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from edge_asd.archive.partitions import Plan, part_tables, plan, tidy
from edge_asd.archive.recordings import find
from edge_asd.archive.scoring import Done, Job, score_part
from edge_asd.archive.settings import NAME, Scored
from edge_asd.archive.tables import FILES, SCORES, FileRow, load_arrow
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.sections import choose_section
from edge_asd.detectors.loading import load_detector
from edge_asd.errors import DataError, DependencyError, EdgeAsdError
from edge_asd.files import locked, prepare_folder, results_folder
from edge_asd.monitor.config.settings import SourceConfig
from edge_asd.monitor.session import note_missing_threshold

PART_MEGABYTES = 512
"""Of recordings in a partition: four and a half hours of 16 kHz mono WAV."""

_KILLS = 3
"""So often processes may be killed before another partition is finished."""

_IDLE_S = 5
"""How long a process without work stays: one whose parent was killed does not know."""

Step = Callable[[str, int, int, str], None]
"""Is told the stage, how much of it is done, of how much, and what else is known."""


@dataclass(slots=True)
class Outcome:
    """What was done, and what there is now.

    Attributes
    ----------
    plan : Plan
    notes : list of str
        On what was found.
    passed_over : list of FileRow
        Recordings without scores, of those that were tried.
    parts, recordings, unusable, decisions, anomalies : int >= 0
        What the folder holds now: partitions, recordings with scores and without, decisions, and those of them over the
        threshold.
    seconds : float >= 0 [s]
        Length of these recordings.
    """

    plan: Plan
    notes: list[str]
    passed_over: list[FileRow] = field(default_factory=list)
    parts: int = 0
    recordings: int = 0
    unusable: int = 0
    decisions: int = 0
    anomalies: int = 0
    seconds: float = 0.0


def score_archive(
    config: SourceConfig,
    where: Path,
    out: Path,
    *,
    jobs: int = 1,
    part_bytes: int = PART_MEGABYTES << 20,
    step: Step = lambda *_: None,
    note: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Score recordings, and write the decisions to a folder of Parquet tables; go on where a call was ended.

    Parameters
    ----------
    config : SourceConfig
        Bundle, section, and how to listen; its input does not count.
    where : Path
        A folder of recordings, or a list of them (`edge_asd.archive.recordings.find`).
    out : Path
    jobs : int > 0
        Processes that score at the same time.
    part_bytes : int > 0
        Of recordings in a partition.
    step, note : callable, optional
        Told how far it is, and what the user should know.

    Raises
    ------
    DataError
        If there is no recording, or none that can be used.
    BundleError
        If the bundle lacks the section, or cannot be used.
    DependencyError
        If pyarrow, or a library that reads the recordings, is missing.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    load_arrow()
    if jobs > 1:
        _load_joblib()
    bundle = Bundle.load(config.bundle)
    section = choose_section(bundle, config.section)
    note_missing_threshold(config, bundle, section, note)
    load_detector(bundle)  # what is wrong with it is told before anything is written
    step("finding recordings", 0, 0, "")
    found = find(where)
    for text in found.notes:
        note(text)

    def waiting() -> None:
        step("waiting for a process of an earlier call to end", 0, 0, "")

    scored = Scored.of(where, bundle, section, config)
    with results_folder(out, NAME), ExitStack() as held:
        scored.claim(out)
        held.enter_context(locked(out / NAME, lambda: step(f"waiting for another edge-asd score into {out}", 0, 0, "")))
        for table in (SCORES, FILES):
            prepare_folder(out / table)
        tidy(out, waiting)
        outcome = Outcome(plan(out, found.recordings, part_bytes), found.notes)
        parent = os.getpid() if jobs > 1 else None
        given = [Job(out, part, config, scored, parent) for part in outcome.plan.parts]
        heard = 0.0
        total = outcome.plan.new + outcome.plan.again
        tried = 0
        step("scoring", 0, total, "")
        try:
            for done in _done(given, jobs, note):
                tried += len(done.rows)
                heard += sum(row.seconds or 0.0 for row in done.rows)
                outcome.passed_over += [row for row in done.rows if row.passed_over is not None]
                step("scoring", tried, total, f"recordings, {heard / 3600:.1f} h")
        finally:
            tidy(out, waiting)  # what processes that were killed meanwhile have left
        _count(out, outcome)
    if not outcome.recordings:
        first = "".join(f" The first: {row.file} {row.passed_over}" for row in outcome.passed_over[:1])
        raise DataError(
            f"None of the {outcome.unusable} recordings can be used; {out / FILES} tells why of each.{first}"
        )
    return outcome


def _done(given: list[Job], jobs: int, note: Callable[[str], None]) -> Iterator[Done]:
    """Have jobs done; those of a process that was killed are given to another one."""
    if jobs == 1:
        yield from map(score_part, given)
        return
    joblib, killed = _load_joblib()
    left = {job.part.number: job for job in given}
    patience = _KILLS
    while left:
        try:
            with joblib.parallel_config(backend="loky", inner_max_num_threads=1, idle_worker_timeout=_IDLE_S):
                run = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)
                for done in run(joblib.delayed(score_part)(job) for job in list(left.values())):
                    del left[done.number]
                    patience = _KILLS
                    yield done
        except killed as error:
            patience -= 1
            if not patience:
                raise EdgeAsdError(
                    f"Processes that score were killed {_KILLS} times, perhaps because memory ran out, and nothing was "
                    "finished in between. What is finished is kept; the same command, with fewer --jobs, goes on."
                ) from error
            note("A process that scores was killed, perhaps because memory ran out: what it was at is begun again.")


def _load_joblib() -> tuple[ModuleType, type[Exception]]:
    """Import joblib, and what it raises where a process was killed."""
    try:
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError
    except ImportError as error:
        raise DependencyError(
            f"Several --jobs need the package joblib ({error}). Install it with: pip install 'edge-asd[archive]'"
        ) from error
    return joblib, TerminatedWorkerError


def _count(out: Path, outcome: Outcome) -> None:
    for _, rows in part_tables(out):
        outcome.parts += 1
        usable = [row for row in rows if row.passed_over is None]
        outcome.recordings += len(usable)
        outcome.unusable += len(rows) - len(usable)
        outcome.decisions += sum(row.decisions for row in usable)
        outcome.anomalies += sum(row.anomalies for row in usable)
        outcome.seconds += sum(row.seconds or 0.0 for row in usable)
