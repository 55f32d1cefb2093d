"""Made faults by octave band: a whine, impacts, noise, and unsteadiness of the machine's own sound.

Each is a waveform that is added to a healthy clip, so that one definition of its level serves all four
(`edge_asd.quantize.evaluation.probe.levels`). They are kinds of sound, not models of a machine's damage.

============ =======================================================================================
tone         one steady tone, its frequency drawn evenly over the band's octaves
impacts      damped sines that start 4 to 16 times a second, 3 % out of step and of sizes from 0.7 to 1.3,
             ring within the middle half of the band and fall to 1/e in five periods, at least 5 ms
noise        steady noise of the band, flat in power per Hz
unsteadiness the clip's own sound of the band, swelling and falling back 1 to 4 times a second
============ =======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge_asd.train.synthesis.signals import (
    SAMPLE_RATE,
    Float64,
    coloured,
    filtered,
    hits_at,
    normalised,
    ringing,
    struck,
    tone,
)

_SILENT = 0.5  # RMS in LSB: what rounding to 16 bits alone leaves of a band, and some


@dataclass(frozen=True, slots=True)
class Band:
    """An octave around a nominal centre; the highest ends at half the sample rate.

    Attributes
    ----------
    name : str
        Its centre, for people.
    low_hz, high_hz : float [Hz]
    """

    name: str
    low_hz: float
    high_hz: float

    def holds(self, f: Float64) -> Float64:
        """Amplitude response [shape of `f`]: 1 in the band, 0 outside."""
        return ((self.low_hz <= f) & (f <= self.high_hz)).astype(np.float64)

    def frequency(self, rng: np.random.Generator, share: float = 1.0) -> float:
        """Draw a frequency [Hz] evenly, by the logarithm, from the middle `share` of the band."""
        middle, width = (self.low_hz * self.high_hz) ** 0.5, self.high_hz / self.low_hz
        return float(middle * width ** (share * (rng.random() - 0.5)))


def _octaves() -> tuple[Band, ...]:
    names = ("63 Hz", "125 Hz", "250 Hz", "500 Hz", "1 kHz", "2 kHz", "4 kHz", "7 kHz")
    edges = [round(1000 * 2 ** (k - 4.5), 1) for k in range(len(names))] + [SAMPLE_RATE / 2]
    return tuple(Band(name, low, high) for name, (low, high) in zip(names, pairwise(edges), strict=True))


BANDS = _octaves()
"""The octave bands of IEC 61260-1 around 63 Hz to 4 kHz, and what lies above them."""


def _tone(_: Float64, n: int, band: Band, rng: np.random.Generator) -> Float64:
    return tone(band.frequency(rng), n, rng)


def _impacts(_: Float64, n: int, band: Band, rng: np.random.Generator) -> Float64:
    mode = band.frequency(rng, 0.5)
    answer = ringing([mode], max(5 / mode, 0.005))
    n += answer.size  # what began before the clip rings into it
    step = SAMPLE_RATE / (4 * 4 ** rng.random())
    count = int(n / step)
    starts = np.round((np.arange(count) + rng.random() + 0.03 * rng.standard_normal(count)) * step).astype(np.int64)
    hits = hits_at(starts.clip(0, n - 1), rng.uniform(0.7, 1.3, count), n)
    return filtered(struck(hits, answer)[answer.size :], band.holds)


def _noise(_: Float64, n: int, band: Band, rng: np.random.Generator) -> Float64:
    return coloured(n, rng, band.holds)


def _unsteadiness(clip: Float64, n: int, band: Band, rng: np.random.Generator) -> Float64:
    own = filtered(clip, band.holds)
    if np.sqrt(np.mean(own**2)) < _SILENT:
        return np.zeros(n)
    return own * (1 - tone(4 ** rng.random(), n, rng))


_MAKERS: Mapping[str, Callable[[Float64, int, Band, np.random.Generator], Float64]] = {
    "tone": _tone,
    "impacts": _impacts,
    "noise": _noise,
    "unsteadiness": _unsteadiness,
}

FAULTS = tuple(_MAKERS)
"""Names of the faults, as programs read them."""


def fault_wave(fault: str, clip: Float64, band: Band, rng: np.random.Generator) -> Float64 | None:
    """Make a fault for a clip, of unit power.

    Parameters
    ----------
    fault : str
        One of `FAULTS`.
    clip : ndarray, float64 [shape=(n,), LSB at `SAMPLE_RATE`]
    band : Band
    rng : Generator
        The same state gives the same fault.

    Returns
    -------
    wave : ndarray, float64 [shape=(n,)], or None
        None where the clip has no sound in the band that could be unsteady, or is too short for an impact.
    """
    wave = _MAKERS[fault](clip, clip.size, band, rng)
    return normalised(wave) if wave.any() else None
