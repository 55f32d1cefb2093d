"""What a user feels: false alarms in a day of healthy sound, and how many faults raise one, and when.

    python benchmarks/alarms.py [--hours 24] [--faults 50] [--epochs 20] [--persist 10] [--data DIR] [--json]

Makes fan and pump of the synthetic preset `small`, trains and quantises an autoencoder of each (threshold: the default
quantile), and joins clips that neither has seen to a stream for each of the sections 00 to 02, source domain: healthy
ones for `--hours` in all, and `--faults` faults of graded severity, each behind three minutes of healthy sound and five
minutes long. Each clip draws its own working condition and its own loudness, for `--persist` seconds: 10 is a clip of
the set; where a condition persists for minutes, a threshold meets one that is rare for minutes, too. The default policy
decides, and beside it plain crossing of the threshold (an alarm when a decision is over it and the one before was not);
each with the threshold as trained, which rests on eleven clips, and as `edge-asd calibrate` fits it, with its defaults,
on five minutes of healthy sound.

A fault is told apart when the AUC of ten-second scores of its sound against the section's healthy ones is at least
0.95. Its delay runs from its first sample to the alarm. Synthetic: no figure is one of MIMII DUE.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import Policy
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.windowed import WindowDetector
from edge_asd.monitor.alarms import Alarms, EventName
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.engine import Engine
from edge_asd.thresholds import is_anomalous
from edge_asd.train.figures.metrics import rank_figures
from edge_asd.train.synthesis.clip import SEVERITIES, ClipPlan, make_clip
from edge_asd.train.synthesis.machines import machine_of
from edge_asd.wav_writing import write_wav

MACHINES = ("fan", "pump")
SECTIONS = ("00", "01", "02")
RATE = 16000
SECONDS = 10
HEALTHY_FIRST_S, FAULT_S = 180, 300
TOLD_APART = 0.95
CALIBRATION = 30  # clips of ten seconds: five minutes
_FIRST_INDEX = 100_000  # far beyond the clips of the set
Pcm = npt.NDArray[np.int16]


def run(*arguments: object) -> None:
    """Call a command of edge-asd."""
    subprocess.run([sys.executable, "-m", "edge_asd", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def bundles(folder: Path, epochs: int) -> dict[str, Bundle]:
    """Make data sets, runs and bundles, where they are not there yet."""
    found = {}
    for machine in MACHINES:
        bundle, data = folder / f"{machine}.easd", folder / f"data-{machine}"
        if not data.exists():
            run("data", "synth", data, "--preset", "small", "--machine", machine)
        if not bundle.exists():
            run("train", data, "--machine", machine, "--epochs", epochs, "--out", folder / machine, "--overwrite")
            run("quantize", folder / machine, "--data", data, "--out", bundle)
        found[machine] = Bundle.load(bundle)
    return found


@dataclass(frozen=True)
class Fault:
    """One fault to be injected."""

    machine: str
    section: str
    number: int  # in the turn of faults and severities
    name: str
    severity: float


def faults(count: int) -> list[Fault]:
    """Choose faults: those of all sections in turn, each in all severities."""
    every = []
    for number in range(64):
        for machine in MACHINES:
            for section in SECTIONS:
                kinds = machine_of(machine, section).FAULTS
                if number < len(kinds) * len(SEVERITIES):
                    plan = ClipPlan(machine, section, "source", "test", "anomaly", number)
                    every.append(Fault(machine, section, number, *plan.fault))
    return every[:count]


def clips(machine: str, section: str, label: str, start: int, step: int, seconds: int) -> Iterator[Pcm]:
    """Make one clip after the other, on both cores."""
    with ThreadPoolExecutor(2) as pool:

        def make(number: int) -> Pcm:
            plan = ClipPlan(machine, section, "source", "test", label, start + number * step)  # type: ignore[arg-type]
            return make_clip(plan, seconds=seconds)[0]

        waiting = [pool.submit(make, number) for number in range(4)]
        number = 4
        while True:
            done = waiting.pop(0).result()
            waiting.append(pool.submit(make, number))
            number += 1
            yield done


@dataclass(frozen=True)
class Told:
    """What a threshold makes of decisions: when alarms were raised, and when decisions went over the threshold."""

    alarms: list[float]
    crossings: list[float]
    over: float

    @classmethod
    def of(cls, decisions: list[Decision], threshold: int) -> Told:
        """Judge them anew, by the default policy and by plain crossing."""
        machine = Alarms(Policy(), decisions[0].section, RATE)
        alarms, crossings, before, count = [], [], False, 0
        for one in decisions:
            anomaly = is_anomalous(one.score, threshold)
            event = machine.push(replace(one, threshold=threshold, anomaly=anomaly))
            if event is not None and event.event is EventName.alarm:
                alarms.append(event.time_s)
            if anomaly and not before:
                crossings.append(one.time_s)
            before = anomaly
            count += anomaly
        return cls(alarms, crossings, count / len(decisions))

    def first_after(self, begun_s: float) -> tuple[float | None, float | None]:
        """Return how long after a moment the first alarm and the first crossing came."""
        late = [[time_s - begun_s for time_s in times if time_s > begun_s] for times in (self.alarms, self.crossings)]
        return (late[0] or [None])[0], (late[1] or [None])[0]


def decide(bundle: Bundle, detector: WindowDetector, section: str, sound: Iterable[Pcm]) -> list[Decision]:
    """Decide on a stream."""
    engine = Engine(bundle, section, detector=detector)
    return [news for pcm in sound for news in engine.push(pcm)]


def calibrated(bundle: Bundle, machine: str, section: str, folder: Path) -> int:
    """Return the threshold that `edge-asd calibrate` fits on five minutes of healthy sound, with its defaults."""
    clip_folder = folder / f"healthy-{machine}-{section}"
    clip_folder.mkdir(exist_ok=True)
    for number, pcm in enumerate(islice(clips(machine, section, "normal", 3 * _FIRST_INDEX, 1, SECONDS), CALIBRATION)):
        write_wav(clip_folder / f"{number:02d}.wav", pcm, RATE)
    out = folder / f"{machine}-{section}-calibrated.easd"
    run("calibrate", folder / f"{machine}.easd", "--section", section, "--wav-dir", clip_folder, "--out", out)
    return Bundle.load(out).threshold(section).score


def measure(folder: Path, hours: float, count: int, epochs: int, persist: int) -> dict[str, Any]:
    """Run it all and return the figures."""
    loaded = bundles(folder, epochs)
    detectors = {machine: load_detector(bundle) for machine, bundle in loaded.items()}
    each_s = hours * 3600 / (len(MACHINES) * len(SECTIONS))
    sections: list[dict[str, Any]] = []
    healthy: dict[tuple[str, str], list[int]] = {}
    thresholds: dict[tuple[str, str], dict[str, int]] = {}
    for machine in MACHINES:
        for section in SECTIONS:
            sound = islice(clips(machine, section, "normal", _FIRST_INDEX, 1, persist), max(1, round(each_s / persist)))
            decisions = decide(loaded[machine], detectors[machine], section, sound)
            healthy[machine, section] = [one.score for one in decisions[::SECONDS]]
            limits = {
                "trained": loaded[machine].threshold(section).score,
                "calibrated": calibrated(loaded[machine], machine, section, folder),
            }
            thresholds[machine, section] = limits
            row: dict[str, Any] = {"machine": machine, "section": section, "hours": each_s / 3600}
            for name, threshold in limits.items():
                told = Told.of(decisions, threshold)
                row[name] = {
                    "false_alarms": len(told.alarms),
                    "crossings": len(told.crossings),
                    "over_threshold": told.over,
                }
            sections.append(row)
            print(row, file=sys.stderr)
    injected = []
    for n, fault in enumerate(faults(count)):
        of = fault.machine, fault.section
        step = len(machine_of(*of).FAULTS) * len(SEVERITIES)
        first = _FIRST_INDEX // step * step + fault.number
        before = clips(*of, "normal", 2 * _FIRST_INDEX + 1000 * n, 1, persist)
        after = clips(*of, "anomaly", first, step, persist)
        sound = [*islice(before, HEALTHY_FIRST_S // persist), *islice(after, FAULT_S // persist)]
        begun = HEALTHY_FIRST_S // persist * persist
        decisions = decide(loaded[fault.machine], detectors[fault.machine], fault.section, sound)
        spans = [one.score for one in decisions if one.time_s >= begun + SECONDS][::SECONDS]
        calm = healthy[of]
        row = {**asdict(fault), "auc": rank_figures([False] * len(calm) + [True] * len(spans), [*calm, *spans]).auc}
        for name, threshold in thresholds[of].items():
            delay, crossed = Told.of(decisions, threshold).first_after(begun)
            row[name] = {"delay_s": delay, "crossing_delay_s": crossed}
        injected.append(row)
        print(row, file=sys.stderr)
    clear = [fault for fault in injected if fault["auc"] >= TOLD_APART]
    figures: dict[str, Any] = {
        "hours": hours,
        "persist_s": persist,
        "faults": len(injected),
        "told_apart": len(clear),
    }
    for name in ("trained", "calibrated"):
        figures[name] = {
            "false_alarms": sum(row[name]["false_alarms"] for row in sections),
            "crossings": sum(row[name]["crossings"] for row in sections),
            "alarmed": sum(fault[name]["delay_s"] is not None for fault in clear),
            "median_delay_s": _median(fault[name]["delay_s"] for fault in clear),
            "median_crossing_delay_s": _median(fault[name]["crossing_delay_s"] for fault in clear),
            "alarmed_of_all": sum(fault[name]["delay_s"] is not None for fault in injected),
        }
    return {**figures, "sections": sections, "injected": injected}


def _median(values: Iterator[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--persist", type=int, default=SECONDS, choices=[10, 20, 30, 60])
    parser.add_argument("--data", type=Path, help="folder for data sets, runs and bundles, kept for the next call")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures = measure(folder, options.hours, options.faults, options.epochs, options.persist)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if not isinstance(value, list):
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
