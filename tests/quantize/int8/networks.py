"""What int8 models answer."""

from __future__ import annotations

import numpy as np

from edge_asd.interpreter import Model


def outputs_of(int8: bytes, windows: np.ndarray, arithmetic: str = "litert-ref") -> np.ndarray:
    """Run float windows through an int8 model."""
    model = Model(int8, arithmetic=arithmetic)
    inputs = np.clip(np.rint(windows / model.input_scale) + model.input_zero_point, -128, 127).astype(np.int8)
    return (model.run(inputs).astype(float) - model.output_zero_point) * model.output_scale


def differences(logits: np.ndarray) -> np.ndarray:
    """Take away what all logits of a window share, and a section's score does not know of."""
    apart: np.ndarray = logits - logits.mean(axis=1, keepdims=True)
    return apart
