"""What a detector needs to score sound: a model, its windows and its arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from edge_asd.bundle.kinds import KINDS, Kind
from edge_asd.bundle.manifest import Quantisation
from edge_asd.distance.parameters import DISTANCE_NUMBER
from edge_asd.errors import BundleError
from edge_asd.frontend.spec import FeatureSpec

DEFAULT_ARITHMETIC = "litert-ref"
"""A network's, where nothing else is asked for; one of `edge_asd.interpreter.ARITHMETICS`."""

DISTANCE_ARITHMETIC = f"distance-{DISTANCE_NUMBER}"
"""The distance detector's arithmetic of record; there is only one, in integers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorModel:
    """A model as it ships that has no thresholds yet; a `Bundle` is one with everything else.

    Attributes
    ----------
    detector : str, one of `edge_asd.bundle.kinds.KINDS`
    features : FeatureSpec
    window_frames, window_hop : int [frames]
        Size of one model window, and the distance between two.
    input, output : Quantisation, optional
        Of a network; other detectors have none.
    model : bytes
        The int8 ``.tflite`` file, or the distance detector's arrays (`edge_asd.bundle.distance_file`).
    classes : tuple of str
        What the outputs of a detector that classifies stand for, its sections among them; else empty.
    model_arithmetic : str
        The arithmetic of record: one of `edge_asd.interpreter.ARITHMETICS`, or `DISTANCE_ARITHMETIC`.
    """

    detector: str
    features: FeatureSpec
    window_frames: int
    window_hop: int
    model: bytes
    input: Quantisation | None = None
    output: Quantisation | None = None
    classes: tuple[str, ...] = ()
    model_arithmetic: str = DEFAULT_ARITHMETIC

    @property
    def tensors(self) -> tuple[Quantisation, Quantisation]:
        """How a network's input and output stand for decibels.

        Raises
        ------
        BundleError
            If it is none.
        """
        if self.input is None or self.output is None:
            raise BundleError(f"A bundle of {self.detector!r} holds no network.")
        return self.input, self.output

    @property
    def kind(self) -> Kind:
        """What sets this kind of detector apart."""
        return KINDS[self.detector]

    def window_count(self, frames: int) -> int:
        """Count the windows in consecutive frames, `frames` >= `window_frames`."""
        return 1 + (frames - self.window_frames) // self.window_hop

    def windows_per_span(self, windows: int) -> int:
        """Count the windows from one span of a score to the next, where a score is the mean of `windows` of them.

        Spans share no window, and the next one's first window begins where this one's first ends, or later.
        """
        return max(windows, math.ceil(self.window_frames / self.window_hop))

    def parts(self) -> dict[str, Any]:
        """Return the fields by name, to make a bundle of them."""
        return {field.name: getattr(self, field.name) for field in fields(DetectorModel)}
