"""Calibration from live sound: what is taken, what is refused, and the microphone itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asd.audio.gain import Gain
from edge_asd.audio.stream import Break, Pcm, Waiting
from edge_asd.bundle.bundle import Bundle
from edge_asd.calibration.fitting import calibrate
from edge_asd.calibration.heard import Heard, Request
from edge_asd.calibration.live import hear_live, spans_wanted
from edge_asd.calibration.recordings import hear_recordings
from edge_asd.errors import DataError
from tests.cli.command import Command, assert_error, edge_asd, without_microphone
from tests.data import RATE, machine_sound, write_wav
from tests.golden.committed import NAMES
from tests.pulse import PulseMicrophone

Item = Pcm | Break | Waiting

STEP = 41 * 512
"""Samples from one score span of the committed autoencoder's bundle to the next."""

TAIL = 1024 + 4 * 512 - 512
"""Samples that the last span needs beyond its step."""

SOUND = machine_sound(np.random.default_rng(3), seconds=40.0)
REQUEST = Request(section="00")


def blocks(pcm: Pcm, size: int = 800) -> Iterator[Item]:
    for start in range(0, pcm.size, size):
        yield pcm[start : start + size]


def hear(sound: Iterator[Item], spans: int = 20, request: Request = REQUEST, notes: list[str] | None = None) -> Heard:
    return hear_live(Bundle.load(NAMES["ae"]), request, sound, spans, note=(notes if notes is not None else []).append)


def test_minutes_in_spans(bundle: Bundle) -> None:
    spans = spans_wanted(bundle, 0.5, REQUEST)
    frames = 1 + (30 * RATE - 1024) // 512
    assert spans == (frames - 4) // 41 == 22
    ten_seconds = replace(bundle, score_window_frames=311)
    assert spans_wanted(ten_seconds, 5, REQUEST) == 30
    assert spans_wanted(Bundle.load(NAMES["mobilenetv2"]), 5, REQUEST) > 0
    with pytest.raises(
        DataError, match=r"0\.1 minutes are too short: one score spans more\. Give --minutes 0\.2 or more"
    ):
        spans_wanted(ten_seconds, 0.1, REQUEST)
    with pytest.raises(DataError, match="domain target needs 20 score spans"):
        spans_wanted(ten_seconds, 1, Request(section="00", domain="target"))


def test_scores_are_those_of_the_same_sound_in_a_file(bundle: Bundle, tmp_path: Path) -> None:
    """But for the first second, in which a microphone settles."""
    write_wav(tmp_path / "a.wav", SOUND[RATE : RATE + 20 * STEP + TAIL])
    from_file = hear_recordings(bundle, REQUEST, tmp_path)
    progress: list[tuple[float, float, str]] = []
    live = hear_live(bundle, REQUEST, blocks(SOUND), 20, progress=lambda *args: progress.append(args))
    assert live.scores == from_file.scores
    assert live.powers == from_file.powers
    assert (live.count, live.files, live.notes) == (20, 0, [])
    assert live.seconds == from_file.seconds == pytest.approx(20 * STEP / RATE)
    done = [seconds for seconds, _, _ in progress]
    assert done == sorted(done)
    assert (done[0], done[-1], {total for _, total, _ in progress}) == (0.0, progress[0][1], {progress[0][1]})
    assert progress[-1][2] == "level -32 dB"


def test_a_gain_is_that_of_louder_sound(bundle: Bundle, tmp_path: Path) -> None:
    write_wav(tmp_path / "soft/a.wav", SOUND[: 8 * RATE])
    write_wav(tmp_path / "loud/a.wav", Gain(12.0).apply(SOUND[: 8 * RATE]))
    soft = hear_recordings(bundle, replace(REQUEST, gain_db=12.0), tmp_path / "soft")
    assert soft == hear_recordings(bundle, REQUEST, tmp_path / "loud")
    with pytest.raises(DataError, match="is clipped"):
        hear_recordings(bundle, replace(REQUEST, gain_db=30.0), tmp_path / "soft")


