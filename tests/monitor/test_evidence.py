"""Clips around alarms, to the sample."""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from edge_asd.monitor.alarms import EventName
from edge_asd.monitor.records.clip_names import PART, clip_name, find_clip, stem_of, time_of
from edge_asd.monitor.records.clip_writer import HEADER_BYTES, ClipWriter, finish_leftovers
from edge_asd.monitor.records.pre_roll import PreRoll
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.reports import Report
from edge_asd.monitor.sinks.evidence import Clip, Evidence
from tests.monitor.recorded import RATE, clip_files, event, origin, pcm_of, sound

SETTINGS = RecordsSettings(pre_s=2, post_s=1, longest_s=6, floor_bytes=0)
HOURS = 300_000 * RATE  # beyond 32 bits


class Listener:
    """Evidence that hears sound in blocks."""

    def __init__(self, folder: Path, settings: RecordsSettings = SETTINGS, rate: int = RATE) -> None:
        self.notes: list[str] = []
        self.clips: list[Clip] = []
        self.folder = folder
        self.evidence = Evidence(folder, settings, self.notes.append, on_clip=self.clips.append)
        self.evidence.begin(origin(rate=rate))

    def hear(self, start: int, stop: int, block: int = 997) -> None:
        pcm = sound(stop - start, start)
        for first in range(0, len(pcm), block):
            self.evidence.hear("pump", start + first, pcm[first : first + block])


@pytest.mark.parametrize("block", [160, 997, RATE, 20 * RATE])
@pytest.mark.parametrize("form", ["flac", "wav"])
@pytest.mark.parametrize("origin_place", [0, HOURS])
def test_an_impulse_lies_in_the_clip_where_it_was(tmp_path: Path, block: int, form: str, origin_place: int) -> None:
    settings = RecordsSettings(pre_s=2, post_s=1, longest_s=6, floor_bytes=0, format=form)  # type: ignore[arg-type]
    listener = Listener(tmp_path, settings)
    impulse, alarm = 3 * RATE + 1234, 4 * RATE + 777
    pcm = np.zeros(8 * RATE, np.int16)
    pcm[impulse] = 32767
    told = None
    for first in range(0, len(pcm), block):
        listener.evidence.hear("pump", origin_place + first, pcm[first : first + block])
        if told is None and first + block >= alarm:
            told = listener.evidence.alarm(event(origin_place + alarm))
    assert told is not None
    (path,) = clip_files(tmp_path)
    assert path.name == f"{clip_name(event(origin_place + alarm))}.{form}" == f"{told.name}.{form}"
    clip = pcm_of(path)
    assert clip.size == 3 * RATE
    assert np.flatnonzero(clip).tolist() == [impulse - (alarm - 2 * RATE)]
    assert told.place == 2 * RATE
    assert listener.clips == [Clip(told.name, origin(), origin_place + alarm - 2 * RATE, 3 * RATE, 0, True)]
    assert listener.notes == []


