"""What each section and domain needs of the int8 ranges, and what they cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.clips import DOMAINS, UNKNOWN_DOMAIN
from edge_asd.csv_writing import check_csv_replaceable, csv_bytes
from edge_asd.interpreter import Model
from edge_asd.quantize.int8.execution import BATCH, trace
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.levelling import Levelling
from edge_asd.quantize.int8.representative import even_windows
from edge_asd.quantize.int8.rounding import check_alike
from edge_asd.train.data.dataset import Clip
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.windows import frames_db
from edge_asd.train.runs.run import Run

SATURATION_LIMIT = 0.001
"""Share of values cut off from which a person is warned."""

WINDOWS = 60
"""Windows of each section, domain and split that are looked at, spread evenly over its clips."""

Cell = tuple[str, str, str]
"""Split ("train" or "test"), section and domain."""

_DOMAINS: Sequence[str] = (*DOMAINS, UNKNOWN_DOMAIN)

_SAMPLE = 1 << 14
"""Values of a batch that percentiles are taken from."""


@dataclass(frozen=True, slots=True)
class RangeRow:
    """One activation on the clips of one section and domain.

    Attributes
    ----------
    split, section, domain : str
    place : str
        "input", or number and kind of the operation.
    low, high : float
        Ends of its int8 range, in its own unit; dB for the input.
    minimum, percentile_0_1, percentile_99_9, maximum : float
        What it is in the float model, its channels levelled as the int8 model's are.
    saturated : float, 0 to 1
        Share of values cut off: the int8 model holds them at an end of the range, and the float model
        more than half a step beyond it.
    """

    split: str
    section: str
    domain: str
    place: str
    low: float
    high: float
    minimum: float
    percentile_0_1: float
    percentile_99_9: float
    maximum: float
    saturated: float


def cells_of(run: Run, clips: Sequence[Clip], cache: FeatureCache) -> dict[Cell, npt.NDArray[np.float32]]:
    """Gather `WINDOWS` windows [dB] of each split, section and domain that has clips."""
    groups: dict[Cell, list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.name.split, clip.name.section, clip.name.domain or UNKNOWN_DOMAIN), []).append(clip)
    span, result = run.baseline.window_frames, {}
    for cell, group in groups.items():
        used = [group[i] for i in np.unique(np.linspace(0, len(group) - 1, WINDOWS).round().astype(int))]
        frames = [features.frames for features in cache.features(used, run.features, span)]
        windows = np.stack(
            [frames[k][start : start + span] for k, start in sorted(even_windows(frames, span, WINDOWS))]
        )
        result[cell] = frames_db(windows).reshape(-1, *run.baseline.input_shape(run.features.n_mels))
    return result


def range_report(
    float_model: bytes,
    int8_model: bytes,
    cells: Mapping[Cell, npt.NDArray[np.float32]],
    levelling: Levelling | None = None,
) -> list[RangeRow]:
    """Compare the ranges of an int8 model with what windows make of it.

    Parameters
    ----------
    float_model, int8_model : bytes
        The same model before and after conversion.
    cells : mapping of `Cell` to ndarray, float32 [shape=(n, ...), dB]
    levelling : Levelling, optional
        How channels were levelled in between: the float model's values are told as they are after it.
    """
    reference, graph = Graph(float_model), Graph(int8_model)
    check_alike(reference, graph)
    model = Model(int8_model, arithmetic="litert-builtin", keep_activations=True)
    rows = []
    for (split, section, domain), windows in sorted(cells.items(), key=_order):
        tallies = [_Tally(*_ends(graph, tensor)) for tensor in graph.activations]
        for first in range(0, len(windows), BATCH):
            batch = windows[first : first + BATCH]
            (exact,) = trace(reference, batch)
            for tally, ours, held in zip(tallies, reference.activations, _int8(graph, model, batch), strict=True):
                tally.add(levelling.apply(ours, exact[ours]) if levelling else exact[ours], held)
        rows += [
            RangeRow(split, section, domain, graph.name(tensor), tally.low, tally.high, *tally.figures())
            for tensor, tally in zip(graph.activations, tallies, strict=True)
        ]
    return rows


def saturation(rows: Sequence[RangeRow]) -> dict[str, dict[str, float]]:
    """Return the saturated share at the input and in the worst hidden layer, by "split section domain"."""
    result: dict[str, dict[str, float]] = {}
    for row in rows:
        worst = result.setdefault(f"{row.split} {row.section} {row.domain}", {"input": 0.0, "hidden": 0.0})
        kind = "input" if row.place == "input" else "hidden"
        worst[kind] = max(worst[kind], row.saturated)
    return result


def saturation_warnings(rows: Sequence[RangeRow]) -> list[str]:
    """Say where more than `SATURATION_LIMIT` of the values are cut off, and what to do."""
    worst: dict[Cell, RangeRow] = {}
    for row in rows:
        if row.saturated > worst.setdefault((row.split, row.section, row.domain), row).saturated:
            worst[row.split, row.section, row.domain] = row
    return [
        f"Section {row.section}, {row.domain} {row.split} clips: {row.saturated:.2%} of the values at "
        f"{'the input' if row.place == 'input' else f'layer {row.place}'} reach an end of the int8 range "
        f"({row.low:.3g} to {row.high:.3g}; they span {row.minimum:.3g} to {row.maximum:.3g}). "
        "Scores of such clips may be off: add training clips recorded at their level, or quantise with more --headroom."
        for row in worst.values()
        if row.saturated > SATURATION_LIMIT
    ]


def to_csv(rows: Sequence[RangeRow]) -> bytes:
    """Return the report as a CSV file with a header."""
    return csv_bytes([_header(), *map(astuple, rows)])


def check_report_replaceable(path: Path) -> None:
    """Refuse to replace anything but such a report by one.

    Raises
    ------
    OutputError
    """
    check_csv_replaceable(path, [_header()], 0, what="a report on ranges", option="--ranges")


def _header() -> list[str]:
    return [field.name for field in fields(RangeRow)]


def _order(item: tuple[Cell, object]) -> tuple[bool, str, int]:
    (split, section, domain), _ = item
    return split == "test", section, _DOMAINS.index(domain)


def _ends(graph: Graph, tensor: int) -> tuple[float, float]:
    (scale,), (zero_point,) = graph.quantisation(tensor)
    return float(scale * (-128 - zero_point)), float(scale * (127 - zero_point))


def _int8(graph: Graph, model: Model, windows: npt.NDArray[np.float32]) -> list[npt.NDArray[np.int8]]:
    """Return what the int8 model holds of each activation on a batch."""
    steps = np.rint(windows / np.float32(model.input_scale)) + model.input_zero_point
    inputs = np.clip(steps, -128, 127).astype(np.int8)
    model.run(inputs)
    return [inputs, *(model.activation(operation.output) for operation in graph.operations)]


class _Tally:
    """What is seen of one activation, batch by batch."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self._half_step = (high - low) / 510
        self._minimum, self._maximum = np.inf, -np.inf
        self._samples: list[npt.NDArray[np.float32]] = []
        self._cut = self._size = 0

    def add(self, exact: npt.NDArray[np.float32], held: npt.NDArray[np.int8]) -> None:
        """Count a batch: the float model's values and the int8 model's."""
        self._minimum = min(self._minimum, float(exact.min()))
        self._maximum = max(self._maximum, float(exact.max()))
        self._samples.append(exact.reshape(-1)[:: -(-exact.size // _SAMPLE)])
        below = (held == -128) & (exact < self.low - self._half_step)
        above = (held == 127) & (exact > self.high + self._half_step)
        self._cut += int(np.count_nonzero(below | above))
        self._size += held.size

    def figures(self) -> tuple[float, float, float, float, float]:
        """Return minimum, 0.1 and 99.9 % percentile and maximum in float, and the share cut off."""
        inner = np.quantile(np.concatenate(self._samples), [0.001, 0.999])
        return self._minimum, float(inner[0]), float(inner[1]), self._maximum, self._cut / max(1, self._size)
