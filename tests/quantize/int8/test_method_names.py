from __future__ import annotations

import inspect

from edge_asd.cli.quantize import QuantisationMethod, command
from edge_asd.quantize.int8.methods import DEFAULT, METHODS
from edge_asd.quantize.int8.representative import HEADROOM_DB


def test_the_command_line_offers_every_method_and_the_same_defaults():
    assert [method.value for method in QuantisationMethod] == list(METHODS)
    defaults = inspect.signature(command).parameters
    assert defaults["quantisation"].default == DEFAULT
    assert defaults["headroom"].default == HEADROOM_DB
