"""The emulated aarch64 machine computes what this computer computes, with the core package alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.interpreter import ARITHMETICS
from edge_asd.selftest import SCORE_BOUND
from tests.data import machine_sound, write_wav
from tests.golden.committed import NAMES
from tests.pi import build
from tests.pi.installation import Installed
from tests.pi.machine import Finished, run_here

pytestmark = pytest.mark.prove

HEAVY = ("tensorflow", "keras", "scipy", "sklearn", "librosa", "matplotlib", "jinja2", "pyroomacoustics", "apprise")

SECONDS = 60
"""Of sound, half of it healthy."""

CLOSE = {("ae", "litert-builtin"): SCORE_BOUND, ("mobilenetv2", "litert-builtin"): 0.01}
"""Largest difference of a score where it may differ, as a share of the scores' mean magnitude.

LiteRT's optimised built-in kernels round in another way on ARM than on x86: with scales with which runtimes agree, a
logit by one step, now and then.
"""

MONITOR = ("--section", "00", "--interval", "0.25", "--alarm-after", "12/16", "--json")


@pytest.fixture(scope="module", params=NAMES)
def detector(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def figures(what: str, there: Finished, here: Finished) -> None:
    print(f"\n{what}")
    for where, done in (("there", there), ("here", here)):
        memory = done.peak_bytes / 1e6
        print(f"  {where}: {done.seconds:.1f} s, {done.cpu_seconds:.1f} s of processor, {memory:.0f} MB")


def both(pi: Installed, *arguments: object) -> tuple[Finished, Finished]:
    """Run a command in the machine, in ``/work``, and here, in the same folder."""
    there = pi.machine.run("sh", "-c", 'cd /work && exec venv/bin/edge-asd "$@"', "sh", *arguments)
    here = run_here(sys.executable, "-m", "edge_asd", *arguments, cwd=pi.machine.work)
    return there, here


def test_the_core_alone_with_its_c_front_end(pi: Installed) -> None:
    program = (
        "import importlib.util, json, platform, sys\n"
        "from edge_asd import frontend\n"
        f"heavy = [name for name in {HEAVY!r} if importlib.util.find_spec(name)]\n"
        "print(json.dumps([platform.machine(), list(sys.version_info[:2]), heavy, frontend.why_not_native()]))"
    )
    done = pi.python(program)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout) == ["aarch64", [3, 11], [], None]
    version = pi.edge_asd("--version")
    assert (version.code, version.stderr) == (0, "")


def test_a_killed_run_leaves_nothing_behind(pi: Installed) -> None:
    program = (
        "import pathlib, subprocess, sys\n"
        "from tests.pi.machine import enter\n"
        "words = ['sh', '-c', 'echo ready; sleep 600; echo alive']\n"
        "subprocess.run([*enter(pathlib.Path(sys.argv[1])), *words])"
    )
    command = [sys.executable, "-c", program, str(pi.machine.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=build.ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        assert process.stdout.read() == ""  # which ends when no process holds the pipe
    assert str(pi.machine.root) not in Path("/proc/self/mountinfo").read_text()


def test_litert_has_its_fast_kernels(pi: Installed) -> None:
    # Where XNNPACK cannot be had, LiteRT goes on without it, and a comparison of arithmetics compares others.
    (pi.machine.work / "model.tflite").write_bytes(Bundle.load(NAMES["ae"]).model)
    program = "from ai_edge_litert.interpreter import Interpreter; Interpreter('/work/model.tflite').allocate_tensors()"
    done = pi.python(program)
    assert done.code == 0, done.stderr
    assert "Created TensorFlow Lite XNNPACK delegate" in done.stderr


def test_doctor_finds_all_that_a_device_needs(pi: Installed) -> None:
    done = pi.edge_asd("doctor", "--json")
    assert done.code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["machine"] == "aarch64"
    checks = {check["name"]: check for check in document["checks"]}
    for name in ("front end", "TFLite", "sound files", "training", "firmware"):
        assert checks[name]["ok"], checks[name]
    assert checks["microphones"]["advice"]
    print(f"\n{pi.edge_asd('doctor').stdout}")
    devices = pi.edge_asd("devices", "--json")
    assert (devices.code, json.loads(devices.stdout)) == (0, {"devices": []}), devices.stderr


def test_selftest(pi: Installed, detector: str) -> None:
    (pi.machine.work / "bundle.easd").write_bytes(NAMES[detector].read_bytes())
    there, here = both(pi, "selftest", "bundle.easd", "--json")
    assert (there.code, here.code) == (0, 0), there.stderr
    document = json.loads(there.stdout)
    assert document["verdict"] == "equal"
    stages = {stage["name"]: stage["values"] for stage in document["stages"]}
    assert all(stage["differing"] == 0 for stage in document["stages"])
    assert document["stages"] == json.loads(here.stdout)["stages"]
    print(f"\n{detector}, {document['runtime']}, {document['front_end']}: equal values {stages}")
    figures(f"selftest {detector}", there, here)


def lines(done: Finished) -> list[dict[str, Any]]:
    """What the monitor said, without when."""
    return [{k: v for k, v in json.loads(line).items() if k != "time"} for line in done.stdout.splitlines()]


def split(said: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split what the monitor said into decisions and events."""
    return [line for line in said if "event" not in line], [line for line in said if "event" in line]


