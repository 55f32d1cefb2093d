from __future__ import annotations

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import ModelError
from edge_asd.quantize.int8.convert import to_int8
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.ranges import RULES, activation_ranges
from tests.golden.committed import NAMES


@pytest.fixture(scope="module")
def content():
    return Bundle.load(NAMES["ae"]).float_model


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_model_that_computes_nothing_finite_is_an_error(content, rule, value):
    graph = Graph(content)
    bias = graph.constant(graph.operations[3].bias)
    bias[0] = value
    graph.set_constant(graph.operations[3].bias, bias)
    # ReLU makes 0 of minus infinity: then everything is finite.
    windows = np.zeros((4, 640), np.float32)
    if value == -np.inf:
        ranges = activation_ranges(graph, windows, rule)
        assert all(np.isfinite(ends).all() for ends in ranges.values())
    else:
        with pytest.raises(ModelError, match="NaN or infinity at "):
            activation_ranges(graph, windows, rule)


@pytest.mark.parametrize("ends", [(0, np.inf), (-np.inf, 0), (np.nan, 1), (0, np.nan), (0, 1e39), (1, 0)])
def test_the_converter_is_given_no_range_that_is_none(content, ends):
    with pytest.raises(ModelError, match="is no range for input"):
        to_int8(content, {Graph(content).input: ends})
