"""``edge-asd data import`` as its user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.verify import verify
from tests.cli.command import Command, assert_error
from tests.data import machine_sound, write_wav

RATE = 44100

MEASURED = """
import sys
from edge_asd.start import main
try:
    main()
finally:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(peak.split()[1], file=sys.stderr)
"""


def write_long(path: Path, minutes: float) -> None:
    """Write a stereo file by streaming; the second channel is what sounds."""
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16", format="WAV") as file:
        for _ in range(round(minutes * 60)):
            sound = rng.integers(-9000, 9000, (RATE, 2), dtype=np.int16)
            sound[:, 0] = 0
            file.write(sound)


def imported(folder: Path, minutes: float) -> tuple[dict[str, Any], float]:
    """Import a long file in a fresh process; return the report and the peak of memory [MB]."""
    path = folder / "long.wav"
    write_long(path, minutes)
    arguments = ["data", "import", str(path), "--machine", "mixer", "--section", "00", "--domain", "source", "--out"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments, str(folder / "data"), "--channel", "1", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    clips = round(minutes * 6)
    assert (document["clips_train"], document["clips_test"]) == (clips - clips // 5, clips // 5)
    assert document["samples_in"] == document["samples_out"] == clips * 160_000
    assert (document["samples_left"], document["skipped"]) == (0, [])
    return document, int(done.stderr.split()[-1]) / 1024


def test_a_long_recording_needs_little_memory(tmp_path: Path) -> None:
    document, peak = imported(tmp_path, 3)
    assert peak < 100
    report = verify(tmp_path / "data")
    assert report.clean, report.faults
    data = Dataset(tmp_path / "data", "mixer")
    assert len(data.select(split="train", section="00", domain="source")) == document["clips_train"] == 15
    assert len(data.select(split="test", section="00", domain="source")) == 3


@pytest.mark.prove
def test_two_hours_need_no_more(tmp_path: Path) -> None:
    assert imported(tmp_path, 120)[1] < 100


def test_the_report_says_what_went_where(tmp_path: Path, command: Command) -> None:
    rng = np.random.default_rng(1)
    write_wav(tmp_path / "in/monday 1.wav", machine_sound(rng, seconds=25))
    write_wav(tmp_path / "in/deep/strange\nname.wav", machine_sound(rng, seconds=40))
    write_wav(tmp_path / "in/short.wav", machine_sound(rng, seconds=3))
    arguments = ("data", "import", tmp_path / "in", "--machine", "mixer", "--out", tmp_path / "data")
    dry = command(*arguments, "--dry-run")
    done = command(*arguments)
    assert (dry.returncode, done.returncode) == (0, 0)
    assert [" ".join(line.split()) for line in done.stdout.splitlines() if set(line) - set("- ")] == [
        f"From {tmp_path}/in/",
        "recording format clips train test left [s]",
        "monday 1.wav 16000 Hz, 1 ch 0000 to 0001 2 0 5.00",
        "short.wav 16000 Hz, 1 ch - 0 0 3.00",
        r"deep/strange\nname.wav 16000 Hz, 1 ch 0002 to 0005 3 1 0.00",
        "skipped: short.wav lasts 3.00 s: 7.00 s are missing for a clip of 10 s.",
        f"Wrote 5 clips for training and 1 for testing into {tmp_path}/data/mixer.",
        "Samples at 16000 Hz: 1,088,000 in, 960,000 in clips, 128,000 left (too short 3.00 s, remainder 5.00 s).",
        f"Next: edge-asd data verify {tmp_path}/data",
    ]
    *before_next, _ = done.stdout.replace("Wrote", "Would write").splitlines()
    assert dry.stdout.splitlines() == before_next
    again = command(*arguments)
    assert again.returncode == 0
    assert "monday 1.wav was imported before (2 clips). Give --again to import it again." in again.stdout
    assert "Wrote 0 clips" in again.stdout


def test_where_nothing_can_be_imported_the_reasons_are_told(tmp_path: Path, command: Command) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    arguments = ("data", "import", tmp_path / "broken.wav", "--machine", "mixer", "--out", tmp_path / "data")
    done = command(*arguments)
    assert done.returncode == 1
    assert "skipped: " in done.stdout
    assert "is not a WAV file" in done.stdout
    assert done.stderr.endswith("Nothing was imported.\n")
    document = json.loads(command(*arguments, "--json").stdout)
    assert [(one["file"], one["start_seconds"]) for one in document["skipped"]] == [(f"{tmp_path}/broken.wav", None)]
    assert document["samples_in"] == document["clips_train"] == 0
    assert not (tmp_path / "data").exists()
    assert_error(command(*arguments[:2], tmp_path / "absent", *arguments[3:]), "absent cannot be read")
    assert_error(command(*arguments, "--attributes", "a/b"), "cannot be the text of attributes")
    assert command(*arguments, "--overlap", "nan").returncode == 2


def test_a_ctrl_c_keeps_what_is_whole_and_the_same_command_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    write_wav(path, np.random.default_rng(2).integers(-9000, 9000, 420 * 16000, dtype=np.int16))
    arguments = [sys.executable, "-c", "from edge_asd.start import main; main()", "data", "import", str(path)]
    arguments += ["--machine", "mixer", "--json", "--out", str(tmp_path / "data")]
    folder = tmp_path / "data/mixer/train"
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not (folder.is_dir() and len(list(folder.glob("*.wav"))) > 2):
        assert time.monotonic() < end
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert running.returncode == 130
    assert err.endswith("Stopped. What is written is whole; the same command goes on from there.\n")
    first = json.loads(out)
    assert first["stopped"]
    count = first["clips_train"] + first["clips_test"]
    assert 3 <= count < 42
    assert first["samples_out"] == 160_000 * count
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    second = json.loads(done.stdout)
    assert second["clips_before"] >= count  # one may have been written as the signal came
    assert second["clips_before"] + second["clips_train"] + second["clips_test"] == 42
    assert verify(tmp_path / "data").clean
