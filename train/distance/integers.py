"""From the fit to the integers that ship, and what the rounding costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_asd.distance.adapting import rounded_centre
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.distance import SCORE_BITS
from edge_asd.distance.features import FEATURE_BITS
from edge_asd.distance.floating import FloatModel, Floats
from edge_asd.distance.parameters import MULTIPLIER_BITS, PROJECTION_BITS, Directions, DistanceModel
from edge_asd.train.figures.metrics import rank_figures

_LARGEST = 2**15 - 1
_ROW_BITS = MULTIPLIER_BITS + PROJECTION_BITS - FEATURE_BITS


def to_integers(model: FloatModel, blocks: Blocks) -> DistanceModel:
    """Round a fitted model.

    Parameters
    ----------
    model : FloatModel
    blocks : Blocks
        That its features are of.
    """
    return DistanceModel(
        blocks,
        round_directions(model.vectors),
        {
            section: {domain: rounded_centre(one.mean, one.normaliser) for domain, one in centres.items()}
            for section, centres in model.sections.items()
        },
    )


def round_directions(vectors: Floats) -> Directions:
    """Round directions to int16, with one scale for each row."""
    scales = np.abs(vectors).max(axis=1) / _LARGEST
    rows = np.rint(vectors / np.where(scales > 0, scales, 1)[:, None])
    return Directions(rows.astype(np.int16), np.rint(scales * 2.0**_ROW_BITS).astype(np.int32))


@dataclass(frozen=True, slots=True)
class RoundingReport:
    """What integers cost on some clips.

    Attributes
    ----------
    correlation : float
        Of the integer scores' logarithms with the float ones'.
    worst : float
        Largest |integer - float| / float.
    auc_drop : float or None
        AUC by float scores less that by integer scores; None without both classes.
    """

    correlation: float
    worst: float
    auc_drop: float | None


def rounding_report(
    float_scores: Floats, integer_scores: npt.NDArray[np.int32], anomaly: Sequence[bool] | None = None
) -> RoundingReport:
    """Compare scores of the same clips, in floating point [shape=(n,)] and in integers [shape=(n,), Q15.16].

    Logarithms, since a few anomalies far away would correlate whatever the healthy clips do.
    """
    step = 1 / (1 << SCORE_BITS)
    integers = np.maximum(integer_scores, 1) * step
    floats = np.maximum(float_scores, step)
    drop = None
    if anomaly is not None:
        by_float, by_integers = (rank_figures(anomaly, list(scores)).auc for scores in (float_scores, integer_scores))
        drop = None if by_float is None or by_integers is None else by_float - by_integers
    return RoundingReport(
        correlation=float(np.corrcoef(np.log(floats), np.log(integers))[0, 1]),
        worst=float((np.abs(integers - floats) / floats).max()),
        auc_drop=drop,
    )
