"""Whether `evaluate --hears` ranks detectors and machines as real and synthetic anomalies do.

    python benchmarks/hears.py FOLDER [--real DATA] [--clips 4] [--kept] [--json]

Trains detectors on section 00 of each machine of the synthetic preset `small` (made in FOLDER), and on every section of
DATA, real clips in the layout of MIMII DUE, in the source domain: autoencoders of 1, 5 and 20 epochs, one of 20 epochs
and 32 mel bands, on DATA one of 100 epochs; on the synthetic fan MobileNetV2 (sections 00 to 02, 3 epochs, learning
rate 0.001); and a detector of the level alone, its threshold the 0.9 quantile of the training clips' levels. Each is
quantised and scored as it ships, and judged twice: by the AUC of its anomalous test clips, and by the probe, with
`--clips` healthy clips: the mean over faults and bands of the level from which on half of them are flagged, where a
fault that is not heard counts as 15 dB, one step over the loudest. Less is better, so the correlations are of AUC with
that mean's negative; their intervals resample the machines' sections (2000 times, seed 0).

Cases that were measured lie in FOLDER and are not measured again. No figure here is one of MIMII DUE.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from edge_asd.audio.health import level_db  # noqa: E402
from edge_asd.bundle.bundle import Bundle  # noqa: E402
from edge_asd.frontend.spec import FeatureSpec  # noqa: E402
from edge_asd.quantize.evaluation.cost import evaluate  # noqa: E402
from edge_asd.quantize.evaluation.probe.detection import Hearing, hearings  # noqa: E402
from edge_asd.quantize.evaluation.probe.levels import LEVELS_DB, STEP_DB  # noqa: E402
from edge_asd.quantize.evaluation.probe.report import Judged, healthy_subjects, shipped_score  # noqa: E402
from edge_asd.quantize.pipeline import quantise_run  # noqa: E402
from edge_asd.thresholds import weighted_quantile  # noqa: E402
from edge_asd.train.data.dataset import Dataset  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.figures.bootstrap import auc_interval  # noqa: E402
from edge_asd.train.figures.metrics import rank_figures  # noqa: E402
from edge_asd.train.runs.fitting import Settings, train  # noqa: E402

Row = dict[str, Any]
DOMAIN = "source"
LEVEL = "level alone"
NOT_HEARD = LEVELS_DB[0] + STEP_DB

AUTOENCODERS = {
    "ae, 5 epochs": Settings(epochs=5),
    "ae, 1 epoch": Settings(epochs=1),
    "ae, 20 epochs": Settings(epochs=20),
    "ae, 20 epochs, 32 mels": Settings(epochs=20, features=FeatureSpec(n_mels=32)),
}
LONGER = {"ae, 100 epochs": Settings(epochs=100)}
CLASSIFIER = {"mobilenetv2, 3 epochs": Settings(model="mobilenetv2", epochs=3, learning_rate=1e-3)}


@dataclass(frozen=True)
class Case:
    """A detector of a machine."""

    set_name: str
    data: Path
    machine: str
    sections: tuple[str, ...]
    detector: str
    settings: Settings


def cases(folder: Path, real: Path | None) -> list[Case]:
    """List what is to be measured, one detector of all machines after the other."""
    small = folder / "small"
    if not small.exists():
        subprocess.run([sys.executable, "-m", "edge_asd", "data", "synth", str(small), "--preset", "small"], check=True)
    machines = [("synthetic", small, path.name, ("00",)) for path in sorted(small.iterdir()) if path.is_dir()]
    for path in sorted(path for path in real.iterdir() if path.is_dir()) if real else ():
        machines.append((real.name, real, path.name, tuple(Dataset(real, path.name).sections)))
    # The quickest first: who stops this keeps what was measured.
    machines.reverse()
    found = [Case(*machine, *detector) for detector in AUTOENCODERS.items() for machine in machines]
    found += [Case(*machine, *detector) for detector in LONGER.items() for machine in machines if machine[1] == real]
    return found + [Case(*machines[-1], *detector) for detector in CLASSIFIER.items()]


def measure(case: Case, folder: Path, clips: int) -> list[Row]:
    """Train, quantise, evaluate and probe one detector."""
    run, path = folder / "run", folder / "x.easd"
    together = None if case.settings.model == "mobilenetv2" else case.sections
    if not path.exists():
        train(case.data, case.machine, run, replace(case.settings), sections=together, overwrite=True)
        quantise_run(run, case.data, path)
    bundle = Bundle.load(path)
    done = evaluate(bundle, case.data, folder / "results", domain=DOMAIN, hears=False)
    judged = [Judged(s.clip, s.shipped, bundle.threshold(s.clip.name.section, DOMAIN).score) for s in done.clips]
    rows = []
    for section in case.sections:
        subjects, _ = healthy_subjects(bundle, section, judged, clips)
        own = [s for s in done.clips if s.clip.name.section == section]
        scores, levels = [float(s.shipped) for s in own], [s.level for s in own]
        rows.append(row(case.detector, section, judged, scores, levels, hearings(shipped_score(bundle), subjects)))
    return rows


def level_alone(case: Case, clips: int, bundle: Bundle) -> list[Row]:
    """Judge a detector that scores the level alone; any bundle tells how long and of which rate clips must be."""

    def score(db: float) -> int:
        return round(db * 65536)

    dataset, cache = Dataset(case.data, case.machine), FeatureCache()
    rows = []
    for section in case.sections:
        levels = {
            split: [f.level_db for f in cache.features(chosen, bundle.features, bundle.window_frames)]
            for split in ("train", "test")
            if (chosen := dataset.select(split=split, section=section, domain=DOMAIN))  # type: ignore[arg-type]
        }
        limit = weighted_quantile({DOMAIN: [score(db) for db in levels["train"]]}, 0.9)
        tests = dataset.select(split="test", section=section, domain=DOMAIN)
        judged = [Judged(clip, score(db), limit) for clip, db in zip(tests, levels["test"], strict=True)]
        subjects, _ = healthy_subjects(bundle, section, judged, clips)
        found = hearings(lambda pcm, _: score(level_db(pcm)), subjects)
        rows.append(row(LEVEL, section, judged, levels["test"], levels["test"], found))
    return rows


def row(
    name: str,
    section: str,
    judged: Sequence[Judged],
    scores: Sequence[float],
    levels: Sequence[float],
    found: Sequence[Hearing],
) -> Row:
    """Put a case's figures together."""
    own = [item for item in judged if item.clip.name.section == section]
    anomaly = [not item.healthy for item in own]
    healthy = [item.flagged for item in own if item.healthy]
    halves = [NOT_HEARD if h.level_half_db is None else h.level_half_db for h in found]
    return {
        "section": section,
        "detector": name,
        "auc": rank_figures(anomaly, scores).auc,
        "auc_interval": auc_interval(anomaly, scores),
        "auc_level": rank_figures(anomaly, levels).auc,
        "false_alarms": sum(healthy),
        "healthy": len(healthy),
        "anomalous": len(anomaly) - len(healthy),
        "clips": max((h.clips for h in found), default=0),
        "mean_half_db": statistics.mean(halves) if halves else None,
        "heard": sum(h.level_half_db is not None for h in found),
        "tried": len(found),
        "hears": [h.as_dict() for h in found],
    }


