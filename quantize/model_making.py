"""From a trained model to the one that ships: a network to int8, the distance detector's fit to integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_asd.bundle.detector_model import DISTANCE_ARITHMETIC, DetectorModel
from edge_asd.bundle.distance_file import DistanceArrays, stored_sections, write_float
from edge_asd.bundle.manifest import Quantisation
from edge_asd.calibration.adapting import ENOUGH_SPANS
from edge_asd.clips import UNNAMED_DOMAIN, Domain
from edge_asd.detectors.windowed import output_multiplier
from edge_asd.distance.blocks import Blocks
from edge_asd.files import write_atomically
from edge_asd.frontend.quantise_input import input_multiplier
from edge_asd.interpreter import Model
from edge_asd.quantize.int8.graph import Graph
from edge_asd.quantize.int8.levelling import convolves
from edge_asd.quantize.int8.methods import Conversion, quantise
from edge_asd.quantize.int8.range_report import cells_of, range_report, saturation, saturation_warnings, to_csv
from edge_asd.quantize.int8.representative import representative_windows
from edge_asd.quantize.source import Source
from edge_asd.train.distance.fit import Fitted
from edge_asd.train.distance.integers import to_integers
from edge_asd.train.features.cache import FeatureCache


@dataclass(frozen=True, slots=True)
class Made:
    """A model as it ships, and what belongs to it.

    Attributes
    ----------
    model : DetectorModel
    float_model : bytes
        The same in floating point, for comparison.
    provenance : dict
        How it was made, for the manifest.
    notes : list of str
        What its maker should know.
    ranges_csv : bytes, optional
        The report on the ranges of a network's layers.
    """

    model: DetectorModel
    float_model: bytes
    provenance: dict[str, Any]
    notes: list[str]
    ranges_csv: bytes | None = None

    def write_ranges(self, path: Path | None) -> None:
        """Write the report on ranges, where it is asked for and there is one."""
        if path is not None and self.ranges_csv is not None:
            write_atomically(path, self.ranges_csv)


def int8_network(
    source: Source,
    cache: FeatureCache,
    *,
    quantisation: str,
    converter: str,
    headroom_db: float,
    arithmetic: str,
    progress: Callable[[str], None],
) -> Made:
    """Convert a network to int8; the parameters are those of `edge_asd.quantize.pipeline.quantise_source`."""
    run, dataset = source.run, source.dataset
    progress("representative data")
    representative = representative_windows(
        source.fit,
        run.features,
        run.baseline.input_shape(run.features.n_mels),
        cache,
        headroom_db=headroom_db,
        domains=dataset.expected_domains,
    )
    progress("conversion")
    float_model = source.float_model(converter)
    converted = quantise(float_model, representative, method=quantisation, converter=converter)
    int8 = converted.model
    progress("ranges")
    report = range_report(converted.float_model, int8, cells_of(run, dataset.clips, cache), converted.levelling)
    shipped = Model(int8, arithmetic=arithmetic)
    return Made(
        DetectorModel(
            detector=run.model,
            features=run.features,
            window_frames=run.baseline.window_frames,
            window_hop=run.baseline.test_hop,
            input=Quantisation(shipped.input_scale, shipped.input_zero_point, input_multiplier(shipped.input_scale)),
            output=Quantisation(
                shipped.output_scale, shipped.output_zero_point, output_multiplier(shipped.output_scale)
            ),
            model=int8,
            classes=tuple(run.classes),
            model_arithmetic=arithmetic,
        ),
        float_model,
        {
            "method": quantisation,
            "converter": converter,
            "representative": representative.record,
            "saturation": saturation(report),
        },
        [*representative.notes, *saturation_warnings(report), *processor_notes(converted, arithmetic)],
        to_csv(report),
    )


def integer_distance(source: Source, fitted: Fitted) -> Made:
    """Round a distance detector's fit to the integers that ship."""
    run = source.run
    blocks = Blocks.of_span(run.span_frames)
    counts: dict[str, dict[Domain, int]] = {section: {} for section in run.sections}
    for clip in source.fit:
        of, domain = counts[clip.name.section], clip.name.domain or UNNAMED_DOMAIN
        of[domain] = of.get(domain, 0) + 1
    model = to_integers(fitted.model, blocks)
    arrays = DistanceArrays(blocks, model.directions, stored_sections(model, counts))
    return Made(
        DetectorModel(
            detector=run.model,
            features=run.features,
            window_frames=blocks.span,
            window_hop=blocks.frames,
            model=arrays.write(),
            model_arithmetic=DISTANCE_ARITHMETIC,
        ),
        write_float(fitted.model),
        {"method": "rounded", "saturation": {}},
        _target_notes(counts),
    )


def _target_notes(counts: dict[str, dict[Domain, int]]) -> list[str]:
    """Say of which sections' target domain too little is known to promise anything."""
    few = {section: n for section, of in counts.items() if 0 < (n := of.get("target", 0)) < ENOUGH_SPANS}
    if not few:
        return []
    clips = ", ".join(f"{section} by {n}" for section, n in sorted(few.items()))
    return [
        f"The target domain is known by few clips (section {clips}): how much of its healthy sound lies over the "
        f"threshold cannot be promised. Record {ENOUGH_SPANS} of it where the machine stands, and teach them: "
        "edge-asd calibrate --adapt --domain target."
    ]


def processor_notes(converted: Conversion, arithmetic: str) -> list[str]:
    """Say whether scores will depend on the kind of processor: one note at most.

    Parameters
    ----------
    converted : Conversion
    arithmetic : str
    """
    if arithmetic != "litert-builtin" or converted.levelling is not None or not convolves(Graph(converted.model)):
        return []
    return [
        "litert-builtin rounds the convolutions of this method in one way on x86 and in another on ARM: scores of this "
        "detector differ between the two, by up to a quarter. Take --quantisation compensated, with which all runtimes "
        "round alike, or --arithmetic litert-ref or xnnpack, or fit its thresholds on the device with "
        "edge-asd calibrate."
    ]
