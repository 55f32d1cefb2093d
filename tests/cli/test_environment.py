"""What the commands load, where they find it, and what a core installation can do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.command import EDGE_ASD, assert_error, edge_asd, json_decisions, without_microphone
from tests.data import machine_sound, write_wav
from tests.packages import Packages

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("tensorflow", "keras", "scipy", "sklearn", "librosa", "matplotlib", "apprise")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.random.default_rng(1).normal(size=32000) * 0.05, 16000, subtype="PCM_16")
    return path


@pytest.mark.parametrize("source", ["wav", "microphone"])
def test_monitor_loads_nothing_heavy(bundle_path: Path, clip: Path, source: str) -> None:
    arguments = ["--wav", str(clip)] if source == "wav" else []
    program = (
        "import sys\n"
        "from edge_asd.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('loaded', *(m for m in sys.argv[-1].split(',') if m in sys.modules), 'numpy' in sys.modules)"
    )
    # The list of modules rides behind `--`-less arguments: taken off before typer sees it.
    program = "import sys\nheavy = sys.argv.pop()\n" + program.replace("sys.argv[-1]", "heavy")
    command = [sys.executable, "-c", program, "monitor", str(bundle_path), "--section", "00", *arguments]
    env = {**os.environ, **without_microphone(clip.parent)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, ",".join(HEAVY)], env=env, text=True, **pipes) as process:
        if source == "microphone":  # there is none, and it is waited for with all loaded
            assert process.stderr is not None
            assert "Waiting for it" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert out.splitlines()[-1] == "loaded True", (out, err)


def test_help_loads_not_even_numpy() -> None:
    program = "import edge_asd.cli, sys; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


def test_monitor_stays_under_110_megabytes(bundle_path: Path, tmp_path: Path) -> None:
    pcm = np.random.default_rng(4).integers(-3000, 3000, 16000 * 120, dtype=np.int16)
    (tmp_path / "raw").write_bytes(pcm.tobytes())
    # A process of its own measures: a child's peak starts from the memory of the parent that forked it.
    program = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[2:], stdin=open(sys.argv[1]), stdout=subprocess.DEVNULL).returncode\n"
        "print(code in (0, 3), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [EDGE_ASD, "monitor", bundle_path, "--section", "00", "--stdin"]
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "raw", *command], capture_output=True, text=True, check=True
    )
    ended_well, peak_kib = done.stdout.split()
    assert ended_well == "True", done.stderr
    assert int(peak_kib) < 110 * 1024


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ([str(EDGE_ASD)], True),
        ([sys.executable, "-m", "edge_asd"], False),
        pytest.param([str(EDGE_ASD)], False, marks=pytest.mark.prove),
        pytest.param([sys.executable, "-m", "edge_asd"], True, marks=pytest.mark.prove),
    ],
)
def test_a_users_own_train_and_quantize_do_no_harm(tmp_path: Path, command: list[str], first: bool) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit('the wrong train')")
    (tmp_path / "quantize").mkdir()
    (tmp_path / "quantize/__init__.py").write_text("raise SystemExit('the wrong quantize')")
    env = {**os.environ, **({"PYTHONPATH": str(tmp_path)} if first else {})}
    for arguments, words in (
        (["train", "data", "--machine", "fan", "--out", "run"], "There is no folder data"),
        (["quantize", "run", "--data", "data", "--out", "fan.easd"], "run is not a training run"),
    ):
        done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, env=env)
        assert done.returncode == 1
        assert words in done.stderr


def test_core_commands_without_extras(packages: Packages, bundle_path: Path, clip: Path, tmp_path: Path) -> None:
    venv = tmp_path / "core"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    pip = [sys.executable, "-m", "pip", "--python", venv / "bin/python"]
    subprocess.run([*pip, "install", "--quiet", "--no-compile", packages.wheel], check=True, capture_output=True)

    def core(*arguments: object) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **without_microphone(tmp_path)}
        return subprocess.run(
            [venv / "bin/edge-asd", *map(str, arguments)], capture_output=True, text=True, env=env, cwd=tmp_path
        )

    ours = edge_asd("monitor", bundle_path, "--section", "00", "--wav", clip, "--json")
    theirs = core("monitor", bundle_path, "--section", "00", "--wav", clip, "--json")
    assert (json_decisions(theirs), theirs.stderr) == (json_decisions(ours), "")
    assert json_decisions(ours) != []
    write_wav(tmp_path / "healthy/a.wav", machine_sound(np.random.default_rng(8), seconds=4))
    fit = ("calibrate", bundle_path, "--section", "00", "--wav-dir", tmp_path / "healthy", "--out")
    made = [run(*fit, tmp_path / name) for run, name in ((edge_asd, "ours.easd"), (core, "theirs.easd"))]
    assert [done.returncode for done in made] == [0, 0], made
    assert (tmp_path / "theirs.easd").read_bytes() == (tmp_path / "ours.easd").read_bytes()
    where = ("data", "import", tmp_path / "healthy", "--clip-seconds", "4", "--machine", "fan", "--json", "--out")
    cut = [run(*where, tmp_path / name) for run, name in ((edge_asd, "ours"), (core, "theirs"))]
    assert [done.returncode for done in cut] == [0, 0], cut
    assert cut[1].stdout == cut[0].stdout.replace("/ours", "/theirs")
    assert '"clips_train": 1' in cut[0].stdout
    # It says so when all that it uses is loaded, before it waits for a microphone.
    assert_error(core("data", "record", "--machine", "a/b", "--out", tmp_path / "own"), "'a/b' cannot be the name")
    assert core("devices", "--json").stdout == '{\n  "devices": []\n}\n'
    for arguments in (
        ("train", tmp_path, "--machine", "fan", "--out", "run"),
        ("quantize", "run", "--data", tmp_path, "--out", "fan.easd"),
        ("evaluate", bundle_path, "--data", tmp_path, "--out", "results"),
        ("demo",),
    ):
        assert_error(core(*arguments), "tensorflow", "pip install 'edge-asd[train]'")
    assert not (tmp_path / "run").exists()
    assert_error(core("notify", "json://localhost"), "apprise", "pip install 'edge-asd[notify]'")
    scores = ("--section", "00", "--out", tmp_path / "scores")
    assert_error(core("score", bundle_path, tmp_path, *scores), "pyarrow", "pip install 'edge-asd[archive]'")


@pytest.mark.parametrize("moment", ["edge_asd.cli", "typer", "edge_asd.cli.common", "edge_asd.bundle.bundle"])
def test_a_ctrl_c_while_modules_are_loaded_says_that_it_stopped(moment: str, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == sys.argv[-1]: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from edge_asd.start import main\n"
        "main()\n"
    )
    arguments = ["evaluate", "a.easd", "--data", tmp_path, "--out", moment]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")
