"""Scoring an archive: finds what is to be done, has it done, and says what there is then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_asd.archive.partitions import Plan, part_tables, plan, tidy
from edge_asd.archive.recordings import any_is_there, find
from edge_asd.archive.scoring import SCORING_STAGE, Done, Job, score_part
from edge_asd.archive.settings import NAME, Scored
from edge_asd.archive.tables import FILES, SCORES, FileRow, load_arrow
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.sections import choose_section
from edge_asd.detectors.loading import load_detector
from edge_asd.errors import DataError
from edge_asd.files import locked, prepare_folder, results_folder
from edge_asd.monitor.config.settings import SourceConfig
from edge_asd.monitor.session import note_missing_threshold
from edge_asd.sweeps.alike import SCORING
from edge_asd.sweeps.parts import Failure
from edge_asd.sweeps.running import HERE, Standing, Where, check_installed, sweep

PART_MEGABYTES = 512
"""Of recordings in a partition: four and a half hours of 16 kHz mono WAV."""

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
    at: Where = HERE,
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
    at : Where, optional
        Where partitions are scored; one after the other in this process by default.
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
        If pyarrow, what works on several partitions at a time, or a library that reads the recordings, is missing.
    SweepError
        If a partition's process is killed again and again, or the cluster cannot be used.
    OutputError
        If the folder holds something else, or cannot be written.
    """
    load_arrow()
    check_installed(SCORING)
    bundle = Bundle.load(config.bundle)
    section = choose_section(bundle, config.section)
    note_missing_threshold(config, bundle, section, note)
    load_detector(bundle)  # what is wrong with it is told before anything is written
    step("finding recordings", 0, 0, "")
    found = find(at.path(where))
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
        following = _Following(outcome, step)
        listening = replace(config, bundle=at.path(config.bundle))
        jobs = [
            Job(at.path(out), part, listening, scored, at.scheduler is not None and any_is_there(part.recordings))
            for part in outcome.plan.parts
        ]
        try:
            sweep(
                [(f"partition {job.part.number}", job) for job in jobs],
                score_part,
                at,
                reads=[where, config.bundle],
                writes=out,
                alike=SCORING,
                main=SCORING_STAGE,
                progress=following.progress,
                note=note,
                ended=following.ended,
            )
        finally:
            tidy(out)  # what processes that were killed meanwhile have left; workers of a cluster may be at some still
        _count(out, outcome)
    if not outcome.recordings:
        first = "".join(f" The first: {row.file} {row.passed_over}" for row in outcome.passed_over[:1])
        raise DataError(
            f"None of the {outcome.unusable} recordings can be used; {out / FILES} tells why of each.{first}"
        )
    return outcome


class _Following:
    """Follows how far the partitions are."""

    def __init__(self, outcome: Outcome, step: Step) -> None:
        self._outcome, self._step = outcome, step
        self._total = outcome.plan.new + outcome.plan.again
        self._at_work: dict[int, int] = {}
        self._tried = 0
        self._heard_s = 0.0
        self._tell()

    def progress(self, standing: Standing) -> None:
        """Note how many recordings of a partition have been tried."""
        if standing.stage:
            self._at_work[standing.number - 1] = standing.done
            self._tell()

    def ended(self, number: int, result: Done | Failure) -> None:
        """Add what came of a partition; without it, there is no use in others."""
        if isinstance(result, Failure):
            raise result.error
        self._at_work.pop(number, None)
        self._tried += len(result.rows)
        self._heard_s += sum(row.seconds or 0.0 for row in result.rows)
        self._outcome.passed_over += [row for row in result.rows if row.passed_over is not None]
        self._tell()

    def _tell(self) -> None:
        tried = self._tried + sum(self._at_work.values())
        self._step("scoring", tried, self._total, f"recordings, {self._heard_s / 3600:.1f} h in finished partitions")


def _count(out: Path, outcome: Outcome) -> None:
    for _, rows in part_tables(out):
        outcome.parts += 1
        usable = [row for row in rows if row.passed_over is None]
        outcome.recordings += len(usable)
        outcome.unusable += len(rows) - len(usable)
        outcome.decisions += sum(row.decisions for row in usable)
        outcome.anomalies += sum(row.anomalies for row in usable)
        outcome.seconds += sum(row.seconds or 0.0 for row in usable)
