"""What the distance detector hears, in floating point and in the integers that ship, and what other choices would.

    python benchmarks/distance.py DATA [DATA ...] [--variants all|NAME ...] [--cache FOLDER] [--json]

DATA are data sets in the layout of MIMII DUE, such as `edge-asd data synth DATA --preset small --seed 1` makes; the
figures are means over all of them. Of each section's source training clips as many as `train` holds back are kept from
the fit, and the threshold is the 0.9 quantile of their scores; all target training clips are fitted on. `level` is the
AUC of clips' RMS alone. "adapted": 20 healthy target test clips of each section replace the target's mean and
normaliser, and are not judged; before and after are of the same remaining clips, with the same threshold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from edge_asd.clips import DOMAINS, Domain  # noqa: E402
from edge_asd.distance.blocks import Blocks  # noqa: E402
from edge_asd.distance.distance import scores  # noqa: E402
from edge_asd.distance.features import FEATURE_BITS, clip_features  # noqa: E402
from edge_asd.frontend.spec import DB_FRACTION_BITS, FeatureSpec  # noqa: E402
from edge_asd.thresholds import weighted_quantile  # noqa: E402
from edge_asd.train.data.dataset import Dataset, machine_folders  # noqa: E402
from edge_asd.train.data.splits import held_back_count  # noqa: E402
from edge_asd.train.distance.fit import FitSettings, FloatCentre, FloatModel, fit, target_normaliser  # noqa: E402
from edge_asd.train.distance.integers import rounding_report, to_integers  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.figures.means import harmonic_mean  # noqa: E402
from edge_asd.train.figures.metrics import rank_figures  # noqa: E402

Floats = npt.NDArray[np.float64]
QUANTILE = 0.9
ADAPTING = 20
SHIPPED = "shipped"
BLOCKS = Blocks.of_span(311)


def unsteadiness(db: Floats, steady: float) -> Floats:
    return 5 * np.log10(db.var(axis=0) + steady**2)


def ranked(db: Floats, ratio: float) -> Floats:
    """TWFR's pooling: frames sorted by level, with weights ratio^rank (Guan et al., ICASSP 2023)."""
    weights = ratio ** np.arange(len(db))
    return weights @ -np.sort(-db, axis=0) / weights.sum()


def mean_power(db: Floats, exponent: float) -> Floats:
    return 10 / exponent * np.log10((10 ** (db * exponent / 10)).mean(axis=0))


POOLINGS: dict[str, Callable[[Floats], Floats]] = {
    "level": lambda db: mean_power(db, 1),
    "power1.5": lambda db: mean_power(db, 1.5),
    "power2": lambda db: mean_power(db, 2),
    "mean": lambda db: db.mean(axis=0),
    "unsteadiness": lambda db: unsteadiness(db, 1 / 256),
    "unsteadiness0.1": lambda db: unsteadiness(db, 0.1),
    "unsteadiness0.3": lambda db: unsteadiness(db, 0.3),
    "unsteadiness1": lambda db: unsteadiness(db, 1.0),
    "std": lambda db: db.std(axis=0),
    "flux": lambda db: unsteadiness(np.diff(db, axis=0), 1 / 256),
    "slow": lambda db: unsteadiness(db.reshape(10, -1, db.shape[1]).mean(axis=1), 1 / 256),
    **{f"ranked{r}": (lambda db, r=r: ranked(db, r)) for r in (0.9, 0.95, 0.98, 0.99)},
}


@dataclass(frozen=True)
class Variant:
    """A choice of features, their weights, and the fit's settings."""

    features: tuple[str, ...] = ("level", "unsteadiness")
    weights: tuple[float, ...] = (1.0, 1.0)
    settings: FitSettings = field(default_factory=FitSettings)


def _of(*features: str) -> Variant:
    return Variant(features, (1.0,) * len(features))


VARIANTS: dict[str, Variant] = {
    SHIPPED: Variant(),
    **{
        "+".join(features): _of(*features)
        for features in (
            ("level",),
            ("mean", "unsteadiness"),
            ("level", "std"),
            ("level", "unsteadiness0.1"),
            ("level", "unsteadiness0.3"),
            ("level", "unsteadiness1"),
            ("power1.5", "unsteadiness"),
            ("power2", "unsteadiness"),
            ("level", "flux"),
            ("level", "unsteadiness", "flux"),
            ("level", "unsteadiness", "slow"),
            ("ranked0.9", "unsteadiness"),
            ("ranked0.95", "unsteadiness"),
            ("ranked0.98", "unsteadiness"),
            ("ranked0.99", "unsteadiness"),
            ("level", "ranked0.95", "unsteadiness"),
        )
    },
    **{f"unsteadiness x {w}": Variant(weights=(1.0, w)) for w in (0.5, 0.7, 1.4)},
    **{f"{k} directions": Variant(settings=FitSettings(directions=k)) for k in (16, 24, 32, 48, 96)},
    **{f"gamma {g}": Variant(settings=FitSettings(gamma=g)) for g in (0.5, 0.8, 1.0, 1.1, 1.5, 2.0)},
}


