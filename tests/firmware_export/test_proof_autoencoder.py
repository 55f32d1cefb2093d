"""The committed autoencoder as firmware: equal on all processors, and smaller and faster than it has to be."""

from __future__ import annotations

import dataclasses

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.library import detector_library
from edge_asd.firmware_export.proof.verification import Verification, verify
from tests.firmware_export.proven import assert_at_most, prove
from tests.golden.committed import NAMES

LIMITS = {
    "cortex-m4": {"instructions_per_inference": 260_000, "code_bytes": 10_000, "ram_bytes": 12_000},
    "cortex-m7": {"instructions_per_inference": 260_000, "code_bytes": 10_000, "ram_bytes": 12_000},
    "cortex-m33": {"instructions_per_inference": 260_000, "code_bytes": 10_000, "ram_bytes": 12_000},
    "cortex-m55": {"instructions_per_inference": 60_000, "code_bytes": 10_000, "ram_bytes": 12_000},
    "cortex-m3": {"instructions_per_inference": 850_000, "code_bytes": 10_000, "ram_bytes": 12_000},
    "cortex-m0plus": {"instructions_per_inference": 1_200_000, "code_bytes": 10_000, "ram_bytes": 12_000},
    "riscv32": {"instructions_per_inference": 1_000_000, "code_bytes": 10_000, "ram_bytes": 12_000},
}

OTHERS = ("cortex-m7", "cortex-m33", "cortex-m3")
"""Boards whose kernels and instructions others have as well; a small model is proven on all by test_export.py."""

EVERY_TIME = tuple(board for board in LIMITS if board not in OTHERS)


@pytest.fixture(scope="module", params=[EVERY_TIME, pytest.param(tuple(LIMITS), marks=pytest.mark.prove)], ids=len)
def one_hop(request: pytest.FixtureRequest) -> Verification:
    return prove("ae", boards=request.param)


def test_one_hop_at_a_time(one_hop: Verification) -> None:
    assert LIMITS.keys() == qemu.BOARDS.keys()
    assert_at_most(one_hop, {board: LIMITS[board] for board in one_hop.boards})


def test_a_hop_is_the_model_and_the_rest(one_hop: Verification) -> None:
    """Front end, quantisation, score and decision take less than 100,000 instructions more on a Cortex-M4."""
    board = one_hop.boards["cortex-m4"]
    assert board.instructions_per_hop is not None
    assert 70_000 < board.instructions_per_hop - board.instructions_per_inference < 100_000


@pytest.mark.prove
def test_four_hops_together() -> None:
    found = prove("ae", hops=4, boards=("cortex-m4",))
    assert_at_most(found, {"cortex-m4": {"instructions_per_inference": 220_000}})


@pytest.mark.prove
@pytest.mark.parametrize("hops", [3, 6])
def test_any_number_of_hops(hops: int) -> None:
    prove("ae", hops=hops, windows=2 * hops, boards=("cortex-m4",) if hops == 3 else ())


def test_rounded_twice_it_equals_tensorflow_lite_micro() -> None:
    prove("ae", rounding="tflm", boards=())


def test_a_fault_in_the_c_is_found() -> None:
    bundle = Bundle.load(NAMES["ae"])
    library = detector_library(bundle)
    text = library.files["edge_asd_rounding.h"]
    wrong = text.replace("(int32_t)(1U << (right - 1))) >> right", "(int32_t)(1U << (right - 1)) - 1) >> right")
    assert wrong != text
    broken = dataclasses.replace(library, files={**library.files, "edge_asd_rounding.h": wrong})
    assert verify(broken, bundle.model, windows=8).mismatches > 0