def test_a_clip_near_the_start_has_what_was_heard(tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    listener.hear(0, RATE)
    told = listener.evidence.alarm(event(RATE - 100))
    listener.hear(RATE, 4 * RATE)
    assert told is not None
    assert told.place == RATE - 100
    assert np.array_equal(pcm_of(clip_files(tmp_path)[0]), sound(2 * RATE - 100, 0))


@pytest.mark.parametrize("gap", [1, 500, RATE, 11 * RATE, 40 * RATE])
@pytest.mark.parametrize("before", [-RATE // 3, RATE // 3])
def test_missing_samples_are_zeros_and_counted(tmp_path: Path, gap: int, before: int) -> None:
    # `before`: where the alarm is, as seen from the gap.
    listener = Listener(tmp_path, RecordsSettings(pre_s=2, post_s=1, longest_s=6, floor_bytes=0))
    first, alarm = 5 * RATE, 5 * RATE + (before if before < 0 else before + gap)
    listener.hear(0, first)
    if before < 0:
        listener.evidence.alarm(event(alarm))
        listener.hear(first + gap, first + gap + 4 * RATE)
    else:
        listener.hear(first + gap, alarm)
        listener.evidence.alarm(event(alarm))
        listener.hear(alarm, alarm + 4 * RATE)
    (clip,) = listener.clips
    pcm = pcm_of(clip_files(tmp_path)[0])
    places = np.arange(clip.place, clip.place + clip.samples)
    lost = (places >= first) & (places < first + gap)
    expected = sound(clip.samples, clip.place)
    expected[lost] = 0
    assert np.array_equal(pcm, expected)
    assert clip.missing == lost.sum() > 0 or (before > 0 and gap >= 12 * RATE)  # nothing is kept from before that
    assert clip.place + clip.samples == alarm + RATE
    assert clip.whole


def test_a_gap_longer_than_what_is_kept_ends_what_lies_before_it(tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    listener.hear(0, 3 * RATE)
    listener.hear(HOURS, HOURS + RATE)
    listener.evidence.alarm(event(HOURS + RATE))
    listener.hear(HOURS + RATE, HOURS + 4 * RATE)
    assert [(clip.place, clip.samples, clip.missing) for clip in listener.clips] == [(HOURS, 2 * RATE, 0)]


def test_alarms_within_a_clip_draw_it_out_until_it_is_long_enough(tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    places = [3 * RATE, 3 * RATE + RATE // 2, 6 * RATE, 7 * RATE - 10, 7 * RATE + RATE // 2]
    heard, told = 0, []
    for place in places:
        listener.hear(heard, place)
        heard = place
        told.append(listener.evidence.alarm(event(place)))
    listener.hear(heard, 11 * RATE)
    assert None not in told
    names = [one.name for one in told if one is not None]
    stems = [clip_name(event(place)) for place in places]
    # The first clip ends a second behind its second alarm; the second is drawn out twice.
    assert names == [stems[0], stems[0], stems[2], stems[2], stems[2]]
    spans = [(clip.place, clip.place + clip.samples, clip.whole) for clip in listener.clips]
    assert spans == [(RATE, 4 * RATE + RATE // 2, True), (4 * RATE, 8 * RATE + RATE // 2, True)]
    for clip in listener.clips:
        path = find_clip(tmp_path, clip.name)
        assert path is not None
        assert np.array_equal(pcm_of(path), sound(clip.samples, clip.place))


def test_alarm_upon_alarm_ends_a_clip_at_its_longest_and_begins_another(tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    for second in range(3, 20):
        listener.hear((second - 1) * RATE, second * RATE)
        listener.evidence.alarm(event(second * RATE))
    listener.evidence.close()
    spans = [(clip.place // RATE, (clip.place + clip.samples) // RATE) for clip in listener.clips]
    # Nothing between them is missing, and none lasts longer than six seconds.
    assert spans == [(2, 8), (6, 12), (10, 16), (14, 19)]


def test_a_lost_signal_ends_the_clip(tmp_path: Path) -> None:
    listener = Listener(tmp_path)
    listener.hear(0, 3 * RATE)
    listener.evidence.alarm(event(3 * RATE))
    listener.hear(3 * RATE, 3 * RATE + 200)
    listener.evidence.report(event(3 * RATE + 200, EventName.signal_lost))
    (clip,) = listener.clips
    assert (clip.samples, clip.whole) == (2 * RATE + 200, False)
    assert np.array_equal(pcm_of(clip_files(tmp_path)[0]), sound(clip.samples, RATE))


@pytest.mark.parametrize("name", [name for name in EventName if name is not EventName.alarm])
def test_only_alarms_have_clips(tmp_path: Path, name: EventName) -> None:
    listener = Listener(tmp_path)
    listener.hear(0, 3 * RATE)
    assert listener.evidence.alarm(event(2 * RATE, name)) is None
    assert clip_files(tmp_path) == []


def test_a_clip_that_is_being_recorded_opens_after_every_write(tmp_path: Path) -> None:
    listener = Listener(tmp_path, RecordsSettings(pre_s=2, post_s=4, longest_s=6, floor_bytes=0))
    listener.hear(0, 3 * RATE)
    listener.evidence.alarm(event(3 * RATE))
    for second in range(3, 9):
        (path,) = clip_files(tmp_path)
        assert path.name.endswith(PART)
        assert np.array_equal(pcm_of(path), sound((min(second, 7) - 1) * RATE, RATE))
        listener.hear(second * RATE, (second + 1) * RATE)
    assert [path.suffix for path in clip_files(tmp_path)] == [".flac"]


def test_leftovers_are_finished_with_all_that_was_written(tmp_path: Path) -> None:
    stem = clip_name(event(0))
    writer = ClipWriter(tmp_path, stem, RATE)
    writer.write(sound(1000))
    path = tmp_path / f"{stem}{PART}"
    whole = path.read_bytes()
    writer.drop()
    path.write_bytes(whole + sound(7, 1001).tobytes() + b"\1")  # killed between sound and header, amid a sample
    (tmp_path / f"{stem}.part.flac").write_bytes(b"half")
    others = [clip_name(event(place)) for place in (1, 2, 3)]
    (tmp_path / f"{others[0]}{PART}").write_bytes(b"")
    (tmp_path / f"{others[1]}{PART}").write_bytes(bytes(HEADER_BYTES + 10))  # a power cut left zeros
    (tmp_path / f"{others[2]}{PART}").write_bytes(path.read_bytes())
    (tmp_path / f"{others[2]}.flac").write_bytes(b"complete")
    (tmp_path / "notes.part.wav").write_bytes(b"mine")
    assert finish_leftovers(tmp_path, "flac") == [tmp_path / f"{stem}.flac"]
    assert np.array_equal(pcm_of(tmp_path / f"{stem}.flac"), sound(1007))
    left = {f"{stem}.flac", f"{others[1]}{PART}", f"{others[2]}.flac", "notes.part.wav"}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_a_clips_name_is_never_taken_twice(tmp_path: Path) -> None:
    stem = clip_name(event(0))
    (tmp_path / f"{stem}.flac").write_bytes(b"")
    with pytest.raises(FileExistsError):
        ClipWriter(tmp_path, stem, RATE)
    assert [path.name for path in tmp_path.iterdir()] == [f"{stem}.flac"]


def test_the_header_is_that_of_the_standard_library(tmp_path: Path) -> None:
    import wave

    writer = ClipWriter(tmp_path, clip_name(event(0)), 44100)
    writer.write(sound(1000))
    path = writer.finish("wav")
    with wave.open(str(tmp_path / "other.wav"), "wb") as other:
        other.setparams((1, 2, 44100, 0, "NONE", ""))
        other.writeframes(sound(1000).tobytes())
    assert path.read_bytes() == (tmp_path / "other.wav").read_bytes()
    assert struct.unpack_from("<I", path.read_bytes(), 40) == (2000,)


def test_names_tell_time_source_and_section_and_nothing_else(tmp_path: Path) -> None:
    plain = event(0)
    zone = timezone(timedelta(hours=5, minutes=30))
    elsewhere = Report(plain.what, plain.time.astimezone(zone), plain.source, plain.state)
    assert clip_name(elsewhere) == clip_name(plain)
    assert clip_name(plain).startswith("20261128T140000.000000Z_pump_00_")
    hostile = ["../../etc/passwd", "a/b\0c\n", "", "🦆" * 99, "x" * 300, "\udcff", "-rf"]
    names = [clip_name(Report(plain.what, plain.time, source, plain.state)) for source in hostile]
    assert len(set(names)) == len(hostile)
    for name in names:
        assert stem_of(f"{name}.flac") == name
        assert os.path.basename(name) == name
        assert time_of(name) == datetime(2026, 11, 28, 14, tzinfo=UTC)
    for foreign in (
        "holiday.flac",
        f"{names[0]}.mp3",
        f"a{names[0]}.wav",
        f"{names[0]}\n.wav",
        "../" + names[0] + ".wav",
    ):
        assert stem_of(foreign) is None
    (tmp_path / f"{names[0]}.wav").symlink_to("/etc/hostname")
    assert find_clip(tmp_path, names[0]) is None
    assert find_clip(tmp_path, "../secret") is None


def test_what_is_kept_is_told_by_its_place() -> None:
    memory = PreRoll(100)
    rng = np.random.default_rng(13)
    truth, place = {}, 2**33
    for _ in range(300):
        place += int(rng.integers(0, 4)) * int(rng.integers(0, 2))
        pcm = rng.integers(1, 1000, rng.integers(0, 100)).astype(np.int16)
        memory.hear(place, pcm)
        truth.update({place + k: int(v) for k, v in enumerate(pcm)})
        place += pcm.size
        assert memory.end == place
        start, stop = sorted(rng.integers(memory.begin, memory.end + 1, 2).tolist())
        assert memory.read(start, stop).tolist() == [truth.get(k, 0) for k in range(start, stop)]
        assert memory.missing(start, stop) == sum(k not in truth for k in range(start, stop))
    with pytest.raises(ValueError, match="are not within"):
        memory.read(memory.begin - 1, memory.end)