@dataclass
class Sound:
    """A clip: its place, and its features by name."""

    section: str
    domain: Domain
    train: bool
    anomaly: bool
    level_db: float
    integer: npt.NDArray[np.int16]
    pooled: dict[str, Floats]


def sounds(root: Path, machine: str, names: Iterable[str], features: FeatureCache) -> list[Sound]:
    clips = Dataset(root, machine).clips
    found = []
    for clip, of_clip in zip(clips, features.features(clips, FeatureSpec(), BLOCKS.span), strict=True):
        frames = np.asarray(of_clip.frames)
        db = frames[: BLOCKS.span] / (1 << DB_FRACTION_BITS)
        found.append(
            Sound(
                clip.name.section,
                clip.name.domain or "source",
                clip.name.split == "train",
                clip.name.label == "anomaly",
                of_clip.level_db,
                clip_features(frames[: BLOCKS.span], BLOCKS)[0],
                {name: POOLINGS[name](db) for name in names},
            )
        )
    return found


def held_back(clips: Sequence[Any]) -> set[int]:
    """As `edge_asd.train.data.splits.split_training` holds source clips back."""
    count = held_back_count(len(clips))
    return {int((i + 0.5) * len(clips) / count) for i in range(count)}


@dataclass(frozen=True)
class Judged:
    """Scores of one section's test clips, and its threshold."""

    scores: Floats
    anomaly: npt.NDArray[np.bool_]
    domain: npt.NDArray[np.str_]
    threshold: float

    def figures(self) -> dict[str, float]:
        found: dict[str, float] = {"both": self.auc(np.ones(len(self.scores), dtype=bool))}
        for domain in DOMAINS:
            own = self.domain == domain
            if not own.any():
                continue
            of_domain = rank_figures(self.anomaly[own].tolist(), self.scores[own].tolist())
            found[domain], found[f"p_{domain}"] = of_domain.auc or 0.0, of_domain.pauc or 0.0
            found |= self.rates(own, domain)
        return found

    def auc(self, own: npt.NDArray[np.bool_]) -> float:
        return rank_figures(self.anomaly[own].tolist(), self.scores[own].tolist()).auc or 0.0

    def rates(self, own: npt.NDArray[np.bool_], name: str) -> dict[str, float]:
        flagged = self.scores > self.threshold
        return {
            f"fpr_{name}": float(flagged[own & ~self.anomaly].mean()),
            f"hit_{name}": float(flagged[own & self.anomaly].mean()),
        }


