"""``edge-asd data import``: recordings of any length and name, cut into clips of one's own set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_asd.cli.choices import DomainName, LabelName
from edge_asd.cli.common import (
    ClipSecondsOption,
    JsonOption,
    OwnAttributesOption,
    OwnDomainOption,
    OwnLabelOption,
    OwnMachineOption,
    OwnOutOption,
    OwnSectionOption,
    counted,
    finite,
    note,
    print_json,
    table,
)
from edge_asd.cli.progress import Progress
from edge_asd.errors import OutputError

_MOST_LINES = 40


def command(
    recordings: Annotated[
        list[Path],
        typer.Argument(metavar="FILE|FOLDER...", help="Recordings, and folders that are searched for them."),
    ],
    machine: OwnMachineOption,
    out: OwnOutOption,
    section: OwnSectionOption = "00",
    domain: OwnDomainOption = DomainName.source,
    label: OwnLabelOption = LabelName.normal,
    attributes: OwnAttributesOption = "",
    clip_seconds: ClipSecondsOption = 10.0,
    overlap: Annotated[
        float,
        typer.Option(min=0, callback=finite, metavar="SECONDS", help="Of neighbouring clips for training [s]."),
    ] = 0.0,
    skip: Annotated[
        float, typer.Option(min=0, callback=finite, metavar="SECONDS", help="Left out at the start of each file [s].")
    ] = 0.0,
    skip_end: Annotated[
        float, typer.Option(min=0, callback=finite, metavar="SECONDS", help="Left out at the end of each file [s].")
    ] = 0.0,
    channel: Annotated[int, typer.Option(min=0, max=255, help="Channel of the recordings to take.")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Import recordings, too, that were imported before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Cut recordings into clips of your own data set, in the layout of MIMII DUE.

    WAV (RF64 and W64 too), FLAC, OGG and AIFF files of any rate, length and name. Every fifth healthy
    clip is kept for testing. Dead and clipped sound is left out; nothing is imported twice.
    """
    from edge_asd.audio.importing import Cuts, Importer
    from edge_asd.own_set import OwnSet

    line = Progress()
    importer = Importer(
        OwnSet(out, machine, section, domain.value, label.value, attributes),
        Cuts(clip_seconds, overlap, skip, skip_end, channel),
        again=again,
        dry_run=dry_run,
        progress=line,
    )
    report = importer.report
    try:
        with line:
            importer.run(recordings)
    except KeyboardInterrupt:
        report.stopped = True
    except OutputError:
        if report.clips:
            count = "1 clip was" if report.clips == 1 else f"{report.clips:,} clips were"
            note(f"{count} written before, whole. The same command goes on from there.")
        raise
    document = report.as_dict()
    if json:
        print_json(document)
    else:
        _print(document)
    for text in report.notes:
        note(f"Note: {text}")
    if report.stopped:
        note("Stopped. What is written is whole; the same command goes on from there.")
        raise typer.Exit(130)
    if not report.clips and not report.clips_before:
        note("Nothing was imported.")
        raise typer.Exit(1)


def _print(document: dict[str, Any]) -> None:
    files, skipped, rate = document["files"], document["skipped"], document["sample_rate"]
    folder = _common_folder([one["file"] for one in (*files, *skipped)])
    rows = []
    for file in files[:_MOST_LINES]:
        names = [clip["clip"] for clip in file["clips"]]
        train = sum(name.startswith("train/") for name in names)
        rows.append(
            [
                _line(file["file"].removeprefix(folder)),
                f"{file['sample_rate']} Hz, {file['channels']} ch",
                _numbers(names),
                str(train),
                str(len(names) - train),
                f"{file['samples_left'] / rate:.2f}",
            ]
        )
    if folder:
        print(f"From {_line(folder)}")
    if rows:
        print(table(["recording", "format", "clips", "train", "test", "left [s]"], rows))
    for one in skipped[:_MOST_LINES]:
        print(f"skipped: {_line(one['file'].removeprefix(folder))} {_line(one['why'])}")
    for what, listed in (("recordings", files), ("skipped", skipped)):
        if len(listed) > _MOST_LINES:
            print(f"... and {len(listed) - _MOST_LINES:,} more {what}; --json lists them all.")
    said = ", ".join(
        f"{reason.replace('_', ' ')} {samples / rate:.2f} s" for reason, samples in document["left"].items() if samples
    )
    print(
        f"{'Would write' if document['dry_run'] else 'Wrote'} {counted(document['clips_train'], 'clip')} for training "
        f"and {document['clips_test']:,} for testing into {_line(document['out'])}/{document['machine']}."
    )
    print(
        f"Samples at {rate} Hz: {document['samples_in']:,} in, {document['samples_out']:,} in clips, "
        f"{document['samples_left']:,} left{f' ({said})' if said else ''}."
    )
    if document["clips_train"] + document["clips_test"] and not document["dry_run"]:
        print(f"Next: edge-asd data verify {_line(document['out'])}")


def _common_folder(files: list[str]) -> str:
    """Return the folder, with its slash, that several files lie in or below; "" where there is none to speak of."""
    folders = {os.path.dirname(file) for file in files}
    if len(files) < 2 or len({os.path.isabs(folder) for folder in folders}) > 1:
        return ""
    common = os.path.commonpath(folders)
    return os.path.join(common, "") if common not in ("", "/") else ""


def _numbers(names: list[str]) -> str:
    from edge_asd.clips import ClipName

    if not names:
        return "-"
    first, last = (ClipName.parse(name.rpartition("/")[2]).index for name in (names[0], names[-1]))
    return first if first == last else f"{first} to {last}"


def _line(text: str) -> str:
    """Keep a name with strange characters on one line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
