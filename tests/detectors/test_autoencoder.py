from __future__ import annotations

import math
import struct
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.bundle.manifest import Quantisation
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.scores import SCORE_MAX
from edge_asd.detectors.windowed import gather_windows, output_multiplier
from edge_asd.errors import BundleError, ModelError
from edge_asd.frontend import log_mel
from edge_asd.interpreter import Model
from tests.data import machine_sound

DB = 1 << 16


@pytest.fixture(scope="module")
def detector(bundle):
    return AutoencoderDetector(bundle)


@pytest.fixture(scope="module")
def frames(bundle):
    return log_mel(machine_sound(np.random.default_rng(0), seconds=1.0), bundle.features)


def naive_windows(frames, size, hop) -> list[np.ndarray]:
    return [np.concatenate(frames[first : first + size]) for first in range(0, len(frames) - size + 1, hop)]


def exact_score(window, output, quantisation) -> int:
    """The definition in exact fractions, value by value."""
    total = Fraction(0)
    for x, q in zip(window.tolist(), output.tolist(), strict=True):
        y = math.floor((q - quantisation.zero_point) * Fraction(quantisation.multiplier, 1 << 8) + Fraction(1, 2))
        total += Fraction(x - y, DB) ** 2
    return min(math.floor(total / len(window) * DB + Fraction(1, 2)), SCORE_MAX)


