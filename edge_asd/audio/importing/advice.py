"""What the user of an import should know: why a recording gave no clip, and what it is like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from edge_asd.audio.health import Stretch, stretch_text
from edge_asd.audio.importing.cutting import Cuts
from edge_asd.audio.importing.report import ImportReport
from edge_asd.audio.sound_header import SoundHeader
from edge_asd.clips import ClipName
from edge_asd.errors import DataError
from edge_asd.own_set import RATE, OwnSet

_PUBLISHED_SHORTEST = 6.0  # clips of 2026
_ALIKE = round(0.05 * RATE)


def why_no_clip(samples: int, usable: int, dead: Sequence[Stretch], cuts: Cuts) -> str:
    """Say why a recording has no room for a clip.

    Parameters
    ----------
    samples : int
        Of the recording, at the clips' rate.
    usable : int
        Of them, without those that are skipped at both ends.
    dead : sequence of Stretch
    cuts : Cuts

    Returns
    -------
    text : str
        Starts with a verb.
    """
    clip = f"a clip of {cuts.clip_seconds:g} s"
    missing = round(cuts.clip_seconds * RATE) - usable
    if missing > 0:
        what = "lasts" if usable == samples else "leaves"
        return f"{what} {usable / RATE:.2f} s: {missing / RATE:.2f} s are missing for {clip}."
    others = f", and in {len(dead) - 1} other places" if len(dead) > 1 else ""
    return f"has no room for {clip}: it {stretch_text(dead[0], RATE)}{others}."


def notes_on_names(files: Sequence[Path], own: OwnSet) -> Iterator[str]:
    """Tell of names that say what is not asked."""
    if named := sum(_is_clip_name(file) for file in files):
        yield (
            f"{named} of {len(files)} files have names of MIMII DUE's form: the clips are of section {own.section}, "
            f"{own.domain}, {own.label}, whatever these say."
        )


def notes_on_file(name: str, header: SoundHeader, channel: int) -> Iterator[str]:
    """Tell what a recording is like."""
    for text in header.notes:
        yield f"{name} {text}"
    if header.channels > 1:
        yield (f"Channel {channel} was taken of files with {header.channels} channels; choose another with --channel.")
    if header.sample_rate < RATE:
        yield (
            f"There are files with {header.sample_rate} Hz: nothing above {header.sample_rate // 2} Hz is in their "
            "clips. Train, calibrate and monitor with sound that was recorded in the same way."
        )


def notes_at_the_end(report: ImportReport, short: Sequence[int], cuts: Cuts) -> Iterator[str]:
    """Tell of an overlap that was not, and the length that all the recordings have which are too short.

    Parameters
    ----------
    report : ImportReport
    short : sequence of int
        Lengths of the recordings that are too short, at the clips' rate.
    cuts : Cuts
    """
    if cuts.overlap and report.own.label == "anomaly":
        yield "Anomalous clips are for testing, and overlap nowhere."
    elif cuts.overlap:
        yield (
            "Clips for training overlap: train holds back only such for its threshold as share no sound with others, "
            "so more of this recording's time is needed for a threshold than without --overlap."
        )
    if report.clips or len(short) < 2 or len(short) < len(report.files) or max(short) - min(short) > _ALIKE:
        return
    seconds = min(short) * 100 // RATE / 100
    if seconds >= _PUBLISHED_SHORTEST:
        yield f"All {len(short)} recordings last {seconds:g} s: --clip-seconds {seconds:g} takes them."


def _is_clip_name(path: Path) -> bool:
    with suppress(DataError):
        return bool(ClipName.parse(path.name))
    return False