def arithmetics(bundle: Bundle) -> list[str]:
    """Arithmetics that a bundle's detector can run in."""
    return [*ARITHMETICS] if bundle.kind.network else [bundle.model_arithmetic]


@pytest.mark.parametrize(
    ("detector", "arithmetic"), [(name, one) for name in NAMES for one in arithmetics(Bundle.load(NAMES[name]))]
)
def test_monitor(pi: Installed, detector: str, arithmetic: str) -> None:
    rng = np.random.default_rng(20261128)
    sound = [machine_sound(rng, seconds=SECONDS / 2, faulty=faulty) for faulty in (False, True)]
    write_wav(pi.machine.work / "sound.wav", np.concatenate(sound))
    bundle = Bundle.load(NAMES[detector])
    exact = bundle.model_arithmetic
    assert exact == arithmetics(bundle)[0]
    replace(bundle, model_arithmetic=arithmetic).save(pi.machine.work / "bundle.easd")

    there, here = both(pi, "monitor", "bundle.easd", "--wav", "sound.wav", *MONITOR)
    figures(f"monitor {detector} {arithmetic}, {SECONDS} s of sound", there, here)
    assert (there.code, there.stderr) == (here.code, here.stderr)
    assert here.code == 3, here.stderr
    found, expected = lines(there), lines(here)
    if arithmetic == exact:
        assert found == expected
    (ours, events), (theirs, _) = split(expected), split(found)
    assert {line["anomaly"] for line in ours} == {True, False}
    assert len(events) >= 1
    assert [line["time_s"] for line in theirs] == [line["time_s"] for line in ours]
    differences = np.array([a["score"] - b["score"] for a, b in zip(theirs, ours, strict=True)])
    share = np.abs(differences).max() / np.mean([abs(line["score"]) for line in ours])
    verdicts = sum(a["anomaly"] != b["anomaly"] for a, b in zip(theirs, ours, strict=True))
    print(
        f"  {len(ours)} decisions and {len(events)} events; scores that differ: {np.count_nonzero(differences)}, "
        f"by up to {share:.5%}; verdicts that differ: {verdicts}"
    )
    assert share <= CLOSE.get((detector, arithmetic), 0)


def test_bench(pi: Installed, detector: str) -> None:
    if pi.edge_asd("bench", "--help").code:
        pytest.skip("there is no edge-asd bench yet")
    (pi.machine.work / "bundle.easd").write_bytes(NAMES[detector].read_bytes())
    there, here = both(pi, "bench", "bundle.easd", "--json")
    assert (there.code, here.code) == (0, 0), there.stderr
    figures(f"bench {detector}", there, here)
    timed = json.loads(there.stdout)["arithmetics"]
    assert {name: timed[name]["why_not"] for name in timed} == dict.fromkeys(arithmetics(Bundle.load(NAMES[detector])))
    print(pi.machine.run("sh", "-c", "cd /work && venv/bin/edge-asd bench bundle.easd").stdout)
