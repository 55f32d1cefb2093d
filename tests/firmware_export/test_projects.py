"""Exported CMake projects, built and run: what they decide is what the engine decides."""

from __future__ import annotations

import re
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.firmware_export.library import detector_library
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.engine import Engine
from edge_asd.wav_writing import write_wav
from tests.firmware_export.projects import WARNINGS, built, bundle, call, commands, library, need, project
from tests.golden.committed import made_sound
from tests.once import Once

Pcm = npt.NDArray[np.int16]

LINE = re.compile(r" *(\d+\.\d{3}) s  score .* \((-?\d+)\)  threshold .* \((-?\d+)\)  (ANOMALY|normal)")

RATE = 16_000

CMSIS_NN = Path(__file__).parent / "c" / "cmsis_nn"
"""Declares and computes what CMSIS-NN documents."""


@pytest.fixture(params=["ae", pytest.param("mobilenetv2", marks=pytest.mark.prove)])
def detector(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def programs(detector: str, once: Once) -> Path:
    """The folder with the built examples of a detector, by the commands of its README."""
    need("cmake", "make")

    def make(folder: Path) -> None:
        project(folder, "cmake", library(detector=detector))
        write_wav(folder / "FILE.wav", made_sound(1, 200), RATE)
        text = commands((folder / "README.md").read_text())
        told = call("sh", "-c", f"set -e\nexport CFLAGS='{WARNINGS}' MAKEFLAGS=-j2\n{text}", folder=folder, status=3)
        assert "ANOMALY" in told

    return once(f"project-{detector}", make) / "build"


def engine_decisions(detector: str, pcm: Pcm, section: str = "00") -> list[Decision]:
    engine = Engine(bundle(detector), section)
    return engine.push(pcm) + engine.finish()


def printed(text: str) -> list[tuple[str, int, int, bool]]:
    found = [LINE.fullmatch(line) for line in text.splitlines()]
    return [(m[1], int(m[2]), int(m[3]), m[4] == "ANOMALY") for m in found if m is not None]


@pytest.mark.parametrize("section", ["00", "01"])
def test_the_wav_runner_decides_as_the_engine(detector: str, section: str, programs: Path, tmp_path: Path) -> None:
    verdicts = set()
    for seed, pitch, dead in ((2, 330, False), (1, 200, True)):
        pcm = made_sound(seed, pitch)
        if dead:  # muted for a while
            pcm = np.concatenate([pcm[:40_000], np.zeros(10_000, np.int16), pcm[:48_000], pcm[:48_000]])
        expected = engine_decisions(detector, pcm, section)
        write_wav(tmp_path / "sound.wav", pcm, RATE)
        status = 3 if any(decision.anomaly for decision in expected) else 0
        text = call(programs / "wav", "sound.wav", section, folder=tmp_path, status=status)
        rows = [(f"{d.time_s:.3f}", d.score, d.threshold, d.anomaly) for d in expected]
        assert printed(text) == rows
        assert len(rows) > 2
        assert ("because the input was dead" in text) == dead
        verdicts |= {decision.anomaly for decision in expected}
    assert verdicts == {True, False}


def test_the_selftest_passes(programs: Path, tmp_path: Path) -> None:
    assert call(programs / "wav", "--selftest", folder=tmp_path) == "Self-test passed.\n"
    assert "100% tests passed" in call("ctest", folder=programs)


def test_the_simulated_microphone(detector: str, programs: Path, tmp_path: Path) -> None:
    """All halves but the one that is lost, in order; DMA came too early after the fifth."""
    one = bundle(detector)
    half, most = one.features.hop_length * one.window_hop, 15 * RATE
    period = np.array([0, 1148, 2121, 2772, 3000, 2772, 2121, 1148], np.int16)
    count = most // half + 1
    pcm = np.resize(np.concatenate([period, -period]), count * half)
    heard = np.concatenate([pcm[: 4 * half], pcm[5 * half :]])
    engine = Engine(one, "00")
    expected = [
        f"{'ANOMALY' if decision.anomaly else 'normal'}, score {decision.score}" for decision in engine.push(heard)
    ]
    assert call(programs / "microphone_dma", folder=tmp_path).splitlines() == [*expected, "Overruns: 1"]
    assert len(expected) > 10


def wav(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def pcm_format(channels: int = 1, rate: int = RATE, bits: int = 16, tag: int = 1) -> bytes:
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)


def sound() -> Pcm:
    return made_sound(1, 200)


GUID = bytes.fromhex("0100000000001000800000aa00389b71")

GOOD = {
    "plain": lambda: wav([(b"fmt ", pcm_format()), (b"data", sound().tobytes())]),
    "other chunks": lambda: wav(
        [
            (b"LIST", b"odd"),
            (b"fmt ", pcm_format() + b"\0\0"),
            (b"fact", b"1234"),
            (b"data", sound().tobytes()),
            (b"id3 ", b"?"),
        ]
    ),
    "stereo": lambda: wav(
        [(b"fmt ", pcm_format(2)), (b"data", np.stack([sound(), np.zeros_like(sound())], axis=1).tobytes())]
    ),
    "extensible": lambda: wav(
        [
            (b"fmt ", pcm_format(tag=0xFFFE) + struct.pack("<HHI", 22, 16, 4) + GUID),
            (b"data", sound().tobytes()),
        ]
    ),
    "a stream of unknown length": lambda: wav([(b"fmt ", pcm_format())]) + b"data\xff\xff\xff\xff" + sound().tobytes(),
}

BAD = {
    "is no WAV file": lambda: b"RIFX",
    "it holds no sound": lambda: wav([(b"fmt ", pcm_format())]),
    "its sound comes before its format": lambda: wav([(b"data", bytes(8))]),
    "its header is cut off": lambda: wav([(b"fmt ", bytes(15)), (b"data", bytes(8))]),
    "it is not 16-bit PCM": lambda: wav([(b"fmt ", pcm_format(bits=24)), (b"data", bytes(6))]),
    "not 16-bit PCM; convert": lambda: wav([(b"fmt ", pcm_format(tag=3)), (b"data", bytes(8))]),
    "impossible number of channels": lambda: wav([(b"fmt ", pcm_format(0)), (b"data", bytes(8))]),
    "sample rate is another": lambda: wav([(b"fmt ", pcm_format(rate=44_100)), (b"data", bytes(8))]),
    "no whole number of samples": lambda: wav([(b"fmt ", pcm_format()), (b"data", bytes(7))]),
    "it is cut off": lambda: wav([(b"fmt ", pcm_format()), (b"data", sound().tobytes())])[:-2],
    "too short: the first decision falls after 1.472 s": lambda: wav([(b"fmt ", pcm_format()), (b"data", bytes(8))]),
}


def with_domains() -> Bundle:
    """The autoencoder's bundle where section 00 has thresholds by domain."""
    one = bundle()
    whole = one.thresholds["00"]
    domains = {"source": replace(whole, score=whole.score - 9), "target": replace(whole, score=10**9)}
    return replace(one, thresholds={**one.thresholds, "00": replace(whole, domains=domains)})


@pytest.fixture(scope="module")
def runner(once: Once) -> Path:
    """The WAV runner of the autoencoder, which scores four windows together, under sanitizers."""
    need("cmake", "make")

    def make(folder: Path) -> None:
        flags = f"-DCMAKE_C_FLAGS={WARNINGS} -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
        built(project(folder, "cmake", detector_library(with_domains(), hops=4)), flags, "-DCMAKE_BUILD_TYPE=None")

    return once("project-sanitized", make) / "build" / "wav"


@pytest.mark.parametrize("name", GOOD)
def test_files_that_are_heard(name: str, runner: Path, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(GOOD[name]())
    text = call(runner, "x.wav", "00", folder=tmp_path, status=3)
    assert [row[1] for row in printed(text)] == [decision.score for decision in engine_decisions("ae", sound())]


@pytest.mark.parametrize("message", BAD)
def test_files_that_are_refused(message: str, runner: Path, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(BAD[message]())
    text = call(runner, "x.wav", "00", folder=tmp_path, status=1)
    assert "x.wav: " in text
    assert message in text


@pytest.mark.parametrize(("domain", "status"), [("source", 3), ("target", 0)])
def test_thresholds_of_domains(domain: str, status: int, runner: Path, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(GOOD["plain"]())
    text = call(runner, "x.wav", "00", domain, folder=tmp_path, status=status)
    assert {row[2] for row in printed(text)} == {with_domains().threshold("00", domain).score}


def test_other_mistakes(runner: Path, tmp_path: Path) -> None:
    assert "cannot be opened" in call(runner, "x.wav", "00", folder=tmp_path, status=1)
    assert "is no WAV file" in call(runner, ".", "00", folder=tmp_path, status=1)
    assert "There is: 00 01" in call(runner, "x.wav", "07", folder=tmp_path, status=1)
    assert "Usage: " in call(runner, "x.wav", folder=tmp_path, status=2)
    assert "Usage: " in call(runner, "x.wav", "00", "neither", folder=tmp_path, status=2)


def mutate(runner: Path, folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    good = wav([(b"LIST", b"odd"), (b"fmt ", pcm_format()), (b"data", sound()[:30_000].tobytes())])
    seen = set()
    for _ in range(count):
        content = bytearray(good[: int(rng.choice([len(good), rng.integers(0, 80)]))])
        for _ in range(int(rng.integers(1, 4))):
            if content:
                content[int(rng.integers(0, min(60, len(content))))] = int(rng.choice([0, 1, 2, 127, 128, 255]))
        (folder / "x.wav").write_bytes(content)
        done = subprocess.run([runner, "x.wav", "00"], cwd=folder, capture_output=True, check=False)
        assert done.returncode in (0, 1, 3), done.stderr
        assert b"ERROR" not in done.stderr
        seen.add(done.returncode)
    assert seen >= {1, 3}


def test_mutated_headers(runner: Path, tmp_path: Path) -> None:
    mutate(runner, tmp_path, 100)


@pytest.mark.prove
def test_many_mutated_headers(runner: Path, tmp_path: Path) -> None:
    mutate(runner, tmp_path, 3000)


def test_the_board_in_qemu(tmp_path: Path) -> None:
    project(tmp_path, "cmake")
    need("arm-none-eabi-gcc", "qemu-system-arm")
    board = built(tmp_path, "--toolchain", "examples/qemu/cortex-m4.cmake", build="board")
    assert "Self-test passed." in call("ctest", "--verbose", folder=board)
    command = re.findall(
        r"(?m)^set\(CMAKE_CROSSCOMPILING_EMULATOR (.*)\)$", (tmp_path / "examples/qemu/cortex-m4.cmake").read_text()
    )
    text = call(*command[0].split(), board / "cycles", folder=tmp_path, status=1)
    assert text.startswith("The cycle counter stands still: QEMU")


def test_as_a_part_of_another_project(tmp_path: Path) -> None:
    """No examples, and settings that change the sizes of structures reach those who use the library."""
    project(tmp_path / "detector", "cmake")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(firmware LANGUAGES C)\ninclude(FetchContent)\n"
        'FetchContent_Declare(edge_asd SOURCE_DIR "${CMAKE_CURRENT_SOURCE_DIR}/detector")\n'
        "FetchContent_MakeAvailable(edge_asd)  # add_subdirectory, in the end\n"
        "add_executable(firmware main.c)\ntarget_link_libraries(firmware PRIVATE edge_asd::edge_asd)\n"
    )
    (tmp_path / "main.c").write_text(
        '#include "edge_asd.h"\n#if EDGE_ASD_INTERVAL_FRAMES != 7 || EDGE_ASD_KERNELS != EDGE_ASD_PORTABLE\n'
        "#error\n#endif\n"
        "static edge_asd_detector detector;\nint main(void) { return edge_asd_selftest(&detector) == 0 ? 0 : 1; }\n"
    )
    build = built(tmp_path, "-DEDGE_ASD_INTERVAL_FRAMES=7", "-DEDGE_ASD_KERNELS=EDGE_ASD_PORTABLE")
    call(build / "firmware", folder=tmp_path)
    assert not list(build.rglob("wav*"))


@pytest.mark.parametrize("kind", ["model", "frontend"])
def test_projects_without_a_detector(kind: str, tmp_path: Path) -> None:
    build = built(project(tmp_path, "cmake", library(kind)))
    if kind == "frontend":
        assert "0 differ" in call(build / "compare", folder=tmp_path)
    else:
        text = call(build / "run", folder=tmp_path, status=1, stdin=b"12345")
        assert text == "The input is no whole number of windows of 640 bytes.\n"


def test_a_cmsis_nn_of_the_users_own(tmp_path: Path) -> None:
    one = detector_library(bundle(), cmsis_nn=True)
    project(tmp_path / "detector", "cmake", one)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(firmware LANGUAGES C)\n"
        f'add_library(nn STATIC "{CMSIS_NN / "arm_nnfunctions.c"}")\n'
        f'target_include_directories(nn PUBLIC "{CMSIS_NN}")\n'
        "target_compile_definitions(nn PRIVATE CMSIS_NN_USE_SINGLE_ROUNDING)\n"
        "set(EDGE_ASD_BUILD_EXAMPLES ON)\nadd_subdirectory(detector)\n"
    )
    build = built(tmp_path, "-DEDGE_ASD_CMSIS_NN=nn")
    assert "Self-test passed." in call(build / "detector" / "wav", "--selftest", folder=tmp_path)
    assert "edge_asd_matrix_cmsis_nn" in call("nm", build / "detector" / "wav", folder=tmp_path)
