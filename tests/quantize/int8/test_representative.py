from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest

from edge_asd.audio.recording_file import read_recording
from edge_asd.errors import ModelError
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.quantize.int8.representative import representative_windows
from edge_asd.train.data.dataset import Dataset
from tests.data import MACHINE, TRAIN

FLOOR_DB = np.float32(10 * math.log10(2.22e-16))


@pytest.fixture(scope="module")
def clips(tiny_data):
    return Dataset(tiny_data, MACHINE).select(split="train")


@pytest.fixture(scope="module")
def found(clips):
    return representative_windows(clips, FeatureSpec(), (640,), headroom_db=6.5)


@pytest.fixture(scope="module")
def frames(clips):
    """Frames [dB] of every clip, by section and domain."""
    cells: dict[tuple[str, str], list[np.ndarray]] = {}
    for clip in clips:
        db = log_mel(read_recording(clip.path).pcm).astype(np.float32) / 65536
        cells.setdefault((clip.name.section, clip.name.domain), []).append(db)
    return cells


def test_windows_are_there_as_they_are_louder_and_softer(found):
    count = len(found.windows) // 3
    plain, louder, softer = (found.windows[i * count : (i + 1) * count] for i in range(3))
    assert (found.windows.dtype, found.windows.shape) == (np.float32, (3 * count, 640))
    assert np.array_equal(louder, plain + np.float32(6.5))
    assert np.array_equal(softer, np.maximum(plain - np.float32(6.5), FLOOR_DB))


def test_every_section_and_domain_gives_even_windows_and_its_extremes(found, frames):
    plain = found.windows[: len(found.windows) // 3]
    taken = 0
    for (section, domain), cell in frames.items():
        known = {clip[i : i + 5].tobytes() for clip in cell for i in range(len(clip) - 4)}
        ours = np.array([window for window in plain if window.tobytes() in known])
        # 120 spread evenly; a clip of two seconds has 57 at most. Then one for each extreme at most.
        assert min(120, 57 * len(cell)) <= len(ours) <= 120 + 2 * 129
        assert found.record["windows_by_section_and_domain"][f"{section} {domain}"] == len(ours)
        everything, chosen = np.concatenate(cell), ours.reshape(-1, 128)
        assert np.array_equal(chosen.max(axis=0), everything.max(axis=0))
        assert np.array_equal(chosen.min(axis=0), everything.min(axis=0))
        assert chosen.sum(axis=1).max() == everything.sum(axis=1).max()
        taken += len(ours)
    assert taken == len(plain)
    assert len(frames) == len(TRAIN)


def test_the_record_tells_all_and_stays_the_same(found, clips):
    assert found.record["windows"] == len(found.windows)
    assert found.record["headroom_db"] == 6.5
    assert found.record["sha256"] == hashlib.sha256(found.windows.tobytes()).hexdigest()
    again = representative_windows(clips, FeatureSpec(), (640,), headroom_db=6.5)
    assert again.record == found.record


def test_windows_take_the_shape_of_the_models_input(clips):
    windows = representative_windows(clips, FeatureSpec(), (40, 128, 1)).windows
    assert windows.shape[1:] == (40, 128, 1)
    first = log_mel(read_recording(clips[0].path).pcm)[:40].astype(np.float32) / 65536
    assert np.array_equal(windows[0, :, :, 0], first)


def test_a_domain_without_clips_is_named_and_the_rest_goes_on(found, clips):
    (note,) = found.notes
    assert note.startswith("Section 01 has no target training clips")
    source = [clip for clip in clips if clip.name.domain == "source"]
    alone = representative_windows(source, FeatureSpec(), (640,))
    assert [note[:31] for note in alone.notes] == ["Section 00 has no target traini", "Section 01 has no target traini"]
    assert len(alone.windows)
    assert representative_windows(source, FeatureSpec(), (640,), domains=("source",)).notes == []


def test_no_clips_give_no_windows():
    assert representative_windows([], FeatureSpec(), (640,)).windows.shape == (0, 640)


@pytest.mark.parametrize(
    ("shape", "headroom", "message"),
    [
        ((600,), 6.0, r"shape \(600,\) does not hold frames of 128 bands"),
        ((640,), -1.0, "give 0 to 40 dB"),
        ((640,), math.nan, "give 0 to 40 dB"),
        ((640,), 41.0, "give 0 to 40 dB"),
    ],
)
def test_an_impossible_shape_or_headroom_is_refused(clips, shape, headroom, message):
    with pytest.raises(ModelError, match=message):
        representative_windows(clips, FeatureSpec(), shape, headroom_db=headroom)
