"""A threshold fitted on the device is the integer that ``edge-asd calibrate`` fits on the same recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.calibration.fitting import calibrate
from edge_asd.calibration.heard import Request
from edge_asd.calibration.recordings import hear_recordings
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.library import Library, detector_library
from edge_asd.firmware_export.proof.programs import HARNESS, SANITIZE, Sources
from tests.data import RATE, machine_sound, write_wav
from tests.golden.committed import NAMES
from tests.targets import needs

OK, SHORT, DEAD, CLIPPED, NONE = 0, 1, 2, 3, 5


def build(board: str, name: str, folder: Path, hops: int = 1) -> Path:
    return build_of(board, detector_library(Bundle.load(NAMES[name]), hops=hops), folder)


def build_of(board: str, library: Library, folder: Path) -> Path:
    sources = Sources.write(library, folder / "sources")
    flags = ("-O2",) if board in qemu.BOARDS else SANITIZE
    main = Path(__file__).parent / "c" / "calibrate.c"
    include = [*sources.include, HARNESS]
    return qemu.build(needs(board), [*sources.files, main], folder / "calibrate", include=include, flags=flags)


def run(
    board: str, program: Path, section: int, millionths: int, recordings: list[npt.NDArray[np.int16]]
) -> tuple[list[int], int, int]:
    """Return the status of each recording and of the end, and the threshold."""
    parts = [np.array([section, millionths], np.uint32).tobytes()]
    parts += [np.array([pcm.size], np.uint32).tobytes() + pcm.tobytes() for pcm in recordings]
    (program.parent / "recordings.bin").write_bytes(b"".join(parts))
    qemu.run(qemu.TARGETS[board], program, program.parent)
    result = np.fromfile(program.parent / "result.bin", np.int32).tolist()
    return result[:-2], result[-2], result[-1]


def recordings(seed: int, count: int) -> list[npt.NDArray[np.int16]]:
    rng = np.random.default_rng(seed)
    return [
        machine_sound(rng, seconds=float(rng.uniform(3, 8)), noise=float(rng.uniform(100, 900))) for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("board", "name", "hops"),
    [
        ("host", "ae", 1),
        pytest.param("host", "ae", 4, marks=pytest.mark.prove),
        pytest.param("host", "mobilenetv2", 1, marks=pytest.mark.prove),
        ("cortex-m4", "ae", 1),
    ],
)
def test_equals_calibrate(board: str, name: str, hops: int, tmp_path: Path) -> None:
    program = build(board, name, tmp_path, hops)
    bundle = Bundle.load(NAMES[name])
    for section, (seed, quantile) in enumerate(((1, 0.9), (2, 0.5))):
        heard = recordings(seed, 3)
        folder = tmp_path / f"healthy_{section}"
        for number, pcm in enumerate(heard):
            write_wav(folder / f"recording_{number}.wav", pcm, RATE)
        request = Request(section=f"0{section}", quantile=quantile)
        fitted = calibrate(bundle, request, hear_recordings(bundle, request, folder)).threshold.score
        assert run(board, program, section, round(quantile * 1_000_000), heard) == ([OK] * 3, OK, fitted)


def test_refuses_what_calibrate_refuses(tmp_path: Path) -> None:
    program = build("host", "ae", tmp_path)
    good = recordings(3, 1)[0]
    dead, clipped = good.copy(), good.copy()
    dead[RATE : 2 * RATE] = 7
    clipped[::500] = 32767
    threshold = Bundle.load(NAMES["ae"]).threshold("00").score
    for wrong, status in ((dead, DEAD), (clipped, CLIPPED), (good[:RATE], SHORT)):
        assert run("host", program, 0, 900_000, [wrong]) == ([status], NONE, threshold)
        alone = run("host", program, 0, 900_000, [good])
        assert run("host", program, 0, 900_000, [wrong, good]) == ([status, OK], OK, alone[2])
