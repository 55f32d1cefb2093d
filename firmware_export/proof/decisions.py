"""The decisions of an exported detector on sound, compared with the monitor's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_network
from edge_asd.detectors.windowed import WindowDetector
from edge_asd.firmware_export.bundle_source import section_names
from edge_asd.firmware_export.library import Library
from edge_asd.firmware_export.proof.programs import run_detector
from edge_asd.firmware_export.tflm import TflmModel
from edge_asd.monitor.engine import Engine

HOST = "host"

_SEED = 7


def changing_sound(bundle: Bundle) -> npt.NDArray[np.int16]:
    """Two score spans of the bundle's golden sound at changing levels, with a mute and a click in between."""
    rng = np.random.default_rng(_SEED)
    golden = bundle.golden_arrays()["pcm"].astype(np.float64)
    rate = bundle.features.sample_rate
    count = 2 * bundle.score_samples + 3 * rate
    wave = np.tile(golden, 1 + count // golden.size)[:count]
    gains = np.repeat(10 ** (rng.uniform(-12, 6, 1 + count // rate) / 20), rate)[:count]
    pcm = np.clip(np.rint(wave * gains + rng.normal(0, 2, count)), -32768, 32767).astype(np.int16)
    mute = bundle.score_samples + rate // 2
    pcm[mute : mute + rate] = 5
    pcm[mute + rate // 4 : mute + rate // 4 + 4] = 900
    return pcm


def short_span(bundle: Bundle) -> int:
    """Samples of one score span and a little more."""
    return bundle.score_samples + 2 * bundle.features.sample_rate


def wrong_decisions(
    library: Library, name: str, program: Path, pcm: npt.NDArray[np.int16], *, all_sections: bool = True
) -> tuple[int, int]:
    """Compare decisions with the monitor's; return those that differ, and how many there are."""
    bundle = library.bundle
    assert bundle is not None
    twice = library.network is not None and library.network.twice
    other = load_network(bundle, TflmModel(bundle.model)) if twice else None
    wrong = total = 0
    places = list(enumerate(section_names(bundle)))
    for place, section in places if all_sections else places[-1:]:
        expected, withheld = expected_decisions(bundle, section, pcm, other)
        run = run_detector(name, program, place, pcm, block=1000 + 777 * place, count=False)
        wrong += run.selftest + abs(run.withheld - withheld) + abs(len(expected) - len(run.decisions))
        wrong += sum(a != b for a, b in zip(expected, run.decisions, strict=False))
        total += len(expected)
    return wrong, total


def expected_decisions(
    bundle: Bundle, section: str, pcm: npt.NDArray[np.int16], detector: WindowDetector | None = None
) -> tuple[list[tuple[int, int, bool]], int]:
    """What `edge_asd.monitor` decides: (end, score, anomaly) of each, and how many were withheld."""
    engine = Engine(bundle, section, detector=detector)
    made = [*engine.push(pcm), *engine.finish()]
    rate = bundle.features.sample_rate
    return [(round(one.time_s * rate), one.score, one.anomaly) for one in made], engine.withheld
