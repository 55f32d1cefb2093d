"""Fixtures for the exported kernels."""

from __future__ import annotations

import pytest

from tests.firmware_export.kernels import Kernels, build
from tests.once import Once


@pytest.fixture(scope="session")
def kernels(once: Once) -> Kernels:
    """All operators' kernels, compiled for this machine with a sanitizer."""
    return Kernels(once("kernels", build))
