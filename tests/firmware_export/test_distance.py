"""The distance's arithmetic in C gives the integers of `edge_asd.distance`, here and on emulated processors."""

from __future__ import annotations

import dataclasses
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge_asd.audio.recording_file import read_recording
from edge_asd.clips import Domain
from edge_asd.distance import blocks as python_blocks
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.features import clip_features
from edge_asd.distance.parameters import DISTANCE_NUMBER, Centre, Directions, DistanceModel
from edge_asd.firmware_export.distance_source import distance_sources
from edge_asd.firmware_export.proof.distance import build_distance, run_distance, trial_frames
from edge_asd.firmware_export.sources import CSRC
from edge_asd.frontend import FeatureSpec, log_mel
from edge_asd.frontend.logarithm import POWER_LINES
from edge_asd.frontend.tables import DB_PER_LOG2, FLOOR_DB
from tests.distance.sounds import frames as like_a_machine
from tests.firmware_export.distances import Program, made_model, sources_of
from tests.golden.make_distance import CASES, PATH
from tests.targets import needs

PROCESSORS = ("host", "cortex-m4")
OTHERS = ("cortex-m0plus", "cortex-m3", "cortex-m7", "cortex-m33", "cortex-m55", "riscv32")

RANDOM_BLOCKS = 20_000
AT_ONCE = 1000


def test_the_constants_are_pythons() -> None:
    source = (CSRC / "edge_asd_features.c").read_text()
    for name, value in {
        "LOG2_PER_DB": python_blocks.LOG2_PER_DB,
        "DB_PER_LOG2": DB_PER_LOG2,
        "FLOOR": (FLOOR_DB + 256) >> 9,
        "POWER_BITS": python_blocks._POWER_BITS,
    }.items():
        assert re.search(rf"^#define {name} \(?{value}\)? ", source, re.MULTILINE), name
    lines = [(int(start), int(slope)) for start, slope in re.findall(r"\{(\d+), (\d+) << 16\}", source)]
    assert lines == [(start, after - start) for start, after in pairwise(POWER_LINES.tolist())]
    header = (CSRC / "edge_asd_distance.h").read_text()
    assert f"#define EDGE_ASD_DISTANCE_NUMBER {DISTANCE_NUMBER}\n" in header


@pytest.mark.parametrize(
    ("name", "case"),
    [
        *(("host", case) for case in range(len(CASES))),
        *(pytest.param("cortex-m4", case, marks=pytest.mark.prove) for case in range(len(CASES))),
    ],
)
def test_golden_vectors(name: str, case: int, tmp_path: Path) -> None:
    needs(name)
    with np.load(PATH) as golden:
        about = json.loads(str(golden["about"]))
        of = {key.removesuffix(f"_{case}"): golden[key] for key in golden.files if key.endswith(f"_{case}")}
    centres = {domain: Centre(of[f"{domain}_mean"], int(of[f"{domain}_normaliser"])) for domain in ("source", "target")}
    directions = Directions(of["vectors"], of["multipliers"])
    model = DistanceModel(Blocks(*about["blocks"][case]), directions, {"00": centres})
    program = build_distance(name, sources_of(model, tmp_path / "sources"), tmp_path / name)
    found = run_distance(name, program, model, 0, of["frames"])
    for array in ("power", "level", "square", "features"):
        np.testing.assert_array_equal(getattr(found, array), of[array])
    np.testing.assert_array_equal(found.scores, np.minimum(of["source_scores"], of["target_scores"]))


@pytest.mark.parametrize("name", PROCESSORS)
def test_random_blocks(name: str, tmp_path: Path) -> None:
    program = Program(name, made_model(1), tmp_path)
    frames = trial_frames(np.random.default_rng(2), 60, 31, 128)
    assert program.differing(frames)[0] == 0
    assert program.differing(frames[: 31 * 20], "01")[0] == 0


