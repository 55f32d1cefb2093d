"""What the distance detector hears, in floating point and in the integers that ship, and what other choices would.

    python benchmarks/distance.py DATA [DATA ...] [--variants all|NAME ...] [--cache FOLDER] [--json]

DATA are data sets in the layout of MIMII DUE, such as `edge-asd data synth DATA --preset small --seed 1` makes; the
figures are means over all of them. As `train` and `quantize` do, all training clips are fitted on, and the threshold is
the 0.9 quantile of the source clips' scores, each held out in turn, by the source's centre ("plain": by the nearest
centre). `fpr` and `hit` are the shares of healthy and anomalous test clips over the
threshold; `level` is the AUC of clips' RMS alone. To adapt, two of three healthy target test clips of each section (20
of 30) replace the target's mean and normaliser, and are not judged; "before" and "after" are of the remaining target
clips, with the same threshold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from distance_variants import POOLINGS, SHIPPED, VARIANTS, Floats, Variant  # noqa: E402

from edge_asd.clips import DOMAINS, Domain  # noqa: E402
from edge_asd.distance.blocks import Blocks  # noqa: E402
from edge_asd.distance.distance import SCORE_BITS, centre_scores  # noqa: E402
from edge_asd.distance.features import clip_features  # noqa: E402
from edge_asd.distance.floating import FloatModel  # noqa: E402
from edge_asd.frontend.spec import DB_FRACTION_BITS, FeatureSpec  # noqa: E402
from edge_asd.thresholds import weighted_quantile  # noqa: E402
from edge_asd.train.data.dataset import Dataset, machine_folders  # noqa: E402
from edge_asd.train.distance.fit import fit, target_centre  # noqa: E402
from edge_asd.train.distance.integers import rounding_report, to_integers  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.figures.means import harmonic_mean  # noqa: E402
from edge_asd.train.figures.metrics import rank_figures  # noqa: E402

QUANTILE = 0.9
BLOCKS = Blocks.of_span(311)


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


Out = tuple[Floats, Sequence[Sound]]
"""Scores of a section's source clips by their own centre, each held out, and the clips."""

Score = Callable[[Sequence[Sound], FloatModel], dict[Domain, Floats]]
"""Scores of clips by each centre of their section."""


@dataclass(frozen=True)
class Judged:
    """Scores of some clips of one section."""

    scores: Floats
    clips: Sequence[Sound]

    def auc(self, domains: Sequence[str] = DOMAINS) -> tuple[float, float]:
        """AUC and pAUC of the clips of some domains."""
        own = [i for i, clip in enumerate(self.clips) if clip.domain in domains]
        found = rank_figures([self.clips[i].anomaly for i in own], self.scores[own].tolist())
        return found.auc or 0.0, found.pauc or 0.0

    def flagged(self, threshold: float, domain: Domain, *, anomaly: bool) -> float:
        """Share of a domain's healthy or anomalous clips over the threshold."""
        own = [i for i, clip in enumerate(self.clips) if (clip.domain, clip.anomaly) == (domain, anomaly)]
        return float((self.scores[own] > threshold).mean())

    def rates(self, threshold: float, domain: Domain, name: str) -> dict[str, float]:
        return {
            f"fpr_{name}": self.flagged(threshold, domain, anomaly=False),
            f"hit_{name}": self.flagged(threshold, domain, anomaly=True),
        }


def least(of_centres: Mapping[Domain, Floats]) -> Floats:
    found: Floats = np.min(list(of_centres.values()), axis=0)
    return found


def section_row(
    score: Score, model: FloatModel, out: Out, test: Sequence[Sound], after: FloatModel, used: set[int]
) -> dict[str, float]:
    """Judge one section by one arithmetic; `used` are the clips that `after` was adapted to."""
    held_out, clips = out
    nearest = least({**score(clips, model), "source": held_out})
    threshold, plain = (weighted_quantile({"source": x.tolist()}, QUANTILE) for x in (held_out, nearest))
    judged = Judged(least(score(test, model)), test)
    level = Judged(np.array([clip.level_db for clip in test]), test)
    found = {"both": judged.auc()[0], "level_both": level.auc()[0]}
    for domain in DOMAINS:
        found[domain], found[f"p_{domain}"] = judged.auc([domain])
        found[f"level_{domain}"] = level.auc([domain])[0]
        found |= judged.rates(threshold, domain, domain) | judged.rates(plain, domain, f"plain_{domain}")
    rest = [clip for clip in test if clip.domain == "target" and id(clip) not in used]
    for name, one in (("before", model), ("after", after)):
        judged = Judged(least(score(rest, one)), rest)
        found |= {f"auc_{name}": judged.auc()[0]} | judged.rates(threshold, "target", name)
    return found


