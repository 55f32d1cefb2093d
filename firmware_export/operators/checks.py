"""What all operations have to be asked: types, shapes, quantisation, options. Whatever is wrong is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge_asd.errors import ModelError
from edge_asd.firmware_export.step import refuse
from edge_asd.model_file import ACTIVATIONS, ModelFile, Operator, Tensor
from edge_asd.requantisation import fixed_multiplier

CONVERT = "Convert the model anew, fully to int8."


@dataclass(frozen=True)
class Operation:
    """An operation at its place in a model, and what it may be asked.

    Attributes
    ----------
    model : ModelFile
    place : int
        From 1 on.
    operator : Operator
    """

    model: ModelFile
    place: int
    operator: Operator

    def refuse(self, why: str, what_to_do: str = CONVERT) -> ModelError:
        """Make the error that names the operation."""
        return refuse(self.place, self.operator.kind, f"{why}. {what_to_do}")

    def counts(self, least: int, most: int | None = None) -> None:
        """Check that there are `least` inputs, or up to `most`, and one output."""
        inputs, outputs = len(self.operator.inputs), len(self.operator.outputs)
        if not least <= inputs <= (most or least) or outputs != 1:
            wanted = f"{least} to {most}" if most else f"{least}"
            raise self.refuse(f"it has {inputs} inputs and {outputs} outputs, not {wanted} and 1")

    def input(self, number: int) -> Tensor:
        """Return an input, whatever it is.

        Parameters
        ----------
        number : int
            From 0 on.
        """
        index = self.operator.inputs[number]
        if not 0 <= index < len(self.model.tensors):
            raise self.refuse(f"its input {number + 1} is left out")
        return self.model.tensors[index]

    @property
    def output(self) -> Tensor:
        """Its output, whatever it is."""
        return self.model.tensors[self.operator.outputs[0]]

    def int8(self, tensor: Tensor, name: str, *, constant: bool = False) -> Tensor:
        """Check that a tensor is int8 with one scale and zero point, and, unless `constant`, computed by the model."""
        if tensor.dtype.name != "int8" or len(tensor.scales) != 1 or not -128 <= tensor.zero_points[0] <= 127:
            raise self.refuse(f"its {name} is {tensor.dtype.name} with {len(tensor.scales)} scales, not int8 with one")
        if tensor.data is not None and not constant:
            raise self.refuse(f"its {name} is a constant", "Compute it from the model's input, or leave it out.")
        return tensor

    def floats(self, tensor: Tensor, name: str) -> Tensor:
        """Check that a tensor is float32 and computed by the model."""
        if tensor.dtype.name != "float32" or tensor.data is not None:
            raise self.refuse(f"its {name} is not float32, or a constant")
        return tensor

    def same_shape(self, x: Tensor) -> None:
        """Check that the output has the shape of `x`."""
        if x.shape != self.output.shape:
            raise self.refuse(f"its output has the shape {self.output.shape}, its input {x.shape}")

    def same_quantisation(self, x: Tensor) -> None:
        """Check that `x` and the output have the same scale and zero point, which kernels take for granted."""
        if (x.scales[0], x.zero_points[0]) != (self.output.scales[0], self.output.zero_points[0]):
            raise self.refuse("its input and output have different scales or zero points")

    def integers(self, number: int, name: str) -> list[int]:
        """Return a constant input of integers, flat."""
        tensor = self.input(number)
        if tensor.data is None or tensor.dtype.name not in ("int32", "int64") or tensor.data.size > 16:
            raise self.refuse(
                f"its {name} are not a constant of a few integers", "Fix them when the model is converted."
            )
        return [int(value) for value in tensor.data.ravel()]

    def multiplier(self, real: float, most: int) -> tuple[int, int]:
        """Return a ratio of scales in fixed point, which must not shift further to the left than `most` bits."""
        fixed, shift = fixed_multiplier(real)
        if shift > most:
            raise self.refuse(f"its scales are too far apart, by a factor of {real:.3g}")
        return fixed, shift

    def bounds(self, activation: int) -> tuple[int, int]:
        """Return what an activation leaves of the output's range, as integers of the output.

        Parameters
        ----------
        activation : int
            One of `ACTIVATIONS`.
        """
        name, zero = ACTIVATIONS[activation], int(self.output.zero_points[0])
        # Runtimes divide in float32, and then round halves away from zero.
        six = float(np.float32(6.0) / np.float32(self.output.scales[0]))
        if name == "relu6" and six >= 2**30:
            raise self.refuse(f"its output's scale {self.output.scales[0]:.3g} is too small for its activation")
        low = -128 if name == "none" else max(-128, zero)
        high = min(127, zero + math.floor(six + 0.5)) if name == "relu6" else 127
        return low, high
