"""The fixed-point log-mel against librosa's, on the same frames."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from edge_asd.frontend import float_reference, log_mel
from edge_asd.frontend.spec import FLOOR_POWER, FeatureSpec
from edge_asd.frontend.tables import FLOOR_DB
from tests.frontend.signals import Pcm, cases, real_clips

OTHER_SPECS = (
    FeatureSpec(8000, 512, 256, 40),
    FeatureSpec(16000, 512, 160, 64),
    FeatureSpec(22050, 2048, 512, 128),
    FeatureSpec(44100, 1024, 441, 16),
    FeatureSpec(48000, 2048, 1024, 96),
)


def librosa_log_mel(pcm: Pcm, spec: FeatureSpec) -> np.ndarray:
    """Log-mel in float64, frames first."""
    import librosa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bands narrower than a bin are empty there, and here
        mel = librosa.feature.melspectrogram(
            y=pcm / 32768.0,
            sr=spec.sample_rate,
            n_fft=spec.n_fft,
            hop_length=spec.hop_length,
            n_mels=spec.n_mels,
            power=2.0,
            center=False,
            dtype=np.float64,
        )
    return 10 * np.log10(np.maximum(mel.T, FLOOR_POWER))


def errors(pcm: Pcm, spec: FeatureSpec, reference: np.ndarray) -> tuple[float, float]:
    """Largest error [dB] within 90 and within 100 dB of each frame's loudest band."""
    difference = np.abs(log_mel(pcm, spec) / 65536 - reference)
    below = reference.max(axis=1, keepdims=True) - reference
    return float(difference[below <= 90].max()), float(difference[below <= 100].max())


@pytest.mark.prove
def test_synthetic_signals() -> None:
    spec = FeatureSpec()
    table = {name: errors(x, spec, librosa_log_mel(x, spec)) for name, x in cases(spec).items()}
    print("\nlargest error against librosa   within 90 dB   within 100 dB")
    for name, (at_90, at_100) in table.items():
        print(f"{name:42} {at_90:.4f} dB   {at_100:.4f} dB")
    assert max(at_90 for at_90, _ in table.values()) <= 0.01
    assert max(at_100 for _, at_100 in table.values()) <= 0.1


def test_a_tone_at_every_bin_and_between() -> None:
    # A steady tone reaches its outermost bands through one bin: every single mel weight is heard.
    spec = FeatureSpec()
    n = np.arange(spec.n_fft)
    worst = (0.0, 0.0)
    for places in (np.arange(1, 512), np.arange(1.25, 511, 0.5)):
        pcm = np.concatenate([np.round(30000 * np.cos(2 * np.pi * k * n / spec.n_fft)) for k in places]).astype(
            np.int16
        )
        frames = FeatureSpec(hop_length=spec.n_fft)
        worst = tuple(map(max, worst, errors(pcm, frames, librosa_log_mel(pcm, frames))))
    assert worst[0] <= 0.01
    assert worst[1] <= 0.1


def test_real_clips() -> None:
    spec = FeatureSpec()
    found = [errors(x, spec, librosa_log_mel(x, spec)) for x in list(real_clips().values())[::10]]
    assert max(at_90 for at_90, _ in found) <= 0.01
    assert max(at_100 for _, at_100 in found) <= 0.1


@pytest.mark.parametrize("spec", OTHER_SPECS, ids=str)
def test_other_specifications(spec: FeatureSpec) -> None:
    half = spec.n_fft // 2
    at_the_edge = (f"tone bin {half - 1:g},", f"tone bin {half - 0.5:g},", f"full-scale tone bin {half - 2.5:g} ")
    for name, x in cases(spec).items():
        at_90, at_100 = errors(x, spec, librosa_log_mel(x, spec))
        if name.startswith(at_the_edge):
            # The only loud band hears such a tone at 20 dB less: its other bands are further down.
            assert (at_90 <= 0.05, at_100 <= 0.2) == (True, True), name
        else:
            assert (at_90 <= 0.01, at_100 <= 0.1) == (True, True), name


@pytest.mark.parametrize("spec", [FeatureSpec(), *OTHER_SPECS], ids=str)
def test_float_reference_is_librosa(spec: FeatureSpec) -> None:
    x = cases(spec)["pink noise, 1000 LSB"]
    assert np.abs(float_reference.log_mel(x, spec) - librosa_log_mel(x, spec)).max() < 1e-4


def test_padded_float_reference_is_the_baselines() -> None:
    import librosa

    x = cases(FeatureSpec(), frames=8)["pink noise, 1000 LSB"]
    mel = librosa.feature.melspectrogram(
        y=x / 32768.0, sr=16000, n_fft=1024, hop_length=512, n_mels=128, power=2.0, pad_mode="reflect"
    )
    expected = 10 * np.log10(np.maximum(mel.T, FLOOR_POWER))
    padded = float_reference.log_mel(x, pad=True)
    assert padded.shape == expected.shape
    assert np.abs(padded - expected).max() < 1e-4


def test_silence_is_the_floor() -> None:
    frames = log_mel(np.zeros(4096, dtype=np.int16), FeatureSpec())
    assert frames.shape == (7, 128)
    assert np.all(frames == FLOOR_DB)
    assert abs(FLOOR_DB / 65536 - 10 * np.log10(FLOOR_POWER)) < 1e-4
