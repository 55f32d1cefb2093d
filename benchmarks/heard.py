"""How well the bands that the distance detector names are those of a fault whose band is known.

    python benchmarks/heard.py DATA [DATA ...] [--bundles FOLDER] [--cache FOLDER] [--json]

DATA are data sets in the layout of MIMII DUE, such as `edge-asd data synth DATA --preset small --seed 11` makes. Each
machine's distance detector is fitted, with a threshold at the 0.9 quantile of its source clips' held-out scores; or the
bundle FOLDER/MACHINE.easd, of whatever detector, is taken, and machines without one are left out. In each section and
domain faults of the probe's four kinds, each in two third-octave bands between 200 Hz and 6.3 kHz, are mixed into a
healthy test clip that is not flagged as it is, at every level from the machine's own downward in steps of 6 dB as long
as it is flagged: each is a detected case. The fault's band is what holds the middle 90 % of its power. A case is right
if one of the ranges named contains this band, and all of them together, from the lowest frequency to the highest, span
at most an octave.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from distance import BLOCKS, QUANTILE, Sound, sounds  # noqa: E402

from edge_asd.bundle.bundle import Bundle  # noqa: E402
from edge_asd.clips import DOMAINS  # noqa: E402
from edge_asd.detectors.loading import load_detector  # noqa: E402
from edge_asd.detectors.scores import mean_score  # noqa: E402
from edge_asd.distance.distance import SCORE_BITS, scores  # noqa: E402
from edge_asd.distance.features import clip_features  # noqa: E402
from edge_asd.frontend import log_mel  # noqa: E402
from edge_asd.frontend.spec import FeatureSpec  # noqa: E402
from edge_asd.heard.by_distance import heard_by_distance  # noqa: E402
from edge_asd.heard.explaining import Explainer  # noqa: E402
from edge_asd.heard.moved import Moved  # noqa: E402
from edge_asd.heard.ranges import band_limits  # noqa: E402
from edge_asd.heard.words import heard_text  # noqa: E402
from edge_asd.quantize.evaluation.probe.faults import FAULTS, Band, fault_wave  # noqa: E402
from edge_asd.quantize.evaluation.probe.levels import mixed  # noqa: E402
from edge_asd.thresholds import is_anomalous, weighted_quantile  # noqa: E402
from edge_asd.train.data.dataset import Clip, Dataset, machine_folders  # noqa: E402
from edge_asd.train.distance.fit import fit  # noqa: E402
from edge_asd.train.distance.integers import to_integers  # noqa: E402
from edge_asd.train.features.cache import FeatureCache  # noqa: E402
from edge_asd.train.synthesis.signals import SAMPLE_RATE, Float64  # noqa: E402

SPEC = FeatureSpec()
LIMITS = band_limits(SPEC)
THIRDS = [Band("", middle / 2 ** (1 / 6), middle * 2 ** (1 / 6)) for middle in 1000 * 2.0 ** (np.arange(-7, 9) / 3)]
LEVELS = range(0, -49, -6)
POWER = 0.05, 0.95
OF_EACH = 2

Frames = npt.NDArray[np.int32]
Section = Sequence[tuple[Clip, Sound]]


class Judge:
    """What is asked of a detector: is the sound flagged, and which bands moved?"""

    def flagged(self, frames: Frames, section: str) -> bool:
        raise NotImplementedError

    def heard(self, frames: Frames, section: str) -> list[Moved]:
        raise NotImplementedError


class Fitted(Judge):
    """A machine's distance detector, fitted here."""

    def __init__(self, groups: Mapping[str, Section]) -> None:
        features = {
            section: {
                domain: np.array([np.concatenate(list(s.pooled.values())) for s in some])
                for domain in DOMAINS
                if (some := [s for _, s in clips if s.train and s.domain == domain])
            }
            for section, clips in groups.items()
        }
        fitted = fit(features)
        self._model = to_integers(fitted.model, BLOCKS)
        self._thresholds = {
            section: round(weighted_quantile({"source": of["source"].tolist()}, QUANTILE) * (1 << SCORE_BITS))
            for section, of in fitted.held_out.items()
        }

    def _features(self, frames: Frames) -> npt.NDArray[np.int16]:
        return clip_features(frames[: BLOCKS.span], BLOCKS)

    def flagged(self, frames: Frames, section: str) -> bool:
        found = scores(self._features(frames), self._model.sections[section], self._model.directions)
        return is_anomalous(int(found[0]), self._thresholds[section])

    def heard(self, frames: Frames, section: str) -> list[Moved]:
        centres = self._model.sections[section]
        return heard_by_distance(self._features(frames)[0], centres, self._model.directions, LIMITS)


