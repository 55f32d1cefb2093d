"""The kinds of detector, and what differs between them: the one place that spells it.

Whoever needs a detector's name, title or unit, or must know whether it has classes, reads it here: bundles and their
manifests, the code that scores, the command line, training and the report. It loads nothing, so that ``--help`` may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of detector.

    Attributes
    ----------
    name : str
        In manifests, and for ``edge-asd train --model``.
    title : str
        In reports.
    unit : str
        Of loss and scores, for people to read.
    classifies : bool
        It names a window's class, and a bundle lists the classes.
    signed : bool
        Scores may be negative.
    network : bool
        It is a neural network, in TFLite files; otherwise integer arrays (`edge_asd.distance`).
    """

    name: str
    title: str
    unit: str
    classifies: bool
    signed: bool
    network: bool = True


AUTOENCODER = Kind(name="ae", title="Autoencoder", unit="dB²", classifies=False, signed=False)

SECTION_CLASSIFIER = Kind(name="mobilenetv2", title="MobileNetV2", unit="nat", classifies=True, signed=True)

DISTANCE = Kind(name="distance", title="Distance", unit="times normal", classifies=False, signed=False, network=False)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (AUTOENCODER, SECTION_CLASSIFIER, DISTANCE)}
"""All of them by name, in the order of tables."""
