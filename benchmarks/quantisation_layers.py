"""Where the error of a section classifier's int8 model comes from: each activation rounded alone.

    python benchmarks/quantisation_layers.py RUN --data DATA [--every N] [--json]

RUN is a folder made by edge-asd train --model mobilenetv2. Its model is quantised by the default method. Then, in
float, single activations are rounded to their int8 steps, all weights are, all activations are, and everything is; each
time the log-odds of every N-th test clip are compared with those of the float model:

- clip: standard deviation of the clips' error [nat]; a mean over a section is the threshold's affair, and not told.
- window: standard deviation of the error over the windows of a clip, mean over the clips [nat].

Rows are in the order of execution, the input first.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from edge_asd.cli.common import table  # noqa: E402
from edge_asd.detectors.section_id import log_odds  # noqa: E402
from edge_asd.detectors.windowed import gather_windows  # noqa: E402
from edge_asd.quantize.int8.convert import DEFAULT_CONVERTER  # noqa: E402
from edge_asd.quantize.int8.execution import BATCH, compute, constants  # noqa: E402
from edge_asd.quantize.int8.graph import Graph  # noqa: E402
from edge_asd.quantize.int8.methods import quantise  # noqa: E402
from edge_asd.quantize.int8.representative import representative_windows  # noqa: E402
from edge_asd.quantize.int8.rounding import weight_scales  # noqa: E402
from edge_asd.quantize.source import run_source  # noqa: E402
from edge_asd.train.backend import import_tensorflow  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.features.windows import frames_db  # noqa: E402

Row = dict[str, Any]
Steps = Mapping[int, tuple[float, int]]
"""Scales and zero points of the activations that are rounded."""


class Clips:
    """Windows of test clips, and their float log-odds."""

    def __init__(self, folder: Path, data: Path, every: int) -> None:
        self.source = run_source(folder, data)
        run, cache = self.source.run, FeatureCache()
        if not run.kind.classifies:
            sys.exit(f"Error: {folder} holds no section classifier.")
        clips = self.source.dataset.select(split="test")[::every]
        features = cache.features(clips, run.features, run.window_frames)
        hop, span = run.baseline.test_hop, run.window_frames
        parts = [gather_windows(frames_db(one.frames), span, hop) for one in features]
        self.own = [run.classes.index(clip.name.section) for clip in clips]
        self.sections = np.array([clip.name.section for clip in clips])
        self.ends = np.cumsum([len(part) for part in parts])[:-1]
        shape = run.baseline.input_shape(run.features.n_mels)
        self.windows = np.concatenate(parts).reshape(-1, *shape)
        self.representative = representative_windows(self.source.fit, run.features, shape, cache)

    def odds(self, logits: np.ndarray) -> list[np.ndarray]:
        """Return the log-odds of each clip's windows."""
        return [log_odds(part, own) for part, own in zip(np.split(logits, self.ends), self.own, strict=True)]


def logits(graph: Graph, windows: np.ndarray, values: Mapping[int, Any], steps: Steps) -> np.ndarray:
    """Compute logits with some activations rounded."""
    tf = import_tensorflow()

    def rounded(tensor: int, value: Any) -> Any:
        if tensor not in steps:
            return value
        scale, zero = steps[tensor]
        return tf.clip_by_value(tf.round(value / scale), -128.0 - zero, 127.0 - zero) * scale

    run = tf.function(lambda batch: compute(graph, batch, values, rounded), jit_compile=False)
    return np.concatenate([run(windows[k : k + BATCH]).numpy() for k in range(0, len(windows), BATCH)])


def as_shipped(reference: Graph, graph: Graph) -> dict[int, np.ndarray]:
    """Return the weights and biases that the integers stand for."""
    values = constants(reference)
    for ours, theirs in zip(reference.weighted, graph.weighted, strict=True):
        shape = [1] * len(reference.shape(ours.weights))
        shape[ours.channel_axis] = -1
        scales = weight_scales(graph, theirs).reshape(shape)
        values[ours.weights] = (graph.constant(theirs.weights) * scales).astype(np.float32)
        values[ours.bias] = (graph.constant(theirs.bias) * graph.quantisation(theirs.bias)[0]).astype(np.float32)
    return values


def rows_of(clips: Clips) -> list[Row]:
    """Measure."""
    float_model = clips.source.float_model(DEFAULT_CONVERTER)
    converted = quantise(float_model, clips.representative)
    assert converted.levelling is not None
    reference, graph = Graph(converted.levelling.model), Graph(converted.model)
    exact, shipped = constants(reference), as_shipped(reference, graph)
    steps = {}
    for ours, theirs in zip(reference.activations, graph.activations, strict=True):
        (scale,), (zero,) = graph.quantisation(theirs)
        steps[ours] = (np.float32(scale), float(zero))
    base = clips.odds(logits(reference, clips.windows, exact, {}))
    cases = [
        ("everything", shipped, steps),
        ("all weights", shipped, {}),
        ("all activations", exact, steps),
        *((reference.name(tensor), exact, {tensor: one}) for tensor, one in steps.items()),
    ]
    rows = []
    for name, values, rounded in cases:
        found = clips.odds(logits(reference, clips.windows, values, rounded))
        errors = [ours - theirs for ours, theirs in zip(found, base, strict=True)]
        row: Row = {"rounded": name}
        for section in np.unique(clips.sections):
            own = [error for error, of in zip(errors, clips.sections, strict=True) if of == section]
            row[f"{section} clip"] = float(np.std([error.mean() for error in own]))
            row[f"{section} window"] = float(np.mean([error.std() for error in own]))
        rows.append(row)
        print(f"{name} ...", file=sys.stderr)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--every", type=int, default=6, metavar="N", help="take every N-th test clip")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = rows_of(Clips(options.run, options.data, options.every))
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    names = list(rows[0])
    print(table(names, [[row["rounded"], *(f"{row[name]:.4f}" for name in names[1:])] for row in rows]))


if __name__ == "__main__":
    main()
