"""Sound for the tests of microphones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.golden.committed import made_sound


@pytest.fixture
def long_sound(tmp_path: Path) -> Path:
    """A minute of a machine: longer than any test that plays it."""
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(made_sound(1, 200), 10), 16000, subtype="PCM_16")
    return path
