"""What is made of a run is tested on a bundle that was made of it just now."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_asd.bundle.bundle import Bundle


@pytest.fixture(scope="session")
def bundle_path(fresh_bundle: Path) -> Path:
    """The bundle of `run_folder`; do not change it, copy it."""
    return fresh_bundle


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    """`bundle_path`, loaded."""
    return Bundle.load(bundle_path)
