"""The whole proof of an exported project: the model's tensors, then sound to decisions, here and on boards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_network
from edge_asd.detectors.windowed import WindowDetector, gather_windows
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.bundle_source import section_names
from edge_asd.firmware_export.library import DETECTOR, Library
from edge_asd.firmware_export.network import Network
from edge_asd.firmware_export.proof.programs import (
    DETECTOR_ENTRIES,
    MOST_WINDOWS,
    ModelRun,
    Sources,
    build_detector,
    build_model,
    differing,
    run_detector,
    run_model,
)
from edge_asd.firmware_export.proof.reference import Reference, reference
from edge_asd.firmware_export.proof.windows import trial_windows
from edge_asd.firmware_export.tflm import TflmModel
from edge_asd.monitor.engine import Engine

WINDOWS = 20
"""Windows that the model is tried on by default."""

HOST = "host"

HERE = "this machine"
"""What boards are compared with where the runtime is not installed."""

_TFLM = "TensorFlow Lite Micro"

Windows = npt.NDArray[Any]

_SEED = 7

_SMALL = 1_000_000  # multiplications


@dataclass(frozen=True, slots=True)
class Board:
    """Figures of one processor.

    Attributes
    ----------
    mismatches : int
        Values that differ, of all tensors, outputs and decisions.
    instructions_per_inference : int or None
        The model with the preparation of its input; None for a front end alone.
    instructions_per_hop : int or None
        Front end, model and score together, the mean of hops with and without the model; None for a model alone.
    flash_bytes, ram_bytes, stack_bytes, code_bytes, weight_bytes : int
        What firmware takes: all of flash; variables, what the caller provides and the stack; the stack; code;
        weights with the constants of their rows.
    """

    mismatches: int
    instructions_per_inference: int | None
    instructions_per_hop: int | None
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    code_bytes: int
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and what came of it.

    Attributes
    ----------
    mismatches : int
        Of all processors.
    vectors : int
        Windows that the model was tried on, on each.
    values : int
        Values of tensors that were compared on each.
    decisions : int
        On sound, compared on each.
    reference : str
        What they were compared with.
    boards : dict of str to Board
    notes : list of str
        What could not be compared.
    """

    mismatches: int
    vectors: int
    values: int
    decisions: int
    reference: str
    boards: Mapping[str, Board] = field(default_factory=dict)
    notes: Sequence[str] = ()


