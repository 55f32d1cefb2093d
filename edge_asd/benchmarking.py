"""How fast a bundle is on this device: each stage, each arithmetic, and the whole way from samples to decisions.

A stage is timed in rounds of many calls, each round as long as it takes to be measured well, and the median round
counts: a busy moment of the computer spoils a round, not the figure. *Load* is the time that a second of sound takes;
*headroom* is one by that, how many times faster than the sound it is. The whole way is timed in blocks that
complete one window each, so that nothing is saved by scoring several together.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_asd import frontend
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.windowed import WindowDetector
from edge_asd.errors import ModelError
from edge_asd.interpreter import ARITHMETICS, runtime_name
from edge_asd.monitor.engine import Engine

ENOUGH = 2.0
"""Headroom that is enough: a busy moment is made up for, and other programs have room."""

_ROUNDS = 7
_ROUND_SECONDS = 0.04
_START_SECONDS = 120

_START = """
import json, sys, time
begun = time.perf_counter()
from pathlib import Path
import numpy as np
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.engine import Engine
bundle = Bundle.load(Path(sys.argv[1]))
engine = Engine(bundle, min(bundle.thresholds))
engine.push(np.ones(bundle.features.sample_count(bundle.window_frames), np.int16))
seconds = time.perf_counter() - begun
rss = next((int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")), 0)
print(json.dumps({"seconds": seconds, "peak_bytes": rss * 1024}))
"""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time that a stage takes.

    Attributes
    ----------
    call_us, best_us : float [us]
        Of one call, in the median round and in the fastest.
    load : float
        Of one core, as a share: calls a second of sound, by the time of each.
    """

    call_us: float
    best_us: float
    load: float

    @property
    def headroom(self) -> float:
        """How many times faster than the sound it is."""
        return 1 / self.load


@dataclass(frozen=True, slots=True)
class ArithmeticBench:
    """What one arithmetic costs here.

    Attributes
    ----------
    of_record : bool
        The bundle's thresholds belong to it.
    model, whole : Timing or None
        The model on one window, or of the distance detector its features; all from samples to decisions. None where
        this runtime cannot run it.
    why_not : str
        Why, then.
    """

    of_record: bool
    model: Timing | None
    whole: Timing | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured.

    Attributes
    ----------
    runtime, front_end_name : str
        What is in use here.
    front_end, score : Timing
        A hop of sound to its frame; a window and the model's output, or its features, to a score.
    quantise : Timing, optional
        Of a network: a window's frames to int8.
    arithmetics : dict of str to ArithmeticBench
        By name.
    start_s : float or None [s]
        From the start of a fresh interpreter's imports to the first window's score.
    peak_bytes : int or None
        Peak resident memory of that process.
    """

    runtime: str
    front_end_name: str
    front_end: Timing
    quantise: Timing | None
    score: Timing
    arithmetics: dict[str, ArithmeticBench]
    start_s: float | None
    peak_bytes: int | None

    @property
    def record(self) -> str:
        """The arithmetic of record."""
        return next(name for name, found in self.arithmetics.items() if found.of_record)

    @property
    def headroom(self) -> float:
        """Of the whole way in the arithmetic of record."""
        whole = self.arithmetics[self.record].whole
        assert whole is not None  # `bench` refuses where it cannot run
        return whole.headroom

    @property
    def keeps_up(self) -> bool:
        """It is faster than the sound."""
        return self.headroom > 1


def bench(path: Path, bundle: Bundle, progress: Callable[[str], None] = lambda _: None) -> Bench:
    """Time a bundle on this device, in a few seconds.

    Parameters
    ----------
    path : Path
        Where `bundle` lies: a fresh process loads it to time its start.
    bundle : Bundle
    progress : callable, optional
        Told what is timed next.

    Raises
    ------
    EdgeAsdError
        If the bundle's arithmetic of record cannot run here.
    """
    spec, section = bundle.features, min(bundle.thresholds)
    hops_per_second = spec.sample_rate / spec.hop_length
    windows_per_second = hops_per_second / bundle.window_hop
    detector = load_detector(bundle)
    pcm = _sound(bundle)
    progress("front end and score")
    stream, hop = frontend.Stream(spec), pcm[: spec.hop_length].copy()
    front_end = _timed(lambda: stream.push(hop), hops_per_second)
    frames = frontend.log_mel(pcm, spec)[: bundle.window_frames]
    quantised = None
    if isinstance(detector, WindowDetector):
        new, network = frames[: bundle.window_hop], detector
        quantised = _timed(lambda: network.quantise(new), windows_per_second)
        windows = network.windows(frames)
        outputs = network.run(network.windows(network.quantise(frames)))
        score = _timed(lambda: network.scores_of_outputs(windows, outputs, section), windows_per_second)
    else:
        distance = detector
        spans = distance.features(frames)
        score = _timed(lambda: distance.scores_of_features(spans, section), windows_per_second)
    arithmetics = {}
    for name in ARITHMETICS if bundle.kind.network else (bundle.model_arithmetic,):
        progress(f"the model in {name}")
        arithmetics[name] = _arithmetic(bundle, name, pcm, windows_per_second)
    progress("the start")
    start_s, peak = _start(path)
    return Bench(
        runtime=runtime_name() if bundle.kind.network else detector.runtime,
        front_end_name=frontend.describe(),
        front_end=front_end,
        quantise=quantised,
        score=score,
        arithmetics=arithmetics,
        start_s=start_s,
        peak_bytes=peak,
    )


def _sound(bundle: Bundle) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Four seconds at the level of the training data, a window at least: the golden sound, again and again."""
    golden = bundle.golden_arrays()["pcm"].astype(np.int16)
    return np.resize(golden, max(4 * bundle.features.sample_rate, bundle.features.sample_count(bundle.window_frames)))


def _arithmetic(bundle: Bundle, name: str, pcm: np.ndarray, windows_per_second: float) -> ArithmeticBench:
    of_record = name == bundle.model_arithmetic
    try:
        detector = load_detector(replace(bundle, model_arithmetic=name))
        frames = frontend.log_mel(pcm, bundle.features)[: bundle.window_frames]
        if isinstance(detector, WindowDetector):
            network, window = detector, detector.windows(detector.quantise(frames))
            model = _timed(lambda: network.run(window), windows_per_second)
        else:
            distance = detector
            model = _timed(lambda: distance.features(frames), windows_per_second)
    except ModelError as error:
        if of_record:
            raise
        return ArithmeticBench(of_record, None, None, str(error))
    engine = Engine(bundle, min(bundle.thresholds), detector=detector)
    size = bundle.window_hop * bundle.features.hop_length
    blocks = [pcm[start : start + size] for start in range(0, pcm.size - size + 1, size)]
    place = 0

    def hear() -> None:
        nonlocal place
        engine.push(blocks[place])
        place = (place + 1) % len(blocks)

    while engine.place < bundle.features.sample_count(bundle.window_frames):
        hear()
    return ArithmeticBench(of_record, model, _timed(hear, windows_per_second))


def _timed(call: Callable[[], object], per_second: float) -> Timing:
    call()  # what the first call sets up is not what it takes
    begun = time.perf_counter()
    call()
    once = max(time.perf_counter() - begun, 1e-7)
    calls = max(1, round(_ROUND_SECONDS / once))
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - begun) / calls)
    middle = statistics.median(rounds)
    return Timing(call_us=middle * 1e6, best_us=min(rounds) * 1e6, load=middle * per_second)


