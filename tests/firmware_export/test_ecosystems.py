"""Arduino, PlatformIO and Zephyr: manifests by their documentation, and the code with the flags that they use."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_asd.firmware_export.layout import laid_out
from edge_asd.firmware_export.library import DETECTOR, detector_library
from edge_asd.monitor.engine import Engine
from tests.firmware_export.projects import KINDS, built, bundle, call, library, need, project
from tests.golden.committed import made_sound
from tests.once import Once

C = Path(__file__).parent / "c"

CORES = {
    "cortex-m4": ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"),
    "cortex-m0plus": ("arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"),
    "cortex-m33": ("arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb"),
    "cortex-m55": ("arm-none-eabi-gcc", "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"),
    "riscv32": ("riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"),
}

ARDUINO = ("-Os", "-std=gnu11", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Werror")
SKETCH = (
    "-Os",
    "-std=gnu++17",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-Wall",
    "-Wextra",
    "-Werror",
)

SEMVER = r"\d+\.\d+\.\d+"


@pytest.fixture(scope="module")
def arduino(once: Once) -> Path:
    """An Arduino library; do not change it."""
    return once("project-arduino", lambda folder: project(folder, "arduino"))


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m0plus", "riscv32"])
def test_sources_compile_with_arduinos_flags(core: str, arduino: Path, tmp_path: Path) -> None:
    sources = sorted((arduino / "src").glob("*.c"))
    call(*CORES[core], *ARDUINO, f"-I{arduino / 'src'}", "-c", *sources, folder=tmp_path)
    assert len(list(tmp_path.glob("*.o"))) == len(sources)


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m33", "cortex-m55"])
def test_cycle_counting_compiles(core: str, tmp_path: Path) -> None:
    project(tmp_path, "cmake")
    flags = ("-O2", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Iinclude")
    sources = [f"examples/{name}.c" for name in ("cycles", "board", "microphone_dma")]
    call(*CORES[core], *flags, "-c", *sources, folder=tmp_path)


def test_the_sketch_compiles_for_its_board(arduino: Path, tmp_path: Path) -> None:
    compiler, *flags = CORES["cortex-m4"]
    compiler = compiler.replace("gcc", "g++")
    sketch = arduino / "examples" / "Listen" / "Listen.ino"
    includes = ("-include", C / "arduino" / "Arduino.h", f"-I{C / 'arduino'}", f"-I{arduino / 'src'}")
    for standard in ("gnu++11", "gnu++17"):
        call(compiler, *flags, *SKETCH, f"-std={standard}", *includes, "-x", "c++", "-c", sketch, folder=tmp_path)


@pytest.fixture(scope="module")
def sketch(arduino: Path, once: Once) -> Path:
    """The sketch on this computer."""
    need("gcc", "g++")

    def make(folder: Path) -> None:
        include = (f"-I{C / 'arduino'}", f"-I{arduino / 'src'}")
        call("gcc", *ARDUINO, *include, "-c", *sorted((arduino / "src").glob("*.c")), folder=folder)
        sources = (
            "-x",
            "c++",
            C / "arduino" / "main.cpp",
            arduino / "examples" / "Listen" / "Listen.ino",
            "-x",
            "none",
        )
        objects = sorted(folder.glob("*.o"))
        flags = (*SKETCH, "-include", C / "arduino" / "Arduino.h", *include)
        call("g++", *flags, *sources, *objects, "-o", "sketch", folder=folder)

    return once("arduino-sketch", make) / "sketch"


def test_the_sketch_decides_as_the_engine(sketch: Path, tmp_path: Path) -> None:
    pcm = made_sound(2, 330)
    decisions = Engine(bundle(), "00").push(pcm)
    expected = [
        f"light {d.anomaly:d} at pin 13: {'ANOMALY' if d.anomaly else 'normal'}, "
        f"score {d.score // 65536} dB^2, samples lost 0"
        for d in decisions
    ]
    assert call(sketch, folder=tmp_path, stdin=pcm.tobytes()).splitlines() == expected
    assert {d.anomaly for d in decisions} == {True, False}


def test_the_sketch_tells_of_lost_samples(sketch: Path, tmp_path: Path) -> None:
    """Seventeen blocks of 256 samples at once: there is room for sixteen."""
    pcm = made_sound(1, 200)
    told = call(sketch, "lose", folder=tmp_path, stdin=pcm.tobytes()).splitlines()
    at = (20 * 2 + 16) * 256
    kept = np.concatenate([pcm[:at], pcm[at + 256 :]])
    scores = [decision.score // 65536 for decision in Engine(bundle(), "00").push(kept)]
    assert [int(line.split("score ")[1].split()[0]) for line in told] == scores
    assert told[-1].endswith("samples lost 256")


@pytest.mark.parametrize("kind", KINDS)
def test_library_properties(kind: str) -> None:
    """The fields of Arduino's library specification 2.2 and their values."""
    files = laid_out(library(kind), "arduino")
    lines = [line for line in files["library.properties"].splitlines() if not line.startswith("#")]
    fields = dict(line.split("=", 1) for line in lines)
    assert list(fields) == ["name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url",
                            "architectures", "includes"]  # fmt: skip
    assert re.fullmatch(r"(?!arduino)[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", fields["name"])
    assert re.fullmatch(SEMVER, fields["version"])
    assert all(value == value.strip() != "" for value in fields.values())
    assert fields["category"] in ("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control",
                                  "Timing", "Data Storage", "Data Processing", "Other")  # fmt: skip
    assert re.fullmatch(r"https?://\S+", fields["url"])
    assert re.fullmatch(r"[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*", fields["architectures"])
    assert all(f"src/{header}" in files for header in fields["includes"].split(","))
    # A folder of examples holds sketches of its own name; whatever else there is belongs into extras.
    others = {name.split("/")[0] for name in files} - {"README.md", "LICENSE", "library.properties"}
    assert others == {"src", "extras"} | ({"examples"} if kind == DETECTOR else set())
    examples = [name for name in files if name.startswith("examples/")]
    assert examples == (["examples/Listen/Listen.ino"] if kind == DETECTOR else [])


