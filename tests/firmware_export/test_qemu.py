"""The emulated boards: what they count and measure is exact, and failures are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export import qemu

PROGRAMS = Path(__file__).parent / "c"
DSP, HELIUM = 1, 2
FEATURES = {"cortex-m4": DSP, "cortex-m7": DSP, "cortex-m33": DSP, "cortex-m55": DSP | HELIUM}


def target(name: str) -> qemu.Target:
    """Return the target, or skip the test where its tools are not installed."""
    found = qemu.TARGETS[name]
    if missing := found.missing():
        pytest.skip(f"needs {', '.join(missing)}: apt install {found.packages}")
    return found


def measured(name: str, folder: Path, turns: list[int], *, count: bool = True) -> list[int]:
    """Run board.c and return its results; the counts of the loops come first."""
    np.array(turns, np.uint32).tofile(folder / "turns.bin")
    flags = ("-O2", "-fstack-usage")
    program = qemu.build(target(name), [PROGRAMS / "board.c"], folder / "board", flags=flags)
    qemu.run(target(name), program, folder, count=count)
    return np.fromfile(folder / "results.bin", np.int32).tolist()


def stack_usage(folder: Path, function: str) -> int:
    """Return what the compiler says that `function` uses [bytes]."""
    rows = (row.split("\t") for row in (folder / "board.objects" / "board.c.su").read_text().splitlines())
    (size,) = (int(size) for name, size, _ in rows if name.split(":")[-1].startswith(function))
    return size


@pytest.mark.parametrize("name", qemu.BOARDS)
def test_counts_and_measures_exactly(name: str, tmp_path: Path) -> None:
    turns = [500, *range(1, 17), 50_000, 15_000_000]
    empty, *results = measured(name, tmp_path, turns)
    assert empty == 0
    assert results[: len(turns)] == [2 * n + 1 for n in turns]
    idle, peak, features, dot, initialised, zero, quotient, remainder, copied = results[len(turns) :]
    assert idle == 0
    assert peak == stack_usage(tmp_path, "framed") >= 1008
    assert features == FEATURES.get(name, 0)
    i = np.arange(67)
    a, b = i * 7 % 251 - 120, i * 11 % 239 - 119
    assert dot == a @ b
    assert (initialised, zero) == (12345, 0)
    assert (quotient, remainder) == (-(987654321987654 // 1234567) >> 8, -(987654321987654 % 1234567))
    assert copied == 9 + 9 + a[40] + b[37]


@pytest.mark.parametrize("name", ["host", "cortex-m4", "riscv32"])
def test_nothing_is_counted_where_it_would_be_wrong(name: str, tmp_path: Path) -> None:
    assert measured(name, tmp_path, [500, 50_000], count=False)[:3] == [0, 0, 0]


@pytest.mark.prove
@pytest.mark.parametrize("name", qemu.BOARDS)
def test_counts_long_regions_exactly(name: str, tmp_path: Path) -> None:
    turns = [30_000_001, 250_000_000, 123_456_789]
    assert measured(name, tmp_path, turns)[1:4] == [2 * n + 1 for n in turns]


@pytest.mark.parametrize("name", qemu.TARGETS)
def test_files(name: str, tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(20_000_001)
    (tmp_path / "input.bin").write_bytes(data)
    qemu.run(target(name), qemu.build(target(name), [PROGRAMS / "copy.c"], tmp_path / "copy"), tmp_path)
    assert (tmp_path / "output.bin").read_bytes() == data


@pytest.mark.parametrize(
    ("name", "failure", "words"),
    [
        *((name, "STATUS", "failed with 3") for name in qemu.TARGETS),
        *((name, "TRAP", "stopped at a fault of the processor") for name in qemu.BOARDS),
        *((name, "OVERFLOW", "ran over the end of its stack") for name in qemu.BOARDS),
        ("cortex-m0plus", "UNALIGNED", "stopped at a fault of the processor"),
    ],
)
def test_failures_are_told(name: str, failure: str, words: str, tmp_path: Path) -> None:
    program = qemu.build(
        target(name), [PROGRAMS / "failure.c"], tmp_path / "failure", defines=[f"FAILURE={failure}"], flags=("-O1",)
    )
    with pytest.raises(EdgeAsdError, match=words):
        qemu.run(target(name), program, tmp_path)
