"""Proofs that take minutes: thousands of windows, every real clip, a day's worth of noise."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from edge_asd.audio.recording_file import read_recording
from edge_asd.bundle.bundle import Bundle
from edge_asd.clips import ClipName
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.bundle_source import section_names
from edge_asd.firmware_export.library import detector_library
from edge_asd.firmware_export.proof.decisions import HOST, expected_decisions
from edge_asd.firmware_export.proof.programs import Sources, build_detector, run_detector
from tests.cli.command import edge_asd
from tests.firmware_export.proven import prove
from tests.golden.committed import NAMES, NETWORKS
from tests.targets import needs

pytestmark = pytest.mark.prove

BOARD = "cortex-m4"

FRAMES = 100_000


@pytest.mark.parametrize("rounding", ["litert", "tflm"])
@pytest.mark.parametrize("name", NETWORKS)
def test_two_thousand_windows(name: str, rounding: str) -> None:
    found = prove(name, windows=2000, rounding=rounding, boards=tuple(qemu.BOARDS) if rounding == "litert" else ())
    print(f"\n{name}, {rounding}: {found.vectors} windows, {found.values:,} values on each of {1 + len(found.boards)}")


@pytest.fixture(scope="module")
def trained(mimii_mini: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Bundles fitted on the real clips, and the scores that `evaluate` writes."""
    folder = tmp_path_factory.mktemp("trained")
    made = {}
    for machine, model, epochs in (
        *((machine, "ae", 20) for machine in ("fan", "pump", "slider", "valve")),
        ("fan", "mobilenetv2", 2),
    ):
        run, bundle = folder / f"{machine}_{model}", folder / f"{machine}_{model}.easd"
        wanted = ("--machine", machine, "--model", model, "--epochs", epochs, "--out", run)
        for words in (
            ("train", mimii_mini, *wanted),
            ("quantize", run, "--data", mimii_mini, "--out", bundle),
            ("evaluate", bundle, "--data", mimii_mini, "--out", folder / f"{machine}_{model}_scores"),
        ):
            done = edge_asd(*words)
            assert done.returncode == 0, done.stderr
        made[machine, model] = bundle
    return made


def test_every_real_clip(mimii_mini: Path, trained: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    needs(BOARD)
    clips = compared = 0
    for (machine, _), path in trained.items():
        bundle = Bundle.load(path)
        sources = Sources.write(detector_library(bundle), tmp_path / path.stem / "sources")
        program = build_detector(BOARD, sources, tmp_path / path.stem)
        evaluated = _scores(path.with_name(f"{path.stem}_scores"))
        for wav in sorted((mimii_mini / machine).rglob("*.wav")):
            section = ClipName.parse(wav.name).section
            if section not in bundle.thresholds:
                continue
            pcm = read_recording(wav, sample_rate=bundle.features.sample_rate, channel=0).pcm
            expected, withheld = expected_decisions(bundle, section, pcm)
            place = section_names(bundle).index(section)
            found = run_detector(BOARD, program, place, pcm, block=4000, count=False)
            assert (found.decisions, found.withheld) == (expected, withheld), wav
            if wav.name in evaluated:
                assert [score for _, score, _ in found.decisions] == [evaluated[wav.name]]
                compared += 1
            clips += 1
    print(f"\n{clips} clips on {BOARD} as the monitor scores them, {compared} as evaluate does")
    assert clips >= 157
    assert compared > 50


def _scores(folder: Path) -> dict[str, int]:
    found = {}
    for path in sorted(folder.glob("anomaly_score_*.csv")):
        with open(path, newline="") as file:
            found.update({name: int(score) for name, score in csv.reader(file)})
    return found


def test_a_hundred_thousand_frames_of_noise(tmp_path: Path) -> None:
    """Under sanitizers, whatever comes: noise of all levels, silence, clipping, impulses."""
    bundle = Bundle.load(NAMES["ae"])
    rng = np.random.default_rng(1)
    pieces, hops = [], 0
    while hops < FRAMES:
        count = int(rng.integers(1, 40))
        samples = count * bundle.features.hop_length
        piece = rng.normal(0, 10 ** rng.uniform(-1, 5), samples)
        match rng.integers(6):
            case 0:
                piece[:] = rng.integers(-32768, 32768)
            case 1:
                piece = rng.integers(-32768, 32768, samples).astype(float)
            case 2:
                piece *= rng.random(samples) < 0.001
        pieces.append(np.clip(np.rint(piece), -32768, 32767).astype(np.int16))
        hops += count
    pcm = np.concatenate(pieces)
    sources = Sources.write(detector_library(bundle), tmp_path / "sources")
    program = build_detector(HOST, sources, tmp_path)
    expected, withheld = expected_decisions(bundle, "01", pcm)
    found = run_detector(HOST, program, 1, pcm, block=7777)
    assert (found.decisions, found.withheld) == (expected, withheld)
    print(f"\n{hops} frames, {len(expected)} decisions, {withheld} withheld")
