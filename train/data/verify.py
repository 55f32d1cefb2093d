"""Is a data set what it should be? Counts against Table 1, names, formats, silence and duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from edge_asd.clips import ClipName, SoundFiles, says_anomaly
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.own_set import is_own
from edge_asd.train.data.attributes import read_attributes
from edge_asd.train.data.counting import count_faults, not_mimii_due
from edge_asd.train.data.dataset import machine_folders
from edge_asd.train.data.findings import Fault, Found, Report
from edge_asd.train.data.layout import Layout, mixed_forms, place_fault, read_layout, told_year
from edge_asd.train.data.marker import read_marker
from edge_asd.train.data.wav_check import WavCheck, check_wav, sound_hash

RATE, SECONDS = 16000, 10
"""What every clip of MIMII DUE has: one channel of 16 bits at this rate, this long."""

SHORTEST, LONGEST = 6, 18
"""Seconds of the clips of other years of DCASE Task 2; those of 2026 have two channels."""


class _Length(NamedTuple):
    shortest: Fraction | int  # s
    longest: Fraction | int
    words: str


_PUBLISHED = _Length(SECONDS, SECONDS, f"{SECONDS} s")
_OTHER_YEARS = _Length(SHORTEST, LONGEST, f"{SHORTEST} to {LONGEST} s")

_THREADS = 2  # hides the disk's latency; more of them only quarrel about the interpreter's lock
_CHUNK = 64

Progress = Callable[[str, int, int], None]
"""Called with (what, done, all)."""


def verify(root: Path, *, counts: bool = True, channel: int = 0, progress: Progress = lambda *_: None) -> Report:
    """Check every clip of a data set in the layout of MIMII DUE or of DCASE Task 2, 2020 to 2026.

    Parameters
    ----------
    root : Path
        Folder that holds one folder a machine.
    counts : bool
        Compare the number of clips with Table 1 where machines and sections are MIMII DUE's.
    channel : int >= 0
        Channel that has to hold sound.
    progress : callable, optional
        See `Progress`.

    Returns
    -------
    report : Report

    Raises
    ------
    DataError
        If `root` holds no machine, or no clip.
    """
    report = Report(root)
    folders = machine_folders(root)
    clips = [clip for folder in folders for clip in _list(root, folder, report)]
    beside = sorted({entry.name for entry in root.iterdir()} - {folder.name for folder in folders})
    if left_out := SoundFiles(others=[name for name in beside if name[0] != "."]).left_out():
        report.notes.append(f"Beside the machines: {left_out}.")
    if not clips:
        raise DataError(f"{root} holds no clips. Expected sound files in fan/train, fan/source_test and so on.")
    report.count(clips)
    report.notes += _year_notes(report)
    own = [folder.name for folder in folders if is_own(folder)]
    reason = (
        (_synthetic(root, report) or _own(own) or _other_year(report) or _foreign(report))
        if counts
        else "it was not asked for"
    )
    report.checks += ["names", "format", "silence", "duplicates"] + (["counts"] if reason is None else [])
    if reason is None:
        report.faults += count_faults(report, clips)
    else:
        report.notes.append(f"Counts were not compared with Table 1: {reason}.")
    checks = _check_files(root, clips, channel, progress)
    lengths = {machine: _PUBLISHED if year == 2021 else _OTHER_YEARS for machine, year in report.years.items()}
    lengths |= {name: _own_length(checks[i] for i, clip in enumerate(clips) if clip.machine == name) for name in own}
    for clip, check in zip(clips, checks, strict=True):
        report.faults += _file_faults(clip, check, report.years[clip.machine], lengths[clip.machine])
    report.notes += _length_notes(report, clips, checks)
    report.faults += _duplicates(root, clips, checks, progress)
    report.faults.sort(key=lambda fault: (fault.machine, fault.section or "", fault.path or "", fault.kind))
    return report


def _own(machines: list[str]) -> str | None:
    if not machines:
        return None
    return f"{', '.join(machines)} {'is a set' if len(machines) == 1 else 'are sets'} of your own, of any size"


def _own_length(checks: Iterable[WavCheck]) -> _Length:
    """Return the length that most clips of one's own machine have, for it may be any."""
    lengths = Counter(Fraction(header.frames or 0, header.sample_rate) for check in checks if (header := check.header))
    if not lengths:
        return _PUBLISHED
    length = lengths.most_common(1)[0][0]
    return _Length(length, length, f"{float(length):g} s, as of most clips of this machine,")