def test_only_spans_without_a_gap_count(bundle: Bundle) -> None:
    cut = 5 * RATE + 321
    lost = Break("samples-lost", 4000, 0.25, 0.0, "0.25 s of sound were lost.")
    gone = [Break("signal-lost", 0, 2.0, 0.0, "It is gone."), Break("signal-back", 32000, 2.0, 0.0, "It is back.")]
    notes: list[str] = []

    def sound() -> Iterator[Item]:
        yield from blocks(SOUND[:cut])
        yield lost
        yield from blocks(SOUND[cut : 2 * cut])
        yield gone[0]
        yield from [Waiting()] * 30
        yield gone[1]
        yield from blocks(SOUND[2 * cut :])

    found = hear(sound(), notes=notes)
    whole = [hear(blocks(part), n).scores["source"] for part, n in ((SOUND[:cut], 2), (SOUND[2 * cut :], 15))]
    # After lost samples the microphone need not settle.
    middle = hear(blocks(np.concatenate([SOUND[:RATE], SOUND[cut : 2 * cut]])), 3).scores["source"]
    assert found.scores["source"] == whole[0] + middle + whole[1]
    assert found.count == 20
    assert notes == ["0.25 s of sound were lost.", "It is gone.", "It is back."]
    assert found.notes == ["The sound broke 2 times; no span holds a gap."]


def test_a_microphone_that_goes_on_breaking_is_given_up() -> None:
    def sound() -> Iterator[Item]:
        while True:
            yield SOUND[:RATE]
            yield Break("samples-lost", RATE, 1.0, 0.0, "")

    with pytest.raises(DataError, match="held only 0 of 20 score spans without a gap") as error:
        hear(sound())
    assert "Nothing was written" in str(error.value)


def changed(start: float, stop: float, values: Pcm | int) -> Pcm:
    pcm = SOUND.copy()
    pcm[round(start * RATE) : round(stop * RATE)] = values
    return pcm


LOUD = np.clip(SOUND.astype(np.int32) * 30, -32768, 32767).astype(np.int16)
NOISE = np.random.default_rng(1).integers(-2, 3, SOUND.size).astype(np.int16)
OTHER = machine_sound(np.random.default_rng(4), seconds=40.0, pitch=310.0, noise=900.0)

