from __future__ import annotations

import random

import numpy as np
import pytest

from edge_asd.train.backend import make_repeatable
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.networks.initial import initialise


@pytest.mark.parametrize("name", BASELINES)
def test_weights_are_those_of_the_seed_whoever_else_draws_random_numbers(name):
    build = BASELINES[name].build
    make_repeatable(7)
    expected = build(64, 3).get_weights()
    random.seed(12345)  # as after another thread has drawn some
    model = build(64, 3)
    different = [not np.array_equal(a, b) for a, b in zip(model.get_weights(), expected, strict=True)]
    assert sum(different) >= 10
    state = random.getstate()
    initialise(model, 7)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), expected, strict=True))
    assert random.getstate() == state
