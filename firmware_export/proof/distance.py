"""The distance's arithmetic on frames of decibels: block sums, features and scores, here and on boards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.distance.blocks import LOUDEST_DB, block_sums
from edge_asd.distance.distance import scores
from edge_asd.distance.features import span_features
from edge_asd.distance.parameters import DistanceModel
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.proof.programs import HARNESS, LONG, SANITIZE, Sources
from edge_asd.firmware_export.sources import library_files
from edge_asd.frontend.tables import FLOOR_DB

Frames = npt.NDArray[np.int32]

_LEAST, _MOST = FLOOR_DB, (LOUDEST_DB << 16) - 1

_ROOTS = ("edge_asd_distance_model.h", "edge_asd_features.h", "edge_asd_tables.h")


@dataclass(frozen=True, slots=True)
class DistanceRun:
    """What became of frames.

    Attributes
    ----------
    power : ndarray, uint64 [shape=(blocks, n_mels)]
    square : ndarray, int64 [shape=(blocks, n_mels)]
    level : ndarray, int32 [shape=(blocks, n_mels)]
        Sums of each block.
    features : ndarray, int16 [shape=(spans, 2 * n_mels)]
    scores : ndarray, int32 [shape=(spans,)]
    instructions : tuple of int
        For all frames, all features and all scores; 0 where they are not counted.
    """

    power: npt.NDArray[np.uint64]
    square: npt.NDArray[np.int64]
    level: npt.NDArray[np.int32]
    features: npt.NDArray[np.int16]
    scores: npt.NDArray[np.int32]
    instructions: tuple[int, ...] = ()

    @property
    def values(self) -> int:
        """How many integers there are."""
        return sum(one.size for one in self._arrays())

    def differing(self, other: DistanceRun) -> int:
        """Count the integers that differ."""
        return sum(
            abs(a.size - b.size) + int(np.count_nonzero(a.ravel()[: b.size] != b.ravel()[: a.size]))
            for a, b in zip(self._arrays(), other._arrays(), strict=True)
        )

    def _arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        return self.power, self.square, self.level, self.features, self.scores


def trial_frames(rng: np.random.Generator, blocks: int, frames: int, n_mels: int) -> Frames:
    """Make frames of all kinds: sounds like a machine's at any level, anything that a frame can hold, and the extremes.

    Parameters
    ----------
    rng : Generator
    blocks : int
    frames : int
        Of a block.
    n_mels : int

    Returns
    -------
    frames : ndarray, int32 [shape=(blocks * frames, n_mels), dB in Q15.16]
    """
    level = rng.uniform(-120, 20, (blocks, 1, 1)) + rng.normal(0, 12, (blocks, 1, n_mels))
    spread = 10 ** rng.uniform(-3, 1.3, (blocks, 1, n_mels))
    db = np.rint((level + spread * rng.standard_normal((blocks, frames, n_mels))) * 65536)
    any_of = rng.integers(_LEAST, _MOST + 1, (blocks, frames, n_mels))
    ends = rng.choice([_LEAST, _MOST], (blocks, frames, n_mels))
    kind = rng.integers(0, 10, (blocks, 1, n_mels))
    db = np.select([kind == 0, kind == 1, kind == 2], [any_of, ends, ends[:, :1]], db)
    return np.clip(db, _LEAST, _MOST).astype(np.int32).reshape(-1, n_mels)


def expected_run(model: DistanceModel, section: str, frames: Frames) -> DistanceRun:
    """Compute what `edge_asd.distance` makes of frames."""
    sums = block_sums(frames, model.blocks)
    features = span_features(sums, model.blocks)
    of = scores(features, model.sections[section], model.directions)
    return DistanceRun(sums.power, sums.square, sums.level.astype(np.int32), features, of)


def build_distance(name: str, sources: Sources, folder: Path) -> Path:
    """Build the distance's test program for a processor; on the host under sanitizers."""
    folder.mkdir(parents=True, exist_ok=True)
    target = qemu.TARGETS[name]
    texts = {path.name: path.read_text() for path in sources.include[0].iterdir()}
    needed = library_files(texts, _ROOTS)
    return qemu.build(
        target,
        [*(path for path in sources.files if path.name in needed), HARNESS / "distance.c"],
        folder / "distance",
        include=[*sources.include, HARNESS],
        flags=("-O2",) if target.is_microcontroller else SANITIZE,
    )


def run_distance(
    name: str, program: Path, model: DistanceModel, section: int, frames: Frames, *, count: bool = False
) -> DistanceRun:
    """Run the distance's test program on frames.

    Parameters
    ----------
    name : str
    program : Path
        From `build_distance`.
    model : DistanceModel
    section : int
        Its place among those that the program was made with.
    frames : ndarray, int32 [shape=(n, n_mels)]
    count : bool
        Count instructions.
    """
    folder = program.parent
    with (folder / "frames.bin").open("wb") as file:
        file.write(np.uint32(section).astype("<u4").tobytes())
        file.write(frames.astype("<i4").tobytes())
    qemu.run(qemu.TARGETS[name], program, folder, count=count, timeout=LONG)
    bands = model.n_mels
    sums = np.fromfile(
        folder / "sums.bin", np.dtype([("power", "<u8", bands), ("square", "<i8", bands), ("level", "<i4", bands)])
    )
    figures = np.fromfile(folder / "figures.bin", np.uint32)
    return DistanceRun(
        sums["power"],
        sums["square"],
        sums["level"],
        np.fromfile(folder / "features.bin", "<i2").reshape(-1, 2 * bands),
        np.fromfile(folder / "scores.bin", "<i4"),
        tuple(int(number) for number in figures),
    )