def _start(path: Path) -> tuple[float | None, int | None]:
    """Time a fresh process; nothing where it does not get so far."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _START, str(path)],
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        document = json.loads(done.stdout)
        return float(document["seconds"]), int(document["peak_bytes"]) or None
    except (subprocess.SubprocessError, OSError, ValueError, KeyError):
        return None, None


def disturbance(busy: float, cores: int) -> str | None:
    """Say that other programs take the processor, where they leave less than a core; None where not.

    Parameters
    ----------
    busy : float [cores]
        How many processes wanted to run before.
    cores : int > 0
        That may be used.
    """
    if busy < max(0.5, cores - 0.5):
        return None
    plural = "s" if cores > 1 else ""
    return (
        f"Other programs keep this computer busy ({busy:.1f} of {cores} core{plural}): what was timed is longer than "
        "it takes by itself, and one figure may be more so than the next."
    )


def advice(found: Bench, bundle: Bundle) -> str | None:
    """Say what to do where the headroom is not enough; None where it is."""
    if found.headroom >= ENOUGH:
        return None
    steps = []
    if found.front_end_name == "NumPy":
        steps.append("build the C front end, which `edge-asd doctor` explains")
    faster = {
        name: one.whole.headroom
        for name, one in found.arithmetics.items()
        if one.whole is not None
        and not one.of_record
        and one.whole.headroom > 1.2 * found.headroom
        # Its convolutions round by the processor (docs/runtimes.md).
        and not (bundle.kind.classifies and name == "litert-builtin")
    }
    if faster:
        best = max(faster, key=lambda name: faster[name])
        steps.append(
            f"quantise anew with --arithmetic {best}, which has a headroom of {faster[best]:.1f} here: thresholds of "
            "one arithmetic are not those of another"
        )
    if bundle.kind.classifies:
        steps.append("train an autoencoder (train --model ae), which needs a hundredth of the work")
    steps.append("stop other programs, or use a faster computer")
    text = "; or ".join(steps)
    return f"{text[0].upper()}{text[1:]}."