@pytest.mark.parametrize(
    "name", [*OTHERS[:1], *(pytest.param(name, marks=pytest.mark.prove) for name in (*PROCESSORS, *OTHERS[1:]))]
)
@pytest.mark.parametrize(("blocks", "n_mels", "directions"), [(Blocks(9, 4), 64, 3), (Blocks(2, 2), 3, 0)])
def test_other_shapes(name: str, blocks: Blocks, n_mels: int, directions: int, tmp_path: Path) -> None:
    """An odd number of directions or none, odd bands, a span of 2 blocks."""
    program = Program(name, made_model(3, blocks, n_mels, directions), tmp_path)
    frames = trial_frames(np.random.default_rng(4), 40, blocks.frames, n_mels)
    assert program.differing(frames)[0] == 0


@pytest.mark.parametrize("blocks", [Blocks(1, 1), Blocks(3276, 10), Blocks(32768, 1)])
def test_the_shortest_and_the_longest_span(blocks: Blocks, tmp_path: Path) -> None:
    program = Program("host", made_model(5, blocks, 2, 2), tmp_path)
    frames = trial_frames(np.random.default_rng(6), blocks.count + 3, blocks.frames, 2)
    assert program.differing(frames)[0] == 0


@pytest.mark.prove
@pytest.mark.parametrize("name", [*PROCESSORS, *OTHERS])
def test_twenty_thousand_random_blocks(name: str, tmp_path: Path) -> None:
    program = Program(name, made_model(7), tmp_path)
    rng, total = np.random.default_rng(8), 0
    blocks = RANDOM_BLOCKS if name in PROCESSORS else AT_ONCE
    for _ in range(blocks // AT_ONCE):
        wrong, values = program.differing(trial_frames(rng, AT_ONCE, 31, 128))
        assert wrong == 0
        total += values
    print(f"\n{blocks} random blocks on {name}: {total:,} integers, 0 differ")


@pytest.mark.prove
def test_every_real_clip(mimii_mini: Path, tmp_path: Path) -> None:
    """With centres where the machine's clips are; directions at random: a section has too few to fit them."""
    clips = integers = 0
    spec, made = FeatureSpec(), made_model(9)
    for machine in sorted(path for path in mimii_mini.iterdir() if path.is_dir()):
        frames = [
            log_mel(read_recording(wav, sample_rate=spec.sample_rate, channel=0).pcm, spec)
            for wav in sorted(machine.rglob("*.wav"))
        ]
        features = np.concatenate([clip_features(one, made.blocks) for one in frames])
        centres: dict[Domain, Centre] = {
            "source": Centre(np.rint(features[::2].mean(axis=0)).astype(np.int16), 300 << 16),
            "target": Centre(np.rint(features[1::2].mean(axis=0)).astype(np.int16), 400 << 16),
        }
        model = dataclasses.replace(made, sections={"00": centres})
        programs = [Program(name, model, tmp_path / machine.name / name) for name in PROCESSORS]
        for one in frames:
            for program in programs:
                wrong, values = program.differing(one)
                assert wrong == 0
            integers += values
        clips += len(frames)
    print(f"\n{clips} clips, {integers:,} integers on each of {', '.join(PROCESSORS)}: 0 differ")
    assert clips >= 157


def test_instructions_on_cortex_m4(tmp_path: Path) -> None:
    """In the mean of a hop, with two domains; sound like a machine's, and a quiet one."""
    program = Program("cortex-m4", made_model(1), tmp_path)
    for level in (0, -60):
        frames = like_a_machine(1, 341) + (level << 16)
        frame, features, score = program.instructions(np.maximum(frames, FLOOR_DB).astype(np.int32))
        hop = frame + (features + score) / 31
        print(f"\n{frame:.0f} a frame, {features:.0f} for features, {score:.0f} for a score: {hop:.0f} a hop")
        assert hop < 5000


def test_the_same_detector_is_written_alike() -> None:
    assert distance_sources(made_model(1), ["00", "01"]) == distance_sources(made_model(1), ["00", "01"])
