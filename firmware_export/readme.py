"""What the README of an exported project tells: facts of the detector, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from edge_asd.bundle.bundle import Bundle
from edge_asd.distance.parameters import DISTANCE_NUMBER
from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export import library as kinds
from edge_asd.firmware_export.bundle_source import section_names
from edge_asd.firmware_export.library import Library
from edge_asd.model_file import Tensor

CYCLES_PER_INSTRUCTION = {"cortex-m4": 1.44, "cortex-m3": 1.85, "cortex-m0plus": 1.38}
"""Of the matrix kernels' inner loops with memory that never waits, by Arm's tables of instruction timings: on the
Cortex-M4 39 cycles for 27 instructions (32 multiplications of weights, 1.22 cycles each), on the M3 74 for 40 and on
the M0+ 77 for 56 (16). For the other processors there are no such tables, or they depend on who makes the core."""

_COLUMNS = {
    "instructions_per_inference": "instructions, model",
    "instructions_per_hop": "instructions, hop",
    "flash_bytes": "flash [bytes]",
    "ram_bytes": "RAM [bytes]",
    "stack_bytes": "stack [bytes]",
    "code_bytes": "code [bytes]",
    "weight_bytes": "weights [bytes]",
}
"""What a report measures of each board, and how the table calls it."""

_COLUMNS_OF_A_DISTANCE = {
    "instructions_per_inference": "instructions beyond the front end",
    "weight_bytes": "directions and means [bytes]",
}

_HAS_NO = {kinds.MODEL: "instructions_per_hop", kinds.FRONTEND: "instructions_per_inference"}


def readme_facts(library: Library, report: Mapping[str, Any] | None) -> dict[str, Any]:
    """Gather what the README and the manifests say.

    Parameters
    ----------
    library : Library
    report : mapping, optional
        As in `edge_asd.firmware_export.layout.laid_out`.
    """
    bundle, network, distance = library.bundle, library.network, library.distance
    titles = _COLUMNS if distance is None else _COLUMNS | _COLUMNS_OF_A_DISTANCE
    facts: dict[str, Any] = {
        "columns": [
            *(titles[key] for key in _COLUMNS if key != _HAS_NO.get(library.kind)),
            "cycles, estimated",
            *(() if bundle is None else ("MHz to keep up, estimated",)),
        ],
        "rows": _rows(library, report or {}),
        "factors": CYCLES_PER_INSTRUCTION,
        "proof": report,
        "cmsis_nn": library.facts.get("cmsis_nn", False),
        "rounding": library.facts.get("rounding"),
        "hops": library.facts.get("hops", 1),
        "distance": None,
    }
    if distance is not None:
        facts["distance"] = {"number": DISTANCE_NUMBER, "directions": len(distance.directions.multipliers)}
    if network is not None:
        facts |= {"macs": network.macs(), "arena": network.arena}
        facts["ends"] = [_end("input", network.input), _end("output", network.output)]
    if bundle is not None:
        facts |= _bundle_facts(bundle)
    match library.kind:
        case kinds.DETECTOR:
            assert bundle is not None
            facts["title"] = "Detector of anomalous sound"
            facts["sentence"] = (
                f"Hears that a machine ({bundle.machine}) sounds wrong, by the sound of its healthy state."
            )
            facts["gives"] = "decisions"
        case kinds.MODEL:
            facts["title"] = "Int8 model"
            facts["sentence"] = "Computes one int8 model."
            facts["gives"] = "the model's outputs"
        case kinds.FRONTEND:
            facts["title"] = "Log-mel front end"
            facts["sentence"] = "Computes log-mel spectrograms in fixed point."
            facts["gives"] = "decibels"
        case _:
            raise EdgeAsdError(f"There is no library {library.kind!r}.")
    return facts


def _end(name: str, tensor: Tensor) -> tuple[str, ...]:
    """Describe the model's input or output in a row."""
    values = math.prod(tensor.shape)
    real = "itself"
    if len(tensor.scales):
        real = f"{float(tensor.scales[0]):.9g} * (value - {int(tensor.zero_points[0])})".replace("- -", "+ ")
    size = values * tensor.dtype.itemsize
    return name, " x ".join(map(str, tensor.shape)), f"{values:,}", tensor.dtype.name, f"{size:,}", real


def _bundle_facts(bundle: Bundle) -> dict[str, Any]:
    spec = bundle.features
    return {
        "machine": bundle.machine,
        "detector": bundle.kind.title,
        "unit": bundle.kind.unit,
        "sections": [(name, bundle.threshold(name).score) for name in section_names(bundle)],
        "sample_rate": spec.sample_rate,
        "n_fft": spec.n_fft,
        "hop_length": spec.hop_length,
        "n_mels": spec.n_mels,
        "window_frames": bundle.window_frames,
        "window_hop": bundle.window_hop,
        "first_seconds": spec.sample_count(bundle.window_frames + (bundle.windows_per_score - 1) * bundle.window_hop)
        / spec.sample_rate,
        "score_seconds": bundle.score_samples / spec.sample_rate,
        "arithmetic": bundle.model_arithmetic,
        "frontend_number": bundle.frontend_number,
        "score_number": bundle.score_number,
    }


def _rows(library: Library, report: Mapping[str, Any]) -> list[list[str]]:
    """Make the rows of the table of boards: name, what was measured, the estimated cycles, and the clock they need."""
    kind, rows = library.kind, []
    for name, measured in report.get("boards", {}).items():
        whole = measured.get("instructions_per_inference" if kind == kinds.MODEL else "instructions_per_hop")
        factor = CYCLES_PER_INSTRUCTION.get(name)
        numbers = [measured.get(column) for column in _COLUMNS if column != _HAS_NO.get(kind)]
        cycles = None if whole is None or factor is None else round(whole * factor)
        numbers.append(cycles)
        if library.bundle is not None:
            spec = library.bundle.features
            numbers.append(None if cycles is None else math.ceil(cycles * spec.sample_rate / spec.hop_length / 1e6))
        rows.append([name, *("-" if number is None else f"{number:,}" for number in numbers)])
    return rows
