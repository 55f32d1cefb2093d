"""What lies in an exported project: the same everywhere, complete, licensed, and told by its README."""

from __future__ import annotations

import re
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export.layout import TARGETS, laid_out
from edge_asd.firmware_export.library import DETECTOR, FRONTEND, MODEL, ROUNDINGS, model_library
from edge_asd.wav_writing import write_wav
from tests.conftest import ROOT
from tests.firmware_export.projects import KINDS, WARNINGS, bundle, call, commands, library, project
from tests.golden.committed import made_sound

REPORT = {
    "vectors": 20,
    "mismatches": 0,
    "values": 12_345_678,
    "decisions": 9,
    "reference": "LiteRT's reference kernels",
    "notes": ["A note."],
    "boards": {
        "cortex-m4": {
            "instructions_per_inference": 250_000,
            "instructions_per_hop": 312_345,
            "flash_bytes": 300_000,
            "ram_bytes": 11_000,
            "stack_bytes": 600,
            "code_bytes": 9_000,
            "weight_bytes": 280_000,
        },
        "riscv32": {"instructions_per_inference": 990_000, "instructions_per_hop": None, "flash_bytes": None},
    },
}


@pytest.mark.parametrize("target", TARGETS)
def test_every_file_is_relative_licensed_and_the_same_each_time(target: str) -> None:
    for kind in KINDS:
        files = laid_out(library(kind), target)
        assert files == laid_out(library(kind), target)
        assert list(files) == sorted(files)
        for name, text in files.items():
            assert not name.startswith("/"), name
            assert ".." not in Path(name).parts, name
            assert text.endswith("\n"), name
            assert str(ROOT) not in text, name
            assert re.search(r"\b20\d\d-\d\d-\d\d\b", text) is None, name
            if name.endswith(("LICENSE", ".json")):
                continue
            assert "SPDX-License-Identifier: MIT" in text.splitlines()[0], name
            assert "{{" not in text.replace("{{{", ""), name
        assert files["LICENSE"] == (ROOT / "LICENSE").read_text()
        assert set(library(kind).files.values()) <= set(files.values())


@pytest.mark.parametrize("target", ["cmake", "platformio", "zephyr"])
def test_headers_that_users_need_are_apart(target: str) -> None:
    files = laid_out(library(), target)
    assert {Path(name).name for name in files if name.startswith("include/")} == library().public


def test_an_unknown_target() -> None:
    with pytest.raises(EdgeAsdError, match="no target 'make'; choose one of cmake, arduino, platformio, zephyr"):
        laid_out(library(), "make")


def test_the_table_of_boards() -> None:
    model = laid_out(library(MODEL), "cmake", REPORT)["README.md"]
    assert f"| cortex-m4 | 250,000 | 300,000 | 11,000 | 600 | 9,000 | 280,000 | {round(250_000 * 1.44):,} |" in model
    readme = laid_out(library(), "cmake", REPORT)["README.md"]
    words = " ".join(readme.split())
    assert (
        "on each of these processors in QEMU: windows 20, values 12,345,678, decisions 9. None differs. A note."
        in words
    )
    cycles = round(312_345 * 1.44)
    assert f"| cortex-m4 | 250,000 | 312,345 | 300,000 | 11,000 | 600 | 9,000 | 280,000 | {cycles:,} |" in readme
    assert "| riscv32 | 990,000 | - | - | - | - | - | - | - |" in readme
    assert "were not measured" not in readme
    assert "were not measured" in laid_out(library(), "cmake")["README.md"]


@pytest.mark.parametrize(("kind", "target"), list(product(KINDS, TARGETS)))
def test_readme_is_whole_markdown(kind: str, target: str) -> None:
    readme = laid_out(library(kind), target, REPORT)["README.md"]
    lines = readme.splitlines()
    assert readme.count("```") % 2 == 0
    assert "\n\n\n" not in readme
    for before, line in pairwise(lines):
        if line.startswith(("# ", "## ", "```c", "| processor", "| kernels", "| section")):
            assert before in ("", "<!-- SPDX-License-Identifier: MIT -->"), line


