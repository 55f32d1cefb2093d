"""Which function makes the steps of which kind of operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_asd.firmware_export.operators.elementwise import add, dequantize, quantize, relu, relu6
from edge_asd.firmware_export.operators.shaping import concatenation, pad, reshape
from edge_asd.firmware_export.operators.shares import softmax
from edge_asd.firmware_export.operators.windows import average_pool, mean
from edge_asd.firmware_export.step import Step
from edge_asd.model_file import ModelFile, Operator

SIMPLE: Mapping[str, Callable[..., Step | tuple[Step, ...]]] = {
    "ADD": add,
    "AVERAGE_POOL_2D": average_pool,
    "CONCATENATION": concatenation,
    "DEQUANTIZE": dequantize,
    "MEAN": mean,
    "PAD": pad,
    "QUANTIZE": quantize,
    "RELU": relu,
    "RELU6": relu6,
    "RESHAPE": reshape,
    "SOFTMAX": softmax,
}
"""Operations without weights, by their names in the format."""


def simple_steps(model: ModelFile, place: int, operator: Operator, *, twice: bool) -> tuple[Step, ...]:
    """Make the calls for one operation without weights.

    Parameters
    ----------
    model : ModelFile
    place : int
        Of the operation in the model, from 1 on.
    operator : Operator
        Of a kind in `SIMPLE`.
    twice : bool
        Round as TFLM does where it and LiteRT's reference kernels differ.

    Returns
    -------
    steps : tuple of Step
        One, or for CONCATENATION one for each input.

    Raises
    ------
    ModelError
        If the operation does not fit its tensors, or is not supported in this form.
    """
    made = SIMPLE[operator.kind](model, place, operator, twice=twice)
    return made if isinstance(made, tuple) else (made,)
