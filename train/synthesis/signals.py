"""Building blocks of sounds: coloured noise, slow change, waveforms over a shaft's angle, what rings when struck."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

Float64 = npt.NDArray[np.float64]
Response = Callable[[Float64], Float64]
"""Amplitude over frequency in Hz."""

SAMPLE_RATE = 16_000

_TABLE = 8192
_FREQUENCIES = np.concatenate([[0.0], np.geomspace(4, SAMPLE_RATE / 2, 767)])


def normalised(x: Float64) -> Float64:
    """Return `x` scaled to unit power."""
    unit: Float64 = x / np.sqrt(np.mean(x**2))
    return unit


def filtered(x: Float64, response: Response) -> Float64:
    """Filter `x` without delay by an amplitude response; it is interpolated between 768 frequencies."""
    spectrum = fft.rfft(x)
    spectrum *= np.interp(fft.rfftfreq(x.size, 1 / SAMPLE_RATE), _FREQUENCIES, response(_FREQUENCIES))
    return np.asarray(fft.irfft(spectrum, x.size))


def coloured(n: int, rng: np.random.Generator, response: Response) -> Float64:
    """Return n samples of noise with an amplitude response (see `filtered`), of unit power.

    It is drawn in the frequency domain, and as single floats: that is twice as fast, and their 24 bits are more
    than the 16 of a clip.
    """
    bins = n // 2 + 1
    spectrum = rng.standard_normal(2 * bins, dtype=np.float32).view(np.complex64)
    spectrum *= np.interp(np.arange(bins) * (SAMPLE_RATE / n), _FREQUENCIES, response(_FREQUENCIES)).astype(np.float32)
    return normalised(fft.irfft(spectrum, n).astype(np.float64))


def hump(f: Float64, centre: float, rise: float = 1.0, fall: float = 1.0) -> Float64:
    """Amplitude that rises as f^rise to `centre` [Hz] and falls as f^-fall above."""
    x = f / centre
    return np.asarray(x**rise / (1 + x**2) ** ((rise + fall) / 2))


def resonances(f: Float64, centres: Sequence[float] | Float64, gain: float, width: float = 0.08) -> Float64:
    """Amplitude of 1 with a peak of 1 + `gain` at each of `centres` [Hz], `width` of a centre wide to either side."""
    return np.asarray(1 + sum(gain / (1 + ((f - c) / (width * c)) ** 2) for c in centres))


def wander(n: int, per_second: float, rng: np.random.Generator) -> Float64:
    """Slow random change of unit variance and about `per_second` turning points a second."""
    knots = int(n / SAMPLE_RATE * per_second) + 3
    position = np.arange(n) * (per_second / SAMPLE_RATE)
    # Straight lines between knots of unit variance have 2/3 of it.
    return np.asarray(np.interp(position, np.arange(knots), rng.standard_normal(knots)) * np.sqrt(1.5))


def tone(frequency: float, n: int, rng: np.random.Generator) -> Float64:
    """Return a steady cosine of random phase."""
    # By the addition theorem from two short tables: a tenth of the time of n cosines.
    step = 2 * np.pi * frequency / SAMPLE_RATE
    fine = step * np.arange(400) + rng.uniform(0, 2 * np.pi)
    coarse = step * 400 * np.arange(-(-n // 400))
    return np.asarray(
        (np.outer(np.cos(coarse), np.cos(fine)) - np.outer(np.sin(coarse), np.sin(fine))).ravel()[:n], dtype=np.float64
    )


def turns_of(rate: Float64 | float, n: int, rng: np.random.Generator, *, wobble: float = 0.003) -> Float64:
    """Return the angle of a shaft in turns, from a random start.

    Parameters
    ----------
    rate : float or ndarray [shape=(n,)] [turns/s]
    n : int
    rng : Generator
    wobble : float >= 0
        Standard deviation of the slow change of its speed, relative.
    """
    return np.asarray(np.cumsum(rate * (1 + wobble * wander(n, 1.0, rng))) / SAMPLE_RATE + rng.random())


def waveform(orders: dict[int, complex]) -> Float64:
    """Return one turn of a waveform, from the complex amplitudes of its orders (multiples of the turning rate)."""
    spectrum = np.zeros(_TABLE // 2 + 1, dtype=complex)
    for order, amplitude in orders.items():
        spectrum[order] += amplitude
    return np.asarray(fft.irfft(spectrum, _TABLE) * (_TABLE / 2))


def over_angle(turns: Float64, table: Float64) -> Float64:
    """Play one turn's waveform over the angle of a shaft."""
    position = turns * table.size
    index = position.astype(np.int64)  # angles are not negative
    position -= index
    index %= table.size
    return np.asarray(table[index] + position * (np.roll(table, -1) - table)[index])


def crossings(turns: Float64, per_turn: float = 1.0, slip: Float64 | None = None) -> npt.NDArray[np.int64]:
    """Return the samples at which a shaft has turned by another 1/`per_turn`.

    Parameters
    ----------
    turns : ndarray [shape=(n,)]
        Its angle, not falling.
    per_turn : float > 0
    slip : ndarray, optional
        Deviation of each event, in events: what rolls also slides. The last ones repeat where it is short.
    """
    first, last = turns[0] * per_turn, turns[-1] * per_turn
    events = np.arange(np.ceil(first), np.floor(last) + 1)
    if slip is not None:
        events = np.sort(np.clip(events + np.resize(slip, events.size), first, last))
    return np.asarray(np.searchsorted(turns, events / per_turn).clip(0, turns.size - 1), dtype=np.int64)


def hits_at(samples: npt.NDArray[np.int64], sizes: Float64 | float, n: int) -> Float64:
    """Return a train of single-sample hits."""
    return np.bincount(samples, np.broadcast_to(sizes, samples.shape), minlength=n)[:n].astype(np.float64)


def ringing(modes: Sequence[float] | Float64, decay: float, gains: Sequence[float] | None = None) -> Float64:
    """Return what a struck part answers: damped sines at `modes` [Hz], of unit energy.

    The first falls to 1/e in `decay` [s], higher ones faster.
    """
    t = np.arange(round(6 * decay * SAMPLE_RATE)) / SAMPLE_RATE
    gains = [1.0] * len(modes) if gains is None else gains
    sound = sum(
        gain * np.sin(2 * np.pi * mode * t) * np.exp(-t / decay * (mode / modes[0]) ** 0.5)
        for mode, gain in zip(modes, gains, strict=True)
    )
    return np.asarray(sound / np.sqrt(np.sum(np.square(sound))))


def struck(hits: Float64, answer: Float64) -> Float64:
    """Let every hit be answered by `answer`."""
    return np.asarray(signal.oaconvolve(hits, answer)[: hits.size])


def scattered(starts: npt.NDArray[np.int64], waves: Float64, n: int) -> Float64:
    """Add up short waves [shape=(count, length)], each from its start on."""
    index = starts[:, None] + np.arange(waves.shape[1])
    return np.asarray(np.bincount(index.ravel(), waves.ravel(), minlength=n)[:n], np.float64)
