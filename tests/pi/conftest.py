"""The emulated machine with edge-asd installed, once for all its tests."""

from __future__ import annotations

import pytest

from tests.pi import build
from tests.pi.installation import Installed, install


@pytest.fixture(scope="session")
def pi() -> Installed:
    """The machine; skips where it has not been built."""
    machine = build.finished()
    if machine is None:
        pytest.skip("needs the emulated machine: run make prove-pi once, as root")
    installed = install(machine)
    print(f"\nedge-asd installed in {installed.seconds:.0f} s")
    return installed