def _year_notes(report: Report) -> list[str]:
    """Say which machines have the layout of which year, where it is not MIMII DUE's."""
    machines: dict[int, list[str]] = {}
    for machine, year in report.years.items():
        machines.setdefault(year, []).append(machine)
    return [
        f"{', '.join(names)}: the layout of DCASE {year} Task 2{', or of a later year' if 2022 <= year < 2026 else ''}."
        for year, names in sorted(machines.items())
        if year != 2021
    ]


def _length_notes(report: Report, clips: list[Found], checks: list[WavCheck]) -> list[str]:
    """Say where a machine's clips are of several lengths, and may be."""
    lengths: dict[str, Counter[float]] = {}
    for clip, check in zip(clips, checks, strict=True):
        if check.header is not None and report.years[clip.machine] != 2021:
            seconds = round((check.header.frames or 0) / check.header.sample_rate, 2)
            lengths.setdefault(clip.machine, Counter())[seconds] += 1
    return [
        f"{machine}: clips of several lengths ({', '.join(f'{n} of {s:g} s' for s, n in sorted(found.items())[:5])}"
        f"{', ...' if len(found) > 5 else ''})."
        for machine, found in lengths.items()
        if len(found) > 1
    ]


def _other_year(report: Report) -> str | None:
    others = [machine for machine, year in report.years.items() if year != 2021]
    return f"{others[0]} is not laid out as MIMII DUE is" if others else None


def _foreign(report: Report) -> str | None:
    strange = not_mimii_due(report)
    return None if strange is None else f"this is not MIMII DUE ({strange.in_words})"


def _synthetic(root: Path, report: Report) -> str | None:
    """Note machines that are synthetic; say why the data set is not counted where one is smaller than Table 1's."""
    marks = {folder.name: mark for folder in machine_folders(root) if (mark := read_marker(folder)) is not None}
    report.notes += [f"{machine} is synthetic, made by edge-asd data synth; it is not MIMII DUE." for machine in marks]
    small = [machine for machine, mark in marks.items() if mark.get("table1_counts") is not True]
    return f"the synthetic {small[0]} has a size of its own" if small else None


def _list(root: Path, folder: Path, report: Report) -> list[Found]:
    """List a machine's sound files; what is in the way becomes a fault, what is beside them a note."""
    machine, clips = folder.name, []
    layout = read_layout(folder)
    for file in layout.paths:
        place, path = file.parent.name, f"{machine}/{file.parent.name}/{file.name}"
        try:
            name = ClipName.parse(file.name, place)
        except DataError as error:
            report.faults.append(Fault("name", machine, None, path, str(error)))
            name = None
        clips.append(Found(machine, path, name))
        if name and (text := place_fault(name, place)):
            report.faults.append(Fault("folder", machine, name.section, path, text))
        if place == "train" and says_anomaly(file.name) and (name is None or name.split == "train"):
            text = "is an anomalous clip among the training clips, which must all be normal. Remove it."
            report.faults.append(Fault("label", machine, name.section if name else None, path, text))
    files = [(clip.path.rsplit("/", 1)[1], clip.name) for clip in clips if clip.name]
    for mixed in filter(None, (layout.mixed, mixed_forms(files))):
        report.faults.append(Fault("layout", machine, None, machine, mixed))
    report.faults += _attributes_faults(layout, files, report)
    report.notes += layout.notes()
    report.supplemental += len(layout.supplemental.paths)
    report.years[machine] = told_year(layout, files, lambda: _channels(root, clips))
    return clips


def _channels(root: Path, clips: list[Found]) -> int | None:
    """Return how many channels the first clip has that can be read."""
    return next((check.header.channels for clip in clips if (check := check_wav(root / clip.path)).header), None)


