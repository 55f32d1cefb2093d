"""How many clips the distance detector wants: of the source domain to be fitted to, of the target domain to be learnt.

    python benchmarks/distance_sizes.py DATA [DATA ...] [--sizes 10 20 50 100] [--targets 0 1 2 3 5 10 20]

DATA are data sets in the layout of MIMII DUE, such as `edge-asd data synth` makes. For each size the first so many
source training clips of each section are fitted to, and all its target ones; for each number of target clips all source
clips, and so many target clips: those for training first, then every other healthy one for testing. What is learnt is
not judged: the same other half of the healthy target test clips is, whatever the number. Scores are the shipped
integers; `fpr` and `hit` are the shares of healthy and anomalous clips over the threshold that asks for one healthy one
in ten.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from distance import BLOCKS, QUANTILE, Sound, sounds  # noqa: E402

from edge_asd.clips import DOMAINS  # noqa: E402
from edge_asd.distance.distance import SCORE_BITS, scores  # noqa: E402
from edge_asd.distance.features import FEATURE_BITS  # noqa: E402
from edge_asd.distance.floating import Floats  # noqa: E402
from edge_asd.thresholds import weighted_quantile  # noqa: E402
from edge_asd.train.data.dataset import machine_folders  # noqa: E402
from edge_asd.train.distance.fit import fit  # noqa: E402
from edge_asd.train.distance.integers import to_integers  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.figures.metrics import rank_figures  # noqa: E402

COLUMNS = ("source", "target", "both", "fpr_source", "hit_source", "fpr_target", "hit_target")


def features(clips: Sequence[Sound]) -> Floats:
    return np.array([clip.integer for clip in clips]) / (1 << FEATURE_BITS)


def judge(sections: dict[str, dict[str, list[Sound]]], size: int | None, targets: int | None) -> list[dict[str, float]]:
    """Fit to some clips of each section, and judge each."""
    known = {}
    for section, of in sections.items():
        learnt = of["target"] if targets is None else [*of["target"], *of["to learn"]][:targets]
        known[section] = {"source": features(of["source"][:size])} | ({"target": features(learnt)} if learnt else {})
    fitted = fit(known)  # type: ignore[arg-type]
    model, rows = to_integers(fitted.model, BLOCKS), []
    for section, of in sections.items():
        threshold = weighted_quantile({"source": fitted.held_out[section]["source"].tolist()}, QUANTILE)
        test = of["test"]
        values = scores(np.array([clip.integer for clip in test]), model.sections[section], model.directions)
        values = values / (1 << SCORE_BITS)
        row = {}
        for domain in (*DOMAINS, "both"):
            own = np.array([domain in (clip.domain, "both") for clip in test])
            anomaly = np.array([clip.anomaly for clip in test])[own]
            row[domain] = rank_figures(anomaly.tolist(), values[own].tolist()).auc or 0.0
            row[f"fpr_{domain}"] = float((values[own][~anomaly] > threshold).mean())
            row[f"hit_{domain}"] = float((values[own][anomaly] > threshold).mean())
        rows.append(row)
    return rows


def show(name: str, rows: list[dict[str, float]]) -> None:
    print(f"| {name} | {' | '.join(f'{100 * np.mean([row[c] for row in rows]):.1f}' for c in COLUMNS)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--sizes", nargs="*", type=int, default=[10, 20, 50, 100])
    parser.add_argument("--targets", nargs="*", type=int, default=[0, 1, 2, 3, 5, 10])
    options = parser.parse_args()
    cache, machines = FeatureCache(workers=1), []
    for data in options.data:
        for folder in machine_folders(data):
            sections: dict[str, dict[str, list[Sound]]] = defaultdict(lambda: defaultdict(list))
            healthy: dict[str, int] = defaultdict(int)
            for clip in sounds(data, folder.name, (), cache):
                of = sections[clip.section]
                if clip.train:
                    of[clip.domain].append(clip)
                elif clip.domain == "target" and not clip.anomaly:
                    healthy[clip.section] += 1
                    of["to learn" if healthy[clip.section] % 2 else "test"].append(clip)
                else:
                    of["test"].append(clip)
            machines.append(dict(sections))
    for title, numbers in (("source clips", options.sizes), ("target clips", options.targets)):
        if not numbers:
            continue
        print(f"\n| {title} | {' | '.join(c.replace('_', ' ') for c in COLUMNS)} |\n|{'---|' * (1 + len(COLUMNS))}")
        for n in numbers:
            choice = (n, None) if title == "source clips" else (None, n)
            show(str(n), [row for sections in machines for row in judge(sections, *choice)])


if __name__ == "__main__":
    main()
