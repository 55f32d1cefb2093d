"""What a detector needs to score sound: a model, its windows and its arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from edge_asd.bundle.kinds import KINDS, Kind
from edge_asd.bundle.manifest import Quantisation
from edge_asd.frontend.spec import FeatureSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorModel:
    """A quantised model that has no thresholds yet; a `Bundle` is one with everything else.

    Attributes
    ----------
    detector : str, one of `edge_asd.bundle.kinds.KINDS`
    features : FeatureSpec
    window_frames, window_hop : int [frames]
        Size of one model window, and the distance between two.
    input, output : Quantisation
    model : bytes
        The int8 ``.tflite`` file.
    classes : tuple of str
        What the outputs of a detector that classifies stand for, its sections among them; else empty.
    model_arithmetic : str
        The arithmetic of record, one of `edge_asd.interpreter.ARITHMETICS`.
    """

    detector: str
    features: FeatureSpec
    window_frames: int
    window_hop: int
    input: Quantisation
    output: Quantisation
    model: bytes
    classes: tuple[str, ...] = ()
    model_arithmetic: str = "litert-ref"

    @property
    def kind(self) -> Kind:
        """What sets this kind of detector apart."""
        return KINDS[self.detector]

    def window_count(self, frames: int) -> int:
        """Count the windows in consecutive frames, `frames` >= `window_frames`."""
        return 1 + (frames - self.window_frames) // self.window_hop

    def parts(self) -> dict[str, Any]:
        """Return the fields by name, to make a bundle of them."""
        return {field.name: getattr(self, field.name) for field in fields(DetectorModel)}