def correlation(
    rows: Sequence[Row], measure: Callable[[Sequence[float], Sequence[float]], float]
) -> tuple[float, float, float] | None:
    """Return the rank correlation of AUC with what the probe says, and its 95 % interval, resampling sections."""
    units = sorted({unit(r) for r in rows})
    if len(rows) < 4 or len(units) < 2:
        return None

    def of(chosen: Sequence[Row]) -> float:
        return measure([r["auc"] for r in chosen], [-r["mean_half_db"] for r in chosen])

    rng = np.random.default_rng(0)
    groups = {u: [r for r in rows if unit(r) == u] for u in units}
    drawn = [of([r for i in rng.integers(len(units), size=len(units)) for r in groups[units[i]]]) for _ in range(2000)]
    known = [value for value in drawn if value == value]
    if not known or of(rows) != of(rows):  # not a number: one of both does not vary
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return of(rows), float(low), float(high)


def unit(r: Row) -> tuple[str, str, str]:
    """Name the machine and section of a row."""
    return r["set"], r["machine"], r["section"]


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation; NaN where one does not vary."""
    from scipy.stats import spearmanr

    return float(spearmanr(x, y).statistic) if len(set(x)) > 1 and len(set(y)) > 1 else float("nan")


def kendall(x: Sequence[float], y: Sequence[float]) -> float:
    """Kendall's tau-b; NaN where one does not vary."""
    from scipy.stats import kendalltau

    return float(kendalltau(x, y).statistic) if len(set(x)) > 1 and len(set(y)) > 1 else float("nan")


