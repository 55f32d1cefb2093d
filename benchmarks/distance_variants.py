"""What distance.py compares: poolings of frames over time, and choices of features and settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge_asd.train.distance.fit import FitSettings

Floats = npt.NDArray[np.float64]
SHIPPED = "shipped"


def unsteadiness(db: Floats, steady: float) -> Floats:
    return 5 * np.log10(db.var(axis=0) + steady**2)


def ranked(db: Floats, ratio: float) -> Floats:
    """TWFR's pooling: frames sorted by level, with weights ratio^rank (Guan et al., ICASSP 2023)."""
    weights = ratio ** np.arange(len(db))
    return weights @ -np.sort(-db, axis=0) / weights.sum()


def mean_power(db: Floats, exponent: float) -> Floats:
    return 10 / exponent * np.log10((10 ** (db * exponent / 10)).mean(axis=0))


POOLINGS: dict[str, Callable[[Floats], Floats]] = {
    "level": lambda db: mean_power(db, 1),
    "power1.5": lambda db: mean_power(db, 1.5),
    "power2": lambda db: mean_power(db, 2),
    "mean": lambda db: db.mean(axis=0),
    "unsteadiness": lambda db: unsteadiness(db, 1 / 256),
    "unsteadiness0.1": lambda db: unsteadiness(db, 0.1),
    "unsteadiness0.3": lambda db: unsteadiness(db, 0.3),
    "unsteadiness1": lambda db: unsteadiness(db, 1.0),
    "std": lambda db: db.std(axis=0),
    "flux": lambda db: unsteadiness(np.diff(db, axis=0), 1 / 256),
    "slow": lambda db: unsteadiness(db.reshape(10, -1, db.shape[1]).mean(axis=1), 1 / 256),
    **{f"ranked{r}": (lambda db, r=r: ranked(db, r)) for r in (0.9, 0.95, 0.98, 0.99)},
}


@dataclass(frozen=True)
class Variant:
    """A choice of features, their weights, and the fit's settings."""

    features: tuple[str, ...] = ("level", "unsteadiness")
    weights: tuple[float, ...] = (1.0, 1.0)
    settings: FitSettings = field(default_factory=FitSettings)


def _of(*features: str) -> Variant:
    return Variant(features, (1.0,) * len(features))


VARIANTS: dict[str, Variant] = {
    SHIPPED: Variant(),
    **{
        "+".join(features): _of(*features)
        for features in (
            ("level",),
            ("mean", "unsteadiness"),
            ("level", "std"),
            ("level", "unsteadiness0.1"),
            ("level", "unsteadiness0.3"),
            ("level", "unsteadiness1"),
            ("power1.5", "unsteadiness"),
            ("power2", "unsteadiness"),
            ("level", "flux"),
            ("level", "unsteadiness", "flux"),
            ("level", "unsteadiness", "slow"),
            ("ranked0.9", "unsteadiness"),
            ("ranked0.95", "unsteadiness"),
            ("ranked0.98", "unsteadiness"),
            ("ranked0.99", "unsteadiness"),
            ("level", "ranked0.95", "unsteadiness"),
        )
    },
    **{f"unsteadiness x {w}": Variant(weights=(1.0, w)) for w in (0.5, 0.7, 1.4)},
    **{f"{k} directions": Variant(settings=FitSettings(directions=k)) for k in (16, 24, 48, 64)},
    **{f"{n} folds": Variant(settings=FitSettings(folds=n)) for n in (5, 20)},
    **{f"gamma {g}": Variant(settings=FitSettings(gamma=g)) for g in (0.5, 0.8, 1.0, 1.1, 1.5, 2.0)},
}
