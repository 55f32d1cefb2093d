"""The C under fuzzing with sanitizers, strict warnings and static analysis."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_asd.firmware_export import qemu
from edge_asd.frontend.c_tables import c_header, c_source, packed_tables
from edge_asd.frontend.spec import FeatureSpec
from tests.frontend import c_programs
from tests.frontend.signals import cases
from tests.targets import needs

FUZZED = (
    FeatureSpec(),
    FeatureSpec(8000, 512, 37, 16),
    FeatureSpec(48000, 512, 511, 128),
    FeatureSpec(22050, 2048, 700, 99),
    FeatureSpec(44100, 1024, 1024, 64),
)


def fuzz_sources(folder: Path) -> list[str]:
    """Write the tables of `FUZZED`; return compiler arguments for the fuzz target."""
    names = [f"fuzz_tables_{i}" for i in range(len(FUZZED))]
    for name, spec in zip(names, FUZZED, strict=True):
        (folder / f"{name}.c").write_text(c_source(spec, name))
        (folder / f"{name}.h").write_text(c_header(name))
    includes = "".join(f'#include "{name}.h"\n' for name in names)
    pointers = ", ".join(f"&{name}" for name in names)
    (folder / "fuzz_tables.h").write_text(
        f"{includes}#define FUZZ_TABLES {len(names)}\n"
        f"static const edge_asd_frontend_tables *const fuzz_tables[FUZZ_TABLES] = {{{pointers}}};\n"
    )
    c_files = [*sorted(c_programs.CSRC.glob("*.c")), *(folder / f"{name}.c" for name in names)]
    arguments = [f"-I{c_programs.CSRC}", f"-I{folder}", c_programs.PROGRAMS / "fuzz.c", *c_files]
    return [*qemu.WARNINGS, *map(str, arguments)]


def fuzz(frames: int, folder: Path) -> None:
    needs("host")
    program = folder / "fuzz"
    command = ["gcc", *c_programs.SANITIZE, f"-DFUZZ_FRAMES={frames}", *fuzz_sources(folder), "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True)
    done = subprocess.run([program], check=True, capture_output=True, text=True)
    assert int(done.stdout.split()[0]) >= frames


def test_fuzz(tmp_path: Path) -> None:
    fuzz(2000, tmp_path)


@pytest.mark.prove
def test_fuzz_long(tmp_path: Path) -> None:
    fuzz(200_000, tmp_path)


@pytest.mark.prove
def test_libfuzzer(tmp_path: Path) -> None:
    if shutil.which("clang") is None:
        pytest.skip("needs clang with libFuzzer: apt install clang libclang-rt-14-dev")
    sanitize = ["-O1", "-g", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]
    program = tmp_path / "fuzz"
    subprocess.run(["clang", *sanitize, *fuzz_sources(tmp_path), "-o", str(program)], check=True, capture_output=True)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for i, x in enumerate(cases(FeatureSpec(), frames=6).values()):
        (corpus / str(i)).write_bytes(bytes([i, 3, i, 0]) + x.tobytes())
    done = subprocess.run(
        [program, "-runs=4000", "-max_len=40004", "-len_control=0", "-seed=1", "corpus"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    frames = int(done.stdout.split()[0])
    print(f"\n{frames} frames fuzzed with libFuzzer")
    assert frames >= 100_000


def test_fuzzing_finds_a_planted_fault(tmp_path: Path) -> None:
    """The fuzz target is able to fail: one wrong constant and it stops."""
    needs("host")
    arguments = fuzz_sources(tmp_path)
    kernel = (c_programs.CSRC / "edge_asd_frontend_ops.h").read_text()
    assert "(x + 2) >> 2" in kernel
    (tmp_path / "edge_asd_frontend_ops.h").write_text(kernel.replace("(x + 2) >> 2", "(x + 1) >> 2"))
    for source in c_programs.CSRC.glob("*"):
        if not (tmp_path / source.name).exists():
            shutil.copy(source, tmp_path)
    arguments = [a.replace(str(c_programs.CSRC), str(tmp_path)) for a in arguments]
    program = tmp_path / "fuzz"
    subprocess.run(
        ["gcc", "-O1", "-DFUZZ_FRAMES=2000", *arguments, "-o", str(program)], check=True, capture_output=True
    )
    supported = subprocess.run(["grep", "-q", "avx2", "/proc/cpuinfo"], check=False).returncode == 0
    if not supported:
        pytest.skip("needs a processor with vectors, to have two implementations")
    assert subprocess.run([program], check=False, capture_output=True).returncode < 0


def test_cppcheck() -> None:
    if shutil.which("cppcheck") is None:
        pytest.skip("needs cppcheck: apt install cppcheck")
    command = ["cppcheck", "--quiet", "--std=c99", "--enable=warning,style,performance,portability"]
    sources = sorted(c_programs.CSRC.glob("*.c"))
    done = subprocess.run([*command, "--error-exitcode=1", *sources], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "compiler",
    [
        "gcc",
        pytest.param("clang", marks=pytest.mark.prove),
        pytest.param("aarch64-linux-gnu-gcc", marks=pytest.mark.prove),
    ],
)
def test_no_warnings(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    for source in sorted(c_programs.CSRC.glob("*.c")):
        for level in ("-Os", "-O2", "-O3"):
            command = [compiler, *qemu.WARNINGS, level, "-c", str(source), "-o", str(tmp_path / "x.o")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")


def test_firmware_needs_nothing_but_memory_functions(tmp_path: Path) -> None:
    target = needs("cortex-m4")
    source = c_programs.CSRC / "edge_asd_frontend.c"
    sizes = qemu.compile_object(target, source, tmp_path / "frontend.o", include=[c_programs.CSRC])
    assert sizes["text"] <= 2560
    assert sizes["data"] == sizes["bss"] == 0
    names = subprocess.run(
        ["arm-none-eabi-nm", "-u", tmp_path / "frontend.o"], capture_output=True, text=True, check=True
    )
    undefined = set(names.stdout.split()) - {"U"}
    assert undefined <= {"memcpy", "memmove", "__aeabi_memcpy", "__aeabi_memmove"}
    stack = [int(line.split("\t")[1]) for line in (tmp_path / "frontend.su").read_text().splitlines()]
    assert sum(sorted(stack)[-3:]) <= 300


def test_table_sizes() -> None:
    assert packed_tables(FeatureSpec()).bytes <= 10 * 1024
    # Half the transform and fewer bands: only what a specification needs is emitted.
    assert packed_tables(FeatureSpec(48000, 512, 512, 16)).bytes < packed_tables(FeatureSpec()).bytes / 2
