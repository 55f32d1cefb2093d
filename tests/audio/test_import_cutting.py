from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import Stretch
from edge_asd.audio.importing.cutting import Cut, between, cut
from edge_asd.errors import AudioFormatError

LENGTH = 100


def test_what_is_left_between_stretches() -> None:
    assert between([], 0, 10) == [(0, 10)]
    assert between([], 10, 10) == []
    assert between([Stretch(0, 2), Stretch(4, 6), Stretch(9, 20)], 0, 12) == [(2, 4), (6, 9)]
    assert between([Stretch(0, 20)], 5, 12) == []
    assert between([Stretch(0, 4), Stretch(5, 6), Stretch(30, 40)], 3, 12) == [(4, 5), (6, 12)]


def blocks_of(sound: np.ndarray, sizes: list[int]) -> Iterator[np.ndarray]:
    at = 0
    while at < sound.size:
        size = sizes[at % len(sizes)]
        yield sound[at : at + size]
        at += size


@settings(max_examples=50)
@given(
    size=st.integers(1, 2500),
    sizes=st.lists(st.integers(20, 300), min_size=1, max_size=5),
    dead=st.lists(st.integers(0, 2500), max_size=6, unique=True),
    overlap=st.integers(0, LENGTH - 1),
    splits=st.lists(st.sampled_from(["train", "test"]), min_size=1, max_size=7),
    resume=st.integers(0, 5),
)
def test_every_clip_is_its_place_and_none_for_testing_shares_a_sample(
    size: int, sizes: list[int], dead: list[int], overlap: int, splits: list[str], resume: int
) -> None:
    sound = np.arange(size, dtype=np.int16)
    bounds = sorted(dead)
    stretches = [Stretch(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False)]
    runs = between(stretches, 0, size)
    turn = iter(splits * 1000)

    def pieces(last: Cut | None) -> list[tuple[np.ndarray, Stretch, str]]:
        made: list[tuple[np.ndarray, Stretch, str]] = []
        clipped = cut(
            blocks_of(sound, sizes),
            runs,
            LENGTH,
            overlap,
            next_split=lambda: next(turn),
            write=lambda pcm, place: made.append((pcm, place.place, place.split)),
            last=last,
        )
        assert clipped == []
        return made

    made = pieces(None)
    # Who goes on from a clip earlier shares no more than who did not stop.
    if len(made) > resume:
        made = made[: resume + 1] + pieces(Cut(*made[resume][1:]))
    for pcm, place, _ in made:
        assert np.array_equal(pcm, sound[place.start : place.stop])
        assert pcm.size == LENGTH
        assert any(run.start <= place.start and place.stop <= run.stop for run in runs)
    for (_, one, split), (_, other, following) in pairwise(made):
        assert other.start > one.start
        assert one.stop - other.start <= (overlap if split == following == "train" else 0)
    # No room for another clip is left anywhere.
    if overlap == 0:
        covered = {place.start for _, place, _ in made}
        for run in runs:
            starts = range(run.start, run.stop - LENGTH + 1, LENGTH)
            assert set(starts) <= covered


def test_clipped_clips_are_left_out_and_neighbours_told_together() -> None:
    sound = np.arange(1000, dtype=np.int16)
    sound[[150, 230, 650]] = 32767
    made: list[Cut] = []
    clipped = cut(
        [sound],
        [Stretch(0, 1000)],
        LENGTH,
        40,
        next_split=lambda: "train",
        write=lambda pcm, place: made.append(place),
    )
    # From 60 and from 160 on: the clip before ends at 100.
    assert clipped == [((100, 260), 0.01), ((600, 660), 0.01)]
    assert [place.place.start for place in made] == [0, 260, 320, 380, 440, 500, 660, 720, 780, 840, 900]
    assert made[5].place.stop == 600


def test_a_stream_that_ends_early_is_an_error() -> None:
    with pytest.raises(AudioFormatError, match="was changed while it was read"):
        cut(
            [np.zeros(150, np.int16)],
            [Stretch(0, 1000)],
            LENGTH,
            0,
            next_split=lambda: "train",
            write=lambda pcm, place: None,
        )
