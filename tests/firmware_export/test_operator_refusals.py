"""What does not fit is refused, and the error names the operation, its place and what to do."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pytest

from edge_asd.errors import ModelError
from edge_asd.firmware_export.operators.dispatch import SIMPLE, simple_steps
from edge_asd.model_file import read_model
from tests.firmware_export.one_operator import Values, build, constant

INT8 = partial(Values, scale=0.5, zero_point=3)
IMAGE = INT8((1, 4, 6, 2))
HALF = INT8((1, 2, 3, 2))
FLOATS = Values((1, 4, 6, 2), dtype="float32")
FIXED = INT8((1, 4, 6, 2), data=np.zeros((1, 4, 6, 2), np.int8))


def add(*inputs: Values, output: Values = IMAGE, activation: int = 0) -> bytes:
    return build("ADD", list(inputs), output, {"type": "AddOptions", "fusedActivationFunction": activation})


def pool(x: Values = IMAGE, output: Values = HALF, **changed: int) -> bytes:
    options = {"type": "Pool2DOptions", "padding": 0, "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    return build("AVERAGE_POOL_2D", [x], output, options | changed)


def mean(axes: Any, output: tuple[int, ...], x: Values = IMAGE, keep: bool = False, **changed: Any) -> bytes:
    values = axes if isinstance(axes, Values) else constant(axes)
    y = INT8(output, **changed)
    return build("MEAN", [x, values], y, {"type": "ReducerOptions", "keepDims": keep})


def pad(amounts: Any, output: tuple[int, ...] = (1, 6, 6, 2), x: Values = IMAGE, **changed: Any) -> bytes:
    values = amounts if isinstance(amounts, Values) else constant(amounts)
    return build("PAD", [x, values], INT8(output, **changed), {"type": "PadOptions"})


def reshape(shape: Any, output: tuple[int, ...] = (1, 48), **changed: Any) -> bytes:
    inputs = [IMAGE] if shape is None else [IMAGE, shape if isinstance(shape, Values) else constant(shape)]
    return build("RESHAPE", inputs, INT8(output, **changed), {"type": "ReshapeOptions", "newShape": [1, 47]})


def concatenation(*inputs: Values, output: Values, axis: int = 3, activation: int = 0) -> bytes:
    options = {"type": "ConcatenationOptions", "axis": axis, "fusedActivationFunction": activation}
    return build("CONCATENATION", list(inputs), output, options)


def softmax(beta: float = 1.0, x: Values = IMAGE, scale: float = 1 / 256, zero: int = -128) -> bytes:
    return build("SOFTMAX", [x], Values(x.shape, scale, zero), {"type": "SoftmaxOptions", "beta": beta})


def single(kind: str, x: Values, output: Values) -> bytes:
    return build(kind, [x], output)


GOOD = [
    add(IMAGE, IMAGE),
    pool(),
    mean([1, 2], (1, 2)),
    pad([[0, 0], [1, 1], [0, 0], [0, 0]]),
    reshape([1, -1]),
    concatenation(IMAGE, IMAGE, output=INT8((1, 4, 6, 4))),
    softmax(),
    single("RELU", IMAGE, IMAGE),
    single("RELU6", IMAGE, IMAGE),
    single("QUANTIZE", FLOATS, IMAGE),
    single("DEQUANTIZE", IMAGE, FLOATS),
]
"""Of each kind one that fits, of which each of `BAD` is a change."""

NOTHING = Values((0,), dtype="int32", data=np.zeros(0, np.int32))
LARGE = INT8((1, 4096, 2048, 1))

BAD: dict[str, tuple[bytes, str]] = {
    "three to add": (add(IMAGE, IMAGE, IMAGE), "3 inputs"),
    "two constants": (add(FIXED, FIXED), "both of its inputs are constants"),
    "floats to add": (add(IMAGE, FLOATS), "input 2 is float32"),
    "a zero point out of range": (add(IMAGE, INT8(IMAGE.shape, zero_point=128)), "not int8 with one"),
    "shapes that cross": (add(INT8((1, 4, 1)), INT8((1, 1, 4)), output=INT8((1, 4, 4))), r"\(1, 4, 1\) and"),
    "first axes repeated": (add(IMAGE, INT8((1, 4, 1, 1))), r"and \(1, 4, 1, 1\)"),
    "a sum of another shape": (add(IMAGE, IMAGE, output=INT8((1, 48))), r"to \(1, 48\)"),
    "a tiny scale of a sum": (add(IMAGE, IMAGE, output=INT8(IMAGE.shape, scale=1e-7)), "far smaller than"),
    "a tiny scale of relu6": (single("RELU6", *[INT8((1, 4), scale=1e-30)] * 2), "too small for its activation"),
    "filter 0": (pool(filterHeight=0), "filter of 0"),
    "filter -1": (pool(filterWidth=-1), "filter of -1"),
    "filter 2^31 - 1": (pool(filterWidth=2**31 - 1), "filter of 2147483647"),
    "a filter without padding": (pool(filterHeight=5, padding=1), "filter of 5"),
    "step 0": (pool(strideH=0), "steps of 0"),
    "step 2^31 - 1": (pool(strideW=2**31 - 1), "steps of 2147483647"),
    "padding 2": (pool(padding=2), "does not fit"),
    "another width": (pool(output=INT8((1, 2, 2, 2))), "width 2, not 3"),
    "two images": (pool(INT8((2, 4, 6, 2)), INT8((2, 2, 3, 2))), "not one image"),
    "other channels": (pool(output=INT8((1, 2, 3, 3))), "not one image"),
    "a pool's other scale": (pool(output=INT8((1, 2, 3, 2), scale=0.25)), "different scales"),
    "a filter of a whole song": (
        pool(LARGE, INT8((1, 2, 1, 1)), filterHeight=4096, filterWidth=2048, strideH=4095, strideW=2048), "larger than"
    ),
    "an axis twice": (mean([1, 1], (1, 6, 2)), "one of them twice"),
    "an axis twice, once from behind": (mean([1, -3], (1, 6, 2)), "one of them twice"),
    "axis 4": (mean([1, 4], (1, 6, 2)), "axes \\[1, 4\\] of 4"),
    "axis -5": (mean([-5], (1, 4, 6)), "axes \\[-5\\] of 4"),
    "axes of float32": (mean(constant([1.0], "float32"), (1, 6, 2)), "its axes are not a constant"),
    "axes of the input": (mean(Values((2,), dtype="int32"), (1, 2)), "its axes are not a constant"),
    "a mean's other shape": (mean([1, 2], (1, 1, 1, 2)), r"shape \(1, 1, 1, 2\), not \(1, 2\)"),
    "a mean's far scale": (mean([1, 2], (1, 2), scale=1e-11), "too far apart"),
    "a mean's overflow": (mean([1], (1, 6, 2), scale=0.5 * 2.0**-26), "too far apart"),
    "axes here and there": (mean([0, 2, 4], (3, 3), INT8((2, 3, 2, 3, 2))), "keeps an axis"),
    "a mean of millions": (mean([1, 2], (1, 1), LARGE), "8388608 values"),
    "amounts below 0": (pad([[0, 0], [-1, 3], [0, 0], [0, 0]]), "negative"),
    "huge amounts": (pad([[0, 0], [2**31 - 1, 2], [0, 0], [0, 0]]), "larger than the output"),
    "huge 64-bit amounts": (pad(constant([[0, 0], [2**63 - 1, 1], [0, 0], [0, 0]], "int64")), "larger than the output"),
    "too few amounts": (pad([[0, 0], [1, 1], [0, 0]]), r"not \(4, 2\)"),
    "amounts that are flat": (pad([0, 0, 1, 1, 0, 0, 0, 0]), r"not \(4, 2\)"),
    "amounts of the input": (pad(Values((4, 2), dtype="int32")), "not a constant"),
    "padding to another shape": (pad([[0, 0], [1, 1], [0, 0], [0, 1]]), "with"),
    "padded images": (pad([[0, 1], [0, 0], [0, 0], [0, 0]], (2, 4, 6, 2)), "more than three axes"),
    "padding's other scale": (pad([[0, 0], [1, 1], [0, 0], [0, 0]], zero_point=4), "different scales"),
    "fewer values": (reshape([1, 47], (1, 47)), r"makes \(1, 47\)"),
    "another shape than its own": (reshape([1, 48], (48,)), r"output has the shape \(48,\)"),
    "two sizes left open": (reshape([-1, -1]), r"makes \(-1, -1\)"),
    "a size of 0": (reshape([0, -1]), r"makes \(0, -1\)"),
    "a shape in the options": (reshape(None), r"makes \(1, 47\)"),
    "a shape of the input": (reshape(Values((2,), dtype="int32")), "not a constant"),
    "a shape of two axes": (reshape([[1, 48]]), "not a list"),
    "an axis beyond": (concatenation(IMAGE, output=IMAGE, axis=4), "axis 4 of 4"),
    "an axis before": (concatenation(IMAGE, output=IMAGE, axis=-5), "axis -5 of 4"),
    "an activation": (concatenation(IMAGE, output=IMAGE, activation=1), "an activation"),
    "a length that is not theirs": (concatenation(IMAGE, IMAGE, output=INT8((1, 4, 6, 5))), "not as long"),
    "a height that is not theirs": (concatenation(IMAGE, INT8((1, 5, 6, 2)), output=IMAGE), "does not fit"),
    "another scale to join": (
        concatenation(IMAGE, INT8((1, 4, 6, 2), scale=0.25), output=INT8((1, 4, 6, 4))), "different scales"
    ),
    "a constant to join": (concatenation(IMAGE, FIXED, output=INT8((1, 4, 6, 4))), "input 2 is a constant"),
    "beta that is no number": (softmax(float("nan")), "beta is nan"),
    "beta without end": (softmax(float("inf")), "beta is inf"),
    "beta 0": (softmax(0.0), "beta is 0"),
    "beta below 0": (softmax(-1.0), "beta is -1"),
    "shares of another scale": (softmax(scale=1 / 128), "not 1/256"),
    "shares of another zero point": (softmax(zero=0), "not -128"),
    "rows of 4096": (softmax(x=INT8((1, 4096))), "at most 4095"),
    "relu of floats": (single("RELU", FLOATS, FLOATS), "float32 with 0 scales"),
    "relu to another shape": (single("RELU", IMAGE, INT8((1, 48))), r"shape \(1, 48\), its input"),
    "relu of a far scale": (single("RELU", IMAGE, INT8(IMAGE.shape, scale=1e-8)), "too far apart"),
    "relu of a constant": (single("RELU", FIXED, IMAGE), "its input is a constant"),
    "int16 to quantise": (single("QUANTIZE", Values((1, 4), 0.5, 0, "int16"), INT8((1, 4))), "input is int16"),
    "floats to uint8": (single("QUANTIZE", FLOATS, Values(FLOATS.shape, 0.5, 3, "uint8")), "output is uint8"),
    "quantised to another shape": (single("QUANTIZE", FLOATS, INT8((1, 48))), "its input"),
    "int8 to int16": (single("DEQUANTIZE", IMAGE, Values(IMAGE.shape, 0.5, 0, "int16")), "output is not float32"),
    "beyond float32": (single("DEQUANTIZE", INT8((1, 4), scale=3e38), Values((1, 4), dtype="float32")), "too large"),
}  # fmt: skip


def steps(content: bytes, *, twice: bool = False) -> object:
    model = read_model(content)
    (operator,) = model.operators
    return simple_steps(model, 7, operator, twice=twice)


def test_what_fits_is_accepted() -> None:
    for content in GOOD:
        assert steps(content)
    assert {read_model(content).operators[0].kind for content in GOOD} == set(SIMPLE)


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused(name: str) -> None:
    content, why = BAD[name]
    kind = read_model(content).operators[0].kind
    with pytest.raises(ModelError, match=why) as caught:
        steps(content)
    message = str(caught.value)
    assert message.startswith(f"Operation 7 of the model, {kind}, cannot be exported: ")
    assert re.search(r"[\w)\]]\. [A-Z]", message)  # why, and what to do


def test_tflm_rescales_no_relu6() -> None:
    content = single("RELU6", IMAGE, INT8(IMAGE.shape, scale=0.25))
    assert steps(content)
    with pytest.raises(ModelError, match="export with single rounding"):
        steps(content, twice=True)
    assert steps(single("RELU6", IMAGE, IMAGE), twice=True)
