"""Log-mel spectrogram in integers: the specification, in NumPy.

Every value below is an exact integer held in int64; the comments give the Q format and the
bound that keeps it inside int32 (or uint64) on a microcontroller. ``mul(a, b)`` is the rounded
high word of a 64-bit product, floor((a*b + 2^31) / 2^32): one SMMULR on a Cortex-M4.

Steps, for n_fft samples a frame and M = n_fft/2 (M = 512 by default):

1. **Block scaling.** The frame is shifted left until its largest sample uses 15 bits and sign.
2. **Window.** Periodic Hann in Q0.31; the products stay within 2^30. Even samples are the real, odd
   samples the imaginary part of an M-point complex transform, decimated in time. If log2(M) is
   odd, its radix-2 stage comes now: it pairs samples half a frame apart, where the window adds to
   1, so that sums and differences stay within 2^30 too. Then the frame is shifted left until its
   largest value uses 30 bits and sign: a frame whose only sound lies where the window is nearly
   zero keeps its precision.
3. **Transform.** Radix-4 stages, each dividing its inputs by four with rounding. Four terms come
   together, so |z| grows by nothing but the rounding (less than 3 a stage) and stays below
   sqrt(2) * 2^30 + 15 < 2^31.
4. **Split** into the real frame's spectrum X by way of E and O, those of its even and odd samples.
   |E| and |O| are at most 2^30 times the mean of |cos(2 pi j k / M + phase)| over j, which is
   below 0.71 for every k but M/2; so 2E, 2O and X stay below 2^31. For k = M/2, X = conj Z.
5. **Power** |X|^2 < 2^62. By Parseval all bins together add up to at most 2^62 (2^61 without a
   radix-2 stage), and rounding adds less than a millionth of that.
6. **Mel bands.** Between two neighbouring band edges one band rises and one falls, and their
   weights add to 1: each bin needs a single weight. No band exceeds the sum of all powers.
7. **Logarithm.** Leading-zero count and 64 straight lines, Q15.16; a per-band offset holds the
   area normalisation; never below log2(2.22e-16).
8. **Decibels** in Q15.16.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_asd.frontend.logarithm import bit_length, log2
from edge_asd.frontend.samples import check_samples
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.frontend.tables import (
    DB_PER_LOG2,
    FLOOR_LOG2,
    LOG_FRACTION_BITS,
    WEIGHT_BITS,
    FixedTables,
    fixed_tables,
)

Int64 = npt.NDArray[np.int64]
Uint64 = npt.NDArray[np.uint64]

_BLOCK_FRAMES = 64  # frames transformed together: large enough for NumPy, small enough for the cache


def log_mel(pcm: npt.NDArray[np.int16], spec: FeatureSpec | None = None) -> npt.NDArray[np.int32]:
    """Compute the fixed-point log-mel spectrogram of a mono signal, without padding.

    Parameters
    ----------
    pcm : ndarray, int16 [shape=(n,)]
        Samples at `spec.sample_rate`; 32768 is full scale.
    spec : FeatureSpec, optional
        Frame, hop and band counts; the paper's by default.

    Returns
    -------
    frames : ndarray, int32 [shape=(spec.frame_count(n), n_mels), dB in Q15.16]
        10 log10 of the mel power of PCM scaled to [-1, 1), at least -156.54 dB.

    Raises
    ------
    EdgeAsdError
        If `pcm` is not a one-dimensional int16 array.
    """
    spec = spec or FeatureSpec()
    check_samples(pcm)
    count = spec.frame_count(pcm.size)
    out = np.empty((count, spec.n_mels), dtype=np.int32)
    if count == 0:
        return out
    frames = np.lib.stride_tricks.sliding_window_view(pcm, spec.n_fft)[:: spec.hop_length]
    tables = fixed_tables(spec)
    for first in range(0, count, _BLOCK_FRAMES):
        block = frames[first : first + _BLOCK_FRAMES].astype(np.int64)
        out[first : first + _BLOCK_FRAMES] = _log_mel_of_frames(block, tables)
    return out


def _log_mel_of_frames(x: Int64, t: FixedTables) -> Int64:
    # 1. Q15 << 15 bits and sign.
    shift: Int64 = 15 - _magnitude_bits(x)
    x = x << shift[:, None]
    # 2. Q15 << 16, times Q0.31, high word: amplitude 2^30.
    x = _mul(x << 16, t.window)
    real, imag = _radix2(x[:, 0::2], x[:, 1::2])
    up = 30 - np.maximum(_magnitude_bits(real), _magnitude_bits(imag))
    shift += up
    # 3. to 5.
    real, imag = _transform(real << up[:, None], imag << up[:, None], t)
    power = _power(real, imag, t)
    # 6. and 7. The two shifts scaled the power by 4^shift.
    logarithm = log2(_mel(power, t)) + t.offset - (shift << (LOG_FRACTION_BITS + 1))[:, None]
    logarithm = np.maximum(logarithm, FLOOR_LOG2)
    # 8. Q15.16 times Q2.29.
    decibels: Int64 = (logarithm * DB_PER_LOG2 + (1 << 28)) >> 29
    return decibels


def _mul(a: Int64, b: Int64) -> Int64:
    """Rounded high word of the product: floor((a*b + 2^31) / 2^32)."""
    return (a * b + (1 << 31)) >> 32


def _mul_negated(a: Int64, b: Int64) -> Int64:
    """Rounded high word of the negated product (SMMLSR); differs from -_mul only in ties."""
    return ((1 << 31) - a * b) >> 32


def _halve(a: Int64) -> Int64:
    return (a + 1) >> 1


def _quarter(a: Int64) -> Int64:
    return (a + 2) >> 2


def _magnitude_bits(x: Int64) -> Int64:
    """Bits of the largest magnitude in each frame [shape=(frames,)].

    ORing one's-complement magnitudes is enough, and -2^n counts as 2^n - 1: the frame still fits
    after the shift, and a silent one needs no special case.
    """
    return bit_length(np.bitwise_or.reduce(x ^ (x >> 63), axis=1))


def _input_order(m: int) -> Int64:
    """Order in which decimation in time reads its input: four interleaved transforms a level."""
    if m <= 2:
        return np.arange(m, dtype=np.int64)
    return np.concatenate([r + 4 * _input_order(m // 4) for r in range(4)])


def _radix2(real: Int64, imag: Int64) -> tuple[Int64, Int64]:
    """z = real + j imag [shape=(frames, M)] in input order, after a radix-2 stage if log2(M) is odd."""
    count, m = real.shape
    order = _input_order(m)
    real, imag = real[:, order], imag[:, order]
    if m.bit_length() % 2:
        return real, imag
    pairs_r, pairs_i = real.reshape((count, -1, 2)), imag.reshape((count, -1, 2))
    real = np.stack([pairs_r[..., 0] + pairs_r[..., 1], pairs_r[..., 0] - pairs_r[..., 1]], axis=-1)
    imag = np.stack([pairs_i[..., 0] + pairs_i[..., 1], pairs_i[..., 0] - pairs_i[..., 1]], axis=-1)
    return real.reshape((count, m)), imag.reshape((count, m))


def _transform(real: Int64, imag: Int64, t: FixedTables) -> tuple[Int64, Int64]:
    """Radix-4 stages of the M-point transform of z = real + j imag [shape=(frames, M)], over 4^stages."""
    count, m = real.shape
    length = 1 if m.bit_length() % 2 else 2
    while length < m:
        re = real.reshape((count, -1, 4, length))
        im = imag.reshape((count, -1, 4, length))
        # z_r = input r times exp(-2 pi j r k / (4 length)) / 4, k = 0 .. length - 1
        zr = [_quarter(re[:, :, 0])]
        zi = [_quarter(im[:, :, 0])]
        for r in (1, 2, 3):
            index = r * np.arange(length) * (2 * m // (4 * length))
            c, s = t.cosine[index], t.sine[index]
            a, b = re[:, :, r], im[:, :, r]
            tr = _mul(a, c) + _mul(b, s)
            ti = _mul(b, c) + _mul_negated(a, s)
            tr[..., 0], ti[..., 0] = _quarter(a[..., 0]), _quarter(b[..., 0])  # k = 0: the factor is 1
            zr.append(tr)
            zi.append(ti)
        sum02r, sum02i = zr[0] + zr[2], zi[0] + zi[2]
        dif02r, dif02i = zr[0] - zr[2], zi[0] - zi[2]
        sum13r, sum13i = zr[1] + zr[3], zi[1] + zi[3]
        dif13r, dif13i = zr[1] - zr[3], zi[1] - zi[3]
        stacked: Int64 = np.stack([sum02r + sum13r, dif02r + dif13i, sum02r - sum13r, dif02r - dif13i], axis=2)
        real = stacked.reshape((count, m))
        stacked = np.stack([sum02i + sum13i, dif02i - dif13r, sum02i - sum13i, dif02i + dif13r], axis=2)
        imag = stacked.reshape((count, m))
        length *= 4
    return real, imag


def _power(real: Int64, imag: Int64, t: FixedTables) -> Int64:
    """Power of bins 1 .. M - 1 of the real frame."""
    m = real.shape[1]
    k = np.arange(1, m // 2)
    ar, ai, br, bi = real[:, k], imag[:, k], real[:, m - k], imag[:, m - k]
    # 2E = Z[k] + conj Z[M-k], 2O = -j (Z[k] - conj Z[M-k]); X[k] = E + W O, X[M-k] = conj(E - W O)
    er, ei = _halve(ar + br), _halve(ai - bi)
    odd_r, odd_i = ai + bi, br - ar
    c, s = 2 * t.cosine[k], 2 * t.sine[k]  # Q0.31; 1.0 does not occur
    wr = _mul(odd_r, c) + _mul(odd_i, s)
    wi = _mul(odd_i, c) + _mul_negated(odd_r, s)
    low = (er + wr) ** 2 + (ei + wi) ** 2
    high = (er - wr) ** 2 + (ei - wi) ** 2
    middle = real[:, m // 2, None] ** 2 + imag[:, m // 2, None] ** 2
    return np.concatenate([low, middle, high[:, ::-1]], axis=1)


def _mel(power: Int64, t: FixedTables) -> Uint64:
    """Mel band energies [shape=(frames, n_mels)]."""
    p = power.astype(np.uint64)
    weight = t.rising[1:].astype(np.uint64)
    # 86-bit sums of 62-bit powers times Q0.22 weights, in two words; each word's sum fits 64 bits.
    low = _segment_sums((p & np.uint64(0xFFFFFFFF)) * weight, t)
    high = _segment_sums((p >> np.uint64(32)) * weight, t)
    rising = (high << np.uint64(32 - WEIGHT_BITS)) + (low >> np.uint64(WEIGHT_BITS))
    falling = _segment_sums(p, t) - rising
    return rising[:, :-1] + falling[:, 1:]


def _segment_sums(values: Uint64, t: FixedTables) -> Uint64:
    # A running sum of powers may wrap: the differences taken from it are exact modulo 2^64, and fit.
    running = np.zeros((values.shape[0], values.shape[1] + 1), dtype=np.uint64)
    np.cumsum(values, axis=1, out=running[:, 1:])
    edges = running[:, t.segment_start - 1]
    return edges[:, 1:] - edges[:, :-1]
