"""The detector that a bundle names."""

from __future__ import annotations

from collections.abc import Mapping

from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.bundle.kinds import AUTOENCODER, SECTION_CLASSIFIER
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.distance import DistanceDetector
from edge_asd.detectors.section_id import SectionDetector
from edge_asd.detectors.windowed import Runs, WindowDetector
from edge_asd.errors import BundleError

NETWORKS: Mapping[str, type[WindowDetector]] = {
    AUTOENCODER.name: AutoencoderDetector,
    SECTION_CLASSIFIER.name: SectionDetector,
}


def load_detector(spec: DetectorModel) -> WindowDetector | DistanceDetector:
    """Set up the detector of a bundle.

    Raises
    ------
    BundleError
        If the model in the bundle is not the one its manifest describes.
    """
    return load_network(spec) if spec.kind.network else DistanceDetector(spec)


def load_network(spec: DetectorModel, other: Runs | None = None) -> WindowDetector:
    """Set up the detector of a bundle that holds a network, its model run by the runtime here or by another one.

    Raises
    ------
    BundleError
        If the model in the bundle is not the one its manifest describes, or it holds none.
    """
    if not spec.kind.network:
        raise BundleError(f"A bundle of {spec.detector!r} holds no network.")
    return NETWORKS[spec.detector](spec, other)
