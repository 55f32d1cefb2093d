from __future__ import annotations

import numpy as np
import pytest

from edge_asd.detectors.windowed import gather_windows
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.features.windows import Windows, frames_db

SIZES = (7, 5, 30, 11)


def clips() -> list[ClipFeatures]:
    rng = np.random.default_rng(3)
    values = [rng.integers(-(157 << 16), 90 << 16, (n, 16), dtype=np.int32) for n in SIZES]
    return [ClipFeatures(frames, 0.0) for frames in values]


@pytest.mark.parametrize(("span", "hop"), [(5, 1), (5, 3), (1, 1), (4, 8)])
def test_windows_are_those_of_each_clip(span, hop):
    windows = Windows(clips(), span, hop)
    expected = np.concatenate([gather_windows(frames_db(clip.frames), span, hop) for clip in clips()])
    assert len(windows) == len(expected)
    assert windows.width == span * 16
    order = np.random.default_rng(4).permutation(len(windows))
    found = windows.gather(order)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected[order])


def test_frames_are_referred_to_and_not_copied():
    features = clips()
    windows = Windows(features, 5)
    before = windows.gather(np.array([0]))[0, 0]
    features[0].frames[0, 0] += 1 << 16
    assert windows.gather(np.array([0]))[0, 0] == before + 1


def test_no_clips():
    assert len(Windows([], 5)) == 0
