"""The constants of the front end, all derived here and nowhere else.

The floating-point mel filters (`mel_filterbank`) and the integer tables (`fixed_tables`) come
from the same band edges, so the float and the fixed-point log-mel cannot drift apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.spec import DB_FRACTION_BITS, FLOOR_POWER, FeatureSpec

LOG_FRACTION_BITS = 16
"""Base-2 logarithms are int32 with this many fractional bits (Q15.16)."""

LOG_SEGMENTS = 64
"""Straight lines that stand for log2(1 + t), 0 <= t < 1; the largest error is 4.4e-5."""

WEIGHT_BITS = 22
"""Fractional bits of a mel weight: as many as let 1,024 products with 32-bit words add up in 64 bits.

Fewer are not enough: a tone can reach a band through one bin alone, by a weight below 2^-12.
"""

DB_PER_LOG2 = round(10 * math.log10(2) * 2**29)
"""10*log10(2) in Q2.29: turns a base-2 logarithm into decibels."""

FLOOR_LOG2 = round(math.log2(FLOOR_POWER) * 2**LOG_FRACTION_BITS)
"""`FLOOR_POWER` as a Q15.16 base-2 logarithm."""

FLOOR_DB = (FLOOR_LOG2 * DB_PER_LOG2 + (1 << 28)) >> 29
"""`FLOOR_POWER` in decibels, Q15.16: the value of a silent band."""

# Slaney's mel scale (Auditory Toolbox, 1998): linear to 1 kHz at 200/3 Hz a mel, then 27 mels
# for each factor 6.4 in frequency.
_LINEAR_HZ_PER_MEL = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _LINEAR_HZ_PER_MEL
    return _BREAK_MEL + math.log(hz / _BREAK_HZ) / _LOG_STEP


def _mel_to_hz(mel: float) -> float:
    if mel < _BREAK_MEL:
        return mel * _LINEAR_HZ_PER_MEL
    return _BREAK_HZ * math.exp(_LOG_STEP * (mel - _BREAK_MEL))


def mel_edges(spec: FeatureSpec) -> npt.NDArray[np.float64]:
    """Return the band edges on Slaney's mel scale, from 0 Hz to half the sample rate.

    Returns
    -------
    edges : ndarray, float64 [shape=(n_mels + 2,), Hz]
        Band m rises from edges[m], peaks at edges[m + 1] and ends at edges[m + 2].
    """
    top = _hz_to_mel(spec.sample_rate / 2)
    mels = np.linspace(0.0, top, spec.n_mels + 2)
    return np.array([_mel_to_hz(float(mel)) for mel in mels])


def hann(n: int) -> npt.NDArray[np.float64]:
    """Return the periodic Hann window of `n` samples [shape=(n,), 0 to 1]."""
    return np.array([0.5 - 0.5 * math.cos(2 * math.pi * i / n) for i in range(n)])


def mel_filterbank(spec: FeatureSpec) -> npt.NDArray[np.float64]:
    """Return the floating-point mel filters with Slaney's area normalisation.

    Returns
    -------
    weights : ndarray, float64 [shape=(n_mels, 1 + n_fft/2)]
        Multiply with a power spectrum to get mel power.
    """
    edges = mel_edges(spec)
    bins = np.arange(spec.n_fft // 2 + 1) * (spec.sample_rate / spec.n_fft)
    width = np.diff(edges)
    rising = (bins - edges[:-2, None]) / width[:-1, None]
    falling = (edges[2:, None] - bins) / width[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    weights: npt.NDArray[np.float64] = triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return weights


@dataclass(frozen=True)
class FixedTables:
    """Integer constants of one `FeatureSpec`; see `fixed_point` for how they are used.

    Attributes
    ----------
    window : ndarray, int64 [shape=(n_fft,), Q0.31]
        Periodic Hann window, 1.0 saturated to 2^31 - 1.
    cosine, sine : ndarray, int64 [shape=(3*n_fft/4,), Q0.30]
        cos and sin of 2 pi k / n_fft.
    segment_start : ndarray, int64 [shape=(n_mels + 2,)]
        First bin of each segment between neighbouring mel edges; the last entry is n_fft/2.
    rising : ndarray, int64 [shape=(n_fft/2,), Q0.22]
        Weight of bin k in the band that rises there; 1 less this in the band that falls.
        Entry 0 (DC) is unused: the first band starts there with weight zero.
    offset : ndarray, int64 [shape=(n_mels,), Q15.16]
        Added to each band's log2: area normalisation and all fixed scalings.
    log2 : ndarray, int64 [shape=(LOG_SEGMENTS + 1,), Q0.16]
        log2(1 + i/LOG_SEGMENTS).
    """

    window: npt.NDArray[np.int64]
    cosine: npt.NDArray[np.int64]
    sine: npt.NDArray[np.int64]
    segment_start: npt.NDArray[np.int64]
    rising: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    log2: npt.NDArray[np.int64]


@lru_cache(maxsize=8)
def fixed_tables(spec: FeatureSpec) -> FixedTables:
    """Derive the integer tables of `spec`."""
    n, half = spec.n_fft, spec.n_fft // 2
    radix4_stages = (half.bit_length() - 1) // 2

    edges = mel_edges(spec)
    bins = np.arange(half) * (spec.sample_rate / n)
    # Bin k lies in segment s when edges[s] <= its frequency < edges[s + 1].
    segment = np.clip(np.searchsorted(edges, bins, side="right") - 1, 0, spec.n_mels)
    segment[0] = 0
    fraction = (bins - edges[segment]) / (edges[segment + 1] - edges[segment])
    rising = np.minimum(np.floor(fraction * 2**WEIGHT_BITS + 0.5), 2**WEIGHT_BITS - 1).astype(np.int64)
    start = np.searchsorted(segment, np.arange(spec.n_mels + 2), side="left").astype(np.int64)
    start[0] = 1  # DC has no weight
    start[-1] = half

    # X_fixed = X_float * 2^(shift + 30) / 4^stages for PCM in [-1, 1); power doubles the exponent.
    scale = 2 * (30 - 2 * radix4_stages)
    offset = [
        round((math.log2(2.0 / (edges[m + 2] - edges[m])) - scale) * 2**LOG_FRACTION_BITS) for m in range(spec.n_mels)
    ]
    angles = [2 * math.pi * k / n for k in range(3 * n // 4)]
    return FixedTables(
        window=np.array([min(round(w * 2**31), 2**31 - 1) for w in hann(n).tolist()], dtype=np.int64),
        cosine=np.array([round(math.cos(angle) * 2**30) for angle in angles], dtype=np.int64),
        sine=np.array([round(math.sin(angle) * 2**30) for angle in angles], dtype=np.int64),
        segment_start=start,
        rising=rising,
        offset=np.array(offset, dtype=np.int64),
        log2=np.array(
            [round(math.log2(1 + i / LOG_SEGMENTS) * 2**LOG_FRACTION_BITS) for i in range(LOG_SEGMENTS + 1)],
            dtype=np.int64,
        ),
    )


assert DB_FRACTION_BITS == LOG_FRACTION_BITS  # one multiplication turns one into the other
