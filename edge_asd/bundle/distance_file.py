"""``distance.npz``: a distance detector's integers; ``distance_float.npz``: the fit that they were rounded from.

Centres are rows of arrays. `centres` holds section number, domain (0: source, 1: target), and 0 for a fitted centre, 1
for one that `edge_asd.calibration.adapting` has put in its place, 2 for the one that was replaced; `means`,
`normalisers` and `clips` hold what belongs to each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.arrays import Arrays, read_arrays, write_arrays
from edge_asd.clips import DOMAINS, Domain
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.floating import FloatCentre, FloatModel
from edge_asd.distance.parameters import MOST_DIRECTIONS, MOST_FEATURES, Centre, Directions, DistanceModel
from edge_asd.errors import BundleError, EdgeAsdError

DISTANCE, FLOAT_DISTANCE = "distance.npz", "distance_float.npz"

_MOST_CENTRES = 400  # of a hundred sections
_ARRAYS: Arrays = {
    "vectors": (np.int16, (2,)),
    "multipliers": (np.int32, (1,)),
    "blocks": (np.int32, (1,)),
    "centres": (np.uint8, (2,)),
    "means": (np.int16, (2,)),
    "normalisers": (np.int64, (1,)),
    "clips": (np.int32, (1,)),
}
_FLOAT_ARRAYS: Arrays = {
    "vectors": (np.float64, (2,)),
    "centres": (np.uint8, (2,)),
    "means": (np.float64, (2,)),
    "normalisers": (np.float64, (1,)),
}

_FLOAT_LIMITS = {"vectors": 1.001, "means": 1000.0, "normalisers": 1e9}
"""No fit is beyond, and no sum of squares up to them leaves what floating point holds."""

MAX_BYTES = 2**20
"""Of either file's arrays together."""


@dataclass(frozen=True, slots=True)
class StoredCentre:
    """A centre, and what it rests on.

    Attributes
    ----------
    centre : Centre
    clips : int
        Healthy clips that it was computed from.
    previous : StoredCentre, optional
        What it replaced when it was adapted; that has no previous one itself.
    adapted : bool
        It was computed from recordings on site (`edge_asd.calibration.adapting`), not fitted.
    """

    centre: Centre
    clips: int
    adapted: bool = False
    previous: StoredCentre | None = None


Stored = Mapping[str, Mapping[Domain, StoredCentre]]
"""By section and domain."""


@dataclass(frozen=True, slots=True)
class DistanceArrays:
    """What ``distance.npz`` holds.

    Attributes
    ----------
    blocks : Blocks
    directions : Directions
    sections : mapping of str to mapping of {"source", "target"} to StoredCentre
    """

    blocks: Blocks
    directions: Directions
    sections: Stored

    @property
    def model(self) -> DistanceModel:
        """What is computed with."""
        return DistanceModel(
            self.blocks,
            self.directions,
            {section: {domain: one.centre for domain, one in of.items()} for section, of in self.sections.items()},
        )

    def read_fit(self, content: bytes) -> FloatModel:
        """Read the contents of ``distance_float.npz`` beside this file.

        Raises
        ------
        BundleError
            If they are not those of the fit that it was rounded from.
        """
        fitted = read_float(content)
        known = all(set(of) <= set(fitted.sections.get(section, {})) for section, of in self.sections.items())
        if not known or fitted.vectors.shape != self.directions.vectors.shape:
            raise _refusal(f"it is not the fit that {DISTANCE} was rounded from", FLOAT_DISTANCE)
        return fitted

    def with_centre(self, section: str, domain: Domain, stored: StoredCentre) -> DistanceArrays:
        """Replace a centre, or add one."""
        return replace(self, sections={**self.sections, section: {**self.sections.get(section, {}), domain: stored}})

    def without(self, section: str, domain: Domain) -> DistanceArrays:
        """Leave a centre out, and its section with its last one."""
        rest = {name: one for name, one in self.sections[section].items() if name != domain}
        others = {name: of for name, of in self.sections.items() if name != section}
        return replace(self, sections={**others, section: rest} if rest else others)

    def write(self) -> bytes:
        """Return the file's contents."""
        rows, means, normalisers, clips = [], [], [], []
        for section, of in sorted(self.sections.items()):
            for domain, one in sorted(of.items()):
                for stored, number in ((one, int(one.adapted)), (one.previous, 2)):
                    if stored is not None:
                        rows.append((int(section), DOMAINS.index(domain), number))
                        means.append(stored.centre.mean)
                        normalisers.append(stored.centre.normaliser)
                        clips.append(stored.clips)
        return write_arrays(
            vectors=self.directions.vectors,
            multipliers=self.directions.multipliers,
            blocks=np.array([self.blocks.frames, self.blocks.count], np.int32),
            centres=np.array(rows, np.uint8).reshape(-1, 3),
            means=np.array(means, np.int16).reshape(-1, self.directions.vectors.shape[1]),
            normalisers=np.array(normalisers, np.int64),
            clips=np.array(clips, np.int32),
        )

    @classmethod
    def read(cls, content: bytes) -> DistanceArrays:
        """Read and check the file's contents.

        Raises
        ------
        BundleError
            If they are not those of a distance detector.
        """
        found = read_arrays(content, _ARRAYS, file=DISTANCE, most_bytes=MAX_BYTES)
        if found["blocks"].shape != (2,) or not (found["blocks"] > 0).all():
            raise _refusal("'blocks' are not two numbers above 0")
        directions = Directions(found["vectors"], found["multipliers"])
        try:
            blocks = Blocks(*found["blocks"].tolist())
        except EdgeAsdError as error:
            raise _refusal(str(error)) from error
        present, previous = _rows(found["centres"], found["means"], found["normalisers"], directions.vectors.shape[1])
        if found["clips"].shape != found["normalisers"].shape or not (found["clips"] > 0).all():
            raise _refusal("'clips' are not one number above 0 for each centre")
        if not present or set(previous) - {place for place, (_, adapted) in present.items() if adapted}:
            raise _refusal("an earlier centre has no present one that was adapted, or there is none at all")

        def stored(row: int) -> tuple[Centre, int]:
            return Centre(found["means"][row], int(found["normalisers"][row])), int(found["clips"][row])

        sections: dict[str, dict[Domain, StoredCentre]] = {}
        for (section, domain), (row, adapted) in present.items():
            old = previous.get((section, domain))
            sections.setdefault(section, {})[domain] = StoredCentre(
                *stored(row), adapted, None if old is None else StoredCentre(*stored(old))
            )
        arrays = cls(blocks, directions, sections)
        arrays.model  # noqa: B018 (it checks that they fit each other)
        return arrays