def test_the_commands_of_readme_lead_to_a_decision(tmp_path: Path) -> None:
    """Without CMake; with it, `test_projects` does."""
    project(tmp_path, "arduino")
    write_wav(tmp_path / "FILE.wav", made_sound(1, 200), bundle().features.sample_rate)
    text = commands((tmp_path / "README.md").read_text())
    assert "ANOMALY" in call("sh", "-c", f"set -e\n{text}", folder=tmp_path, status=3)
    for target in ("platformio", "zephyr"):
        other = commands(laid_out(library(), target)["README.md"])
        assert other == text.replace("-Isrc", "-Iinclude -Isrc")


def test_the_commands_of_readme_compute_a_model(tmp_path: Path) -> None:
    golden = bundle().golden_arrays()
    project(tmp_path, "arduino", library(MODEL))
    frames, outputs = golden["model_input"], golden["model_output"]
    windows = np.stack([frames[i : i + bundle().window_frames].ravel() for i in range(len(outputs))])
    windows.tofile(tmp_path / "inputs.bin")
    call("sh", "-c", f"set -e\n{commands((tmp_path / 'README.md').read_text())}", folder=tmp_path)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "outputs.bin", np.int8), outputs.ravel())


def test_the_commands_of_readme_compare_features(tmp_path: Path) -> None:
    project(tmp_path, "platformio", library(FRONTEND))
    text = call("sh", "-c", f"set -e\n{commands((tmp_path / 'README.md').read_text())}", folder=tmp_path)
    assert re.search(r"^\d+ frames of 128 values: 0 differ\.$", text, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_readme_compiles(kind: str, tmp_path: Path) -> None:
    project(tmp_path, "cmake", library(kind))
    blocks = re.findall(r"```c\n(.*?)```", (tmp_path / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == (2 if kind == DETECTOR else 1)
    (tmp_path / "use.c").write_text("".join(blocks))
    call("gcc", "-std=c99", "-fsyntax-only", *WARNINGS.split(), "-Iinclude", "use.c", folder=tmp_path)


def test_readme_tells_how_long_a_call_may_take() -> None:
    readmes = [
        laid_out(one, "cmake")["README.md"] for one in (library(), library(hops=4), library(DETECTOR, "mobilenetv2"))
    ]
    for readme, text in zip(
        readmes,
        ("once every\n32 ms:", "once every\n128 ms, on 4 windows together:", "once every\n256 ms:"),
        strict=True,
    ):
        assert text in readme


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_examples_compile_without_a_warning(compiler: str, tmp_path: Path) -> None:
    for kind in KINDS:
        project(tmp_path, "cmake", library(kind))
    sources = [*(tmp_path / "examples").glob("*.c"), *(tmp_path / "examples" / "host").glob("*.c")]
    assert {path.stem for path in sources} >= {"wav", "run", "compare", "microphone_dma", "cycles"}
    flags = ("-std=c99", *WARNINGS.split(), "-fsyntax-only", "-Iinclude", "-Iexamples")
    call(compiler, *flags, *sources, folder=tmp_path)


def test_cppcheck_of_the_examples(tmp_path: Path) -> None:
    for kind in KINDS:
        project(tmp_path, "cmake", library(kind))
    command = (
        "cppcheck",
        "--quiet",
        "--std=c99",
        "--enable=warning,style,performance,portability",
        "--error-exitcode=1",
    )
    for source in sorted((tmp_path / "examples").rglob("*.c")):  # one by one: programs that have nothing in common
        if source.parent.name != "qemu" or source.name == "console.c":
            assert call(*command, "-Iinclude", "-Iexamples", "-Iexamples/qemu", source, folder=tmp_path) == ""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_readme_tells_of_cmsis_nn_and_of_the_rounding(rounding: str, target: str) -> None:
    one = model_library(bundle().model, rounding=rounding, cmsis_nn=True)
    words = " ".join(laid_out(one, target)["README.md"].split())
    both = "both it and this code with `-D" if rounding == "litert" else "both it and this code without `"
    assert f"{both}CMSIS_NN_USE_SINGLE_ROUNDING`" in words
    assert ("Lite Micro does" in words) == (rounding == "tflm")
    assert "CMSIS" not in "".join(
        text for name, text in laid_out(library(MODEL), target).items() if not name.endswith((".c", ".h"))
    )
