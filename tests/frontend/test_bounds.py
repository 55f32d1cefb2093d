"""No value of the fixed-point front end leaves its type, whatever the samples are.

The comments of `fixed_point` say why; here each bound is computed for every transform length.
"""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.frontend.fixed_point import _magnitude_bits, _mul, _power, _radix2, _transform
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.frontend.tables import DB_PER_LOG2, FLOOR_LOG2, WEIGHT_BITS, fixed_tables
from tests.frontend.signals import cases, undone_window

LENGTHS = (512, 1024, 2048)


@pytest.mark.parametrize("n_fft", LENGTHS)
def test_windowed_values_fit_30_bits(n_fft: int) -> None:
    # Each value depends on one sample, or through the radix-2 stage on two, and is monotonic in
    # them: the four corners are the extremes.
    window = fixed_tables(FeatureSpec(n_fft=n_fft)).window
    corners = np.array([[-32768, -32768], [-32768, 32767], [32767, -32768], [32767, 32767]])
    x = np.repeat(corners, n_fft // 2, axis=1)  # first and second half of the frame
    products = _mul(x << 16, window)
    real, imag = _radix2(products[:, 0::2], products[:, 1::2])
    assert max(_magnitude_bits(real).max(), _magnitude_bits(imag).max()) == 30


@pytest.mark.parametrize("n_fft", LENGTHS)
def test_spectra_fit_before_the_split(n_fft: int) -> None:
    # 2E is 2/M times a sum of M real values below 2^30, each times cos(2 pi j k / M + phase), and
    # where a radix-2 stage went before, of M/2 of them.
    points = n_fft // 2
    j = np.arange(points // 2 if n_fft == 1024 else points)
    phase = np.linspace(0, np.pi, 64, endpoint=False)[:, None]
    worst = max(np.abs(np.cos(2 * np.pi * j * k / points + phase)).mean(axis=1).max() for k in range(1, points // 2))
    rounding = 16 / 2**30
    assert 2 * (worst + rounding) < 2  # |2E|, |2O| < 2^31
    assert 2 * (worst + rounding) ** 2 * 2 < 4  # |X| <= |E| + |O|: |X|^2 < 2^62


@pytest.mark.parametrize("n_fft", LENGTHS)
def test_extreme_frames_stay_inside(n_fft: int) -> None:
    spec = FeatureSpec(n_fft=n_fft, hop_length=n_fft)
    t = fixed_tables(spec)
    frames = [x[: x.size // n_fft * n_fft].reshape(-1, n_fft) for x in cases(spec).values()]
    frames += [undone_window(n_fft, a, k, 1)[None] for a in (4.0, 32.0, 256.0) for k in (1, n_fft // 8, n_fft // 4)]
    x = np.concatenate(frames).astype(np.int64)
    products = _mul((x << (15 - _magnitude_bits(x))[:, None]) << 16, t.window)
    real, imag = _radix2(products[:, 0::2], products[:, 1::2])
    up = (30 - np.maximum(_magnitude_bits(real), _magnitude_bits(imag)))[:, None]
    assert up.min() >= 0
    real, imag = _transform(real << up, imag << up, t)
    assert np.hypot(real, imag).max() < np.sqrt(2) * 2**30 + 16
    power = _power(real, imag, t)
    assert power.min() >= 0
    assert power.max() < 2**62
    assert power.astype(np.float64).sum(axis=1).max() < 2.0**62 * 1.000001


def test_logarithms_fit() -> None:
    for spec in (FeatureSpec(), FeatureSpec(8000, 512, 512, 128), FeatureSpec(48000, 2048, 2048, 16)):
        t = fixed_tables(spec)
        largest = (63 << 16) + (1 << 16) + int(t.offset.max())
        smallest = int(t.offset.min()) - (45 << 17)
        assert largest < 2**28  # eight times this fits int32 in the last multiplication
        assert smallest - (1 << 30) > -(2**31)  # log2 of zero
        assert (largest * DB_PER_LOG2 >> 29) / 65536 < 50
        assert FLOOR_LOG2 * 8 > -(2**31)
        assert np.diff(t.log2).max() * 65535 + 32768 < 2**31


@pytest.mark.parametrize("n_fft", LENGTHS)
def test_doubled_twiddles_fit(n_fft: int) -> None:
    t = fixed_tables(FeatureSpec(n_fft=n_fft))
    k = np.arange(1, n_fft // 4)
    assert 2 * max(t.cosine[k].max(), t.sine[k].max()) < 2**31


@pytest.mark.parametrize("spec", [FeatureSpec(), FeatureSpec(48000, 2048, 1024, 16)], ids=str)
def test_mel_weights_are_exact_in_two_words(spec: FeatureSpec) -> None:
    # The largest sums of low and of high words times weights.
    bins = int(np.diff(fixed_tables(spec).segment_start).max())
    assert bins * (2**32 - 1) * (2**WEIGHT_BITS - 1) < 2**64
    assert 2**62 / 2**32 * 2**WEIGHT_BITS < 2**64 / 2 ** (
        32 - WEIGHT_BITS
    )  # high words: bounded by the sum of all powers
