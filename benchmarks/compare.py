"""The three detectors on the same clips, as they ship: AUC, false alarms and detection, and the fusion of two.

    python benchmarks/compare.py FOLDER DATA [DATA ...] [--models distance ae mobilenetv2] [--machines fan] [--kept]

DATA are data sets in the layout of MIMII DUE, such as `edge-asd data synth DATA --preset small --seed 11` makes. Of
each machine all sections are trained together: the autoencoder for 20 epochs, MobileNetV2 for 5 with a learning rate
of 0.001 (of fans and slide rails), the rest as `edge-asd train` does by default; each is quantised and evaluated as
`edge-asd quantize` and `evaluate` do. Figures are of the shipped scores and thresholds (asked for: one healthy clip in
ten over it). `fpr` and `hit` are the shares of healthy and of anomalous test clips over the threshold; `both` is the
AUC of both domains' clips together; `level` that of the clips' RMS alone. `distance + ae` ranks clips by the sum of the
logarithms of both scores.

Cases that were measured lie in FOLDER and are not measured again, and a training that was stopped goes on; `--kept`
measures nothing. No figure of made-up or few clips is one of MIMII DUE.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from edge_asd.clips import DOMAINS  # noqa: E402
from edge_asd.detectors.scores import score_value  # noqa: E402
from edge_asd.quantize.evaluation.scoring import shipped_scores  # noqa: E402
from edge_asd.quantize.pipeline import quantise_run  # noqa: E402
from edge_asd.train.data.dataset import Dataset, machine_folders  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.figures.means import harmonic_mean  # noqa: E402
from edge_asd.train.figures.metrics import rank_figures  # noqa: E402
from edge_asd.train.runs.fitting import Settings, train  # noqa: E402
from edge_asd.train.runs.run import Run  # noqa: E402

Row = dict[str, Any]
SETTINGS = {
    "distance": Settings(model="distance"),
    "ae": Settings(model="ae", epochs=20),
    "mobilenetv2": Settings(model="mobilenetv2", epochs=5, learning_rate=1e-3),
}
SLOW = {"mobilenetv2": ("fan", "slider")}
FUSED = "distance + ae"
COLUMNS = ("official", "source", "target", "both", "p_source", "p_target", "fpr_source", "hit_source", "fpr_target",
           "hit_target", "level_source", "level_target")  # fmt: skip


def measure(data: Path, machine: str, model: str, folder: Path, cache: FeatureCache) -> Row:
    """Train, quantise and score one machine; scores and thresholds are in the score's unit."""
    run = folder / "runs" / f"{data.name} {machine} {model}"
    dataset = Dataset(data, machine)
    cache.features(dataset.clips, SETTINGS[model].features, 1)  # no part of the training's time
    began = time.process_time()
    train(data, machine, run, SETTINGS[model], cache=cache, resume=Run.exists(run))
    trained = time.process_time()
    bundle = quantise_run(run, data, folder / "bundles" / f"{run.name}.easd", cache=cache).bundle
    quantised = time.process_time()
    test = dataset.select(split="test")
    features = cache.features(test, bundle.features, bundle.window_frames)
    scores = shipped_scores(bundle, [(c.name.section, one) for c, one in zip(test, features, strict=True)]).scores
    return {
        "data": data.name,
        "machine": machine,
        "model": model,
        "train_s": trained - began,
        "quantise_s": quantised - trained,
        "model_bytes": len(bundle.model),
        "thresholds": {section: score_value(one.score) for section, one in bundle.thresholds.items()},
        "clips": [
            [c.name.section, c.name.domain, c.name.label == "anomaly", round(one.level_db, 4), score_value(score)]
            for c, one, score in zip(test, features, scores, strict=True)
        ],
    }


