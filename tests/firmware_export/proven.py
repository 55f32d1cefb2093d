"""What the committed bundles are proven to be as firmware: the same integers, within limits of size and speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.library import detector_library
from edge_asd.firmware_export.proof.verification import Verification, verify
from tests.golden.committed import NAMES
from tests.targets import needs


def prove(
    name: str, *, windows: int = 20, rounding: str = "litert", hops: int = 1, boards: Sequence[str] = tuple(qemu.BOARDS)
) -> Verification:
    """Prove a committed bundle on this machine and on boards; nothing may differ."""
    for board in boards:
        needs(board)
    bundle = Bundle.load(NAMES[name])
    library = detector_library(bundle, rounding=rounding, hops=hops)
    found = verify(library, bundle.model, boards=boards, windows=windows)
    assert found.mismatches == 0
    assert found.vectors == windows
    assert found.decisions > 0
    assert set(found.boards) == set(boards)
    assert not found.notes
    assert found.reference.startswith("LiteRT" if rounding == "litert" else "TensorFlow Lite Micro")
    return found


def assert_at_most(found: Verification, limits: Mapping[str, Mapping[str, int]]) -> None:
    """Hold the figures of boards to limits: by board, by figure."""
    for board, figures in limits.items():
        measured = found.boards[board]
        for figure, limit in figures.items():
            assert 0 < getattr(measured, figure) <= limit, (board, figure, getattr(measured, figure))
