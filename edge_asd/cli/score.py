"""``edge-asd score``: every decision on an archive of recordings, as Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_asd.cli.common import (
    BundleArgument,
    JobsOption,
    JsonOption,
    SchedulerOption,
    counted,
    finite,
    note,
    print_json,
    where,
)
from edge_asd.cli.listening import (
    ChannelNumberOption,
    DomainOption,
    GainOption,
    IntervalOption,
    OffLevelOption,
    SectionOption,
)
from edge_asd.cli.progress import Progress
from edge_asd.cli.stopping import goes_on, told_when_stopped

if TYPE_CHECKING:
    from edge_asd.archive.running import Outcome

_MOST_LINES = 10


def command(
    bundle: BundleArgument,
    recordings: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|LIST", help="Recordings in and below a folder; or a text file that names one a line."
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="SCORES", help="Folder for the tables, or one of an earlier call to go on with.")
    ],
    section: SectionOption = None,
    domain: DomainOption = None,
    channel: ChannelNumberOption = None,
    gain: GainOption = None,
    interval: IntervalOption = None,
    off_level: OffLevelOption = None,
    jobs: JobsOption = 1,
    scheduler: SchedulerOption = None,
    partition: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=1e6,
            callback=finite,
            metavar="MB",
            help="Size of the recordings that make a new partition: what is done again, for each process, after a "
            "call was ended.  [default: 512]",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Score recordings of any length as monitor does, and write every decision as partitioned Parquet.

    SCORES/scores holds a row per decision, SCORES/files one per recording, with why it was passed over. The same
    command goes on where one was ended, in whatever way, and adds what is new since. docs/archives.md shows how to ask
    the result.
    """
    from edge_asd.archive.running import PART_MEGABYTES, score_archive
    from edge_asd.bundle.policy import INTERVAL_S
    from edge_asd.monitor.config.settings import SourceConfig

    config = SourceConfig(
        name="archive",
        bundle=bundle,
        section=section,
        domain=None if domain is None else domain.value,
        channel=channel or 0,
        gain_db=gain or 0.0,
        interval_s=INTERVAL_S if interval is None else interval,
        off_level_db=off_level,
    )
    at = where(jobs, scheduler)
    with told_when_stopped(lambda: goes_on(out, scheduler)), Progress() as line:
        outcome = score_archive(
            config,
            recordings,
            out,
            at=at,
            part_bytes=round((partition or PART_MEGABYTES) * (1 << 20)),
            step=line,
            note=line.note,
        )
    for row in outcome.passed_over[:_MOST_LINES]:
        note(f"Passed over: {row.file} {row.passed_over}")
    if (more := len(outcome.passed_over) - _MOST_LINES) > 0:
        note(f"... and {counted(more, 'recording')} more; {out}/files tells why of each.")
    if json:
        print_json(_document(outcome, out))
        return
    _print(outcome, out)


def _document(outcome: Outcome, out: Path) -> dict[str, Any]:
    return {
        "out": str(out),
        "recordings_new": outcome.plan.new,
        "recordings_again": outcome.plan.again,
        "recordings_before": outcome.plan.before,
        "passed_over": [{"file": row.file, "why": row.passed_over} for row in outcome.passed_over],
        "partitions": outcome.parts,
        "recordings": outcome.recordings,
        "recordings_passed_over": outcome.unusable,
        "seconds": outcome.seconds,
        "decisions": outcome.decisions,
        "anomalies": outcome.anomalies,
        "notes": outcome.notes,
    }


def _print(outcome: Outcome, out: Path) -> None:
    plan = outcome.plan
    parts = [f"{plan.new:,} new", f"{plan.again:,} again", f"{plan.before:,} scored before"]
    print(f"Recordings: {', '.join(parts)}.")
    print(
        f"{out} holds {counted(outcome.decisions, 'decision')} on {counted(outcome.recordings, 'recording')} "
        f"({outcome.seconds / 3600:,.1f} h) in {counted(outcome.parts, 'partition')}; {outcome.anomalies:,} are over "
        f"the threshold. {outcome.unusable:,} of all recordings have no scores; files/ tells why."
    )
