"""Scores and decisions on emulated processors and under sanitizers: the same as here, and quick."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.manifest import Quantisation
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.section_id import integer_log_odds
from edge_asd.firmware_export import qemu
from edge_asd.frontend.c_tables import c_header, c_source
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.frontend.tables import FLOOR_DB
from tests.firmware_export.c_library import CSRC
from tests.firmware_export.sounds import Pcm, sound
from tests.firmware_export.test_decisions import by_windows, window_scores
from tests.frontend import c_programs
from tests.targets import needs

PROGRAMS = Path(__file__).parent / "c"
PROCESSORS = {"host": c_programs.SANITIZE, "cortex-m3": ("-O2",), "cortex-m4": ("-O2",)}

VALUES, MULTIPLIER, ZERO_POINT = 640, 9_000_000, 7


def build(name: str, program: str, parts: tuple[str, ...], folder: Path, *flags: str) -> Path:
    target = needs(name)
    (folder / "edge_asd_tables.c").write_text(c_source(FeatureSpec()))
    (folder / "edge_asd_tables.h").write_text(c_header())
    sources = [
        PROGRAMS / f"{program}.c",
        folder / "edge_asd_tables.c",
        *(CSRC / f"edge_asd_{part}.c" for part in parts),
    ]
    flags = (*PROCESSORS[name], *flags)
    return qemu.build(target, sources, folder / program, include=[CSRC, c_programs.CSRC, folder], flags=flags)


def decide(
    name: str, bundle: Bundle, pcm: Pcm, scores: list[int], interval: int, folder: Path
) -> list[tuple[int, ...]]:
    spec = bundle.features
    config = [spec.sample_rate, spec.n_fft, spec.hop_length, bundle.window_frames, bundle.window_hop]
    config += [bundle.score_window_frames, interval, bundle.thresholds["00"].score]
    np.array(config, np.int32).tofile(folder / "config.bin")
    pcm.tofile(folder / "input.bin")
    np.array(scores, np.int32).tofile(folder / "scores.bin")
    program = build(name, "decisions", ("health", "score", "decisions"), folder)
    qemu.run(needs(name), program, folder, count=True)
    rows = np.fromfile(folder / "decisions.bin", np.uint32).view(np.int32).reshape(-1, 3)
    return [tuple(row) for row in rows.tolist()]


@pytest.mark.parametrize("name", PROCESSORS)
def test_decisions(name: str, bundle: Bundle, tmp_path: Path) -> None:
    pcm = sound(np.random.default_rng(3), 16_000, 60, ("noise", "noise", "quiet", "constant", "dither", "click"))
    scores = window_scores(bundle, pcm)
    expected, withheld, _ = by_windows(bundle, pcm, 1, 1)
    assert min(len(expected), withheld) > 50
    assert decide(name, bundle, pcm, scores, 1, tmp_path) == expected


@pytest.mark.parametrize("name", PROCESSORS)
def test_scores(name: str, bundle: Bundle, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    db = rng.integers(FLOOR_DB, 50 << 16, (40, VALUES)).astype(np.int32)
    outputs = rng.integers(-128, 128, (40, VALUES)).astype(np.int8)
    db.tofile(tmp_path / "db.bin")
    outputs.tofile(tmp_path / "outputs.bin")
    flags = (f"-DVALUES={VALUES}", f"-DMULTIPLIER={MULTIPLIER}", f"-DZERO_POINT={ZERO_POINT}")
    qemu.run(needs(name), build(name, "scores", ("score",), tmp_path, *flags), tmp_path, count=True)
    detector = AutoencoderDetector(bundle)
    detector._output = Quantisation(MULTIPLIER / 2**24, ZERO_POINT, MULTIPLIER)
    squares, odds = (np.fromfile(tmp_path / f"{found}.bin", np.int32) for found in ("squares", "odds"))
    np.testing.assert_array_equal(squares, detector.scores_of_outputs(db, outputs, "00"))
    np.testing.assert_array_equal(odds, integer_log_odds(outputs[:, :6], 1, MULTIPLIER))
    if name == "cortex-m4":
        counts = np.fromfile(tmp_path / "counts.bin", np.uint32).reshape(-1, 2)
        print(f"\n{counts.max(axis=0)} instructions for the autoencoder's score and the log-odds of six classes")
        assert (counts.max(axis=0) <= [6000, 1000]).all()


NOISES = {
    "a loud machine": np.random.default_rng(0).normal(scale=1000, size=16_000),
    "a quiet machine": np.random.default_rng(0).normal(scale=30, size=16_000),
    "the quietest noise": np.random.default_rng(0).normal(scale=2, size=16_000),
    "a muted input": np.zeros(16_000),
    "dither": np.random.default_rng(0).integers(-1, 2, 16_000),
}

MOST = {"a loud machine": 9, "a quiet machine": 9, "the quietest noise": 35, "a muted input": 22, "dither": 22}
"""Instructions a sample that the rule and the clipped samples may take on a Cortex-M4."""


@pytest.mark.parametrize("kind", NOISES)
def test_instructions_of_listening_on_cortex_m4(kind: str, bundle: Bundle, tmp_path: Path) -> None:
    pcm = np.rint(NOISES[kind]).astype(np.int16)
    decide("cortex-m4", bundle, pcm, window_scores(bundle, pcm), 31, tmp_path)
    counts = np.fromfile(tmp_path / "counts.bin", np.uint32)[:-1]  # the last block is not whole
    print(f"\n{kind}: {counts.mean():.0f} instructions a hop, {counts.max()} at most")
    assert counts.max() <= 512 * MOST[kind]
