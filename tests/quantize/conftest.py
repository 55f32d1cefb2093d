"""What is made of a run is tested on a bundle that was made of it just now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DependencyError

if TYPE_CHECKING:
    from tests.once import Once


@pytest.fixture(scope="session")
def bundle_path(fresh_bundle: Path) -> Path:
    """The bundle of `run_folder`; do not change it, copy it."""
    return fresh_bundle


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    """`bundle_path`, loaded."""
    return Bundle.load(bundle_path)


@pytest.fixture(scope="session")
def section_bundle(section_run: Path, section_data: Path, once: Once) -> Bundle:
    """The bundle of `section_run`, by the quickest method: what others do to convolutions, `test_methods` shows."""

    def make(folder: Path) -> None:
        from edge_asd.quantize.pipeline import quantise_run

        quantise_run(section_run, section_data, folder / "fan.easd", score_seconds=2.8, quantisation="plain")

    return Bundle.load(once("section_bundle", make) / "fan.easd")


@pytest.fixture
def litert() -> None:
    """Skip what needs LiteRT's converter where the extra is not installed."""
    from edge_asd.quantize.int8.convert import converter_versions

    try:
        converter_versions("litert")
    except DependencyError as error:
        pytest.skip(str(error))
