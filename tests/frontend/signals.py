"""Signals that try the front end: every kind and level of sound that could upset fixed point."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from edge_asd.frontend.spec import FeatureSpec

Pcm = npt.NDArray[np.int16]

CLIPS = Path(__file__).resolve().parents[3] / "shared" / "data" / "mimii_mini"


def pcm(x: npt.NDArray[np.float64]) -> Pcm:
    """Round and clip to int16."""
    return np.clip(np.round(x), -32768, 32767).astype(np.int16)


def coloured(rng: np.random.Generator, n: int, exponent: float) -> npt.NDArray[np.float64]:
    """Noise with power 1/f^exponent and a largest magnitude of 1."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    spectrum[0] = 0
    spectrum[1:] /= np.arange(1, spectrum.size) ** (exponent / 2)
    x = np.fft.irfft(spectrum, n)
    return x / np.abs(x).max()


def undone_window(n_fft: int, amplitude: float, bin_index: int, count: int) -> Pcm:
    """Frames that the window turns into a sine's signs of equal height: the most energy there is.

    Each frame is one of its own at a hop of `n_fft`.
    """
    i = np.arange(n_fft)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * i / n_fft)
    height = np.minimum(32767, np.floor(amplitude / np.maximum(window, 1e-9)))
    return np.tile(pcm(height * np.sign(np.sin(2 * np.pi * bin_index * i / n_fft + 0.3))), count)


def cases(spec: FeatureSpec, *, frames: int = 4, seed: int = 0) -> dict[str, Pcm]:
    """Return named signals of `frames` frames each."""
    rng = np.random.default_rng(seed)
    n = spec.sample_count(frames)
    i = np.arange(n)
    bins = 2 * np.pi * i / spec.n_fft
    half = spec.n_fft // 2
    result = {
        f"noise {level} LSB": pcm(rng.normal(scale=level, size=n)) for level in [0.5, *(2.0**e for e in range(16))]
    }
    for k in (0.5, 1, 2, 10.5, half / 4, half / 2 - 0.5, half / 2, half - 1, half - 0.5):
        for amplitude in (1, 40, 2000, 32767):
            result[f"tone bin {k:g}, {amplitude} LSB"] = pcm(amplitude * np.sin(bins * k + 1))
    for k in (3, half / 3, half - 2.5):
        result[f"full-scale tone bin {k:g} over 3-LSB noise"] = pcm(
            32000 * np.sin(bins * k) + rng.normal(scale=3, size=n)
        )
    for amplitude in (3, 32767):
        result[f"chirp, {amplitude} LSB"] = pcm(amplitude * np.sin(np.pi * half * i**2 / (spec.n_fft * n)))
        result[f"falling chirp, {amplitude} LSB"] = result[f"chirp, {amplitude} LSB"][::-1].copy()
    for value in (1, -1, 32767, -32768):
        result[f"constant {value}"] = np.full(n, value, dtype=np.int16)
        for place in (0, 1, half, spec.n_fft - 1):
            x = np.zeros(n, dtype=np.int16)
            x[place :: spec.n_fft] = value
            result[f"impulses of {value} at {place}"] = x
        x = np.zeros(n, dtype=np.int16)
        x[n // 2] = value
        result[f"one sample of {value}"] = x
    for period in (2, 3, 7, 64, 1000):
        result[f"full-scale square wave, period {period}"] = np.where(i % period < period // 2, 32767, -32768).astype(
            np.int16
        )
    for exponent, name in ((1, "pink"), (2, "1/f^2"), (3, "1/f^3")):
        for amplitude in (30, 1000, 32767):
            result[f"{name} noise, {amplitude} LSB"] = pcm(amplitude * coloured(rng, n, exponent))
    result["silence"] = np.zeros(n, dtype=np.int16)
    result["loud, then silent"] = np.where(i < n // 2, pcm(rng.normal(scale=20000, size=n)), 0).astype(np.int16)
    result["random bits"] = rng.integers(-32768, 32768, n).astype(np.int16)
    result["window undone"] = undone_window(spec.n_fft, 32.0, half // 3, frames)[:n]
    return result


@lru_cache(maxsize=1)
def real_clips() -> dict[str, Pcm]:
    """Return all real clips by name; skip the test where they are absent."""
    paths = sorted(CLIPS.rglob("*.wav"))
    if not paths:
        pytest.skip("needs the real clips of ../shared/data/mimii_mini, which are not beside this repository")
    return {f"{path.parents[1].name}/{path.name}": soundfile.read(path, dtype="int16")[0] for path in paths}
