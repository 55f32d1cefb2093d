"""Other programs as sources: real ones, that end, hang, write rubbish and start others."""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_asd.audio.stream import Break, Pcm, Waiting
from edge_asd.errors import AudioFormatError
from edge_asd.monitor.sources import command as module
from edge_asd.monitor.sources.command import CommandSource
from edge_asd.monitor.sources.source import Delivery

RATE = 16000
SOUND = np.random.default_rng(4).integers(-9000, 9000, 3 * RATE, dtype=np.int16)
LONG_SECONDS = 60.0
"""By when a busy machine must have done what takes a moment."""

Part = Pcm | Break | Waiting


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(module, "_LONGEST_PAUSE_SECONDS", 0.1)


@pytest.fixture
def sound_file(tmp_path: Path) -> Path:
    path = tmp_path / "the sound.raw"
    path.write_bytes(SOUND.tobytes())
    return path


def python(code: str) -> str:
    return shlex.join([sys.executable, "-I", "-S", "-c", code])


def source_of(command: str, rate: int = RATE, channels: int = 1, silent_s: float = 10.0, **delivery) -> CommandSource:
    return CommandSource("camera", Delivery(**delivery), command, rate=rate, channels=channels, silent_s=silent_s)


def until(parts: Iterator[Part], found: Callable[[list[Part]], bool]) -> list[Part]:
    taken: list[Part] = []
    end = time.monotonic() + LONG_SECONDS
    while not found(taken):
        assert time.monotonic() < end, taken[-5:]
        taken.append(next(parts))
    return taken


def breaks(parts: list[Part]) -> list[Break]:
    return [part for part in parts if isinstance(part, Break)]


def samples(parts: list[Part]) -> Pcm:
    return np.concatenate([np.zeros(0, np.int16), *[part for part in parts if isinstance(part, np.ndarray)]])


def runs(parts: list[Part]) -> list[Pcm]:
    """What came between a start or a signal's return and its loss, the last span left out."""
    places = [i for i, part in enumerate(parts) if isinstance(part, Break) and part.event == "signal-lost"]
    return [samples(parts[start:stop]) for start, stop in zip([0, *places], places, strict=False)]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    end = time.monotonic() + LONG_SECONDS
    while alive(pid):
        assert time.monotonic() < end
        time.sleep(0.01)
    return True


def ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def read_pid(path: Path) -> int:
    end = time.monotonic() + LONG_SECONDS
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < end
        time.sleep(0.01)
    return int(path.read_text())


def test_a_program_that_ends_is_started_again_and_nothing_is_lost(sound_file: Path) -> None:
    """Also one that is faster than the clock: it waits for its reader."""
    with source_of(shlex.join(["cat", str(sound_file)])) as source:
        assert (source.live, source.lost_s) == (True, 0.0)
        assert source.description == "the program cat (16000 Hz, channel 0 of 1)"
        parts = until(source.sound(), lambda parts: len(breaks(parts)) == 7)
    for run in runs(parts):
        np.testing.assert_array_equal(run, SOUND)
    for lost, back in zip(breaks(parts)[::2], breaks(parts)[1::2], strict=False):
        assert (lost.event, lost.samples) == ("signal-lost", 0)
        assert lost.text == "The program cat ended with exit code 0. It is started again."
        assert (back.event, back.samples) == ("signal-back", round(back.seconds * RATE))
        assert back.text == f"The program cat is back after {back.seconds:.1f} s without sound."
        assert back.clock - lost.clock == pytest.approx(back.seconds, abs=0.01)


