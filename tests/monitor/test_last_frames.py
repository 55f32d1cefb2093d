from __future__ import annotations

import numpy as np

from edge_asd.monitor.last_frames import LastFrames


def test_the_last_frames_are_those_of_the_stream_however_it_came() -> None:
    rng = np.random.default_rng(0)
    stream = rng.integers(-(2**20), 2**20, (500, 8)).astype(np.int32)
    last, place = LastFrames(100), 0
    while place < len(stream):
        step = int(rng.integers(0, 30))
        last.push(stream[place : place + step])
        place = min(len(stream), place + step)
        for end in (place, place - 20):
            found = last.before(end, 80)
            if end < 80:
                assert found is None
            else:
                assert found is not None
                assert (found == stream[end - 80 : end]).all()
    assert last.before(place + 1, 10) is None
    assert last.before(place, 150) is None
    assert last._held < 130


def test_nothing_is_kept_where_nothing_is_asked_for() -> None:
    last = LastFrames(0)
    last.push(np.zeros((10, 8), np.int32))
    assert last.before(10, 1) is None
    assert not last._parts
