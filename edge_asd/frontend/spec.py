"""What a front end computes: the few numbers that define a log-mel spectrogram."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edge_asd.errors import EdgeAsdError

FRONTEND_NUMBER = 1
"""Number of the fixed-point arithmetic; tests/golden/frontend.npz holds vectors of it."""

DB_FRACTION_BITS = 16
"""Log-mel values are int32 in decibels with this many fractional bits (Q15.16)."""

FLOOR_POWER = 2.22e-16
"""Smallest mel power told apart, as in the published baselines (-156.54 dB)."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Shape of a log-mel spectrogram; the defaults are the paper's.

    Parameters
    ----------
    sample_rate : int, 8000 to 48000 [Hz]
        Rate of the PCM that goes in.
    n_fft : {512, 1024, 2048} [samples]
        Frame length, equal to the transform's.
    hop_length : int, 1 to `n_fft` [samples]
        Distance between the starts of two frames.
    n_mels : int, 16 to 128
        Number of Slaney mel bands between 0 Hz and half the sample rate.
    """

    sample_rate: int = 16000
    n_fft: int = 1024
    hop_length: int = 512
    n_mels: int = 128

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int:
                raise EdgeAsdError(f"Front end: {name} must be an integer, not {value!r}.")
        if not 8000 <= self.sample_rate <= 48000:
            raise EdgeAsdError(f"Front end: sample_rate {self.sample_rate} Hz is outside 8000 to 48000.")
        if self.n_fft not in (512, 1024, 2048):
            raise EdgeAsdError(f"Front end: n_fft {self.n_fft} is none of 512, 1024, 2048.")
        if not 1 <= self.hop_length <= self.n_fft:
            raise EdgeAsdError(f"Front end: hop_length {self.hop_length} is outside 1 to n_fft ({self.n_fft}).")
        if not 16 <= self.n_mels <= 128:
            raise EdgeAsdError(f"Front end: n_mels {self.n_mels} is outside 16 to 128.")

    def frame_count(self, samples: int) -> int:
        """Count the whole frames in `samples` samples; nothing is padded."""
        return 0 if samples < self.n_fft else 1 + (samples - self.n_fft) // self.hop_length

    def sample_count(self, frames: int) -> int:
        """Count the samples that `frames` consecutive frames span."""
        return 0 if frames < 1 else self.n_fft + (frames - 1) * self.hop_length

    def as_dict(self) -> dict[str, int]:
        """Return the four numbers by name, as a manifest stores them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FeatureSpec:
        """Build a specification from a manifest; unknown or missing names are errors."""
        names = set(cls.__dataclass_fields__)
        if set(values) != names:
            raise EdgeAsdError(
                f"Front end: expected exactly the keys {', '.join(sorted(names))}; found {', '.join(sorted(values))}."
            )
        return cls(**values)
