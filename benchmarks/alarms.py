"""What a user feels: false alarms in a day of healthy sound, and how many faults raise one, and when.

    python benchmarks/alarms.py [--hours 24] [--faults 50] [--epochs 20] [--persist 10] [--data DIR] [--json]

Makes fan and pump of the synthetic preset `small`, trains and quantises an autoencoder of each (threshold: the default
quantile), and joins clips that neither has seen to a stream for each of the sections 00 to 02, source domain: healthy
ones for `--hours` in all, and `--faults` faults of graded severity, each behind three minutes of healthy sound and five
minutes long. Each clip draws its own working condition and its own loudness, for `--persist` seconds: 10 is a clip of
the set; where a condition persists for minutes, a threshold meets one that is rare for minutes, too. The default policy
decides, and beside it plain crossing of the threshold (an alarm when a decision is over it and the one before was not).

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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import Policy
from edge_asd.detectors.loading import load_detector
from edge_asd.monitor.alarms import Alarms, EventName
from edge_asd.monitor.engine import Decision, Engine
from edge_asd.train.figures.metrics import rank_figures
from edge_asd.train.synthesis.clip import SEVERITIES, ClipPlan, make_clip
from edge_asd.train.synthesis.machines import machine_of

MACHINES = ("fan", "pump")
SECTIONS = ("00", "01", "02")
RATE = 16000
SECONDS = 10
HEALTHY_FIRST_S, FAULT_S = 180, 300
TOLD_APART = 0.95
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


@dataclass
class Heard:
    """What a stream brought."""

    decisions: list[Decision]
    alarms: list[float]

    @property
    def crossings(self) -> list[float]:
        """When decisions went over the threshold."""
        over = [False, *(decision.anomaly for decision in self.decisions)]
        return [d.time_s for d, before in zip(self.decisions, over, strict=False) if d.anomaly and not before]


def listen(engine: Engine, policy: Policy, sound: Iterator[Pcm]) -> Heard:
    """Decide on a stream."""
    alarms, heard = Alarms(policy, engine.section, RATE), Heard([], [])
    for pcm in sound:
        for news in engine.hear(pcm):
            event = alarms.push(news)
            if isinstance(news, Decision):
                heard.decisions.append(news)
            if event is not None and event.event is EventName.alarm:
                heard.alarms.append(event.time_s)
    return heard


def measure(folder: Path, hours: float, count: int, epochs: int, persist: int) -> dict[str, Any]:
    """Run it all and return the figures."""
    policy, loaded = Policy(), bundles(folder, epochs)
    detectors = {machine: load_detector(bundle) for machine, bundle in loaded.items()}
    each_s = hours * 3600 / (len(MACHINES) * len(SECTIONS))
    sections, healthy = [], {}
    for machine in MACHINES:
        for section in SECTIONS:
            engine = Engine(loaded[machine], section, detector=detectors[machine])
            sound = islice(clips(machine, section, "normal", _FIRST_INDEX, 1, persist), max(1, round(each_s / persist)))
            heard = listen(engine, policy, sound)
            spans = [d.score for d in heard.decisions[::SECONDS]]
            healthy[machine, section] = spans
            sections.append(
                {
                    "machine": machine,
                    "section": section,
                    "hours": each_s / 3600,
                    "false_alarms": len(heard.alarms),
                    "crossings": len(heard.crossings),
                    "over_threshold": sum(d.anomaly for d in heard.decisions) / len(heard.decisions),
                }
            )
            print(sections[-1], file=sys.stderr)
    injected = []
    for n, fault in enumerate(faults(count)):
        engine = Engine(loaded[fault.machine], fault.section, detector=detectors[fault.machine])
        step = len(machine_of(fault.machine, fault.section).FAULTS) * len(SEVERITIES)
        first = _FIRST_INDEX // step * step + fault.number
        before = clips(fault.machine, fault.section, "normal", 2 * _FIRST_INDEX + 1000 * n, 1, persist)
        after = clips(fault.machine, fault.section, "anomaly", first, step, persist)
        sound = [*islice(before, HEALTHY_FIRST_S // persist), *islice(after, FAULT_S // persist)]
        begun = HEALTHY_FIRST_S // persist * persist
        heard = listen(engine, policy, iter(sound))
        spans = [d.score for d in heard.decisions if d.time_s >= begun + SECONDS][::SECONDS]
        calm = healthy[fault.machine, fault.section]
        delays = [time_s - begun for time_s in heard.alarms if time_s > begun]
        crossed = [time_s - begun for time_s in heard.crossings if time_s > begun]
        injected.append(
            {
                **asdict(fault),
                "auc": rank_figures([False] * len(calm) + [True] * len(spans), [*calm, *spans]).auc,
                "delay_s": delays[0] if delays else None,
                "crossing_delay_s": crossed[0] if crossed else None,
            }
        )
        print(injected[-1], file=sys.stderr)
    clear = [fault for fault in injected if fault["auc"] >= TOLD_APART]
    return {
        "hours": hours,
        "persist_s": persist,
        "false_alarms": sum(row["false_alarms"] for row in sections),
        "crossings": sum(row["crossings"] for row in sections),
        "faults": len(injected),
        "told_apart": len(clear),
        "alarmed": sum(fault["delay_s"] is not None for fault in clear),
        "median_delay_s": _median(fault["delay_s"] for fault in clear),
        "alarmed_of_all": sum(fault["delay_s"] is not None for fault in injected),
        "median_crossing_delay_s": _median(fault["crossing_delay_s"] for fault in clear),
        "sections": sections,
        "injected": injected,
    }


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
