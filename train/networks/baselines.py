"""The baselines by name."""

from __future__ import annotations

from collections.abc import Mapping

from edge_asd.train.networks.autoencoder import AUTOENCODER
from edge_asd.train.networks.baseline import Baseline
from edge_asd.train.networks.section_classifier import SECTION_CLASSIFIER

BASELINES: Mapping[str, Baseline] = {baseline.kind.name: baseline for baseline in (AUTOENCODER, SECTION_CLASSIFIER)}
"""The names are those of ``edge-asd train --model`` and of bundles."""
