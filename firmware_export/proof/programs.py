"""The exported sources with a test program around them: built, run, and what they wrote read back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.library import Library
from edge_asd.firmware_export.network import Network
from edge_asd.firmware_export.sources import library_files

HARNESS = Path(__file__).resolve().parents[1] / "templates" / "proof"

SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")

DETECTOR_ENTRIES = (
    *("edge_asd_find_section", "edge_asd_init", "edge_asd_push", "edge_asd_next", "edge_asd_finish"),
    *("edge_asd_is_dead", "edge_asd_set_threshold"),
)
"""Functions that firmware calls in use: neither the self-test nor calibration."""

MOST_WINDOWS = 96
"""Windows that a test program is given at once: their tensors are held in memory."""

_HEADS = 8 * 256  # of a tensor's rows in the file of values
_MOST_ROOM = 1 << 28  # bytes; beyond, checksums must do

LONG = 1800.0  # seconds: a thousand windows of a large model on an emulated processor


@dataclass(frozen=True, slots=True)
class Sources:
    """C files of an exported project.

    Attributes
    ----------
    files : tuple of Path
    include : tuple of Path
    """

    files: tuple[Path, ...]
    include: tuple[Path, ...]

    @classmethod
    def write(cls, library: Library, folder: Path) -> Sources:
        """Write a library's files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in library.files.items():
            (folder / name).write_text(text)
        return cls(tuple(folder / name for name in library.files if name.endswith(".c")), (folder,))


@dataclass(frozen=True, slots=True)
class ModelRun:
    """What the model computed on a processor.

    Attributes
    ----------
    outputs : ndarray [shape=(windows, values)]
    checksums : mapping of int to (crc, bytes)
        Of each tensor over all windows.
    values : mapping of int to bytes
        The tensors themselves, as far as there was room.
    instructions : int
        Of the first call; 0 where they are not counted.
    stack, memory : int [bytes]
        Peak stack, and what the caller provides.
    """

    outputs: npt.NDArray[Any]
    checksums: Mapping[int, tuple[int, int]]
    values: Mapping[int, bytes]
    instructions: int
    stack: int
    memory: int


def build_model(name: str, sources: Sources, library: Library, folder: Path, *, traced: bool) -> Path:
    """Build the model's test program for a processor; on the host under sanitizers.

    Parameters
    ----------
    name : str
        One of ``qemu.TARGETS``.
    sources : Sources
    library : Library
    folder : Path
        For the program and its files.
    traced : bool
        Keep every tensor's checksum, and on the host its values; instructions are then not those of the firmware.
    """
    network = library.network
    assert network is not None
    target = qemu.TARGETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    needed = library_files(library.files, ("edge_asd_network.h",))
    files, defines = [*(path for path in sources.files if path.name in needed), HARNESS / "model.c"], []
    if traced:
        room = MOST_WINDOWS * sum(_bytes(network, tensor) + _HEADS for tensor in network.computed())
        files.append(HARNESS / "trace.c")
        defines = ["EDGE_ASD_TRACE", f"TRACE_ROOM={8 if target.is_microcontroller else min(room, _MOST_ROOM)}"]
    flags = ("-O2",) if target.is_microcontroller else SANITIZE
    include = [*sources.include, HARNESS]
    return qemu.build(target, files, folder / "model", include=include, flags=flags, defines=defines)


def run_model(
    name: str, program: Path, network: Network, windows: npt.NDArray[Any], *, traced: bool, count: bool = False
) -> ModelRun:
    """Run the model's test program on windows.

    Parameters
    ----------
    name : str
    program : Path
        From `build_model`.
    network : Network
    windows : ndarray [shape=(n, values)]
        As many as the network computes together, or a multiple; at most `MOST_WINDOWS`.
    traced : bool
        As it was built.
    count : bool
        Count instructions.
    """
    folder = program.parent
    windows.tofile(folder / "windows.bin")
    qemu.run(qemu.TARGETS[name], program, folder, count=count, timeout=LONG)
    outputs = np.fromfile(folder / "outputs.bin", network.output.dtype).reshape(len(windows), -1)
    figures = np.fromfile(folder / "figures.bin", np.uint32)
    checksums, values = _traces(folder) if traced else ({}, {})
    return ModelRun(outputs, checksums, values, int(figures[0]), int(figures[1]), int(figures[2]))