def test_other_rates_channels_and_gains(tmp_path: Path) -> None:
    stereo = np.stack([SOUND, SOUND[::-1]], axis=1)
    (tmp_path / "raw").write_bytes(stereo.tobytes())
    notes: list[str] = []
    with source_of(
        f"cat {tmp_path / 'raw'}",
        rate=8000,
        channels=2,
        channel=1,
        gain=lambda pcm: pcm // 2,
        note=notes.append,
        narrow=lambda rate: f"{rate} Hz is narrow.",
    ) as source:
        parts = until(source.sound(), lambda parts: bool(breaks(parts)))
    heard = samples(parts)
    assert heard.size == 2 * SOUND.size
    assert np.abs(heard[::2] - SOUND[::-1] // 2)[100:-100].mean() < 1500  # the same sound, at twice the rate
    assert notes == ["8000 Hz is narrow."]


def test_half_a_frame_at_the_end_of_a_run_does_not_shift_the_next(tmp_path: Path) -> None:
    stereo = np.stack([SOUND[:5000], SOUND[:5000] // 3], axis=1)
    (tmp_path / "raw").write_bytes(stereo.tobytes() + b"\1\2\3")
    with source_of(f"cat {tmp_path / 'raw'}", channels=2, channel=1) as source:
        parts = until(source.sound(), lambda parts: len(breaks(parts)) == 5)
    for run in runs(parts):
        np.testing.assert_array_equal(run, stereo[:, 1])


def test_how_a_program_ended_and_its_last_words_are_told(sound_file: Path) -> None:
    for code, outcome in (
        ("sys.exit(3)", "ended with exit code 3: rtsp://***@camera/1: no\ufffd route. It"),
        ("os.kill(os.getpid(), 9)", "ended by SIGKILL: rtsp://***@camera/1: no\ufffd route. It"),
        ("os.close(1); time.sleep(600)", "ended and was killed: rtsp://***@camera/1: no\ufffd route. It"),
    ):
        command = python(
            "import os, sys, time; os.write(2, b'x' * 100000 + b'\\rframe 1\\n' * 9000);"
            "os.write(2, b'rtsp://me:secret@camera/1: \\x1b\\x07no\\xff route.\\n\\n'); os.write(1, bytes(1000)); "
            + code
        )
        with source_of(command) as source:
            parts = until(source.sound(), lambda parts: bool(breaks(parts)))
        assert breaks(parts)[0].text == f"The program {Path(sys.executable).name} {outcome} is started again."


def test_a_program_that_sends_nothing_is_killed_and_started_again(tmp_path: Path) -> None:
    """Chatter on its standard error is no sound."""
    pid = tmp_path / "pid"
    command = python(
        f"import os, time; os.write(1, bytes(2000)); open({str(pid)!r}, 'w').write(f'{{os.getpid()}}\\n')\n"
        "while True: os.write(2, b'I am well\\n'); time.sleep(0.01)"
    )
    with source_of(command, silent_s=1.2) as source:
        parts = until(source.sound(), lambda parts: len(breaks(parts)) == 1)
        assert ended(read_pid(pid))
        first = breaks(parts)[0]
        assert "sent nothing for 1.2 s and was killed: I am well. It is started again." in first.text
        assert first.seconds >= 1.2
        assert sum(isinstance(part, Waiting) for part in parts) >= 2
        until(source.sound(), lambda parts: samples(parts).size == 1000)


def test_a_program_that_does_not_heed_a_request_to_end_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    leader, other = tmp_path / "leader", tmp_path / "other"
    deaf = f"trap '' TERM; echo $$ > {other}; while true; do sleep 0.05; done"
    command = shlex.join(["sh", "-c", f"trap '' TERM; echo $$ > {leader}; sh -c {shlex.quote(deaf)} & cat /dev/zero"])
    with source_of(command) as source:
        until(source.sound(), lambda parts: samples(parts).size > RATE)
        pids = read_pid(leader), read_pid(other)
        start = time.monotonic()
    assert time.monotonic() - start < 2  # 0.4 s of it are for the deaf
    assert ended(pids[0])  # waited for: no zombie
    assert gone(pids[1])


@pytest.mark.parametrize("where", ["waiting for sound", "between two blocks", "in a pause"])
def test_leaving_in_another_thread_ends_a_reader(where: str, tmp_path: Path, monkeypatch) -> None:
    if where == "in a pause":
        monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 600.0)
    pid = tmp_path / "pid"
    rest = {"waiting for sound": "sleep 600", "between two blocks": "cat /dev/zero", "in a pause": "true"}[where]
    source = source_of(shlex.join(["sh", "-c", f"echo $$ > {pid}; head -c 9000 /dev/zero; {rest}"])).__enter__()
    begun, go_on, parts = threading.Event(), threading.Event(), []

    def read() -> None:
        for part in source.sound():
            parts.append(part)
            if isinstance(part, np.ndarray):
                begun.set()
                if where == "between two blocks":
                    go_on.wait()

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(LONG_SECONDS)
    if where == "in a pause":
        while not breaks(parts):
            time.sleep(0.01)
    source.__exit__()
    assert ended(read_pid(pid))
    go_on.set()
    thread.join(LONG_SECONDS)
    assert not thread.is_alive()
    source.__exit__()  # twice is once


def test_nothing_stays_open(sound_file: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with source_of(shlex.join(["cat", str(sound_file)])) as source:
            until(source.sound(), lambda parts: len(breaks(parts)) == 2)
    source_of("cat x")  # never entered
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program -x", "no-such-program of camera cannot be started: No such file.*sh -c"),
        ("/", "cannot be started: Permission denied"),
        ("cat 'x", "cannot be split into words: No closing quotation"),
        ("  ", "is empty"),
        ("cat \0", "cannot be started: embedded null byte"),
    ],
)
def test_what_cannot_be_started_at_first_is_an_error(command: str, words: str) -> None:
    with pytest.raises(AudioFormatError, match=words), source_of(command) as source:
        next(source.sound())


def test_a_program_that_vanishes_is_told_once_and_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nhead -c 4000 /dev/zero\n")
    program.chmod(0o755)
    notes: list[str] = []
    with source_of(str(program), note=notes.append) as source:
        sound = source.sound()
        until(sound, lambda parts: len(breaks(parts)) == 1)
        program.rename(tmp_path / "away")
        parts = until(sound, lambda parts: len(parts) > 6)
        (tmp_path / "away").rename(program)
        parts += until(sound, lambda parts: samples(parts).size == 2000)
        back = breaks(parts)[-1]
    assert (back.event, back.samples) == ("signal-back", round(back.seconds * RATE))
    assert notes == ["The program program of camera cannot be started: No such file or directory. It is tried again."]


def test_a_sound_file_is_refused_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "file.wav").write_bytes(b"RIFF\0\1\0\0WAVEfmt " + bytes(2000))
    with (
        source_of(f"cat {tmp_path / 'file.wav'}") as source,
        pytest.raises(AudioFormatError, match="starts with a WAV header"),
    ):
        next(source.sound())
    # A program that was heard before is not given up.
    raw, header = tmp_path / "raw", (tmp_path / "file.wav").read_bytes()
    raw.write_bytes(bytes(4000))
    with source_of(f"cat {raw}") as source:
        sound = source.sound()
        until(sound, lambda parts: len(breaks(parts)) == 1)
        put(raw, header)
        parts = until(sound, lambda parts: len(parts) > 6)
        assert not samples(parts).any()
        put(raw, SOUND.tobytes())
        parts = until(sound, lambda parts: samples(parts).any())
    np.testing.assert_array_equal(samples(parts), SOUND[: samples(parts).size])


def put(path: Path, data: bytes) -> None:
    """Replace a file at once."""
    other = path.with_suffix(".new")
    other.write_bytes(data)
    other.rename(path)
