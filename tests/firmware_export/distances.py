"""Distance detectors at random, and the C of their arithmetic as programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.detector_model import DISTANCE_ARITHMETIC, DetectorModel
from edge_asd.bundle.distance_file import DistanceArrays, stored_sections, write_float
from edge_asd.bundle.kinds import DISTANCE
from edge_asd.clips import Domain
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.floating import FloatModel
from edge_asd.distance.parameters import LARGEST_MEAN, LEAST_MEAN, Centre, Directions, DistanceModel
from edge_asd.firmware_export.distance_source import distance_sources
from edge_asd.firmware_export.proof.distance import Frames, build_distance, expected_run, run_distance
from edge_asd.firmware_export.proof.programs import Sources
from edge_asd.firmware_export.sources import library_files
from edge_asd.frontend.c_tables import c_header, c_source
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.quantize.golden import golden_vectors
from tests.golden.committed import NAMES
from tests.targets import needs

THRESHOLD = 22_000
"""Of section 00: about as many scores are above as below."""

HEADERS = ("edge_asd_distance_model.h", "edge_asd_features.h", "edge_asd_tables.h")


def made_model(seed: int, blocks: Blocks | None = None, n_mels: int = 128, directions: int = 32) -> DistanceModel:
    """A detector at random, of two sections: one knows both domains, the other its target alone."""
    rng = np.random.default_rng(seed)
    features = 2 * n_mels
    vectors = rng.integers(-32767, 32768, (directions, features)).astype(np.int16)
    # Together they explain about half of a random difference.
    scale = np.sqrt(0.5 * features / max(1, directions)) / np.sqrt((vectors.astype(float) ** 2).sum(axis=1))

    def centre(level: float, normaliser: int) -> Centre:
        mean = np.concatenate([rng.normal(level, 12, n_mels), rng.normal(4, 4, n_mels)]) * 128
        return Centre(np.clip(np.rint(mean), LEAST_MEAN, LARGEST_MEAN).astype(np.int16), normaliser)

    both: dict[Domain, Centre] = {"source": centre(-60, 90_000 << 16), "target": centre(-35, (70_000 << 16) + 1)}
    return DistanceModel(
        blocks or Blocks(),
        Directions(vectors, np.rint(scale * 2.0**39).astype(np.int32)),
        {"00": both, "01": {"target": centre(-50, 1 << 30)}},
    )


def sources_of(model: DistanceModel, folder: Path) -> Sources:
    """Write the C files of a distance's arithmetic."""
    folder.mkdir(parents=True)
    tables = {"edge_asd_tables.h": c_header(), "edge_asd_tables.c": c_source(FeatureSpec())}
    files = library_files({**distance_sources(model, sorted(model.sections)), **tables}, HEADERS)
    for name, text in files.items():
        (folder / name).write_text(text)
    return Sources(tuple(folder / name for name in files if name.endswith(".c")), (folder,))


class Program:
    """The arithmetic of a distance detector, compiled for a target; skips the test where that is not installed."""

    def __init__(self, name: str, model: DistanceModel, folder: Path) -> None:
        needs(name)
        self._name, self._model = name, model
        self._program = build_distance(name, sources_of(model, folder / "sources"), folder / name)

    def differing(self, frames: Frames, section: str = "00") -> tuple[int, int]:
        """Compare all that becomes of frames with `edge_asd.distance`: the integers that differ, and all of them."""
        expected = expected_run(self._model, section, frames)
        place = sorted(self._model.sections).index(section)
        found = run_distance(self._name, self._program, self._model, place, frames)
        assert len(set(expected.scores.tolist())) > len(expected.scores) // 2  # they tell sounds apart
        return found.differing(expected), expected.values

    def instructions(self, frames: Frames, section: str = "00") -> tuple[float, float, float]:
        """Instructions for a frame, for a span's features, and for its score, in the mean."""
        place = sorted(self._model.sections).index(section)
        run = run_distance(self._name, self._program, self._model, place, frames, count=True)
        of_frames, of_features, of_scores = run.instructions
        return of_frames / len(frames), of_features / len(run.scores), of_scores / len(run.scores)


def made_bundle(seed: int = 1) -> Bundle:
    """A bundle of a distance detector at random, whose sections are those of `made_model`."""
    model, base = made_model(seed), Bundle.load(NAMES["ae"])
    clips = {section: dict.fromkeys(of, 10) for section, of in model.sections.items()}
    detector = DetectorModel(
        detector=DISTANCE.name,
        features=base.features,
        window_frames=model.blocks.span,
        window_hop=model.blocks.frames,
        model=DistanceArrays(model.blocks, model.directions, stored_sections(model, clips)).write(),
        model_arithmetic=DISTANCE_ARITHMETIC,
    )
    section = base.thresholds[base.golden_section]
    return Bundle(
        **detector.parts(),
        machine="fan",
        score_window_frames=311,
        thresholds={"00": replace(section, score=THRESHOLD, domains={}), "01": replace(section, score=70_000)},
        float_model=write_float(FloatModel(np.zeros((0, 2 * model.n_mels)), {})),
        golden=golden_vectors(detector, "00", -30.0),
    )