def fused(one: Row, other: Row) -> Row:
    """Rank clips by the sum of two scores' logarithms, each over its threshold; the sum has none."""
    clips = []
    for a, b in zip(one["clips"], other["clips"], strict=True):
        assert a[:4] == b[:4]
        logs = [math.log(max(c[4], 1e-9) / of["thresholds"][c[0]]) for c, of in ((a, one), (b, other))]
        clips.append([*a[:4], sum(logs)])
    return {**one, "model": FUSED, "clips": clips, "thresholds": {}}


def section_rows(case: Row) -> list[Row]:
    """Judge each section of a machine."""
    sections = defaultdict(list)
    for section, *clip in case["clips"]:
        sections[section].append(clip)
    rows = []
    for section, clips in sections.items():
        row: Row = {name: case[name] for name in ("data", "machine", "model", "train_s", "model_bytes")}
        for domain in (*DOMAINS, "both"):
            own = [clip for clip in clips if domain in (clip[0], "both")]
            labels = [clip[1] for clip in own]
            if len(set(labels)) < 2:
                continue
            found = rank_figures(labels, [clip[3] for clip in own])
            row[domain], row[f"p_{domain}"] = found.auc, found.pauc
            row[f"level_{domain}"] = rank_figures(labels, [clip[2] for clip in own]).auc
            if (limit := case["thresholds"].get(section)) is not None:
                over = np.array([clip[3] > limit for clip in own])
                row[f"fpr_{domain}"] = float(over[~np.array(labels)].mean())
                row[f"hit_{domain}"] = float(over[np.array(labels)].mean())
        rows.append(row)
    return rows


def summary(rows: Sequence[Row]) -> Row:
    """Means of percentages, and the official score: the harmonic mean of AUC and pAUC over sections and domains."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, float))
    means = {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
    ranks = [row[name] for row in rows for name in ("source", "target", "p_source", "p_target") if name in row]
    return {"official": harmonic_mean(ranks), **means}


def table(title: str, lines: Mapping[str, Row]) -> None:
    print(f"\n{title}\n\n| | {' | '.join(name.replace('_', ' ') for name in COLUMNS)} |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    for name, row in lines.items():
        print(f"| {name} | {' | '.join(f'{100 * row[c]:.1f}' if c in row else '' for c in COLUMNS)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--machines", nargs="+")
    parser.add_argument("--kept", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    cache, cases = FeatureCache(), []
    for model in options.models:
        for data in options.data:
            for machine in [folder.name for folder in machine_folders(data)]:
                if machine not in (options.machines or [machine]) or machine not in SLOW.get(model, (machine,)):
                    continue
                kept = options.folder / f"{data.name} {machine} {model}.json"
                if not kept.exists() and not options.kept:
                    print(f"{data.name} {machine} {model} ...", file=sys.stderr, flush=True)
                    case = measure(data, machine, model, options.folder, cache)
                    kept.write_text(json.dumps(case) + "\n")
                if kept.exists():
                    cases.append(json.loads(kept.read_text()))
    by_place = {(case["data"], case["machine"], case["model"]): case for case in cases}
    for (data_name, machine, model), case in list(by_place.items()):
        if model == "distance" and (other := by_place.get((data_name, machine, "ae"))):
            cases.append(fused(case, other))
    rows = [row for case in cases for row in section_rows(case)]
    models = list(dict.fromkeys(row["model"] for row in rows))
    table("All sections", {m: summary([row for row in rows if row["model"] == m]) for m in models})
    for key in ("machine", "data"):
        for value in dict.fromkeys(row[key] for row in rows):
            of = {m: [row for row in rows if (row["model"], row[key]) == (m, value)] for m in models}
            table(f"{key} {value}", {m: summary(found) for m, found in of.items() if found})
    print("\nProcessor time of a machine's training after features [s], and bytes of its model:")
    for m in models:
        of_model = [case for case in cases if case["model"] == m]
        seconds, size = ([case[name] for case in of_model] for name in ("train_s", "model_bytes"))
        print(f"{m}: {np.mean(seconds):.1f} s, {np.mean(size):.0f} bytes")


if __name__ == "__main__":
    main()
