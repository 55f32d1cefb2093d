"""Exported networks as programs, and whether they compute every tensor as LiteRT's reference kernels do."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.network import Network
from edge_asd.firmware_export.network_source import network_sources
from edge_asd.firmware_export.qemu.building import link
from edge_asd.firmware_export.qemu.tools import call

CSRC = Path(qemu.__file__).parents[1] / "csrc"
PROOF = CSRC.parent / "templates" / "proof"
TEMPLATES = CSRC.parent / "templates" / "qemu"
PROGRAMS = Path(__file__).with_name("c")

SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Record:
    """One call of a network: windows `hop` values apart in a ring, the first one from value `start` on."""

    ring: Array
    hop: int = 0
    start: int = 0

    def windows(self, network: Network) -> list[Array]:
        """Return the windows in the model's shape."""
        whole, size = np.roll(self.ring, -self.start), math.prod(network.input.shape)
        return [whole[i * self.hop :][:size].reshape(network.input.shape) for i in range(network.hops)]


def records(network: Network, count: int, seed: int, *, hop: int = 0) -> list[Record]:
    """Make inputs: all -128, all 127, all of the zero point, and `count` random ones anywhere in a ring."""
    rng = np.random.default_rng(seed)
    tensor = network.input
    hop = hop if network.hops > 1 else 0
    size = math.prod(tensor.shape) + (network.hops - 1) * hop
    if tensor.dtype == np.float32:
        filled = [np.full(size, value, np.float32) for value in (-1e6, 1e6, 0.0)]
        made = [rng.normal(0, 3, size).astype(np.float32) for _ in range(count)]
    else:
        filled = [np.full(size, value, np.int8) for value in (-128, 127, int(tensor.zero_points[0]))]
        made = [rng.integers(-128, 128, size).astype(np.int8) for _ in range(count)]
        made[1::3] = [np.where(rng.random(size) < 0.5, -128, 127).astype(np.int8) for _ in made[1::3]]
    return [Record(x, hop, int(rng.integers(size // network.row)) * network.row) for x in (*filled, *made)]


class Reference:
    """A model in LiteRT's reference kernels."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        self._interpreter.allocate_tensors()

    def run(self, window: Array, tensors: Sequence[int]) -> dict[int, Array]:
        """Return tensors by their numbers."""
        self._interpreter.set_tensor(self._interpreter.get_input_details()[0]["index"], window)
        self._interpreter.invoke()
        return {tensor: self._interpreter.get_tensor(tensor) for tensor in tensors}


def build_kernels(name: str, folder: Path) -> None:
    """Compile all kernels for a target, with traces and on the host with sanitizers."""
    sources = [*sorted(CSRC.glob("*.c")), PROOF / "trace.c", PROGRAMS / "nothing.c"]
    flags = SANITIZED if name == "host" else ("-O2",)
    qemu.build(qemu.TARGETS[name], sources, folder / "kernels", include=[CSRC, PROOF], flags=flags,
               defines=["EDGE_ASD_TRACE"])  # fmt: skip
    (folder / "kernels.objects" / "nothing.c.o").unlink()


class Program:
    """A network, compiled for a target.

    Parameters
    ----------
    name : str
        Of the target.
    kernels : Path
        Folder that `build_kernels` filled.
    network : Network
    values : int
        Of the ring.
    folder : Path
        For the program and its files; it must not exist.
    """

    def __init__(self, name: str, kernels: Path, network: Network, values: int, folder: Path) -> None:
        self._target, self._network, self._folder = qemu.TARGETS[name], network, folder
        folder.mkdir(parents=True)
        for file, text in network_sources(network).items():
            (folder / file).write_text(text)
        flags = SANITIZED if name == "host" else ("-O2",)
        include = [f"-I{path}" for path in (folder, CSRC, PROOF, TEMPLATES)]
        self._tensors = len(network.model.tensors)
        defines = ["-DEDGE_ASD_TRACE", f"-DINPUT_VALUES={values}", f"-DTENSORS={self._tensors}"]
        sources = [*sorted(folder.glob("*.c")), PROGRAMS / "network.c"]
        objects = sorted((kernels / "kernels.objects").glob("**/*.o"))
        for source in sources:
            objects.append(folder / f"{source.name}.o")
            command = [self._target.compiler, *qemu.WARNINGS, *self._target.flags, *flags, *defines, *include]
            call([*command, "-c", str(source), "-o", str(objects[-1])])
        link(self._target, objects, folder / "program", flags)

    def run(self, inputs: Sequence[Record], *, count: bool = False) -> tuple[Array, Array]:
        """Return the outputs [record, window, values] and the traces [record, tensor, {crc, bytes}]."""
        n = self._network
        parts = []
        for record in inputs:
            parts += [np.array([record.hop, record.start], np.uint32).tobytes(), record.ring.tobytes()]
        (self._folder / "input.bin").write_bytes(b"".join(parts))
        qemu.run(self._target, self._folder / "program", self._folder, count=count)
        output = n.output.dtype.itemsize * math.prod(n.output.shape) * n.hops
        raw = np.fromfile(self._folder / "output.bin", np.uint8).reshape(len(inputs), output + 8 * self._tensors)
        outputs = np.ascontiguousarray(raw[:, :output]).view(n.output.dtype).reshape(len(inputs), n.hops, -1)
        return outputs, np.ascontiguousarray(raw[:, output:]).view(np.uint32).reshape(len(inputs), -1, 2)

    def counts(self) -> list[int]:
        """Instructions of each record of the last run."""
        return [int(n) for n in np.fromfile(self._folder / "counts.bin", np.uint32)]


def rows_computed(network: Network) -> dict[int, float]:
    """Return which share of a tensor a network computes, where a filter does not see its last rows."""
    shares = {}
    for step in network.steps:
        if step.kernel == "block" and step.fields["widen"]:
            f = step.fields["depthwise"].fields
            seen = (f["out_height"] - 1) * f["stride_height"] - f["top"] + f["filter_height"]
            shares[step.traced[0]] = min(1.0, seen / f["in_height"])
    return shares


def mismatches(
    network: Network, reference: Reference, inputs: Sequence[Record], found: tuple[Array, Array]
) -> list[str]:
    """Compare all that a program computed with the reference; describe each tensor that differs."""
    outputs, traces = found
    shares, final, wrong = rows_computed(network), network.model.outputs[0], []
    for number, record in enumerate(inputs):
        expected = [reference.run(x, [*network.computed(), final]) for x in record.windows(network)]
        for tensor in network.computed():
            seen = round(expected[0][tensor].size * shares.get(tensor, 1.0))
            content = b"".join(one[tensor].reshape(-1)[:seen].tobytes() for one in expected)
            if tuple(traces[number, tensor]) != (zlib.crc32(content), len(content)):
                wrong.append(f"record {number}: tensor {tensor} {network.model.tensors[tensor].shape}")
        if outputs[number].tobytes() != b"".join(one[final].tobytes() for one in expected):
            wrong.append(f"record {number}: output")
    return wrong
