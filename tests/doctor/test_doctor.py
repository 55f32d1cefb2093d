"""``edge-asd doctor``: what it finds here, and what it would say elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_asd.doctor import computer, installation, microphones, tiny_model
from edge_asd.doctor.check import Check
from edge_asd.doctor.child import Child, run_child
from edge_asd.interpreter import ARITHMETICS, Model
from edge_asd.monitor.board import BoardHealth
from edge_asd.threads import cores
from tests.cli.command import without_microphone
from tests.pulse import PulseMicrophone


def doctor(env: dict[str, str]) -> dict[str, Check]:
    """Run it as its user does."""
    done = subprocess.run(
        [sys.executable, "-m", "edge_asd", "doctor", "--json"],
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert list(document) == ["python", "machine", "checks"]
    for check in document["checks"]:
        assert list(check) == ["name", "ok", "found", "advice"]
        assert check["ok"] or check["advice"], check
    return {check["name"]: Check(**check) for check in document["checks"]}


def test_with_a_microphone(pulse_microphone: PulseMicrophone) -> None:
    found = doctor(pulse_microphone.env)
    assert list(found)[:10] == [
        "front end", "TFLite", "kernels", "sound files", "notify", "archive", "cluster", "training", "firmware",
        "microphones",
    ]  # fmt: skip
    assert found["microphones"] == Check("microphones", True, "1 (default)")
    rates = found["rates of default"]
    assert rates.ok
    assert "16, " in rates.found
    assert rates.found.endswith("kHz; recorded at 16 kHz")
    assert found["kernels"] == Check("kernels", True, "litert-ref, xnnpack, litert-builtin")
    assert {"permission", "CPU load", "board", "free disk"} <= set(found)


def test_without_a_microphone(tmp_path: Path) -> None:
    found = microphones.microphones(_with_environment(without_microphone(tmp_path)))
    assert [check.name for check in found] == ["microphones"]
    assert not found[0].ok


def _with_environment(changes: dict[str, str]) -> Child:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in changes.items():
            patch.setenv(name, value)
        return run_child("edge_asd.doctor.rates")


def test_a_child_that_aborts_or_hangs() -> None:
    assert run_child("tests.doctor.aborts") == Child([{"told": 1}], -6, "last words")
    late = run_child("tests.doctor.aborts", "hang", seconds=3)
    assert (late.documents, late.code) in (([{"told": 1}], None), ([], None))


def told(*documents: dict[str, object], code: int | None = 0, error: str = "") -> list[Check]:
    return microphones.microphones(Child(list(documents), code, error))


def test_what_is_said_of_microphones() -> None:
    late = told(code=None)[0]
    assert late.found == "PortAudio gave no answer in 60 s"
    assert late.advice is not None
    assert late.advice.index("busy") < late.advice.index("sound server")
    assert told(code=-6)[0].found == "PortAudio crashes (signal 6)"
    assert told({"error": "PortAudio is missing."})[0].advice == "PortAudio is missing."
    assert told(code=1, error="Error: no module")[0].advice == "no module"
    assert told()[0].found == "none"
    line = {"name": "USB", "default_rate": 48000, "error": None}
    for rates, ok, words in (
        ([16000, 48000], True, "16, 48 kHz; recorded at 16 kHz"),
        ([44100, 48000], True, "44.1, 48 kHz; recorded at its own 48000 Hz and resampled to 16 kHz"),
        ([8000], False, "8 kHz; no sound above 4 kHz"),
        ([], False, "it opens at none (None)"),
    ):
        summary, check = told({**line, "rates": rates})
        assert summary == Check("microphones", True, "1 (USB)")
        assert (check.name, check.ok, check.found) == ("rates of USB", ok, words)


def test_who_may_record(tmp_path: Path) -> None:
    assert microphones.may_record(tmp_path).found == f"no sound card that records in {tmp_path}"
    for name in ("pcmC0D0c", "pcmC0D0p", "pcmC1D0c"):
        (tmp_path / name).touch()
    assert microphones.may_record(tmp_path) == Check("permission", True, "this user may open pcmC0D0c, pcmC1D0c")
    (tmp_path / "pcmC2D0c").symlink_to(tmp_path / "nothing")  # not even root opens it
    closed = microphones.may_record(tmp_path)
    assert (closed.ok, closed.found) == (False, "this user may not open pcmC2D0c")
    assert "usermod -aG audio" in str(closed.advice)


def test_the_model_of_the_kernels() -> None:
    assert [tiny_model.why_not(name) for name in ARITHMETICS] == [None] * len(ARITHMETICS)
    outputs = Model(tiny_model.model(), arithmetic="litert-ref").run(tiny_model._INPUTS)
    assert np.array_equal(outputs, tiny_model._OUTPUTS)


def test_a_runtime_whose_kernels_crash_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"arithmetic": "litert-ref", "why_not": None}
    monkeypatch.setattr(installation, "run_child", lambda _: Child([one], -4, ""))
    check = installation.kernels()
    assert (check.ok, check.found) == (False, "litert-ref; not xnnpack, litert-builtin")
    assert "(xnnpack: it crashes, or hangs)" in str(check.advice)


def test_the_computer(tmp_path: Path) -> None:
    assert computer.load(2.0, 2) == Check("CPU load", True, "2.0 of 2 cores busy")
    assert not computer.load(2.1, 2).ok
    assert computer.load(0.5, 1).found == "0.5 of 1 core busy"
    assert computer.board(BoardHealth()) == Check("board", True, "temperature unknown")
    assert computer.board(BoardHealth(51.2)) == Check("board", True, "51 °C")
    for health, found, words in (
        (BoardHealth(80.0), "80 °C", ["Cool it"]),
        (BoardHealth(60.0, ("throttled",)), "60 °C; throttled", ["Cool it"]),
        (BoardHealth(60.0, (), ("under-voltage",)), "60 °C; since it started: under-voltage", ["power supply"]),
        (BoardHealth(85.0, ("under-voltage", "throttled")), "85 °C; under-voltage; throttled", ["power", "Cool it"]),
    ):
        check = computer.board(health)
        assert (check.ok, check.found) == (False, found)
        assert all(word in str(check.advice) for word in words)
        assert ("Cool" in str(check.advice)) is ("Cool it" in words)
    assert computer.folders({}) == [Path.cwd()]
    assert computer.folders({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}) == [Path.cwd(), Path("/var/lib/a")]
    assert computer.disk(tmp_path).found.endswith(f" GB in {tmp_path}")
    assert computer.disk(tmp_path / "none").found == f"{tmp_path / 'none'} cannot be read"
    assert cores() <= (os.cpu_count() or 1)