def write_float(model: FloatModel) -> bytes:
    """Return the contents of ``distance_float.npz``."""
    places = [(section, domain) for section, of in sorted(model.sections.items()) for domain in sorted(of)]
    centres = [model.sections[section][domain] for section, domain in places]
    return write_arrays(
        vectors=model.vectors,
        centres=np.array([(int(s), DOMAINS.index(d), 0) for s, d in places], np.uint8).reshape(-1, 3),
        means=np.array([centre.mean for centre in centres], np.float64).reshape(-1, model.vectors.shape[1]),
        normalisers=np.array([centre.normaliser for centre in centres], np.float64),
    )


def read_float(content: bytes) -> FloatModel:
    """Read and check such contents.

    Raises
    ------
    BundleError
        If they are not those of a distance detector's fit.
    """
    found = read_arrays(content, _FLOAT_ARRAYS, file=FLOAT_DISTANCE, most_bytes=MAX_BYTES)
    k, features = found["vectors"].shape
    if k > MOST_DIRECTIONS or not 2 <= features <= MOST_FEATURES:
        raise _refusal(f"its directions have shape {(k, features)}", FLOAT_DISTANCE)
    if not all(np.isfinite(found[name]).all() for name in ("vectors", "means", "normalisers")):
        raise _refusal("it holds numbers that are none", FLOAT_DISTANCE)
    if not (found["normalisers"] > 0).all():
        raise _refusal("a normaliser is not above 0", FLOAT_DISTANCE)
    if any((np.abs(found[name]) > most).any() for name, most in _FLOAT_LIMITS.items()):
        raise _refusal("it holds numbers that no fit makes", FLOAT_DISTANCE)
    present, _ = _rows(found["centres"], found["means"], found["normalisers"], features, FLOAT_DISTANCE)
    sections: dict[str, dict[Domain, FloatCentre]] = {}
    for (section, domain), (row, _) in present.items():
        sections.setdefault(section, {})[domain] = FloatCentre(found["means"][row], float(found["normalisers"][row]))
    return FloatModel(found["vectors"], sections)


_Place = tuple[str, Domain]


def _rows(
    centres: npt.NDArray[np.uint8],
    means: npt.NDArray[Any],
    normalisers: npt.NDArray[Any],
    features: int,
    file: str = DISTANCE,
) -> tuple[dict[_Place, tuple[int, bool]], dict[_Place, int]]:
    """Return the rows of present centres, with whether they were adapted, and those of earlier ones."""
    n = len(centres)
    if centres.shape != (n, 3) or n > _MOST_CENTRES or means.shape != (n, features) or normalisers.shape != (n,):
        raise _refusal("its centres, means and normalisers do not belong together", file)
    present: dict[_Place, tuple[int, bool]] = {}
    previous: dict[_Place, int] = {}
    for row, (section, domain, number) in enumerate(centres.tolist()):
        if section > 99 or domain >= len(DOMAINS) or number > 2:
            raise _refusal(f"there is no centre {section}, {domain}, {number}", file)
        place = f"{section:02d}", DOMAINS[domain]
        if place in (previous if number == 2 else present):
            raise _refusal(f"section {place[0]} has two centres for the {place[1]} domain", file)
        if number == 2:
            previous[place] = row
        else:
            present[place] = row, bool(number)
    return present, previous


def _refusal(why: str, file: str = DISTANCE) -> BundleError:
    return BundleError(f"The bundle's {file} cannot be used: {why}. Make the bundle anew.")


def stored_sections(model: DistanceModel, clips: Mapping[str, Mapping[Domain, int]]) -> Stored:
    """Say of a fitted model's centres on how many clips they rest."""
    return {
        section: {domain: StoredCentre(centre, clips[section][domain]) for domain, centre in of.items()}
        for section, of in model.sections.items()
    }
