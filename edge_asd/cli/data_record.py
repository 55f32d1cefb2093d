"""``edge-asd data record``: one's own machine from a microphone."""

from __future__ import annotations

import math
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
)
from edge_asd.cli.progress import Progress
from edge_asd.errors import DataError, OutputError

if TYPE_CHECKING:
    from edge_asd.audio.clip_recording import ClipRecorder
    from edge_asd.cli.asked import Asked
    from edge_asd.own_set import OwnSet

DEFAULT_MINUTES = 5.0

_TELL_SECONDS = 30.0  # between two lines where there is no terminal
_BAR_WIDTH = 18
_HEADROOM_DB = -3.0

_WORDS = {
    "clipped": "clipped",
    "dead": "dead or silent",
    "broken": "with a gap",
    "paused": "begun before a pause",
}


def command(
    machine: OwnMachineOption,
    out: OwnOutOption,
    section: OwnSectionOption = "00",
    domain: OwnDomainOption = DomainName.source,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.0, max=1440.0, callback=finite, help=f"Sound to record; {DEFAULT_MINUTES:g} by default."),
    ] = None,
    clips: Annotated[int | None, typer.Option(min=1, max=100_000, help="Clips to record, instead.")] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Microphone, as edge-asd devices names it; by default the system's."),
    ] = None,
    label: OwnLabelOption = LabelName.normal,
    attributes: OwnAttributesOption = "",
    channel: Annotated[int, typer.Option(min=0, max=255, help="Channel of the microphone to use.")] = 0,
    gain: Annotated[
        float,
        typer.Option(
            min=-60.0, max=60.0, callback=finite, help="Digital gain on the sound [dB]; give monitor the same."
        ),
    ] = 0.0,
    clip_seconds: ClipSecondsOption = 10.0,
    json: JsonOption = False,
) -> None:
    """Record the machine into a data set of your own, in clips of ten seconds.

    Clips follow one another without a gap. Every fifth healthy one goes into the test folder, for evaluate; an
    anomalous one always. Clips that are clipped, dead or silent are not written, nor any with a gap in it: recording
    goes on until as many as were asked for are good.

    Space or P pauses and goes on (without a terminal: signals SIGUSR1 and SIGUSR2); Ctrl-C ends, and whole clips stay.
    """
    if minutes is not None and clips is not None:
        raise typer.BadParameter("give one of --minutes and --clips")
    wanted = clips or _clips_of(DEFAULT_MINUTES if minutes is None else minutes, clip_seconds)
    from edge_asd.audio.capture import Capture
    from edge_asd.audio.clip_recording import ClipRecorder, record_clips
    from edge_asd.cli.asked import Asked
    from edge_asd.files import kept_if_filled
    from edge_asd.own_set import RATE, ClipWriter, OwnSet

    own = OwnSet(out, machine, section, domain.value, label.value, attributes)
    writer = ClipWriter(own, made_by="edge-asd data record")
    paths: list[Path] = []
    line = Progress()
    recorder = ClipRecorder(
        lambda pcm: paths.append(writer.write(pcm)),
        wanted,
        seconds=clip_seconds,
        rate=RATE,
        gain_db=gain,
        note=line.note,
    )
    try:
        with (
            line,
            kept_if_filled(own.folder),
            Asked() as asked,
            Capture(device, sample_rate=RATE, channel=channel, there=True) as capture,
        ):
            line.note(_keys_text(asked))
            record_clips(
                recorder,
                capture.announced(line.note),
                paused=asked.paused,
                ended=asked.ended,
                shown=_Shown(recorder, wanted, wanted * clip_seconds, line),
            )
    except OutputError as error:
        kept = f" {counted(len(paths), 'clip')} written before; they stay." if paths else ""
        raise OutputError(f"{error}{kept}") from error
    document = _document(own, recorder, paths, capture.description, clip_seconds, gain)
    if json:
        print_json(document)
    else:
        _print(document)
    if recorder.done:
        return
    assert asked.ended_by is not None
    note(f"Stopped before {wanted} clips were recorded.")
    raise typer.Exit(128 + asked.ended_by)