def _attributes_faults(layout: Layout, files: list[tuple[str, ClipName]], report: Report) -> Iterable[Fault]:
    machine = layout.folder.name
    if layout.attributes and "attributes" not in report.checks:
        report.checks.append("attributes")
    for path in layout.attributes:
        place = f"{machine}/{path.name}"
        try:
            told = read_attributes(path)
        except DataError as error:
            text = str(error).removeprefix(str(path)).lstrip(", ")
            yield Fault("attributes", machine, None, place, f"cannot be used: {text}")
            continue
        faults, notes = told.misfits(files)
        yield from (Fault("attributes", machine, told.section, place, text) for text in faults)
        report.notes += [f"{place} {text}" for text in notes]


def _check_files(root: Path, clips: list[Found], channel: int, progress: Progress) -> list[WavCheck]:
    chunks = [clips[i : i + _CHUNK] for i in range(0, len(clips), _CHUNK)]
    checks: list[WavCheck] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for part in pool.map(lambda chunk: [check_wav(root / clip.path, channel) for clip in chunk], chunks):
                checks += part
                progress("files", len(checks), len(clips))
        finally:
            pool.shutdown(cancel_futures=True)
    return checks


_WORDS = {1: "one is", 2: "two are"}


def _channel_count(channels: int) -> str:
    return f"{channels} channel{'s' if channels > 1 else ''}"


def _file_faults(clip: Found, check: WavCheck, year: int, length: _Length) -> Iterable[Fault]:
    section = clip.name.section if clip.name else None
    header = check.header
    if header is None:
        yield Fault("unreadable", clip.machine, section, clip.path, check.trouble)
        return
    expected = 2 if year == 2026 else 1
    for note in header.notes:
        yield Fault("header", clip.machine, section, clip.path, note)
    wrong = [
        text
        for text, good in (
            (f"{header.sample_rate} Hz where {RATE} Hz are expected", header.sample_rate == RATE),
            (f"{_channel_count(header.channels)} where {_WORDS[expected]} expected", header.channels == expected),
            (f"{header.subtype} samples where 16-bit ones (PCM_16) are expected", header.subtype == "PCM_16"),
        )
        if not good
    ]
    if wrong:
        yield Fault("format", clip.machine, section, clip.path, f"has {', '.join(wrong)}.")
    frames = header.frames or 0
    if not length.shortest * header.sample_rate <= frames <= length.longest * header.sample_rate:
        text = f"is {frames / header.sample_rate:.4g} s long ({frames} samples)"
        yield Fault("length", clip.machine, section, clip.path, f"{text} where {length.words} are expected.")
    if check.wrong_scale:  # cut to full scale, such sound may look dead, too
        yield Fault("scale", clip.machine, section, clip.path, check.wrong_scale)
    elif check.dead:
        yield Fault("silent", clip.machine, section, clip.path, check.dead)


def _duplicates(root: Path, clips: list[Found], checks: list[WavCheck], progress: Progress) -> list[Fault]:
    """Find clips of the same sound; only clips whose fingerprints meet are read through."""
    alike: dict[bytes, list[Found]] = {}
    for clip, check in zip(clips, checks, strict=True):
        if check.header is not None and not check.dead:
            alike.setdefault(check.fingerprint, []).append(clip)
    suspects = [group for group in alike.values() if len(group) > 1]
    faults: list[Fault] = []
    total, done = sum(map(len, suspects)), 0
    for group in suspects:
        same: dict[bytes, list[Found]] = {}
        for clip in group:
            try:
                same.setdefault(sound_hash(root / clip.path), []).append(clip)
            except (AudioFormatError, OSError) as error:
                text = f"became unreadable while it was checked: {error}"
                section = clip.name.section if clip.name else None
                faults.append(Fault("unreadable", clip.machine, section, clip.path, text))
            done += 1
            progress("possible duplicates", done, total)
        for copies in same.values():
            faults += _duplicate_faults(copies)
    return faults


def _duplicate_faults(copies: list[Found]) -> Iterable[Fault]:
    copies = sorted(copies, key=lambda clip: (clip.split != "train", clip.path))
    first = copies[0]
    for clip in copies[1:]:
        section = clip.name.section if clip.name else None
        if first.split == "train" and clip.split == "test":
            text = (
                f"is a test clip with the sound of the training clip {first.path}: a leak, it makes figures too good."
            )
            yield Fault("leak", clip.machine, section, clip.path, text)
        else:
            yield Fault("duplicate", clip.machine, section, clip.path, f"has the same sound as {first.path}.")