@pytest.mark.parametrize("kind", KINDS)
def test_library_json(kind: str) -> None:
    """The fields of PlatformIO's library.json and their values."""
    files = laid_out(library(kind), "platformio")
    manifest = json.loads(files["library.json"])
    fields = "$schema name version description keywords homepage repository authors license frameworks platforms"
    assert set(manifest) <= {*fields.split(), "headers", "examples", "dependencies", "export", "scripts", "build"}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", manifest["name"])
    assert len(manifest["name"]) <= 50
    assert re.fullmatch(SEMVER, manifest["version"])
    assert 1 <= len(manifest["description"]) <= 255
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9\- ]*", word) for word in manifest["keywords"])
    assert all(set(author) <= {"name", "email", "url", "maintainer"} for author in manifest["authors"])
    assert all(author["name"] for author in manifest["authors"])
    assert manifest["license"] == "MIT"  # an SPDX identifier
    assert all(f"{manifest['build']['includeDir']}/{header}" in files for header in manifest["headers"])
    assert set(manifest["build"]) == {"includeDir", "srcDir"}
    assert any(name.startswith(f"{manifest['build']['srcDir']}/") for name in files)
    for example in manifest.get("examples", []):
        assert set(example) == {"name", "base", "files"}
        assert all(f"{example['base']}/{name}" in files for name in example["files"])
    assert ("examples" in manifest) == (kind == DETECTOR)


@pytest.mark.parametrize("kind", KINDS)
def test_module_yml(kind: str) -> None:
    """What Zephyr documents for zephyr/module.yml: name, build (cmake, kconfig), samples."""
    files = laid_out(library(kind), "zephyr")
    text = files["zephyr/module.yml"]
    samples = "samples:\n  - samples\n" if kind == DETECTOR else ""
    expected = f"name: edge_asd\nbuild:\n  cmake: zephyr\n  kconfig: zephyr/Kconfig\n{samples}"
    assert text.split("\n", 1)[1] == expected
    assert {"zephyr/CMakeLists.txt", "zephyr/Kconfig"} < set(files)
    assert ("samples/selftest/prj.conf" in files) == (kind == DETECTOR)


