"""Make bundles in ``bundles/`` and what they say: ``python -m tests.golden.make_bundles [DETECTOR ...]``.

Those of other detectors stay as they are. Needs TensorFlow. Weights are trained for a minute on made-up sound and kept
to four significant bits, so that the zip files are small; nothing else is special about these bundles.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.kinds import KINDS
from edge_asd.detectors.loading import load_detector
from edge_asd.frontend import log_mel
from edge_asd.monitor.engine import Engine
from edge_asd.quantize.int8.convert import to_float
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.pipeline import quantise_source
from edge_asd.quantize.source import Source, run_source
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.windows import Windows
from edge_asd.train.runs.fitting import Settings, train
from tests.conftest import SCORE_SECONDS
from tests.data import MACHINE, MORE_TRAIN, TRAIN, make_tiny_data
from tests.golden.committed import EXPECTED, NAMES, PITCHES, expected, made_sound

SEEDS = (1, 2)

_SETTINGS = {
    "ae": Settings(epochs=100, batch_size=64),
    "mobilenetv2": Settings(model="mobilenetv2", epochs=15, batch_size=8, learning_rate=1e-3),
    "distance": Settings(model="distance", score_seconds=SCORE_SECONDS),
}
_SECONDS = {"ae": (2.0, SCORE_SECONDS), "mobilenetv2": (3.0, 2.8), "distance": (2.0, None)}


def coarse(model: bytes) -> bytes:
    """Keep four significant bits of every weight, which packs small."""
    graph = Graph(model)
    for operation in graph.weighted:
        weights = graph.constant(operation.weights)
        fraction, exponent = np.frexp(weights)
        graph.set_constant(operation.weights, np.ldexp(np.round(fraction * 16) / 16, exponent).astype(np.float32))
    return graph.to_bytes()


def settled(model: Any, source: Source) -> Any:
    """Let the averages of batch norms settle on the training clips, which a few hundred steps leave half-way."""
    clips = FeatureCache().features(source.fit, source.run.features, source.run.baseline.window_frames)
    windows = Windows(clips, source.run.baseline.window_frames, source.run.baseline.training_hop)
    x = windows.gather(np.arange(len(windows))).reshape(-1, *model.input_shape[1:])
    for layer in model.layers:
        layer.momentum = 0.5  # only batch norms have one
    for _ in range(12):
        model(x, training=True)
    return model


def make(detector: str, folder: Path) -> None:
    """Train, quantise and save one bundle."""
    clip_seconds, score_seconds = _SECONDS[detector]
    data, run = folder / f"{detector}-data", folder / detector
    make_tiny_data(data, seconds=clip_seconds, train=TRAIN if KINDS[detector].network else MORE_TRAIN)
    train(data, MACHINE, run, _SETTINGS[detector])
    source = run_source(run, data)
    if source.fitted is not None:
        quantise_source(source, NAMES[detector])
        return
    model = settled(source.run.load_model(run), source)
    small = replace(source, float_model=lambda _: coarse(to_float(source.run.baseline.shipped_form(model))))
    quantise_source(small, NAMES[detector], score_seconds=score_seconds)


def said(bundle: Bundle) -> list[dict[str, Any]]:
    """Score made-up sound: every window, and every decision that the monitor makes."""
    sounds = []
    for seed, pitch, section in itertools.product(SEEDS, PITCHES, sorted(bundle.thresholds)):
        pcm = made_sound(seed, pitch)
        scores = load_detector(bundle).window_scores(log_mel(pcm, bundle.features), section).tolist()
        decisions = [asdict(decision) for decision in Engine(bundle, section, interval_s=0.5).push(pcm)]
        sounds.append(
            {"seed": seed, "pitch": pitch, "section": section, "window_scores": scores, "decisions": decisions}
        )
    return sounds


def main() -> None:
    chosen = sys.argv[1:] or list(NAMES)
    with tempfile.TemporaryDirectory() as folder:
        for detector in chosen:
            make(detector, Path(folder))
    document = expected() if EXPECTED.exists() else {}
    document |= {detector: said(Bundle.load(NAMES[detector])) for detector in chosen}
    EXPECTED.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