def machine_rows(clips: Sequence[Sound], variant: Variant, *, shipped: bool) -> list[dict[str, Any]]:
    """Fit one machine and judge its sections: a row for each, and one more for each in integers if `shipped`."""
    groups: dict[str, dict[str, list[Sound]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        groups[clip.section][clip.domain if clip.train else "test"].append(clip)

    def features(some: Sequence[Sound]) -> Floats:
        return np.array([
            np.concatenate([w * clip.pooled[name] for name, w in zip(variant.features, variant.weights, strict=True)])
            for clip in some
        ])  # fmt: skip

    began = time.process_time()
    fitted = fit(
        {
            section: {
                "source": features(of["source"]),
                **({"target": features(of["target"])} if of["target"] else {}),
            }
            for section, of in groups.items()
        },
        variant.settings,
    )
    seconds = time.process_time() - began
    return [
        row | {"section": section, "seconds": seconds}
        for section, of in groups.items()
        for row in section_rows(
            section,
            of,
            (fitted.held_out[section]["source"], of["source"]),
            fitted.model,
            features,
            variant,
            shipped=shipped,
        )
    ]


def section_rows(
    section: str,
    of: Mapping[str, Sequence[Sound]],
    out: Out,
    model: FloatModel,
    features: Callable[[Sequence[Sound]], Floats],
    variant: Variant,
    *,
    shipped: bool,
) -> list[dict[str, Any]]:
    test = of["test"]
    healthy = [clip for clip in test if clip.domain == "target" and not clip.anomaly]
    used = [clip for i, clip in enumerate(healthy) if i % 3 < 2]  # two of three, from first to last
    after = adapted(model, section, features(used), variant.settings.gamma)
    taken = {id(clip) for clip in used}

    def by_float(some: Sequence[Sound], model: FloatModel) -> dict[Domain, Floats]:
        return model.centre_scores(features(some), section)

    def by_integers(some: Sequence[Sound], model: FloatModel) -> dict[Domain, Floats]:
        rounded = to_integers(model, BLOCKS)
        integers = np.array([clip.integer for clip in some])
        of_centres = centre_scores(integers, rounded.sections[section], rounded.directions)
        return {domain: x / (1 << SCORE_BITS) for domain, x in of_centres.items()}

    rows: list[dict[str, Any]] = [{"arithmetic": "float", **section_row(by_float, model, out, test, after, taken)}]
    if shipped:
        report = rounding_report(
            least(by_float(test, model)),
            np.rint(least(by_integers(test, model)) * (1 << SCORE_BITS)).astype(np.int32),
            [clip.anomaly for clip in test],
        )
        rows.append({
            "arithmetic": "integer", **section_row(by_integers, model, out, test, after, taken),
            "correlation": report.correlation, "worst": report.worst, "abs_auc_drop": abs(report.auc_drop or 0.0),
        })  # fmt: skip
    return rows


def adapted(model: FloatModel, section: str, clips: Floats, gamma: float) -> FloatModel:
    """Replace a section's target by the mean and normaliser of some clips."""
    source = model.sections[section]["source"]
    centre = target_centre(clips, source.normaliser, model.vectors, gamma)
    return replace(model, sections={**model.sections, section: {"source": source, "target": centre}})


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means of percentages, and the official score."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, float))
    means = {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
    ranks = [row[name] for row in rows for name in ("source", "target", "p_source", "p_target") if name in row]
    return {"official": harmonic_mean(ranks), **means}


COLUMNS = ("official", "source", "target", "both", "p_source", "p_target", "fpr_source", "hit_source", "fpr_target",
           "hit_target", "fpr_before", "hit_before", "fpr_after", "hit_after", "auc_after", "level_both")  # fmt: skip
PLAIN = ("fpr_plain_source", "hit_plain_source", "fpr_plain_target", "hit_plain_target")


def table(title: str, lines: Mapping[str, Mapping[str, float]], columns: Sequence[str] = COLUMNS) -> None:
    width = 1 + max(map(len, columns[1:]))
    print(f"\n{title}\n{'':24}" + "".join(f"{name.replace('_', ' '):>{width}}" for name in columns))
    for name, means in lines.items():
        values = "".join(f"{100 * means[c]:{width}.1f}" if c in means else " " * width for c in columns)
        print(f"{name[:24]:24}{values}")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument(
        "--variants", nargs="+", default=[SHIPPED], metavar="NAME", help=f"all, or of: {', '.join(VARIANTS)}"
    )
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
        rates = ", ".join(
            f"{kind} {domain} {100 * cost[f'{name}_plain_{domain}']:.1f}"
            for domain in DOMAINS
            for name, kind in (("fpr", "false positives"), ("hit", "detected"))
        )
        print(f"\nWith plain thresholds, integers [%]: {rates}.")
        print(
            f"\nInteger against float: mean correlation {cost['correlation']:.6f}, mean |AUC drop| "
            f"{cost['abs_auc_drop']:.5f}, largest relative difference of a score {cost['worst']:.4f} in the mean "
            f"section. A machine's fit takes {cost['seconds']:.2f} s of processor time."
        )
    if len(names) > 1:
        means = {name: of(variant=name, arithmetic="float") for name in names}
        table("variants, float", means)
        table("variants, float: plain thresholds", means, PLAIN)
        for machine in machines:
            table(f"variants, float: {machine}", {n: of(variant=n, arithmetic="float", machine=machine) for n in names})


if __name__ == "__main__":
    main()