def test_kconfig_of_cmsis_nn(tmp_path: Path) -> None:
    kconfiglib = pytest.importorskip("kconfiglib")
    project(tmp_path, "zephyr", detector_library(bundle(), cmsis_nn=True))
    zephyr = tmp_path / "Kconfig"
    zephyr.write_text(f'config CMSIS_NN\n\tbool "CMSIS-NN"\nsource "{tmp_path}/zephyr/Kconfig"\n')
    config = kconfiglib.Kconfig(str(zephyr), warn_to_stderr=False)
    for name, visible in (("EDGE_ASD", 0), ("CMSIS_NN", 0), ("EDGE_ASD_CMSIS_NN", 2)):
        assert config.syms["EDGE_ASD_CMSIS_NN"].visibility == visible
        assert config.syms[name].set_value("y")
    assert config.syms["EDGE_ASD_CMSIS_NN"].str_value == "y"
    assert config.warnings == []


@pytest.mark.parametrize("kind", KINDS)
def test_kconfig(kind: str, tmp_path: Path) -> None:
    kconfiglib = pytest.importorskip("kconfiglib")
    project(tmp_path, "zephyr", library(kind))
    config = kconfiglib.Kconfig(str(tmp_path / "zephyr" / "Kconfig"), warn_to_stderr=False)
    assert config.warnings == []
    of_detector = {"EDGE_ASD_INTERVAL_FRAMES"} if kind == DETECTOR else set()
    ours = {name for name in config.syms if name.startswith("EDGE_ASD")}
    assert ours == {"EDGE_ASD", "EDGE_ASD_PORTABLE", *of_detector}
    assert config.syms["EDGE_ASD"].str_value == "n"
    if kind == DETECTOR:
        config.load_config(str(tmp_path / "samples" / "selftest" / "prj.conf"))
        assert config.syms["EDGE_ASD"].str_value == "y"
        assert config.syms["EDGE_ASD_INTERVAL_FRAMES"].str_value == "0"
        assert config.warnings == []


def test_the_module_builds_its_sample(tmp_path: Path) -> None:
    module = project(tmp_path / "module", "zephyr")
    application = shutil.copytree(C / "zephyr", tmp_path / "application")
    options = "CONFIG_EDGE_ASD=y\nCONFIG_EDGE_ASD_INTERVAL_FRAMES=0\nCONFIG_EDGE_ASD_PORTABLE=y\n"
    (tmp_path / ".config").write_text(options)
    build = built(application, f"-DMODULE={module}", f"-DOPTIONS={tmp_path / '.config'}")
    text = call(build / "app", folder=tmp_path)
    assert text == "Self-test passed.\nA hop takes up to 1000 cycles of the system's clock.\n"


def test_the_module_is_out_of_the_way_unless_wanted(tmp_path: Path) -> None:
    module = project(tmp_path / "module", "zephyr")
    application = shutil.copytree(C / "zephyr", tmp_path / "application")
    (tmp_path / ".config").write_text("")
    options = (f"-DMODULE={module}", f"-DOPTIONS={tmp_path / '.config'}")
    call("cmake", "-B", "build", "-S", ".", *options, folder=application)
    assert "edge_asd" not in call("cmake", "--build", "build", "--target", "help", folder=application)


def test_any_name_of_a_machine(tmp_path: Path) -> None:
    """All that may stand in a name: whatever can be printed, but slashes."""
    machine = 'Lüfter "A" | $(x) <b> #1 = {{ x }}'
    named = detector_library(replace(bundle(), machine=machine))
    manifest = json.loads(laid_out(named, "platformio")["library.json"])
    assert machine in manifest["description"]
    assert f"sentence=Hears that a machine ({machine}) sounds" in laid_out(named, "arduino")["library.properties"]
    assert machine in laid_out(named, "cmake")["README.md"]
    kconfiglib = pytest.importorskip("kconfiglib")
    project(tmp_path, "zephyr", named)
    config = kconfiglib.Kconfig(str(tmp_path / "zephyr" / "Kconfig"), warn_to_stderr=False)
    assert machine in config.syms["EDGE_ASD"].nodes[0].help
