"""What each way to int8 costs: scores of the int8 model against the float one, on every clip of a machine.

    python benchmarks/quantisation_methods.py RUN [RUN ...] --data DATA [--method NAME ...]
        [--headroom DB ...] [--sixteen] [--json]

RUN are folders made by edge-asd train. For each run, method and headroom [dB]:

- correlation: of float and int8 clip scores, training and test, in the section that agrees least. Float: float
  features and the float model; int8: the shipped integer arithmetic, as in edge-asd evaluate.
- max_relative_error: largest |int8 - float| / float of a clip (autoencoder; scores in dB²), or over the mean of
  |float| (MobileNetV2, whose scores in nat may have either sign).
- span: largest float score of a clip less the smallest; where it is small, a small error costs much correlation.
- median_error, max_error: of the |int8 - float| of clips, in the unit of the score (dB², or nat for MobileNetV2).
- distinct_ratio: different int8 clip scores over different float ones; ties from saturation make it less than 1.
- auc_drop: AUC of float scores minus that of int8 scores; mean over sections and domains with both classes.
- saturated_input, saturated_hidden: largest share of values at an end of the int8 range in any section, domain
  and split: at the input, and in the worst layer within.
- bytes: of the .tflite.  seconds: to make it, the float conversion apart.

`--sixteen` adds a row of int16 activations with int8 weights, which no arithmetic of record executes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from edge_asd.bundle.bundle import Bundle  # noqa: E402
from edge_asd.bundle.manifest import Quantisation  # noqa: E402
from edge_asd.clips import DOMAINS  # noqa: E402
from edge_asd.detectors.loading import load_detector  # noqa: E402
from edge_asd.detectors.scores import score_value  # noqa: E402
from edge_asd.detectors.windowed import output_multiplier  # noqa: E402
from edge_asd.frontend.quantise_input import input_multiplier  # noqa: E402
from edge_asd.interpreter import Model  # noqa: E402
from edge_asd.quantize.evaluation.agreement import agreement  # noqa: E402
from edge_asd.quantize.evaluation.scoring import float_scores, shipped_scores  # noqa: E402
from edge_asd.quantize.int8.converters.with_tensorflow import to_int16  # noqa: E402
from edge_asd.quantize.int8.methods import DEFAULT, METHODS, quantise  # noqa: E402
from edge_asd.quantize.int8.range_report import cells_of, range_report, saturation  # noqa: E402
from edge_asd.quantize.int8.representative import HEADROOM_DB, representative_windows  # noqa: E402
from edge_asd.quantize.pipeline import quantise_run  # noqa: E402
from edge_asd.train.data.dataset import Dataset  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.features.store import ClipFeatures  # noqa: E402
from edge_asd.train.features.windows import frames_db  # noqa: E402
from edge_asd.train.figures.metrics import rank_figures  # noqa: E402
from edge_asd.train.runs.run import Run  # noqa: E402

Row = dict[str, Any]


class Case:
    """A run, its clips, and their float scores."""

    def __init__(self, folder: Path, data: Path, cache: FeatureCache) -> None:
        self.run, self.cache = Run.load(folder), cache
        self.clips = Dataset(data, self.run.machine, self.run.sections).clips
        self.features = cache.features(self.clips, self.run.features, self.run.baseline.window_frames)
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "x.easd"
            quantise_run(folder, data, path, quantisation="plain", cache=cache)
            self.bundle = Bundle.load(path)
        self.model = self.run.baseline.shipped_form(self.run.load_model(folder))
        floating = cache.features(self.clips, self.run.features, self.run.baseline.window_frames, kind="float")
        self.floating = float_scores(self.bundle, self._with_sections(floating))
        self.cells = cells_of(self.run, self.clips, cache)

    def _with_sections(self, features: list[ClipFeatures]) -> list[tuple[str, ClipFeatures]]:
        return list(zip((clip.name.section for clip in self.clips), features, strict=True))

    def representative(self, headroom: float) -> Any:
        """Representative windows of the clips that the model was fitted on."""
        fit = [clip for clip in self.clips if clip.key in set(self.run.fit)]
        shape = self.run.baseline.input_shape(self.run.features.n_mels)
        return representative_windows(fit, self.run.features, shape, self.cache, headroom_db=headroom)

    def int8_scores(self, int8: bytes) -> list[float]:
        """Clip scores of the shipped arithmetic."""
        model = Model(int8, arithmetic="litert-ref")
        bundle = replace(
            self.bundle,
            model=int8,
            input=Quantisation(model.input_scale, model.input_zero_point, input_multiplier(model.input_scale)),
            output=Quantisation(model.output_scale, model.output_zero_point, output_multiplier(model.output_scale)),
        )
        scores = shipped_scores(bundle, self._with_sections(self.features)).scores
        return [score_value(score) for score in scores]

    def int16_scores(self, int16: bytes) -> list[float]:
        """Clip scores of a model with int16 ends, in floating point around it."""
        model, detector = Model(int16, arithmetic="litert-ref"), load_detector(self.bundle)
        scores = []
        for clip, features in zip(self.clips, self.features, strict=True):
            windows = detector.windows(frames_db(features.frames))
            inputs = np.clip(np.rint(windows / model.input_scale), -32768, 32767).astype(np.int16)
            outputs = model.run(inputs.reshape(len(inputs), *model.input_shape)) * np.float32(model.output_scale)
            scores.append(float(np.mean(detector.float_scores(windows, outputs, clip.name.section))))
        return scores


def compare(case: Case, scores: Sequence[float]) -> Row:
    """Compare clip scores with the float ones."""
    signed = case.run.model != "ae"
    sections = [clip.name.section for clip in case.clips]
    found = agreement(case.floating, scores, [0.0] * len(scores), signed=signed, sections=sections)
    errors = [abs(a - b) for a, b in zip(case.floating, scores, strict=True)]
    drops = []
    for section in case.run.sections:
        for domain in DOMAINS:
            labelled = [
                (clip.name.label == "anomaly", a, b)
                for clip, a, b in zip(case.clips, case.floating, scores, strict=True)
                if (clip.name.section, clip.name.domain) == (section, domain)
                and clip.name.split == "test"
                and clip.name.label is not None
            ]
            anomaly = [label for label, _, _ in labelled]
            if len(set(anomaly)) == 2:
                before = rank_figures(anomaly, [a for _, a, _ in labelled]).auc
                after = rank_figures(anomaly, [b for _, _, b in labelled]).auc
                if before is not None and after is not None:
                    drops.append(before - after)
    return {
        "machine": case.run.machine,
        "model": case.run.model,
        "clips": len(scores),
        "span": max(case.floating) - min(case.floating),
        "correlation": found.score_correlation,
        "max_relative_error": found.max_relative_score_error,
        "median_error": statistics.median(errors),
        "max_error": max(errors),
        "distinct_ratio": found.distinct_score_ratio,
        "auc_drop": statistics.mean(drops) if drops else None,
    }


def rows_of(case: Case, methods: Sequence[str], headrooms: Sequence[float], sixteen: bool) -> list[Row]:
    """Measure every method and headroom on a run."""
    rows = []
    for headroom in headrooms:
        data = case.representative(headroom)
        for method in methods:
            start = time.perf_counter()
            converted = quantise(case.bundle.float_model, data, method=method)
            int8 = converted.model
            seconds = time.perf_counter() - start
            cut = saturation(range_report(converted.float_model, int8, case.cells, converted.levelling)).values()
            rows.append(
                compare(case, case.int8_scores(int8))
                | {"method": method, "headroom_db": headroom}
                | {f"saturated_{kind}": max(share[kind] for share in cut) for kind in ("input", "hidden")}
                | {"bytes": len(int8), "seconds": seconds}
            )
            show(rows[-1])
        if sixteen:
            start = time.perf_counter()
            int16 = to_int16(case.model, data.windows)
            rows.append(
                compare(case, case.int16_scores(int16))
                | {"method": "int16 activations", "headroom_db": headroom}
                | {"saturated_input": None, "saturated_hidden": None}
                | {"bytes": len(int16), "seconds": time.perf_counter() - start}
            )
            show(rows[-1])
    return rows


def table_line(row: Row) -> str:
    """Return a row of the table for people."""

    def text(name: str, form: str) -> str:
        return "" if row[name] is None else format(row[name], form)

    cells = [
        row["machine"], row["model"], row["method"], text("headroom_db", "g"), text("span", ".3g"),
        text("correlation", ".6f"), text("max_relative_error", ".2%"), text("median_error", ".3g"),
        text("max_error", ".3g"), text("distinct_ratio", ".0%"), text("auc_drop", "+.4f"),
        text("saturated_input", ".3%"), text("saturated_hidden", ".3%"),
        str(row["bytes"]), text("seconds", ".1f"),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def show(row: Row) -> None:
    """Print a row as soon as it is known, for people who wait."""
    print(table_line(row), file=sys.stderr)


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--method", action="append", choices=list(METHODS))
    parser.add_argument("--headroom", action="append", type=float, metavar="DB")
    parser.add_argument("--sixteen", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    headrooms = options.headroom or [HEADROOM_DB]
    cache, rows = FeatureCache(), []
    for folder in options.runs:
        rows += rows_of(Case(folder, options.data, cache), options.method or list(METHODS), headrooms, options.sixteen)
    if options.json:
        print(json.dumps({"default": DEFAULT, "rows": rows}, indent=1, allow_nan=False))
        return
    print("| machine | model | method | dB | span | correlation | max rel. | median abs. | max abs. | distinct |"
          " AUC drop | input cut | hidden cut | bytes | s |")  # fmt: skip
    print("|" + "---|" * 15)
    for row in rows:
        print(table_line(row))


if __name__ == "__main__":
    main()