def machine_rows(clips: Sequence[Sound], variant: Variant, *, shipped: bool) -> list[dict[str, Any]]:
    """Fit one machine and judge its sections: a row for each, and one more for each in integers if `shipped`."""
    groups: dict[str, dict[str, list[Sound]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        groups[clip.section][clip.domain if clip.train else "test"].append(clip)
    back = {section: held_back(of["source"]) for section, of in groups.items()}
    kept = {
        section: {
            "source": [clip for i, clip in enumerate(of["source"]) if i not in back[section]],
            **({"target": of["target"]} if of["target"] else {}),
        }
        for section, of in groups.items()
    }

    def features(some: Sequence[Sound]) -> Floats:
        return np.array([
            np.concatenate([w * clip.pooled[name] for name, w in zip(variant.features, variant.weights, strict=True)])
            for clip in some
        ])  # fmt: skip

    began = time.process_time()
    model = fit({s: {d: features(some) for d, some in of.items()} for s, of in kept.items()}, variant.settings)
    seconds = time.process_time() - began
    integers = to_integers(model, BLOCKS) if shipped else None
    rows = []
    for section, of in groups.items():
        test = of["test"]
        out = [clip for i, clip in enumerate(of["source"]) if i in back[section]]
        level = Judged(np.array([clip.level_db for clip in test]), *_truth(test), 0.0).figures()

        def row(score: Callable[[Sequence[Sound], FloatModel], Floats], arithmetic: str) -> dict[str, Any]:
            threshold = weighted_quantile({"source": score(out, model).tolist()}, QUANTILE)  # noqa: B023
            judged = Judged(score(test, model), *_truth(test), threshold)  # noqa: B023
            return {
                "arithmetic": arithmetic, "section": section, "seconds": seconds,  # noqa: B023
                **judged.figures(), **{f"level_{name}": level[name] for name in ("both", *DOMAINS) if name in level},  # noqa: B023
                **adapted(test, model, section, features, variant, score, threshold),  # noqa: B023
            }  # fmt: skip

        def by_float(some: Sequence[Sound], model: FloatModel) -> Floats:
            return model.scores(features(some), section)  # noqa: B023

        def by_integers(some: Sequence[Sound], model: FloatModel) -> Floats:
            rounded = to_integers(model, BLOCKS)
            of_clips = scores(np.array([c.integer for c in some]), rounded.sections[section], rounded.directions)  # noqa: B023
            return of_clips / 65536

        rows.append(row(by_float, "float"))
        if integers is not None:
            rows.append(row(by_integers, "integer"))
            anomaly = [clip.anomaly for clip in test]
            of_test = scores(np.array([c.integer for c in test]), integers.sections[section], integers.directions)
            report = rounding_report(by_float(test, model), of_test, anomaly)
            rows[-1] |= {
                "correlation": report.correlation, "worst": report.worst, "abs_auc_drop": abs(report.auc_drop or 0.0)
            }  # fmt: skip
    return rows


def _truth(test: Sequence[Sound]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.str_]]:
    return np.array([clip.anomaly for clip in test]), np.array([clip.domain for clip in test])


def adapted(
    test: Sequence[Sound],
    model: FloatModel,
    section: str,
    features: Callable[[Sequence[Sound]], Floats],
    variant: Variant,
    score: Callable[[Sequence[Sound], FloatModel], Floats],
    threshold: float,
) -> dict[str, float]:
    """Rates on target clips before and after adapting the target; nothing where too few are healthy."""
    target = [clip for clip in test if clip.domain == "target"]
    healthy = [clip for clip in target if not clip.anomaly]
    if len(healthy) <= ADAPTING:
        return {}
    used = {id(clip) for clip in healthy[:ADAPTING]}
    rest = [clip for clip in target if id(clip) not in used]
    x = features(healthy[:ADAPTING])
    source = model.sections[section]["source"]
    centre = FloatCentre(
        x.mean(axis=0), target_normaliser(x, source.normaliser, model.vectors, variant.settings.gamma)
    )
    after = replace(model, sections={**model.sections, section: {"source": source, "target": centre}})
    found = {}
    for name, one in (("before", model), ("after", after)):
        judged = Judged(score(rest, one), *_truth(rest), threshold)
        found |= judged.rates(np.ones(len(rest), dtype=bool), name) | {
            f"auc_{name}": judged.auc(np.ones(len(rest), dtype=bool))
        }
    return found


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means of percentages, and the official score."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, float))
    means = {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
    ranks = [row[name] for row in rows for name in ("source", "target", "p_source", "p_target") if name in row]
    return {"official": harmonic_mean(ranks), **means}


COLUMNS = ("official", "source", "target", "both", "p_source", "p_target", "fpr_source", "hit_source", "fpr_target",
           "hit_target", "fpr_before", "fpr_after", "hit_before", "hit_after", "auc_after", "level_both")  # fmt: skip


def table(title: str, lines: Mapping[str, Mapping[str, float]]) -> None:
    print(f"\n{title}\n{'':24}" + "".join(f"{name.replace('_', ' '):>11}" for name in COLUMNS))
    for name, means in lines.items():
        print(f"{name[:24]:24}" + "".join(f"{100 * means[c]:11.1f}" if c in means else f"{'':11}" for c in COLUMNS))
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--variants", nargs="+", default=[SHIPPED], metavar="NAME", help=f"all, or of: {', '.join(VARIANTS)}")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    names = list(VARIANTS) if options.variants == ["all"] else options.variants
    features = FeatureCache(options.cache, workers=1)
    pooled = dict.fromkeys(name for variant in names for name in VARIANTS[variant].features)
    rows = []
    for root in options.data:
        for folder in machine_folders(root):
            clips = sounds(root, folder.name, pooled, features)
            for name in names:
                for row in machine_rows(clips, VARIANTS[name], shipped=name == SHIPPED):
                    rows.append({"data": root.name, "machine": folder.name, "variant": name, **row})
            print(f"{folder}: done", file=sys.stderr)
    if options.json:
        print(json.dumps({"rows": rows}, indent=1))
        return

    @cache
    def of(**wanted: str) -> dict[str, float]:
        return summary([row for row in rows if all(row[key] == value for key, value in wanted.items())])

    machines = list(dict.fromkeys(row["machine"] for row in rows))
    if SHIPPED in names:
        for arithmetic in ("float", "integer"):
            of_kind = {m: of(variant=SHIPPED, arithmetic=arithmetic, machine=m) for m in machines}
            sets = {d.name: of(variant=SHIPPED, arithmetic=arithmetic, data=d.name) for d in options.data}
            table(f"{SHIPPED}, {arithmetic}", {**of_kind, **sets, "all": of(variant=SHIPPED, arithmetic=arithmetic)})
        cost = of(variant=SHIPPED, arithmetic="integer")
        print(
            f"\nInteger against float: mean correlation {cost['correlation']:.6f}, mean |AUC drop| "
            f"{cost['abs_auc_drop']:.5f}, largest relative difference of a score {cost['worst']:.4f} in the mean "
            f"section. A machine's fit takes {cost['seconds']:.2f} s of processor time."
        )
    if len(names) > 1:
        table("variants, float", {name: of(variant=name, arithmetic="float") for name in names})
        for machine in machines:
            table(f"variants, float: {machine}", {n: of(variant=n, arithmetic="float", machine=machine) for n in names})


if __name__ == "__main__":
    main()
