"""The C library of an exported project: a detector, a model alone, or the front end alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_network
from edge_asd.errors import BundleError, EdgeAsdError
from edge_asd.firmware_export.bundle_source import bundle_sources, frontend_sources, section_names
from edge_asd.firmware_export.network import Network, read_network
from edge_asd.firmware_export.network_source import network_sources
from edge_asd.firmware_export.sources import library_files, public_headers
from edge_asd.firmware_export.tflm import TflmModel

DETECTOR, MODEL, FRONTEND = "detector", "model", "frontend"

ROUNDINGS = ("litert", "tflm")
"""LiteRT's reference kernels round fully connected layers once, TensorFlow Lite Micro twice."""

ROOTS = {DETECTOR: ("edge_asd.h",), MODEL: ("edge_asd_network.h",), FRONTEND: ("edge_asd_frontend.h",
          "edge_asd_tables.h", "edge_asd_golden_features.h")}  # fmt: skip
"""Headers that a user includes."""


@dataclass(frozen=True, slots=True)
class Library:
    """C files, and what is known of them.

    Attributes
    ----------
    kind : str
        `DETECTOR`, `MODEL` or `FRONTEND`.
    files : dict of str to str
        Contents by name.
    public : frozenset of str
        Headers that a user includes, and what those include.
    network : Network or None
        None for the front end alone.
    bundle : Bundle or None
        None for a model alone.
    facts : dict
        For people to read: what the README says.
    """

    kind: str
    files: Mapping[str, str]
    public: frozenset[str]
    network: Network | None
    bundle: Bundle | None
    facts: Mapping[str, Any] = field(default_factory=dict)


def detector_library(bundle: Bundle, *, rounding: str = "litert", hops: int = 1, cmsis_nn: bool = False) -> Library:
    """Write a bundle's detector.

    Parameters
    ----------
    bundle : Bundle
    rounding : str, one of `ROUNDINGS`
    hops : int
        Windows to be scored together.
    cmsis_nn : bool
        Prepare it for the user's own CMSIS-NN.

    Raises
    ------
    EdgeAsdError
        If the firmware does not compute in the bundle's arithmetic, or its model holds what no kernel computes.
    """
    if bundle.model_arithmetic != "litert-ref" and rounding == "litert":
        raise BundleError(
            f"This bundle was evaluated in the arithmetic {bundle.model_arithmetic}; firmware computes litert-ref, and "
            "with --rounding tflm what TensorFlow Lite Micro computes. Quantise anew with --arithmetic litert-ref."
        )
    network = read_network(bundle.model, twice=rounding == "tflm", hops=hops)
    # Its scores, too, are computed where its arithmetic is at home.
    other = load_network(bundle, TflmModel(bundle.model)) if rounding == "tflm" else None
    generated = {**network_sources(network, cmsis_nn=cmsis_nn), **bundle_sources(bundle, other)}
    facts = {
        "machine": bundle.machine,
        "detector": bundle.kind.title,
        "sections": section_names(bundle),
        "rounding": rounding,
        "hops": hops,
        "cmsis_nn": cmsis_nn,
    }
    return _library(DETECTOR, generated, network, bundle, facts)


def model_library(content: bytes, *, rounding: str = "tflm", hops: int = 1, cmsis_nn: bool = False) -> Library:
    """Write a model alone.

    Parameters
    ----------
    content : bytes
        A .tflite file.
    rounding : str, one of `ROUNDINGS`
    hops : int
        Windows to be computed together.
    cmsis_nn : bool
        Prepare it for the user's own CMSIS-NN.

    Raises
    ------
    ModelError
        If it holds what no kernel computes.
    """
    network = read_network(content, twice=rounding == "tflm", hops=hops)
    generated = network_sources(network, cmsis_nn=cmsis_nn)
    return _library(MODEL, generated, network, None, {"rounding": rounding, "cmsis_nn": cmsis_nn})


def frontend_library(bundle: Bundle) -> Library:
    """Write a bundle's front end alone, for a model of one's own."""
    return _library(FRONTEND, frontend_sources(bundle), None, bundle, {"machine": bundle.machine})


def _library(
    kind: str, generated: dict[str, str], network: Network | None, bundle: Bundle | None, facts: dict[str, Any]
) -> Library:
    if kind not in ROOTS:
        raise EdgeAsdError(f"There is no library {kind!r}.")
    files = library_files(generated, ROOTS[kind])
    return Library(kind, files, frozenset(public_headers(files, ROOTS[kind])), network, bundle, facts)
