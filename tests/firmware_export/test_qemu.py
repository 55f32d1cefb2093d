"""The emulated boards: what they count and measure is exact, and failures are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_asd.errors import DependencyError, EdgeAsdError
from edge_asd.firmware_export import qemu
from tests.targets import needs

PROGRAMS = Path(__file__).parent / "c"
DSP, HELIUM = 1, 2
FEATURES = {"cortex-m4": DSP, "cortex-m7": DSP, "cortex-m33": DSP, "cortex-m55": DSP | HELIUM}


def measured(name: str, folder: Path, turns: list[int], *, count: bool = True) -> list[int]:
    """Run board.c and return its results; the counts of the loops come first."""
    np.array(turns, np.uint32).tofile(folder / "turns.bin")
    flags = ("-O2", "-fstack-usage")
    program = qemu.build(needs(name), [PROGRAMS / "board.c"], folder / "board", flags=flags)
    qemu.run(needs(name), program, folder, count=count)
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
    qemu.run(needs(name), qemu.build(needs(name), [PROGRAMS / "copy.c"], tmp_path / "copy"), tmp_path)
    assert (tmp_path / "output.bin").read_bytes() == data


@pytest.mark.parametrize(
    ("name", "failure", "words"),
    [
        *((name, "STATUS", "failed with 3") for name in ("host", "cortex-m4", "riscv32")),
        *((name, "TRAP", "stopped at a fault of the processor") for name in qemu.BOARDS),
        *((name, "OVERFLOW", "ran over the end of its stack") for name in qemu.BOARDS),
        ("cortex-m0plus", "UNALIGNED", "stopped at a fault of the processor"),
    ],
)
def test_failures_are_told(name: str, failure: str, words: str, tmp_path: Path) -> None:
    program = qemu.build(
        needs(name), [PROGRAMS / "failure.c"], tmp_path / "failure", defines=[f"FAILURE={failure}"], flags=("-O1",)
    )
    with pytest.raises(EdgeAsdError, match=words):
        qemu.run(needs(name), program, tmp_path)


def test_flags_of_single_sources(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("int one(void);\nint main(void) { return one() - RETURNED; }")
    (tmp_path / "one.c").write_text("int one(void);\nint one(void) { return RETURNED; }")
    sources = [tmp_path / "main.c", tmp_path / "one.c"]

    def build(flags_of: dict[str, list[str]]) -> None:
        program = qemu.build(
            needs("cortex-m0plus"), sources, tmp_path / "program", defines=["RETURNED=1"], flags_of=flags_of
        )
        qemu.run(needs("cortex-m0plus"), program, tmp_path)

    build({})
    with pytest.raises(EdgeAsdError, match="failed with 4"):
        build({"one.c": ["-URETURNED", "-DRETURNED=5"]})
    with pytest.raises(ValueError, match=r"flags for two\.c, which is no source"):
        build({"two.c": ["-O1"]})
    with pytest.raises(ValueError, match=r"two sources named one\.c"):
        qemu.build(needs("host"), [tmp_path / "one.c", tmp_path / "other" / "one.c"], tmp_path / "program")


@pytest.mark.parametrize("name", qemu.TARGETS)
def test_what_is_not_installed_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = qemu.TARGETS[name]
    with pytest.raises(DependencyError, match=f"Not installed: {found.compiler}.*apt install .*gcc"):
        qemu.build(found, [PROGRAMS / "copy.c"], tmp_path / "copy")


LIBRARY = """
#include <stdint.h>
#include <string.h>
extern int32_t given(int32_t);
extern int32_t library_run(int64_t, char *, size_t);
extern int32_t library_unused(int32_t);
extern const uint8_t library_table[1000];
const uint8_t library_table[1000] = {1, 2, 3};
static const uint8_t not_needed[500] = {4, 5};
static volatile int32_t begins[10] = {6, 7};
static volatile int32_t zeroed[100];
static __attribute__((noinline)) int32_t hidden(int32_t i) { return library_table[i] + begins[i] + zeroed[i]; }
int32_t library_run(int64_t a, char *text, size_t n) {
    static const char words[][8] = {"one", "two", "three", "four"};
    memcpy(text, words[a & 3], n);
    return given((int32_t)(a / (int64_t)n)) + hidden((int32_t)a & 7);
}
int32_t library_unused(int32_t i) { return not_needed[i]; }
"""
MAIN = """
#include <stdint.h>
#include <string.h>
extern int32_t given(int32_t), library_run(int64_t, char *, size_t);
extern const uint8_t library_table[1000];
static char buffer[100000];
static volatile size_t eight = 8;
int32_t given(int32_t i) { return i + library_table[0]; }
int main(void) {
    memset(buffer, 1, eight);
    return library_run(0, buffer, eight) == 0;
}
"""


@pytest.mark.parametrize("name", qemu.BOARDS)
def test_footprint(name: str, tmp_path: Path) -> None:
    (tmp_path / "library.c").write_text(LIBRARY)
    (tmp_path / "main.c").write_text(MAIN)
    sources = [tmp_path / "library.c", tmp_path / "main.c"]
    program = qemu.build(needs(name), sources, tmp_path / "a program of an inconveniently long name")
    qemu.run(needs(name), program, tmp_path)
    found = qemu.footprint(needs(name), program, ["library.c"])
    assert found.total("constants", source="library.c") == 1000 + 32
    assert found.total("data") == 40
    assert found.total("zeroed") == 400
    assert found.ram == 440
    assert found.flash == found.total("code") + found.total("constants") + 40
    own = {part.section: part.size for part in found.parts if part.source == "library.c" and part.kind == "code"}
    assert own.keys() == {".text.library_run", ".text.hidden"}
    assert found.total("code", source="library.c") == sum(own.values())
    from_libraries = {part.source for part in found.parts if part.kind == "code"} - {"library.c", ""}
    assert any("memcpy" in source for source in from_libraries)
    assert any("div" in source for source in from_libraries)
    assert not any("memset" in source for source in from_libraries)
    only = qemu.footprint(needs(name), program, ["library.c"], entries=["library_table"])
    assert (only.flash, only.ram) == (1000, 0)


def test_footprint_of_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")
    program = qemu.build(needs("cortex-m3"), [tmp_path / "main.c"], tmp_path / "program")
    with pytest.raises(ValueError, match=r"no such sources: {'library.c'}"):
        qemu.footprint(needs("cortex-m3"), program, ["library.c"])
    with pytest.raises(ValueError, match=r"nothing in .* uses the library"):
        qemu.footprint(needs("cortex-m3"), program, ["main.c"], entries=[])
    with pytest.raises(ValueError, match="microcontrollers"):
        qemu.footprint(needs("host"), program, ["main.c"])