def within(rows: Sequence[Row], key: Callable[[Row], Any]) -> tuple[float, int] | None:
    """Return the mean of Kendall's tau within each group, and how many groups there are."""
    taus = []
    for group in {key(r) for r in rows}:
        own = [r for r in rows if key(r) == group]
        if len(own) > 2:
            taus.append(kendall([r["auc"] for r in own], [-r["mean_half_db"] for r in own]))
    known = [tau for tau in taus if tau == tau]
    return (statistics.mean(known), len(known)) if known else None


def agreement_lines(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table of agreement."""
    lines = ["| set | detectors | points | Spearman [95 %] | Kendall [95 %] | Kendall, detectors within a section | "
             "Kendall, sections within a detector |", "|" + "---|" * 7]  # fmt: skip
    usable = [r for r in rows if r["auc"] is not None and r["mean_half_db"] is not None]
    for name in dict.fromkeys(r["set"] for r in usable):
        for which, kept in (
            ("trained", [r for r in usable if r["set"] == name and r["detector"] != LEVEL]),
            ("and level alone", [r for r in usable if r["set"] == name]),
        ):
            pair = [correlation(kept, measure) for measure in (spearman, kendall)]
            texts = ["-" if p is None else f"{p[0]:+.2f} [{p[1]:+.2f}, {p[2]:+.2f}]" for p in pair]
            groups = [within(kept, unit), within(kept, lambda r: r["detector"])]
            texts += ["-" if g is None else f"{g[0]:+.2f} (mean of {g[1]})" for g in groups]
            lines.append(f"| {name} | {which} | {len(kept)} | {' | '.join(texts)} |")
    return lines


def case_lines(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table of cases."""
    lines = ["| set | machine | detector | AUC [95 %] | level alone | false alarms | mean level of half, dB | heard |",
             "|" + "---|" * 8]  # fmt: skip
    for r in rows:
        interval = "" if r["auc_interval"] is None else " [{:.2f}, {:.2f}]".format(*r["auc_interval"])
        auc = "-" if r["auc"] is None else f"{r['auc']:.3f}"
        level = "-" if r["auc_level"] is None else f"{r['auc_level']:.2f}"
        mean = "-" if r["mean_half_db"] is None else f"{r['mean_half_db']:+.1f}"
        lines.append(
            f"| {r['set']} | {r['machine']} {r['section']} | {r['detector']} | {auc}{interval} | {level} | "
            f"{r['false_alarms']} of {r['healthy']} | {mean} | {r['heard']} of {r['tried']} |"
        )
    return lines


def main() -> None:
    """Measure what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--real", metavar="DATA", type=Path)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--kept", action="store_true", help="print what was measured, measure nothing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []

    for case in cases(options.folder, options.real):
        folder = options.folder / "scratch" / f"{case.set_name} {case.machine} {case.detector}"
        wanted: dict[str, Callable[[], list[Row]]] = {case.detector: lambda: measure(case, folder, options.clips)}  # noqa: B023
        if case.detector == next(iter(AUTOENCODERS)):
            wanted[LEVEL] = lambda: level_alone(case, options.clips, Bundle.load(folder / "x.easd"))  # noqa: B023
        for name, make in wanted.items():
            file = options.folder / f"{case.set_name} {case.machine} {name}.json"
            if not file.exists():
                if options.kept:
                    continue
                print(f"{file.stem} ...", file=sys.stderr, flush=True)
                made = [{"set": case.set_name, "machine": case.machine, **r} for r in make()]
                file.write_text(json.dumps(made, indent=1))
            rows.extend(json.loads(file.read_text()))
    if options.json:
        print(json.dumps(rows, indent=1, allow_nan=False))
        return
    print("\n".join([*agreement_lines(rows), "", *case_lines(rows)]))


if __name__ == "__main__":
    main()
