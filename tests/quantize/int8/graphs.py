"""Two .tflite files held against each other by what they compute, whatever their tensors are called and numbered."""

from __future__ import annotations

import numpy as np

from edge_asd.quantize.int8.graph import Graph


def check_same(content: bytes, other: bytes) -> None:
    """Demand the same operations with the same settings, shapes, constants and scales, to the last bit."""
    a, b = Graph(content), Graph(other)
    assert versions_of(content) == versions_of(other)
    assert [operation.kind for operation in a.operations] == [operation.kind for operation in b.operations]
    number = dict(zip(a.activations, b.activations, strict=True))
    assert number[a.output] == b.output
    for ours, theirs in zip(a.operations, b.operations, strict=True):
        assert [number[tensor] for tensor in ours.inputs] == list(theirs.inputs)
        assert ours.activation == theirs.activation
        assert vars(ours.options) == vars(theirs.options)
        for tensor, its in ((ours.weights, theirs.weights), (ours.bias, theirs.bias)):
            assert (tensor == -1) == (its == -1)
            if tensor != -1:
                np.testing.assert_array_equal(a.constant(tensor), b.constant(its))
                number[tensor] = its
    for tensor, its in number.items():
        assert a.dtype(tensor) is b.dtype(its)
        assert a.shape(tensor) == b.shape(its)
        for value, its_value in zip(a.quantisation(tensor), b.quantisation(its), strict=True):
            np.testing.assert_array_equal(value, its_value)


def versions_of(content: bytes) -> dict[int, int]:
    """Version of each kind of operation, by its number in the schema."""
    from tensorflow.lite.tools import flatbuffer_utils

    codes = flatbuffer_utils.read_model_from_bytearray(bytearray(content)).operatorCodes
    return {code.builtinCode: code.version for code in codes}