class Bundled(Judge):
    """A bundle."""

    def __init__(self, path: Path) -> None:
        self._bundle = Bundle.load(path)
        self._detector = load_detector(self._bundle)
        self._explainer = Explainer(self._bundle, self._detector)

    def flagged(self, frames: Frames, section: str) -> bool:
        score = mean_score(self._detector.window_scores(frames, section))
        return is_anomalous(score, self._bundle.threshold(section).score)

    def heard(self, frames: Frames, section: str) -> list[Moved]:
        return self._explainer.explain(frames, section).moved


def band_of(wave: Float64) -> tuple[float, float]:
    """What holds the middle 90 % of a wave's power [Hz]."""
    power = np.cumsum(np.abs(np.fft.rfft(wave)) ** 2)
    low, high = (float(np.searchsorted(power, share * power[-1]) * SAMPLE_RATE / wave.size) for share in POWER)
    return low, high


def cases(judge: Judge, section: str, clips: Section) -> Iterator[dict[str, Any]]:
    """Mix faults into a section's healthy clips, and name the bands of those that are flagged."""
    for domain in DOMAINS:
        healthy = (c for c, s in clips if not (s.train or s.anomaly) and s.domain == domain)
        unflagged = (c for c in healthy if not judge.flagged(log_mel(c.read(SPEC, BLOCKS.span).pcm, SPEC), section))
        clip = next(unflagged, None)
        if clip is None:
            continue
        pcm = clip.read(SPEC, BLOCKS.span).pcm
        rng = np.random.default_rng([int(section), DOMAINS.index(domain), *map(ord, clip.path.name)])
        for fault in FAULTS:
            for place in rng.choice(len(THIRDS), OF_EACH, replace=False):
                wave = fault_wave(fault, pcm.astype(np.float64), THIRDS[place], rng)
                if wave is None:
                    continue
                low, high = band_of(wave)
                for level in LEVELS:
                    mix = mixed(pcm, wave, level)
                    if mix is None:
                        continue
                    frames = log_mel(mix, SPEC)
                    if not judge.flagged(frames, section):
                        break
                    found = judge.heard(frames, section)
                    lowest = min((one.low_hz for one in found), default=0.0)
                    highest = max((one.high_hz for one in found), default=0.0)
                    yield {
                        "section": section, "domain": domain, "fault": fault, "level_db": level,
                        "low_hz": low, "high_hz": high, "text": heard_text(found),
                        "contained": any(one.low_hz <= low and high <= one.high_hz for one in found),
                        "octaves": float(np.log2(highest / lowest)) if found else None,
                        "ranges": len(found),
                    }  # fmt: skip


def right(case: Mapping[str, Any]) -> bool:
    # Frequencies are rounded to 0.1 Hz.
    return case["contained"] and case["octaves"] <= 1.001


def line(name: str, some: Sequence[Mapping[str, Any]]) -> str:
    spans = [case["octaves"] for case in some if case["octaves"] is not None]
    return (
        f"{name:24}{len(some):7}{100 * np.mean([right(case) for case in some]):8.1f}"
        f"{100 * np.mean([case['contained'] for case in some]):11.1f}"
        f"{100 * np.mean([span <= 1.001 for span in spans]):9.1f}{np.median(spans):14.2f}"
        f"{np.mean([case['ranges'] for case in some]):8.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--bundles", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cache = FeatureCache(options.cache, workers=1)
    found: list[dict[str, Any]] = []
    for root in options.data:
        for folder in machine_folders(root):
            if options.bundles is not None and not (options.bundles / f"{folder.name}.easd").exists():
                continue
            groups: dict[str, list[tuple[Clip, Sound]]] = defaultdict(list)
            clips = Dataset(root, folder.name).clips
            heard = sounds(root, folder.name, ("level", "unsteadiness"), cache)
            for clip, sound in zip(clips, heard, strict=True):
                groups[sound.section].append((clip, sound))
            judge = Fitted(groups) if options.bundles is None else Bundled(options.bundles / f"{folder.name}.easd")
            for section, group in groups.items():
                for case in cases(judge, section, group):
                    found.append({"data": root.name, "machine": folder.name, **case})
            print(f"{folder}: {len(found)} cases", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"cases": found}, indent=1))
        return
    print(f"{'':24}  cases   right  contained  octave  median span  ranges")
    for key in ("machine", "fault", "level_db", "data"):
        for value in dict.fromkeys(case[key] for case in found):
            print(line(str(value), [case for case in found if case[key] == value]))
    print(line("all", found))


if __name__ == "__main__":
    main()