def test_window_scores_are_the_definition_in_exact_fractions(bundle, detector, frames):
    model = Model(bundle.model, arithmetic="litert-ref")
    q = [[(x * bundle.input.multiplier + 2**31) // 2**32 for x in frame] for frame in frames.tolist()]
    inputs = np.clip(np.array(q) + bundle.input.zero_point, -128, 127).astype(np.int8)
    assert np.array_equal(detector.quantise(frames), inputs)
    expected = [
        exact_score(window, model.run(np.concatenate(inputs[i : i + 5])[None])[0], bundle.output)
        for i, window in enumerate(naive_windows(frames, 5, 1))
    ]
    found = detector.window_scores(frames, "00")
    assert (found.dtype, found.shape) == (np.int32, (len(frames) - 4,))
    assert found.tolist() == expected
    assert len(set(expected)) > 10


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from((1, 2, 3, 127, 640)),
    spread=st.sampled_from((1, 1000, 157 * DB)),
)
def test_any_windows_and_outputs_score_as_defined(bundle, detector, seed, size, spread):
    rng = np.random.default_rng(seed)
    windows = rng.integers(-spread, spread, (3, size), dtype=np.int32, endpoint=True)
    outputs = rng.integers(-128, 128, (3, size), dtype=np.int8)
    found = detector.scores_of_outputs(windows, outputs, "00")
    assert found.tolist() == [exact_score(w, q, bundle.output) for w, q in zip(windows, outputs, strict=True)]


def test_a_score_is_the_squared_error_in_db2_within_rounding(bundle, detector, frames):
    windows = gather_windows(frames, 5, 1)
    outputs = detector.run(gather_windows(detector.quantise(frames), 5, 1))
    error = windows / DB - (outputs.astype(float) - bundle.output.zero_point) * bundle.output.scale
    # Each decibel of the output is off by one step of 2^-16 dB at most.
    bound = 2 * np.abs(error).mean(axis=1) / DB + 2 / DB
    assert (np.abs(detector.scores_of_outputs(windows, outputs, "00") / DB - (error**2).mean(axis=1)) <= bound).all()


def test_a_score_saturates(bundle, detector):
    """Output near 0 dB: 181 dB away is still a number, 182 dB is more than int32 holds."""
    outputs = np.full((1, 640), bundle.output.zero_point, dtype=np.int8)
    scores = {
        db: int(detector.scores_of_outputs(np.full((1, 640), db * DB, dtype=np.int32), outputs, "00")[0])
        for db in (0, 1, 181, 182, -182, 255)
    }
    assert scores == {0: 0, 1: DB, 181: 181**2 * DB, 182: SCORE_MAX, -182: SCORE_MAX, 255: SCORE_MAX}


def test_scores_do_not_depend_on_what_else_is_scored(detector, frames):
    scores = detector.window_scores(frames, "00")
    for first, last in ((0, 5), (3, 8), (7, 20)):
        assert np.array_equal(detector.window_scores(frames[first:last], "00"), scores[first : last - 4])
    for few in range(5):
        assert detector.window_scores(frames[:few], "00").shape == (0,)


def test_saturated_inputs_are_counted(bundle):
    detector = AutoencoderDetector(bundle)
    low, high = (Fraction(bundle.input.scale) * (end - bundle.input.zero_point) for end in (-128, 127))
    frames = np.full((2, 128), int((low + high) / 2 * DB), dtype=np.int32)
    frames[0, :3] = int((high + 1) * DB)
    frames[1, :4] = int((low - 1) * DB)
    frames[1, 4], frames[1, 5] = int(high * DB), int(low * DB)  # just within
    values = detector.quantise(frames)
    assert (detector.saturated, detector.quantised) == (7, 256)
    assert (values[0, :3].tolist(), values[1, :6].tolist()) == ([127] * 3, [-128] * 4 + [127, -128])
    detector.quantise(frames)
    assert (detector.saturated, detector.quantised) == (14, 512)


@given(count=st.integers(0, 30), mels=st.integers(1, 4), size=st.integers(1, 8), hop=st.integers(1, 8))
def test_windows_are_gathered_frame_by_frame(count, mels, size, hop):
    frames = np.arange(count * mels, dtype=np.int32).reshape(count, mels)
    windows = gather_windows(frames, size, hop)
    expected = naive_windows(frames, size, hop)
    assert windows.shape == (len(expected), size * mels)
    assert windows.dtype == np.int32
    assert all(np.array_equal(*pair) for pair in zip(windows, expected, strict=True))


# --- Bundles whose manifest and model disagree


def with_output_scale(bundle, scale: float):
    """Another output scale, in the model itself and in the manifest."""
    old = struct.pack("<f", bundle.output.scale)
    assert bundle.model.count(old) == 1
    model = bundle.model.replace(old, struct.pack("<f", scale))
    return replace(bundle, model=model, output=Quantisation(scale, bundle.output.zero_point, output_multiplier(scale)))


@pytest.mark.parametrize("name", ["input", "output"])
@pytest.mark.parametrize("change", [{"scale": 0.75}, {"zero_point": 3}, {"multiplier": 12345}])
def test_scales_that_are_not_the_models_are_refused(bundle, name, change):
    other = replace(bundle, **{name: replace(getattr(bundle, name), **change)})
    with pytest.raises(BundleError, match="scales are not those of the model"):
        AutoencoderDetector(other)


def test_shapes_that_are_not_the_models_are_refused(bundle):
    with pytest.raises(BundleError, match=r"maps int8 \(640,\) to int8 \(640,\).* describes int8 \(768,\)"):
        AutoencoderDetector(replace(bundle, window_frames=6))
    with pytest.raises(BundleError, match=r"maps float32 \(640,\) to float32 \(640,\)"):
        AutoencoderDetector(replace(bundle, model=bundle.float_model))


def test_an_output_so_wide_that_the_score_could_overflow_is_refused(bundle):
    """The widest scale that is accepted scores exactly even at the worst; a wider one is refused."""
    wide = with_output_scale(bundle, 6.5)
    window = np.full((1, 640), 156 * DB, dtype=np.int32)
    outputs = np.full((1, 640), -128, dtype=np.int8)
    assert exact_score(window[0], outputs[0], wide.output) == SCORE_MAX
    assert AutoencoderDetector(wide).scores_of_outputs(window, outputs, "00").tolist() == [SCORE_MAX]
    with pytest.raises(BundleError, match="may reach 2048 dB, where the integer score would overflow"):
        AutoencoderDetector(with_output_scale(bundle, 8.0))


def test_the_output_scale_as_an_integer():
    assert [output_multiplier(scale) for scale in (2**-24, 1.0, 0.5, 1.5 * 2**-24, 127.5)] == [
        1, 2**24, 2**23, 2, 255 * 2**23,
    ]  # fmt: skip
    for scale in (0.0, -1.0, 2**-26, 128.0, math.inf, math.nan):
        with pytest.raises(ModelError, match="output scale"):
            output_multiplier(scale)
