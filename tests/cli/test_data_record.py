"""``edge-asd data record`` from a real-time microphone: which samples are in the clips, pauses, faults, the end."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from edge_asd.audio.health import level_db
from edge_asd.audio.meter import peak_db
from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.stream import SETTLE_SECONDS, Pcm
from tests.cli.command import Command, assert_error, edge_asd
from tests.data import RATE
from tests.pulse import PulseMicrophone, pulse
from tests.terminals import open_terminal

SECONDS = 60.0
"""Longest wait for what takes a moment where nothing else runs."""

NOISE = np.random.default_rng(7).normal(0, 2000, 60 * RATE).clip(-20000, 20000).astype(np.int16)
"""A minute in which every second is unlike every other."""

ONLY_RATE = "import sys; from tests.audio.listener import only_rate; only_rate(int(sys.argv.pop(1)))\n"
MAIN = "from edge_asd.cli import main; main()"
OWN_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
"""Takes the terminal for its own, so that keys and Ctrl-C come there."""


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`NOISE` in a file."""
    path = tmp_path_factory.mktemp("noise") / "noise.wav"
    soundfile.write(path, NOISE, RATE, subtype="PCM_16")
    return path


@contextmanager
def playing(microphone: PulseMicrophone, path: Path) -> Iterator[None]:
    player = microphone.play(path)
    try:
        yield
    finally:
        player.kill()
        player.wait()


def words(out: Path, *arguments: object) -> list[str]:
    record = ["data", "record", "--machine", "mill", "--out", out, "--device", "default", "--clip-seconds", 1]
    return [str(word) for word in (*record, *arguments)]