def verify(
    library: Library,
    content: bytes,
    *,
    boards: Sequence[str] = (),
    windows: int = WINDOWS,
    progress: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Prove that a library computes what its model's runtime and, for a detector, `edge_asd.monitor` compute.

    Parameters
    ----------
    library : Library
    content : bytes
        The .tflite file.
    boards : sequence of str
        Of ``qemu.BOARDS``, beside this machine.
    windows : int > 0
    progress : callable
        Told what comes next.

    Raises
    ------
    EdgeAsdError
        If a compiler or emulator is missing, or a program fails: a sanitizer's find does.
    """
    network = _network(library)
    inputs = trial_windows(network, -(-windows // network.hops) * network.hops, _golden(library))
    qemu.require(qemu.TARGETS[name] for name in (HOST, *boards))
    sound = _sound(library)
    with tempfile.TemporaryDirectory(prefix="edge-asd-proof-") as temporary:
        folder = Path(temporary)
        sources = Sources.write(library, folder / "sources")
        progress("this machine, under sanitizers")
        places = {name: folder / name for name in (HOST, *boards)}
        with ThreadPoolExecutor(2) as pool:
            built = pool.map(lambda name: build_model(name, sources, library, places[name], traced=True), places)
            models = dict(zip(places, built, strict=True))
        wrong = dict.fromkeys(places, 0)
        values, name_of_reference, notes = 0, "", []
        for expected, part in _expected(network, content, inputs, models[HOST]):
            name_of_reference = expected.name
            values += sum(map(len, expected.tensors.values()))

            def compared(name: str, part: Windows = part, expected: Reference = expected) -> int:
                return _wrong(run_model(name, models[name], network, part, traced=True), expected)

            with ThreadPoolExecutor(2) as pool:
                for name, found in zip(places, pool.map(compared, places), strict=True):
                    wrong[name] += found
        if name_of_reference == HERE:
            notes.append(f"{_TFLM} is not installed here: boards were compared with this machine, not with it.")
        decided = 0
        if library.kind == DETECTOR:
            program = build_detector(HOST, sources, places[HOST] / "detector")
            found, decided = _wrong_decisions(library, HOST, program, sound)
            wrong[HOST] += found

        def measured(name: str) -> Board:
            progress(name)
            return _board(library, name, sources, inputs, sound, places[name], wrong[name])

        with ThreadPoolExecutor(2) as pool:
            done = dict(zip(boards, pool.map(measured, boards), strict=True))
    return Verification(
        mismatches=wrong[HOST] + sum(board.mismatches for board in done.values()),
        vectors=len(inputs),
        values=values,
        decisions=decided,
        reference=name_of_reference,
        boards=done,
        notes=notes,
    )


def _expected(network: Network, content: bytes, inputs: Windows, here: Path) -> Iterator[tuple[Reference, Windows]]:
    """Compute what is to be compared with, part by part; without the runtime, this machine's results."""
    most = MOST_WINDOWS // network.hops * network.hops
    for first in range(0, len(inputs), most):
        part = inputs[first : first + most]
        found = reference(network, content, part)
        if found is None:
            run = run_model(HOST, here, network, part, traced=True)
            found = Reference(HERE, run.outputs, run.values)
        yield found, part


def _board(
    library: Library,
    name: str,
    sources: Sources,
    inputs: Windows,
    sound: npt.NDArray[np.int16],
    folder: Path,
    wrong: int,
) -> Board:
    network = _network(library)
    target, names = qemu.TARGETS[name], [path.name for path in sources.files]
    plain = build_model(name, sources, library, folder / "plain", traced=False)
    model = run_model(name, plain, network, inputs[: network.hops], traced=False, count=True)
    if library.kind == DETECTOR:
        program = build_detector(name, sources, folder / "detector")
        # Small networks hear all of it for every section; on large ones that would take emulators minutes.
        small = network.macs() < _SMALL
        heard = sound if small else sound[: _short(library)]
        found, _ = _wrong_decisions(library, name, program, heard, all_sections=small)
        run = run_detector(name, program, 0, sound[: 1 << 16], block=1 << 15)
        wrong += found + run.selftest
        size = qemu.footprint(target, program, names, entries=DETECTOR_ENTRIES)
        per_hop, stack, memory = run.instructions, max(run.stack, model.stack), run.memory
    else:
        size = qemu.footprint(target, plain, names)
        per_hop, stack, memory = None, model.stack, model.memory
    weights = sum(size.total("constants", source=n) for n in names if n.startswith("edge_asd_weights"))
    return Board(
        mismatches=wrong,
        instructions_per_inference=round(model.instructions / network.hops),
        instructions_per_hop=per_hop,
        flash_bytes=size.flash,
        ram_bytes=size.ram + memory + stack,
        stack_bytes=stack,
        code_bytes=size.total("code"),
        weight_bytes=weights,
    )


def _network(library: Library) -> Network:
    assert library.network is not None
    return library.network


def _wrong(run: ModelRun, expected: Reference) -> int:
    return differing(run, expected.tensors) + int(np.count_nonzero(run.outputs != expected.outputs))


def _golden(library: Library) -> npt.NDArray[np.int8] | None:
    if library.bundle is None:
        return None
    bundle = library.bundle
    return gather_windows(bundle.golden_arrays()["model_input"], bundle.window_frames, bundle.window_hop)


def _sound(library: Library) -> npt.NDArray[np.int16]:
    """Two score spans of the bundle's golden sound at changing levels, with a mute and a click in between."""
    if library.bundle is None:
        return np.empty(0, np.int16)
    bundle = library.bundle
    rng = np.random.default_rng(_SEED)
    golden = bundle.golden_arrays()["pcm"].astype(np.float64)
    rate = bundle.features.sample_rate
    count = 2 * bundle.score_samples + 3 * rate
    wave = np.tile(golden, 1 + count // golden.size)[:count]
    gains = np.repeat(10 ** (rng.uniform(-12, 6, 1 + count // rate) / 20), rate)[:count]
    pcm = np.clip(np.rint(wave * gains + rng.normal(0, 2, count)), -32768, 32767).astype(np.int16)
    mute = bundle.score_samples + rate // 2
    pcm[mute : mute + rate] = 5
    pcm[mute + rate // 4 : mute + rate // 4 + 4] = 900
    return pcm


def _short(library: Library) -> int:
    """Samples of one score span and a little more."""
    assert library.bundle is not None
    return library.bundle.score_samples + 2 * library.bundle.features.sample_rate


def _wrong_decisions(
    library: Library, name: str, program: Path, pcm: npt.NDArray[np.int16], *, all_sections: bool = True
) -> tuple[int, int]:
    """Compare decisions with the monitor's; return those that differ, and how many there are."""
    bundle = library.bundle
    assert bundle is not None
    other = load_network(bundle, TflmModel(bundle.model)) if _network(library).twice else None
    wrong = total = 0
    places = list(enumerate(section_names(bundle)))
    for place, section in places if all_sections else places[-1:]:
        expected, withheld = expected_decisions(bundle, section, pcm, other)
        run = run_detector(name, program, place, pcm, block=1000 + 777 * place, count=False)
        wrong += run.selftest + abs(run.withheld - withheld) + abs(len(expected) - len(run.decisions))
        wrong += sum(a != b for a, b in zip(expected, run.decisions, strict=False))
        total += len(expected)
    return wrong, total


def expected_decisions(
    bundle: Bundle, section: str, pcm: npt.NDArray[np.int16], detector: WindowDetector | None = None
) -> tuple[list[tuple[int, int, bool]], int]:
    """What `edge_asd.monitor` decides: (end, score, anomaly) of each, and how many were withheld."""
    engine = Engine(bundle, section, detector=detector)
    made = [*engine.push(pcm), *engine.finish()]
    rate = bundle.features.sample_rate
    return [(round(one.time_s * rate), one.score, one.anomaly) for one in made], engine.withheld
