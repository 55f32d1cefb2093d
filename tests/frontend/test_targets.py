"""The C of the firmware, on emulated processors and under sanitizers: the same bits as NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asd.firmware_export import qemu
from edge_asd.frontend import fixed_point, quantise
from edge_asd.frontend.spec import FeatureSpec
from tests.frontend import c_programs
from tests.frontend.signals import Pcm, cases, real_clips

SPEC = FeatureSpec()
MICROCONTROLLERS = tuple(qemu.BOARDS)  # the M3, M0+ and RISC-V run plain C
OTHER_SPECS = (FeatureSpec(8000, 512, 200, 16), FeatureSpec(48000, 2048, 2048, 128))


def assert_equal(name: str, program: Path, x: Pcm, spec: FeatureSpec = SPEC) -> None:
    folder = c_programs.run(name, program, x)
    expected = fixed_point.log_mel(x, spec)
    np.testing.assert_array_equal(c_programs.frames(folder, spec), expected)
    quantised = np.fromfile(folder / "quantised.bin", dtype=np.int8).reshape(expected.shape)
    np.testing.assert_array_equal(quantised, quantise(expected, 93623, -10)[0])


@pytest.mark.parametrize("name", ["host", "aarch64", *MICROCONTROLLERS])
def test_stream(name: str, tmp_path: Path) -> None:
    x = np.concatenate(list(cases(SPEC).values()))
    assert SPEC.frame_count(x.size) >= 300
    assert_equal(name, c_programs.build(name, "stream", SPEC, tmp_path), x)


@pytest.mark.parametrize("name", ["aarch64", "cortex-m4"])
@pytest.mark.parametrize("spec", OTHER_SPECS, ids=str)
def test_stream_with_another_specification(name: str, spec: FeatureSpec, tmp_path: Path) -> None:
    x = np.concatenate(list(cases(spec).values())[::3])
    assert_equal(name, c_programs.build(name, "stream", spec, tmp_path), x, spec)


def test_stream_under_sanitizers(tmp_path: Path) -> None:
    program = c_programs.build("host", "stream", SPEC, tmp_path, flags=c_programs.SANITIZE)
    assert_equal("host", program, np.concatenate(list(cases(SPEC).values())))


@pytest.mark.parametrize(("name", "sets"), [("host", None), ("aarch64", 2)])
def test_batch(name: str, sets: int | None, tmp_path: Path) -> None:
    spec = FeatureSpec(22050, 512, 300, 100)
    x = np.concatenate(list(cases(spec).values())[::3])
    program = c_programs.build(
        name, "batch", spec, tmp_path, batch=True, flags=c_programs.SANITIZE if sets is None else ("-O2",)
    )
    expected = fixed_point.log_mel(x, spec)
    found = c_programs.frames(c_programs.run(name, program, x), spec).reshape(-1, *expected.shape)
    assert sets is None or len(found) == sets  # plain and NEON
    for instructions in found:
        np.testing.assert_array_equal(instructions, expected)


def test_instructions_on_cortex_m4(tmp_path: Path) -> None:
    program = c_programs.build("cortex-m4", "stream", SPEC, tmp_path)
    x = np.random.default_rng(0).normal(scale=1000, size=SPEC.sample_count(10)).astype(np.int16)
    counts = np.fromfile(c_programs.run("cortex-m4", program, x, count=True) / "counts.bin", dtype=np.uint32)
    assert counts.size == 10
    assert 50_000 < counts[1:].max() <= 85_000


@pytest.fixture(scope="module")
def everything() -> Pcm:
    """All kinds of signals ten times over, and all real clips."""
    x = np.concatenate([*(x for seed in range(10) for x in cases(SPEC, seed=seed).values()), *real_clips().values()])
    print(f"\n{SPEC.frame_count(x.size)} frames")
    assert SPEC.frame_count(x.size) >= 20_000
    return x


@pytest.mark.prove
@pytest.mark.parametrize("name", ["host", "aarch64", *MICROCONTROLLERS])
def test_stream_on_everything(name: str, everything: Pcm, tmp_path: Path) -> None:
    assert_equal(name, c_programs.build(name, "stream", SPEC, tmp_path), everything)


@pytest.mark.prove
def test_neon_on_everything(everything: Pcm, tmp_path: Path) -> None:
    program = c_programs.build("aarch64", "batch", SPEC, tmp_path, batch=True)
    expected = fixed_point.log_mel(everything, SPEC)
    found = c_programs.frames(c_programs.run("aarch64", program, everything), SPEC).reshape(-1, *expected.shape)
    assert len(found) == 2
    for instructions in found:
        np.testing.assert_array_equal(instructions, expected)
