"""What was heard, for the report of a reproduction: of the bundles that can tell, by the scores that were kept."""

from __future__ import annotations

from collections.abc import Sequence

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.scores import SCORE_FRACTION_BITS
from edge_asd.heard.explaining import why_not
from edge_asd.quantize.evaluation.heard.report import heard_report
from edge_asd.quantize.evaluation.probe.report import Judged
from edge_asd.quantize.jobs.part import Part, bundle_path
from edge_asd.quantize.jobs.reproduction_part import Places
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.report.drawing import Picture, as_png
from edge_asd.train.report.results import Reproduction


def heard_pictures(found: Sequence[tuple[Part, Reproduction]], places: Places, cache: FeatureCache) -> list[Picture]:
    """Draw which bands moved in flagged test clips, for the first seed of each group of sections and model.

    Parameters
    ----------
    found : sequence of (Part, Reproduction)
        A machine's parts of all seeds, and what came of each.
    places : Places
    cache : FeatureCache
    """
    first = min(part.settings.seed for part, _ in found)
    pictures = []
    for part, result in found:
        path = bundle_path(places.out, part)
        if not part.int8 or part.settings.seed != first or not path.is_file():
            continue
        bundle = Bundle.load(path)
        if why_not(bundle):
            continue
        # Of one section and clip all rows have the same scores, whatever their domain.
        scored = {
            (cell.section, clip): (score, cell.thresholds["shipped"])
            for cell in result.cells
            for clip, score in zip(cell.clips, cell.scores["shipped"], strict=True)
        }
        dataset = Dataset(
            places.data,
            part.machine,
            part.sections,
            ground_truth=places.ground_truth,
            channel=part.settings.channel,
        )
        judged = [
            Judged(clip, *(round(value * (1 << SCORE_FRACTION_BITS)) for value in scored[place]))
            for clip in dataset.select(split="test")
            if (place := (clip.name.section, clip.path.name)) in scored
        ]
        features = cache.features([item.clip for item in judged], bundle.features, bundle.window_frames)
        report = heard_report(bundle, judged, features)
        figure = report.figure(f"{part.machine}, {bundle.kind.title}")
        if figure is not None:
            texts = " ".join(one.text for one in report.sections)
            pictures.append(Picture(as_png(figure), f"How the bands of flagged clips of {part.machine} moved", texts))
    return pictures
