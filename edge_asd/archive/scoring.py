"""Scoring a partition: the work of one process, which needs nothing but what it is given and the disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edge_asd.archive.partitions import Part
from edge_asd.archive.recordings import Recording, any_is_there, identify
from edge_asd.archive.settings import Scored
from edge_asd.archive.tables import (
    FILES,
    SCORES,
    FileRow,
    ScoresWriter,
    Verdicts,
    part_name,
    read_files,
    read_scores,
    write_files,
)
from edge_asd.audio.importing.cutting import CHANGED
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.detector import BaseDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.errors import BundleError, DataError
from edge_asd.files import hold, printable, replacing
from edge_asd.monitor.config.settings import SourceConfig
from edge_asd.monitor.decisions import Verdict
from edge_asd.monitor.outcome import too_short
from edge_asd.monitor.session import make_engine, open_source
from edge_asd.sweeps.parts import Voice

SCORING_STAGE = "scoring"


@dataclass(frozen=True, slots=True)
class Job:
    """A partition, with all that a process needs to score it.

    Attributes
    ----------
    out : Path
        The folder of scores.
    part : Part
    config : SourceConfig
        How to listen.
    scored : Scored
        What is asked for.
    shared : bool
        Another computer sees some of these recordings: this one must, too, and not pass all of them over.
    """

    out: Path
    part: Part
    config: SourceConfig
    scored: Scored
    shared: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job: its partition's number, and the rows of the recordings that it scored."""

    number: int
    rows: tuple[FileRow, ...]


def score_part(job: Job, voice: Voice) -> Done:
    """Score the recordings of a partition and write its two files, or neither.

    Where the partition is there already, the rows of its other recordings are kept.

    Raises
    ------
    BundleError
        If the bundle is another one by now.
    DependencyError
        If a library is missing.
    DataError
        If this computer sees none of the recordings, and another one does.
    OutputError
        If the folder cannot be written, or the disk is full.
    """
    if job.shared and not any_is_there(job.part.recordings):
        raise DataError(
            f"Recordings are not seen that were found before, such as {job.part.recordings[0].path}. They must lie in "
            "a folder that all workers share by the same path: see whether it is mounted."
        )
    bundle = Bundle.load(job.config.bundle)
    if bundle.digest != job.scored.bundle:
        raise BundleError(f"{job.config.bundle} was changed while recordings were scored. Choose another --out for it.")
    scorer = _Scorer(job, bundle, load_detector(bundle))
    files, scores = (job.out / table / part_name(job.part.number) for table in (FILES, SCORES))
    anew = frozenset(recording.file for recording in job.part.recordings)
    before = [row for row in read_files(files) if row.file not in anew] if files.exists() else []
    # The table of recordings is replaced after that of scores: it says that both are whole.
    with replacing(files) as files_file, replacing(scores) as scores_file:
        hold(files_file.fileno())
        hold(scores_file.fileno())
        with ScoresWriter(
            scores_file, {"edge_asd.section": job.scored.section, "edge_asd.bundle": bundle.digest}
        ) as writer:
            if before:
                for batches in read_scores(scores, anew):
                    writer.add(batches)
            rows = []
            for tried, recording in enumerate(job.part.recordings):
                voice.step(SCORING_STAGE, tried, len(job.part.recordings))
                row, verdicts = scorer.score(recording)
                rows.append(row)
                if row.passed_over is None:
                    writer.add(verdicts.batches())
        write_files(files_file, sorted([*before, *rows]))
    return Done(job.part.number, tuple(rows))


class _Scorer:
    """Scores recordings, one at a time."""

    def __init__(self, job: Job, bundle: Bundle, detector: BaseDetector) -> None:
        self._job, self._bundle, self._detector = job, bundle, detector

    def score(self, recording: Recording) -> tuple[FileRow, Verdicts]:
        """Do as the monitor does with a file; say what came of it."""
        before = identify(recording.path)
        row = FileRow(recording.file, before and before.bytes, before and before.modified)
        notes: list[str] = []
        verdicts = Verdicts(recording.file)
        try:
            seconds = self._listen(recording, verdicts, notes)
            if before is None or identify(recording.path) != before:
                raise DataError(CHANGED)
            if not verdicts.rows:
                raise DataError(too_short(self._bundle.score_seconds))
        except DataError as error:
            # What the system refused, it may grant another time.
            again = isinstance(error.__cause__, OSError)
            why = printable(str(error).removeprefix(f"{recording.path} "))
            return row._replace(passed_over=why, bytes=None if again else row.bytes), verdicts
        return (
            row._replace(
                seconds=seconds,
                decisions=verdicts.decisions,
                anomalies=verdicts.anomalies,
                notes=printable(" ".join(notes)) or None,
            ),
            verdicts,
        )

    def _listen(self, recording: Recording, verdicts: Verdicts, notes: list[str]) -> float:
        job, bundle, path = self._job, self._bundle, Path(recording.path)
        engine = make_engine(job.config, bundle, job.scored.section, self._detector)

        def note(text: str) -> None:
            notes.append(text.removeprefix(f"{path} "))

        with open_source(replace(job.config, wav=path), bundle, note) as source:
            for pcm in source.sound():
                for news in engine.judge(pcm):  # type: ignore[arg-type]  # a file gives nothing else
                    if isinstance(news, Verdict):
                        verdicts.push(news)
            for news in engine.judge_end():
                if isinstance(news, Verdict):
                    verdicts.push(news)
        return engine.time_s