@contextmanager
def recording(
    microphone: PulseMicrophone, out: Path, *arguments: object, before: str = "", first: object = None
) -> Iterator[subprocess.Popen[str]]:
    """Record without a terminal; `before` is Python that runs first, with `first` as its argument."""
    process = subprocess.Popen(
        [sys.executable, "-c", before + MAIN, *([] if first is None else [str(first)]), *words(out, *arguments)],
        env={**microphone.env, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Read on to the first note with `text`."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return line
    raise AssertionError(f"it ended without {text!r}: {lines}")


def wait_until(path: Path, clips: int) -> None:
    """Wait until so many clips are there."""
    end = time.monotonic() + SECONDS
    while len(list(path.rglob("section_*.wav"))) < clips:
        assert time.monotonic() < end, f"in vain: {clips} clips"
        time.sleep(0.01)


def ended(process: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == code, err
    document: dict[str, Any] = json.loads(out)
    return document


def clips_of(document: dict[str, Any]) -> list[Pcm]:
    return [read_recording(Path(path), sample_rate=RATE, channel=0).pcm for path in document["files"]]


def place(clip: Pcm, played: Pcm = NOISE) -> int:
    """Where in the played sound a clip's samples are, all of them."""
    starts = np.flatnonzero(played[: played.size - clip.size + 1] == clip[0])
    (start,) = (int(at) for at in starts if np.array_equal(played[at : at + clip.size], clip))
    return start


def test_two_at_once_write_the_played_samples_without_a_gap(
    pulse_microphone: PulseMicrophone, noise: Path, tmp_path: Path
) -> None:
    """Into one set: each clip is there once, and the fifth of them is for testing."""
    out = tmp_path / "sets" / "own"
    with (
        playing(pulse_microphone, noise),
        recording(pulse_microphone, out, "--clips", 3, "--json") as one,
        recording(pulse_microphone, out, "--minutes", 0.05, "--json") as other,
    ):
        documents = [ended(one), ended(other)]
    for document in documents:
        clips = clips_of(document)
        assert [clip.size for clip in clips] == [RATE] * 3
        place(np.concatenate(clips))
        assert (document["complete"], document["skipped"]) == (True, [])
        assert document["microphone"].startswith("default (ALSA")
        assert document["level_db_highest"] == round(max(map(level_db, clips)), 2)
        assert document["peak_db"] == round(peak_db(int(np.abs(np.concatenate(clips)).max())), 2)
    names = [f"train/section_00_source_train_normal_{i:04d}.wav" for i in (0, 1, 2, 3, 5)]
    names.append("source_test/section_00_source_test_normal_0004.wav")
    paths = [Path(path) for document in documents for path in document["files"]]
    assert sorted(paths) == sorted(out / "mill" / name for name in names)
    assert sum(document["clips_train"] for document in documents) == 5
    assert sum(document["clips_test"] for document in documents) == 1
    assert set(out.rglob("*.*")) == {*paths, out / "mill" / "own.json"}


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both sides of a terminal of 80 columns."""
    ours, theirs = open_terminal()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def test_on_a_terminal_space_pauses_and_an_interrupt_keeps_whole_clips(
    pulse_microphone: PulseMicrophone, noise: Path, tmp_path: Path, terminal: tuple[int, int]
) -> None:
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    shown = ""

    def wait_for_text(text: str) -> None:
        nonlocal shown
        end, start = time.monotonic() + SECONDS, len(shown)
        while text not in shown[start:]:
            assert time.monotonic() < end, shown
            if select.select([ours], [], [], 0.1)[0]:
                shown += os.read(ours, 4096).decode("utf-8", "replace")

    with (
        playing(pulse_microphone, noise),
        subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL + MAIN, *words(tmp_path, "--clips", 100)],
            env={**pulse_microphone.env, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_for_text("Space pauses and goes on")
            wait_for_text("peak -")
            wait_until(tmp_path, 1)
            os.write(ours, b" ")
            wait_for_text("Paused.")
            wait_for_text("paused")
            os.write(ours, b"xp")
            wait_for_text("Going on.")
            wait_until(tmp_path, 2)
            os.write(ours, b"\x03")
            wait_for_text("Stopped before 100 clips were recorded.")
            assert process.wait(SECONDS) == 130
        finally:
            process.kill()
    assert termios.tcgetattr(theirs) == before
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert re.search(r"recording .* \d+/100 .*\[#+\.+\|\.+\] now -2[45] dB, peak -1[12] dB", plain)
    assert "lost sys.stderr" not in shown
    assert "clips of 1 s written to" in shown
    paths = sorted((tmp_path / "mill/train").iterdir())
    starts = [place(read_recording(path, sample_rate=RATE, channel=0).pcm) for path in paths]
    assert 2 <= len(starts) <= 4  # one or two before the pause, and as many after it
    gaps = np.diff(starts) - RATE
    assert sorted(gaps)[:-1] == [0] * (len(starts) - 2)
    assert max(gaps) >= SETTLE_SECONDS * RATE


@pytest.mark.prove
def test_what_breaks_the_sound_costs_one_clip(fragile_microphone: PulseMicrophone, noise: Path, tmp_path: Path) -> None:
    """A pause by signals, and a microphone that is pulled out."""
    fragile_microphone.play(noise)
    with recording(fragile_microphone, tmp_path, "--clips", 6, "--json") as process:
        wait_for(process, f"kill -USR1 {process.pid} pauses, -USR2 goes on, -TERM ends")
        wait_for(process, "Listening to default")
        wait_until(tmp_path, 1)
        for _ in range(2):
            process.send_signal(signal.SIGUSR1)
        wait_for(process, "Paused.")
        process.send_signal(signal.SIGUSR2)
        wait_for(process, "Going on.")
        wait_until(tmp_path, 3)
        fragile_microphone.kill()
        wait_for(process, "is gone")
        fragile_microphone.start()
        fragile_microphone.play(noise)
        wait_for(process, "is back after")
        document = ended(process)
    faults = [one["fault"] for one in document["skipped"]]
    assert faults in (["paused", "broken"], ["paused"], ["broken"], [])  # none, where it came just at a clip's end
    assert all(0 < one["seconds"] < 1 for one in document["skipped"])
    clips = clips_of(document)
    assert [clip.size for clip in clips] == [RATE] * 6
    assert sum(gap != RATE for gap in np.diff([place(clip) for clip in clips])) == 2


@pytest.mark.prove
def test_clipped_and_dead_sound_is_refused_until_it_is_good(
    pulse_microphone: PulseMicrophone, noise: Path, tmp_path: Path
) -> None:
    loud = tmp_path / "loud.wav"
    soundfile.write(loud, np.clip(NOISE.astype(np.int32) * 20, -32768, 32767).astype(np.int16), RATE, subtype="PCM_16")
    with recording(pulse_microphone, tmp_path / "set", "--clips", 2, "--json") as process:
        with playing(pulse_microphone, loud):
            wait_for(process, "is clipped: ")
            wait_for(process, " That makes 3 in a row. Turn the microphone's own gain down")
        wait_for(process, "holds only zeros")
        wait_for(process, " in a row. A muted or unplugged input sounds like this: plug it in")
        with playing(pulse_microphone, noise):
            document = ended(process)
    faults = [one["fault"] for one in document["skipped"]]
    assert {"clipped", "dead"} == set(faults)
    assert len(document["files"]) == 2
    place(np.trim_zeros(np.concatenate(clips_of(document)), "f"))  # under half a second of them is no fault


def tones(moments: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A sum of 60 tones up to 6.8 kHz, at any moments [s]."""
    rng = np.random.default_rng(11)
    sound = np.zeros(moments.size)
    for frequency, phase in rng.uniform((50, 0), (6800, 2 * np.pi), (60, 2)):
        sound += 400 * np.sin(2 * np.pi * frequency * moments + phase)
    return sound


@pytest.mark.prove
@pytest.mark.parametrize(("rate", "most", "rms"), [(44100, 2.0, 0.5), (48000, 1.25, 0.31)])
def test_other_rates_are_the_same_sound(tmp_path: Path, rate: int, most: float, rms: float) -> None:
    """Of a sound that is known at each moment, to the last bit and soxr's own error near the band's edge."""
    played = tones(np.arange(20 * rate) / rate)
    path = tmp_path / "tones.wav"
    soundfile.write(path, np.rint(played).astype(np.int16), rate, subtype="PCM_16")
    with (
        pulse(rate=rate) as microphone,
        playing(microphone, path),
        recording(microphone, tmp_path, "--clips", 4, "--json", before=ONLY_RATE, first=rate) as process,
    ):
        document = ended(process)
    assert document["microphone"].endswith(f"resampled from {rate} Hz")
    got = np.concatenate(clips_of(document)).astype(float)
    assert got.size == 4 * RATE
    # Roughly where the clips begin, then which of the microphone's samples that is.
    known = tones(np.arange(20 * RATE) / RATE)
    product = np.fft.irfft(np.fft.rfft(known, 2**20) * np.fft.rfft(got, 2**20).conj(), 2**20)
    near = round(int(product[: known.size].argmax()) / RATE * rate)
    at = np.arange(0, 2000) / RATE
    start = min(range(near - 4, near + 5), key=lambda one: float(np.abs(tones(one / rate + at) - got[:2000]).max()))
    error = got - tones(start / rate + np.arange(got.size) / RATE)
    print(f"{rate} Hz: {np.abs(error).max():.2f} units of the last bit at most, {error.std():.3f} rms")
    assert np.abs(error).max() < most
    assert error.std() < rms


@pytest.mark.prove
def test_a_microphone_that_hears_no_high_sounds_is_told(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    with recording(pulse_microphone, tmp_path, "--json", before=ONLY_RATE, first=8000) as process:
        told = wait_for(process, "Listening to default")
        process.send_signal(signal.SIGTERM)
        document = ended(process, 128 + signal.SIGTERM)
    assert told.endswith("resampled from 8000 Hz. Nothing above 4000 Hz is in it.\n")
    assert (document["complete"], document["files"]) == (False, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.prove
def test_a_full_disk_ends_it_with_what_was_written(
    pulse_microphone: PulseMicrophone, noise: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        with (
            playing(pulse_microphone, noise),
            recording(pulse_microphone, disk / "set", "--clips", 20, "--json") as process,
        ):
            out, err = process.communicate(timeout=SECONDS)
        names = sorted(path.name for path in (disk / "set/mill/train").iterdir())
        assert (process.returncode, out) == (1, "")
        *_, last = err.splitlines()
        assert re.fullmatch(
            rf"Error: Cannot write .*: No space left.* {len(names)} clips written before; they stay\.", last
        )
        assert len(names) in (2, 3)
        clips = [read_recording(disk / "set/mill/train" / name, sample_rate=RATE, channel=0).pcm for name in names]
        place(np.concatenate(clips))
    finally:
        with suppress(OSError):
            subprocess.run(["umount", str(disk)], check=True)


def test_a_mistyped_microphone_ends_it_at_once(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    done = edge_asd(
        *("data", "record", "--machine", "mill", "--out", tmp_path / "set", "--device", "Blue Yeti"),
        env=pulse_microphone.env,
    )
    assert_error(done, "no microphone 'Blue Yeti'. There are: [0] default (ALSA", "= default. Check the name, or plug")
    assert list(tmp_path.iterdir()) == []


def test_usage(tmp_path: Path, command: Command) -> None:
    record = ("data", "record", "--out", tmp_path / "set")
    for usage in (
        (),
        ("--machine", "mill", "--minutes", 3, "--clips", 5),
        ("--machine", "mill", "--minutes", "nan"),
        ("--machine", "mill", "--clip-seconds", 0.5),
        ("--machine", "mill", "--gain", 61),
        ("--machine", "mill", "--label", "faulty"),
    ):
        done = command(*record, *usage)
        assert (done.returncode, done.stdout) == (2, ""), usage
    assert_error(command(*record, "--machine", "mill", "--minutes", 0), "0 minutes hold no clip", "--minutes 0.17")
    assert_error(command(*record, "--machine", "a/b"), "cannot be the name of a machine")
    assert_error(command(*record, "--machine", "mill", "--section", "left"), "'left' is not a section")
    (tmp_path / "file").touch()
    no_folder = ("data", "record", "--machine", "mill", "--out", tmp_path / "file")
    assert_error(command(*no_folder), "Cannot write into", "file/mill", "Choose another --out.")
    (tmp_path / "set/fan/train").mkdir(parents=True)
    soundfile.write(tmp_path / "set/fan/train/section_00_source_train_normal_0000.wav", NOISE[:RATE], RATE)
    assert_error(command(*record, "--machine", "fan"), "is not marked as a set of your own")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "set"}
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["fan"]
