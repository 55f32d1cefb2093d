"""The public interface: what `import edge_asd` gives, and the program in README."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edge_asd
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.frontend import log_mel
from tests.cli.command import edge_asd as command
from tests.data import write_wav
from tests.golden.committed import NAMES, expected, made_sound

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_public_names_are_these() -> None:
    assert edge_asd.__all__ == [
        "AudioDeviceError",
        "AudioFormatError",
        "Bundle",
        "BundleError",
        "ClusterError",
        "ConfigError",
        "DataError",
        "Decision",
        "DependencyError",
        "Detector",
        "DownloadError",
        "EdgeAsdError",
        "ModelError",
        "NoSuchDeviceError",
        "OutputError",
        "SweepError",
        "UnavailableDeviceError",
        "__version__",
        "load",
    ]
    for name in edge_asd.__all__:
        assert getattr(edge_asd, name) is not None
    assert set(edge_asd.__all__) <= set(dir(edge_asd))
    with pytest.raises(AttributeError, match="no attribute 'detect'"):
        edge_asd.detect  # noqa: B018


def test_all_errors_are_public() -> None:
    from edge_asd import errors

    assert set(errors.__all__) <= set(edge_asd.__all__)


def test_importing_loads_nothing_else() -> None:
    program = (
        "import sys, edge_asd; print(*(m for m in sys.modules if m.startswith('edge_asd.')), 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_array_a_file_and_evaluate_score_alike(tmp_path: Path) -> None:
    pcm = made_sound(1, 200)
    write_wav(tmp_path / "clip.wav", pcm)
    for path in NAMES.values():
        detector = edge_asd.load(path, section="00")
        said = detector.score(pcm)
        assert detector.score(tmp_path / "clip.wav") == detector.score(str(tmp_path / "clip.wav")) == said
        frames = log_mel(pcm, detector.bundle.features)
        assert said.score == mean_score(load_detector(detector.bundle).window_scores(frames, "00"))
        assert (said.section, said.threshold) == ("00", detector.threshold)
        assert said.anomaly == (said.score > detector.threshold)
        assert said.time_s <= pcm.size / detector.sample_rate


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_gives_the_monitors_decisions(name: str) -> None:
    for sound in expected()[name]:
        detector = edge_asd.load(NAMES[name], section=int(sound["section"]))
        stream = detector.stream(interval_s=0.5)
        pcm = made_sound(sound["seed"], sound["pitch"])
        blocks = np.array_split(pcm, 7)
        said = [decision for block in blocks for decision in stream.push(block)]
        assert [vars_of(decision) for decision in said] == sound["decisions"]


def vars_of(decision: edge_asd.Decision) -> dict[str, object]:
    return {name: getattr(decision, name) for name in ("time_s", "section", "score", "threshold", "anomaly")}


@pytest.mark.parametrize(
    ("choice", "error", "words"),
    [
        ({"section": "07"}, edge_asd.BundleError, "no section 07"),
        ({"section": "x"}, edge_asd.DataError, "not a section"),
        ({}, edge_asd.DataError, "has sections 00, 01"),
        ({"section": 0, "domain": "autumn"}, edge_asd.BundleError, "no domain 'autumn'"),
    ],
)
def test_wrong_choices_are_told(choice: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        edge_asd.load(NAMES["ae"], **choice)  # type: ignore[arg-type]


def test_sound_that_cannot_be_scored_is_told() -> None:
    detector = edge_asd.load(NAMES["mobilenetv2"], section="00")
    with pytest.raises(edge_asd.DataError, match="shorter than one window"):
        detector.score(made_sound(1, 200)[:20_000])
    with pytest.raises(edge_asd.EdgeAsdError, match="mono int16"):
        detector.score(made_sound(1, 200).astype(np.float32))  # type: ignore[arg-type]
    with pytest.raises(edge_asd.AudioFormatError, match="does not exist"):
        detector.score("nothing.wav")


def test_the_program_in_readme_runs(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "fan.easd").write_bytes(NAMES["ae"].read_bytes())
    pcm = made_sound(1, 200)
    write_wav(tmp_path / "clip.wav", pcm)
    np.save(tmp_path / "blocks.npy", pcm.reshape(-1, 1000))
    blocks = "import numpy\nblocks = numpy.load('blocks.npy')\n"
    done = subprocess.run([sys.executable, "-c", blocks + program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    of_clip, *of_stream = done.stdout.split()
    assert of_clip == str(edge_asd.load(NAMES["ae"], section="00").score(pcm).anomaly)
    # The stream's decisions are what the command says of the file.
    monitor = command("monitor", "fan.easd", "--section", "00", "--wav", "clip.wav", "--json", cwd=tmp_path)
    assert of_stream == [str(json.loads(line)["anomaly"]) for line in monitor.stdout.splitlines()] != []


@pytest.mark.parametrize("interval", [0, -1.0, float("nan"), float("inf")])
def test_an_interval_that_is_no_time_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="interval_s is"):
        edge_asd.load(NAMES["ae"], section="00").stream(interval_s=interval)