class _Shown:
    """Shows how loud the sound is and how far the recording: a line in place on a terminal, now and then one elsewhere.

    Parameters
    ----------
    recorder : ClipRecorder
    wanted : int
        Clips.
    seconds : float
        Of sound that they hold.
    line : Progress
    """

    def __init__(self, recorder: ClipRecorder, wanted: int, seconds: float, line: Progress) -> None:
        self._recorder, self._wanted, self._seconds, self._line = recorder, wanted, seconds, line
        self._in_place = sys.stderr.isatty()
        self._next = time.monotonic() + _TELL_SECONDS

    def __call__(self) -> None:
        """Show it."""
        recorder = self._recorder
        if self._in_place:
            text = f"[{recorder.meter.bar(_BAR_WIDTH)}] {recorder.meter.text()}"
            self._line(
                "paused" if recorder.paused else "recording", round(recorder.seconds), round(self._seconds), text
            )
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELL_SECONDS
            done = f"{recorder.recorded.clips} of {counted(self._wanted, 'clip')}"
            self._line.note(f"{'Paused; ' if recorder.paused else ''}{done}; {recorder.meter.text()}.")


def _clips_of(minutes: float, clip_seconds: float) -> int:
    clips = math.ceil(round(minutes * 60 / clip_seconds, 6))
    if not clips:
        raise DataError(f"{minutes:g} minutes hold no clip. Give --minutes {clip_seconds / 60:.2g} or more.")
    return clips


def _keys_text(asked: Asked) -> str:
    if asked.keys:
        return "Space pauses and goes on; Ctrl-C ends, and keeps whole clips."
    return f"kill -USR1 {os.getpid()} pauses, -USR2 goes on, -TERM ends, and keeps whole clips."


def _document(
    own: OwnSet,
    recorder: ClipRecorder,
    paths: list[Path],
    microphone: str | None,
    clip_seconds: float,
    gain: float,
) -> dict[str, Any]:
    recorded = recorder.recorded
    in_train = sum(path.parent.name == "train" for path in paths)
    levels = recorded.levels_db
    return {
        "out": str(own.root),
        "machine": own.machine,
        "section": own.section,
        "domain": own.domain,
        "label": own.label,
        "attributes": own.attributes,
        "microphone": microphone,
        "gain_db": gain,
        "clip_seconds": clip_seconds,
        "complete": recorder.done,
        "clips_train": in_train,
        "clips_test": len(paths) - in_train,
        "files": [str(path) for path in paths],
        "level_db_lowest": round(min(levels), 2) if levels else None,
        "level_db_highest": round(max(levels), 2) if levels else None,
        "peak_db": round(recorded.peak_db, 2) if levels else None,
        "skipped": [
            {
                "time": datetime.fromtimestamp(one.clock, UTC).isoformat(timespec="milliseconds"),
                "seconds": round(one.seconds, 3),
                "fault": one.fault,
                "why": one.text,
            }
            for one in recorded.refusals
        ],
    }


def _print(document: dict[str, Any]) -> None:
    train, test, skipped = document["clips_train"], document["clips_test"], document["skipped"]
    if train + test:
        print(
            f"{counted(train + test, 'clip')} of {document['clip_seconds']:g} s written to {document['out']}: {train} "
            f"for training, {test} for testing. Machine {document['machine']}, section {document['section']}, "
            f"{document['domain']}, {document['label']}."
        )
    else:
        print("No clip was written.")
    if skipped:
        faults = [one["fault"] for one in skipped]
        each = ", ".join(f"{faults.count(fault)} {_WORDS[fault]}" for fault in _WORDS if fault in faults)
        print(f"Not written: {each}.")
    if train + test:
        lowest, highest, peak = (document[key] for key in ("level_db_lowest", "level_db_highest", "peak_db"))
        print(f"Level of the clips: {lowest:.0f} to {highest:.0f} dB re full scale, peak {peak:.0f} dB.")
        if peak > _HEADROOM_DB:
            note("Note: There is little room above this peak, and faults are louder. Turn the gain down by 6 dB.")
        print(f"Next: edge-asd data verify {document['out']}")
