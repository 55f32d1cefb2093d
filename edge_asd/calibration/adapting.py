"""A distance detector learns on site what a section sounds like: new means and normalisers, without training.

Directions, other centres and, of a section that the bundle has, the threshold stay as they are: scores are counted in
normalisers, which say how far healthy sound strays. What was replaced is kept, and `restore` puts it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.arrays import write_arrays
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.distance_file import DistanceArrays, StoredCentre, write_float
from edge_asd.clips import UNNAMED_DOMAIN, Domain
from edge_asd.detectors.distance import DistanceDetector
from edge_asd.detectors.scores import SCORE_MAX, mean_score
from edge_asd.distance.adapting import adapted
from edge_asd.distance.distance import DISTANCE_BITS, SCORE_BITS, distances
from edge_asd.distance.features import FEATURE_BITS
from edge_asd.distance.floating import FloatCentre
from edge_asd.distance.parameters import NORMALISER_BITS, Centre, Directions
from edge_asd.errors import BundleError

ENOUGH_SPANS = 20
"""Of a domain; docs/distance.md says what they change."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """What was learnt.

    Attributes
    ----------
    bundle : Bundle
        The section's centre is new; one that the bundle had not has no threshold yet.
    domain : {"source", "target"}
    spans : int
        That the centre rests on now; 0 where there is none any more.
    before : int
        That it rested on before; 0 where there was none.
    held_out : list of int [Q15.16]
        Scores of the spans, each by the centre of the others: what a threshold may rest on. None where a centre was
        put back.
    """

    bundle: Bundle
    domain: Domain
    spans: int
    before: int
    held_out: list[int]


def adapt(
    bundle: Bundle, section: str, domain: Domain | None, features: Mapping[str, list[npt.NDArray[np.int16]]]
) -> Adapted:
    """Learn what a section sounds like.

    Parameters
    ----------
    bundle : Bundle
        Of a distance detector.
    section : str
        One of the bundle's, or a new one.
    domain : {"source", "target"}, optional
        Whose centre it is to be; the source's by default.
    features : mapping of domain to list of ndarray, int16 [shape=(2 * n_mels,), dB in Q8.7]
        Of healthy spans that do not overlap.

    Raises
    ------
    DataError
        If they are too few, or all the same sound.
    """
    arrays = DistanceArrays.read(bundle.model)
    chosen = domain or UNNAMED_DOMAIN
    rows = np.array(features[chosen], np.int16).reshape(-1, arrays.directions.vectors.shape[1])
    of_section = arrays.sections.get(section, {})
    centre = adapted(rows, chosen, {name: one.centre for name, one in of_section.items()}, arrays.directions)
    old = of_section.get(chosen)
    stored = StoredCentre(centre, len(rows), adapted=True, previous=old and replace(old, previous=None))
    return Adapted(
        _with_arrays(bundle, arrays.with_centre(section, chosen, stored)),
        chosen,
        len(rows),
        old.clips if old else 0,
        _held_out(rows, centre, arrays.directions),
    )


def restore(bundle: Bundle, section: str, domain: Domain | None) -> Adapted:
    """Put back what a section's domain sounded like before it was learnt last.

    Raises
    ------
    BundleError
        If it was not.
    """
    arrays = DistanceArrays.read(bundle.model)
    chosen = domain or UNNAMED_DOMAIN
    now = arrays.sections.get(section, {}).get(chosen)
    if now is None or not now.adapted or (now.previous is None and len(arrays.sections[section]) == 1):
        raise BundleError(
            f"Section {section} holds no earlier sound of the {chosen} domain: it was not learnt since the bundle was "
            "made, or was new then. Nothing was changed."
        )
    if now.previous is None:
        return Adapted(_with_arrays(bundle, arrays.without(section, chosen)), chosen, 0, now.clips, [])
    back = replace(now.previous, adapted=True, previous=replace(now, previous=None))
    found = _with_arrays(bundle, arrays.with_centre(section, chosen, back))
    return Adapted(found, chosen, back.clips, now.clips, [])


def with_golden_scores(bundle: Bundle) -> Bundle:
    """Compute the golden vectors' scores anew, which are of a section that may have another centre now."""
    golden: dict[str, npt.NDArray[Any]] = bundle.golden_arrays()
    scores = DistanceDetector(bundle).scores_of_features(golden["span_features"], bundle.golden_section)
    return replace(
        bundle,
        golden=write_arrays(**{**golden, "window_scores": scores, "score": np.array(mean_score(scores), np.int64)}),
    )


def _with_arrays(bundle: Bundle, arrays: DistanceArrays) -> Bundle:
    """Put centres into a bundle; what it knows of them in floating point are their integers."""
    # Those before: what is learnt is not among the fit's.
    floating = DistanceArrays.read(bundle.model).read_fit(bundle.float_model)
    sections = {
        section: {
            domain: FloatCentre(one.centre.mean / 2.0**FEATURE_BITS, one.centre.normaliser / 2.0**NORMALISER_BITS)
            if one.adapted
            else floating.sections[section][domain]
            for domain, one in of.items()
        }
        for section, of in arrays.sections.items()
    }
    found = replace(bundle, model=arrays.write(), float_model=write_float(replace(floating, sections=sections)))
    return with_golden_scores(found)


def _held_out(rows: npt.NDArray[np.int16], centre: Centre, directions: Directions) -> list[int]:
    """Score each span by the mean of the others, t / (t - 1) times as far away as that of all."""
    t = len(rows)
    apart = distances(rows, centre, directions) / 2.0**DISTANCE_BITS * (t / (t - 1)) ** 2
    scores = apart / (centre.normaliser / 2.0**NORMALISER_BITS) * 2.0**SCORE_BITS
    return [min(SCORE_MAX, round(score)) for score in scores.tolist()]