def differing(run: ModelRun, reference: Mapping[int, bytes]) -> int:
    """Count the values of traced tensors that differ; of a tensor known by its checksum alone, all or none."""
    wrong = 0
    for tensor, expected in reference.items():
        found = run.values.get(tensor)
        if found is not None and len(found) == len(expected):
            wrong += int(np.count_nonzero(np.frombuffer(found, np.int8) != np.frombuffer(expected, np.int8)))
        elif run.checksums.get(tensor) != (zlib.crc32(expected), len(expected)):
            wrong += len(expected)
    return wrong


@dataclass(frozen=True, slots=True)
class DetectorRun:
    """What the detector decided on a processor.

    Attributes
    ----------
    decisions : list of (end, score, anomaly)
    instructions : int
        For one hop; 0 where they are not counted.
    stack, memory : int [bytes]
    selftest, withheld : int
        Golden values that differ, decisions that were not made.
    frontend_instructions : int
        Of the front end alone, for one hop.
    """

    decisions: list[tuple[int, int, bool]]
    instructions: int
    stack: int
    memory: int
    selftest: int
    withheld: int
    frontend_instructions: int


def build_detector(name: str, sources: Sources, folder: Path) -> Path:
    """Build the detector's test program for a processor."""
    folder.mkdir(parents=True, exist_ok=True)
    target = qemu.TARGETS[name]
    return qemu.build(
        target,
        [*sources.files, HARNESS / "detector.c"],
        folder / "detector",
        include=[*sources.include, HARNESS],
        flags=("-O2",) if target.is_microcontroller else SANITIZE,
    )


def run_detector(
    name: str, program: Path, section: int, pcm: npt.NDArray[np.int16], *, block: int, count: bool = True
) -> DetectorRun:
    """Run the detector on sound.

    Parameters
    ----------
    section : int
        Its place among the sections.
    pcm : ndarray, int16 [shape=(n,)]
    block : int, 1 to 65536
        Samples that are pushed at once.
    count : bool
        Count instructions.
    """
    folder = program.parent
    head = np.array([section, block], np.uint32)
    (folder / "sound.bin").write_bytes(head.tobytes() + pcm.astype("<i2").tobytes())
    qemu.run(qemu.TARGETS[name], program, folder, count=count, timeout=LONG)
    rows = np.fromfile(folder / "decisions.bin", np.int64).reshape(-1, 3)
    figures = [int(value) for value in np.fromfile(folder / "figures.bin", np.uint32)]
    decisions = [(int(end), int(score), bool(anomaly)) for end, score, anomaly in rows]
    return DetectorRun(decisions, figures[0], figures[1], *figures[2:6])


def _bytes(network: Network, tensor: int) -> int:
    found = network.model.tensors[tensor]
    return int(np.prod(found.shape)) * int(found.dtype.itemsize)


def _traces(folder: Path) -> tuple[dict[int, tuple[int, int]], dict[int, bytes]]:
    pairs = np.fromfile(folder / "traces.bin", np.uint32).reshape(-1, 2)
    checksums = {number: (int(crc), int(size)) for number, (crc, size) in enumerate(pairs) if size}
    raw = (folder / "values.bin").read_bytes()
    parts: dict[int, list[bytes]] = {}
    place = 0
    while place < len(raw):
        tensor, size = (int(value) for value in np.frombuffer(raw, np.uint32, 2, place))
        parts.setdefault(tensor, []).append(raw[place + 8 : place + 8 + size])
        place += 8 + size
    if place != len(raw):
        raise EdgeAsdError("The test program wrote a damaged file of values.")
    return checksums, {tensor: b"".join(values) for tensor, values in parts.items()}
