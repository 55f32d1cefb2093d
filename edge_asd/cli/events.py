"""``edge-asd events``: what the monitor has recorded."""

from __future__ import annotations

import json as json_module
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from edge_asd.cli.common import note, print_json

if TYPE_CHECKING:
    from edge_asd.monitor.records.reading import Wanted

_LAST = 20
_MOST = 2**63 - 1
_PART = 1000  # rows that are in memory at a time
_POLL_S = 0.5
_PATIENCE_S = 10.0  # a database that is being replaced is away for a moment
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if ago := re.fullmatch(r"([0-9]{1,9})([smhd])", text):
            return datetime.now().astimezone() - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(
            f"{text!r} is no time: give one such as 2026-11-28, 2026-11-28T14:30, 2026-11-28T14:30+01:00, or how long "
            "ago, such as 90m, 24h or 7d"
        ) from None


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder that monitor was given as --records.")],
    source: Annotated[str | None, typer.Option(help="Of this source only.")] = None,
    section: Annotated[str | None, typer.Option(help="Of this section only.")] = None,
    event: Annotated[str | None, typer.Option(help="Of this kind only, such as alarm.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: 2026-11-28T14:30, or 24h ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")] = None,
    last: Annotated[
        int | None,
        typer.Option(min=1, max=10**9, help=f"At most so many, the newest. By default {_LAST}, and all of an export."),
    ] = None,
    minutes: Annotated[bool, typer.Option("--minutes", help="Scores summed up by the minute instead.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with new ones as they come, until Ctrl-C.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --follow, one JSON line each.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a file instead, ending in .jsonl or .csv.")
    ] = None,
    clip: Annotated[
        int | None, typer.Option(min=1, max=_MOST, metavar="ID", help="Print the path of an event's clip.")
    ] = None,
    play: Annotated[int | None, typer.Option(min=1, max=_MOST, metavar="ID", help="Play an event's clip.")] = None,
) -> None:
    """List what happened: alarms and their clips, inputs that were lost, and scores by the minute."""
    if sum((json, csv, export is not None, clip is not None, play is not None)) > 1:
        raise typer.BadParameter("give only one of --json, --csv, --export, --clip and --play")
    if follow and (csv or export is not None or clip is not None or play is not None):
        raise typer.BadParameter("--follow goes with a list and with --json only")
    if export is not None and export.suffix not in (".jsonl", ".csv"):
        raise typer.BadParameter("--export takes a file that ends in .jsonl or .csv")
    from edge_asd.monitor.records.database import CLIPS, NAME
    from edge_asd.monitor.records.reading import Wanted

    path, clips = folder / NAME, folder / CLIPS
    if clip is not None or play is not None:
        _clip(path, clips, clip if clip is not None else play or 0, play=play is not None)
        return
    from edge_asd.monitor.alarms import EventName

    if event is not None and event not in list(EventName):
        raise typer.BadParameter(f"there is no event {event!r}; there are {', '.join(EventName)}")
    if last is None and not (csv or export is not None):
        last = _LAST
    wanted = Wanted(source=source, section=section, event=event, since=_time(since), until=_time(until), last=last)
    if export is not None:
        _export(path, wanted, minutes, export)
    elif follow:
        with suppress(KeyboardInterrupt):
            _follow(path, clips, wanted, minutes, json)
    else:
        with _read(path, wanted, minutes) as rows:
            if json:
                print_json({"minutes" if minutes else "events": list(rows)})
            elif csv:
                _write(rows, sys.stdout.buffer, minutes, csv=True)
            else:
                _print(list(rows), clips, minutes)


@contextmanager
def _read(path: Path, wanted: Wanted, minutes: bool) -> Iterator[Iterator[dict[str, Any]]]:
    from edge_asd.monitor.records.database import read_database
    from edge_asd.monitor.records.reading import read_events, read_minutes

    with read_database(path) as database:
        yield (read_minutes if minutes else read_events)(database, wanted, note)


def _print(rows: list[dict[str, Any]], clips: Path, minutes: bool) -> None:
    from edge_asd.cli.events_text import Table

    if not rows:
        print("Nothing of that kind was recorded.")
        return
    table = Table(clips, minutes=minutes)
    print("\n".join(table.lines(rows)), flush=True)


def _follow(path: Path, clips: Path, wanted: Wanted, minutes: bool, json: bool) -> None:
    from edge_asd.cli.events_text import Table

    table = Table(clips, minutes=minutes)
    for rows in _news(path, wanted, minutes):
        for text in map(json_module.dumps, rows) if json else table.lines(rows):
            print(text, flush=True)


def _news(path: Path, wanted: Wanted, minutes: bool) -> Iterator[list[dict[str, Any]]]:
    """Give the last rows, and then new ones for good."""
    from dataclasses import replace

    from edge_asd.errors import DataError
    from edge_asd.monitor.records.database import read_database
    from edge_asd.monitor.records.reading import newest, read_events, read_minutes

    failing_since: float | None = None
    first = True
    while True:
        try:
            with read_database(path) as database:
                reached = newest(database, "minutes" if minutes else "events")
                if reached < wanted.after:
                    wanted = replace(wanted, after=0)  # another database has taken its place
                rows = list((read_minutes if minutes else read_events)(database, wanted, note))
            failing_since = None
        except DataError:
            failing_since = failing_since or time.monotonic()
            if first or time.monotonic() - failing_since > _PATIENCE_S:
                raise
        else:
            if rows:
                yield rows
            # What was written after `reached` was read may be among the rows.
            wanted = replace(wanted, after=max([reached, *(row["id"] for row in rows)]), last=None)
            first = False
        time.sleep(_POLL_S)


def _export(path: Path, wanted: Wanted, minutes: bool, to: Path) -> None:
    from edge_asd.cli.events_text import check_replaceable
    from edge_asd.files import replacing

    with _read(path, wanted, minutes) as rows:
        check_replaceable(to, minutes)
        with replacing(to) as file:
            _write(rows, file, minutes, csv=to.suffix == ".csv")


def _write(rows: Iterator[dict[str, Any]], file: BinaryIO, minutes: bool, *, csv: bool) -> None:
    from edge_asd.cli.events_text import csv_lines, json_lines

    if csv:
        file.write(csv_lines([], minutes, header=True))
    while part := list(islice(rows, _PART)):
        file.write(csv_lines(part, minutes, header=False) if csv else json_lines(part))
    file.flush()


def _clip(path: Path, clips: Path, number: int, *, play: bool) -> None:
    from edge_asd.monitor.records.reading import clip_of_event

    clip, time_s = clip_of_event(path, clips, number)
    if not play:
        print(clip)
        return
    from edge_asd.audio.devices import import_sounddevice
    from edge_asd.audio.recording_file import read_recording
    from edge_asd.audio.recording_stream import file_header
    from edge_asd.errors import AudioDeviceError
    from edge_asd.quiet import quiet_stderr

    rate = file_header(clip).sample_rate
    pcm = read_recording(clip, sample_rate=rate).pcm
    sd = import_sounddevice()
    note(f"Playing {pcm.size / rate:.1f} s; the alarm is at {time_s:.1f} s. Ctrl-C stops it.")
    try:
        with quiet_stderr():  # ALSA tells of every hitch
            sd.play(pcm, rate)
            sd.wait()
    except KeyboardInterrupt:
        sd.stop()
    except (sd.PortAudioError, ValueError) as error:
        raise AudioDeviceError(
            f"The clip cannot be played here: {error}. It is {clip}; any player takes it."
        ) from error
