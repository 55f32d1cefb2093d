from __future__ import annotations

from edge_asd.bundle.bundle import MODEL_ARITHMETICS
from edge_asd.cli.quantize import Arithmetic


def test_the_command_offers_every_arithmetic_that_a_bundle_may_name() -> None:
    assert tuple(Arithmetic) == MODEL_ARITHMETICS
