"""The committed section classifier, a MobileNetV2, as firmware."""

from __future__ import annotations

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export.network import read_network
from tests.firmware_export.proven import assert_at_most, prove
from tests.golden.committed import NAMES


@pytest.mark.prove
def test_row_by_row() -> None:
    network = read_network(Bundle.load(NAMES["mobilenetv2"]).model, twice=False)
    assert network.arena <= 40_000  # layer by layer 123 KB
    limits = {"instructions_per_inference": int(1.4 * network.macs()), "ram_bytes": 52_000, "code_bytes": 14_000}
    found = prove("mobilenetv2")
    assert_at_most(
        found,
        {
            "cortex-m4": limits,
            "cortex-m7": limits,
            "cortex-m33": limits,
            "cortex-m55": {**limits, "instructions_per_inference": int(0.75 * network.macs())},
        },
    )


@pytest.mark.prove
def test_rounded_twice_it_equals_tensorflow_lite_micro() -> None:
    prove("mobilenetv2", windows=6, rounding="tflm", boards=())
