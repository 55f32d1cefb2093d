"""What a run's folder holds of a distance detector: the fit, and the scores of held-out clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_asd.bundle.arrays import Arrays, read_arrays, write_arrays
from edge_asd.bundle.distance_file import FLOAT_DISTANCE, read_float, write_float
from edge_asd.clips import DOMAINS, Domain
from edge_asd.distance.floating import Floats
from edge_asd.errors import BundleError, ModelError
from edge_asd.files import write_atomically
from edge_asd.train.distance.fit import Fitted

HELD_OUT = "held_out.npz"

_ARRAYS: Arrays = {"places": (np.uint8, (2,)), "scores": (np.float64, (1,))}
_MOST_BYTES = 64 * 2**20


def keep_fit(folder: Path, fitted: Fitted) -> None:
    """Write a fit into a run's folder.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    rows = [
        (int(section), DOMAINS.index(domain), score)
        for section, of in sorted(fitted.held_out.items())
        for domain, scores in sorted(of.items())
        for score in scores.tolist()
    ]
    places = np.array([row[:2] for row in rows], np.uint8).reshape(-1, 2)
    write_atomically(folder / HELD_OUT, write_arrays(places=places, scores=np.array([row[2] for row in rows])))
    write_atomically(folder / FLOAT_DISTANCE, write_float(fitted.model))


def load_fit(folder: Path) -> Fitted:
    """Read what `keep_fit` wrote.

    Raises
    ------
    ModelError
        If it is not there, or was changed.
    """
    try:
        model = read_float((folder / FLOAT_DISTANCE).read_bytes())
        found = read_arrays((folder / HELD_OUT).read_bytes(), _ARRAYS, file=HELD_OUT, most_bytes=_MOST_BYTES)
    except OSError as error:
        raise ModelError(
            f"{folder} has no finished fit ({error.strerror or error}: {Path(error.filename or '').name}). Train anew: "
            "edge-asd train ... --overwrite."
        ) from None
    except BundleError as error:
        raise ModelError(f"{folder}: {error}") from error
    places, scores = found["places"], found["scores"]
    if places.shape != (len(scores), 2) or not np.isfinite(scores).all() or (scores < 0).any():
        raise ModelError(f"{folder / HELD_OUT} is not what a training writes; it was changed. Train anew.")
    return Fitted(model, _by_place(model.sections, places.tolist(), scores))


def _by_place(
    sections: Mapping[str, Mapping[Domain, object]], places: list[list[int]], scores: Floats
) -> dict[str, dict[Domain, Floats]]:
    numbers = np.array(places).reshape(-1, 2)
    found: dict[str, dict[Domain, Floats]] = {}
    for section, of in sections.items():
        for domain in of:
            own = scores[(numbers == (int(section), DOMAINS.index(domain))).all(axis=1)]
            if len(own):
                found.setdefault(section, {})[domain] = own
    return found