REFUSED = {
    "zeros": (np.zeros_like(SOUND), "stayed within 1 of a constant"),
    "muted for a while": (changed(9, 9.6, 0), "stayed within 1 of a constant"),
    "clipped for a while": (changed(9, 9.5, LOUD[: RATE // 2]), "The input clips"),
    "nothing but a converter's noise": (NOISE, "The input is silent"),
    "ends": (SOUND[: 10 * RATE], "ended after 6 of 20"),
    "another sound for three seconds": (changed(9, 12, OTHER[: 3 * RATE]), r"of 20 scores stand far out.* --force"),
    "the machine changes half-way": (changed(14, 40, OTHER[14 * RATE :]), r"--force"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_sound_that_no_threshold_may_rest_on_is_refused(kind: str) -> None:
    pcm, words = REFUSED[kind]
    with pytest.raises(DataError, match=words):
        hear(blocks(pcm))


def test_unstable_scores_are_taken_by_force(bundle: Bundle) -> None:
    pcm = REFUSED["another sound for three seconds"][0]
    found = hear(blocks(pcm), request=replace(REQUEST, force=True))
    assert found.count == 20
    assert found.notes[0].endswith("Taken as it is, as --force says.")
    assert calibrate(bundle, replace(REQUEST, force=True), found).notes == found.notes
    assert hear(blocks(pcm), 5).notes == [
        "5 score spans are too few to tell whether the machine ran evenly; that needs 10."
    ]


@pytest.fixture
def machine(tmp_path: Path, pulse_microphone: PulseMicrophone) -> Iterator[Path]:
    """A bundle beside a microphone that hears a healthy machine."""
    soundfile.write(tmp_path / "sound.wav", machine_sound(np.random.default_rng(5), seconds=60.0), RATE)
    shutil.copy(NAMES["ae"], tmp_path / "fan.easd")
    player = pulse_microphone.play(tmp_path / "sound.wav")
    yield tmp_path / "fan.easd"
    player.kill()
    player.wait()


def started(bundle: Path, microphone: PulseMicrophone, *arguments: object) -> subprocess.Popen[str]:
    words = ["calibrate", bundle, "--section", "00", "--device", "default", "--in-place", *arguments]
    return subprocess.Popen(
        [sys.executable, "-m", "edge_asd", *map(str, words)],
        env=microphone.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_from_a_microphone(machine: Path, pulse_microphone: PulseMicrophone) -> None:
    before = Bundle.load(machine)
    process = started(machine, pulse_microphone, "--minutes", 0.07, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    listening, first = err.splitlines()[:2]
    assert listening.startswith("Note: Listening to default (ALSA")
    assert first == "recording 0.07 minutes, 3 score spans ..."
    document, fitted = json.loads(out), Bundle.load(machine).thresholds["00"]
    assert (document["files"], document["clips"], fitted.calibrated) == (0, {"source": 3}, True)
    assert fitted.previous == before.thresholds["00"]
    assert document["off_level_db"] == fitted.off_level_db == pytest.approx(-38.2, abs=0.5)  # the sound has -32.1 dB
    assert document["supported"]["spans"] == 3


def test_on_a_terminal(machine: Path, pulse_microphone: PulseMicrophone) -> None:
    """Where a bar is drawn while the microphone's libraries are kept quiet."""
    before = Bundle.load(machine).threshold("00").score
    master, slave = os.openpty()
    words = ["calibrate", machine, "--section", "00", "--device", "default", "--in-place", "--minutes", "0.07"]
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_asd", *map(str, words)],
        env=pulse_microphone.env,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    shown = b""
    try:
        with suppress(OSError):  # EIO: the other side has gone
            while data := os.read(master, 4096):
                shown += data
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(master)
    assert process.returncode == 0, shown.decode()
    assert "Written: " in out
    assert b"recording" in shown
    assert b"lost sys.stderr" not in shown
    assert Bundle.load(machine).threshold("00").score != before


def test_an_interrupt_writes_nothing(machine: Path, pulse_microphone: PulseMicrophone) -> None:
    process = started(machine, pulse_microphone)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Note: Listening to default")
    assert process.stderr.readline().startswith("recording 5 minutes, ")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Stopped.\n")
    assert machine.read_bytes() == NAMES["ae"].read_bytes()
    assert sorted(path.name for path in machine.parent.iterdir()) == ["fan.easd", "sound.wav"]


def test_a_mistyped_microphone_ends_it_at_once(pulse_microphone: PulseMicrophone, tmp_path: Path) -> None:
    fit = ("calibrate", NAMES["ae"], "--section", "00", "--out", tmp_path / "fan.easd", "--device")
    assert_error(edge_asd(*fit, "Blue Yeti", env=pulse_microphone.env), "no microphone 'Blue Yeti'. There are: [0] ")
    assert not (tmp_path / "fan.easd").exists()
    assert_error(edge_asd(*fit, "USB", env=without_microphone(tmp_path)), "No microphone was found. Plug one in")


@pytest.mark.prove
def test_a_microphone_that_is_lost_for_a_moment(tmp_path: Path, fragile_microphone: PulseMicrophone) -> None:
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, machine_sound(np.random.default_rng(5), seconds=120.0), RATE)
    shutil.copy(NAMES["ae"], tmp_path / "fan.easd")
    fragile_microphone.play(sound)
    process = started(tmp_path / "fan.easd", fragile_microphone, "--minutes", 0.3, "--json")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Note: Listening to default")
    assert process.stderr.readline().startswith("recording 0.3 minutes, 13 score spans")
    fragile_microphone.kill()
    assert "is gone" in process.stderr.readline()
    fragile_microphone.start()
    fragile_microphone.play(sound)
    assert "is back after" in process.stderr.readline()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert document["clips"] == {"source": 13}
    assert "The sound broke 1 time; no span holds a gap." in document["notes"]


def test_usage(bundle_path: Path, tmp_path: Path, command: Command) -> None:
    fit = ("calibrate", bundle_path, "--section", "00", "--out", tmp_path / "new.easd")
    for usage in (
        (),
        ("--wav-dir", tmp_path, "--device", "default"),
        ("--wav-dir", tmp_path, "--restore"),
        ("--wav-dir", tmp_path, "--minutes", 3),
        ("--wav-dir", tmp_path, "--force"),
        ("--restore", "--quantile", 0.9),
        ("--device", "default", "--quantile", 0.9, "--false-alarms-per-day", 1),
        ("--device", "default", "--off-level", "quiet"),
        ("--device", "default", "--off-level", "nan"),
        ("--device", "default", "--off-level", "1"),
        ("--device", "default", "--minutes", "nan"),
    ):
        done = command(*fit, *usage)
        assert (done.returncode, done.stdout) == (2, ""), usage
    assert_error(command(*fit, "--device", "default", "--minutes", 0), "0 minutes are too short")
    assert_error(command(*fit, "--device", "default", "--false-alarms-per-day", 0), "There cannot be 0 false alarms")
    assert list(tmp_path.iterdir()) == []
