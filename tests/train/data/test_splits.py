from __future__ import annotations

from pathlib import Path

import pytest

from edge_asd.clips import ClipName
from edge_asd.errors import DataError
from edge_asd.own_set import SoundPlace
from edge_asd.train.data.dataset import Clip
from edge_asd.train.data.splits import SPLITS, held_back_count, split_faithful, split_own, split_training
from edge_asd.train.data.table1 import table1
from tests.data import MACHINE
from tests.train.data.table1_tree import names


def machine_clips(machine: str, sections: tuple[str, ...]) -> list[Clip]:
    """The training clips that Table 1 gives a machine, in any order but that of their paths."""
    keys = [key for section in sections for key in names(table1()[machine, section]) if key.startswith("train/")]
    return [Clip(Path(key), ClipName.parse(key.split("/")[1]), key) for key in reversed(keys)]


@pytest.mark.parametrize("sections", [("00", "01", "02"), ("03", "04", "05")])
def test_the_faithful_split_takes_its_tenth_from_the_last_section(sections):
    clips = machine_clips("fan", sections)
    fit, held_back = split_faithful(clips)
    assert (len(fit), len(held_back)) == (2708, 301)
    assert [clip.key for clip in fit + held_back] == sorted(clip.key for clip in clips)
    assert {clip.name.section for clip in held_back} == {sections[-1]}
    domains = [clip.name.domain for clip in held_back]
    assert (domains.count("source"), domains.count("target")) == (298, 3)


def test_the_default_split_keeps_target_clips_of_every_section_in_both_parts():
    fit, held_back = SPLITS["default"](machine_clips("fan", ("00", "01", "02")))
    for section in ("00", "01", "02"):
        for part, source, target in ((fit, 900, 2), (held_back, 100, 1)):
            domains = [clip.name.domain for clip in part if clip.name.section == section]
            assert (domains.count("source"), domains.count("target")) == (source, target)


@pytest.mark.parametrize(("n", "fitted"), [(0, 0), (1, 1), (2, 1), (9, 8), (10, 9), (11, 9), (20, 18)])
def test_the_faithful_split_of_few_clips(n, fitted):
    fit, held_back = split_faithful(machine_clips("fan", ("00",))[:n])
    assert (len(fit), len(held_back)) == (fitted, n - fitted)


def imported_clips(overlap: float, n: int, every: int = 5) -> tuple[list[Clip], dict[str, SoundPlace]]:
    """The training clips of `n` that `edge-asd data import` cuts out of a recording, one of `every` for testing."""
    clips, places, at, last = [], {}, 0, ""
    for i in range(n):
        folder, split = ("source_test", "test") if i % every == every - 1 else ("train", "train")
        name = f"section_00_source_{split}_normal_{i:04d}.wav"
        start = at - round(overlap) if split == last == "train" else at
        at, last = start + 10, split
        places[f"{folder}/{name}"] = SoundPlace("a", start, at)
        if split == "train":
            clips.append(Clip(Path(name), ClipName.parse(name), f"train/{name}"))
    return clips, places


def samples_of(clips: list[Clip], places: dict[str, SoundPlace]) -> list[int]:
    return [i for clip in clips for i in range(places[clip.key].start, places[clip.key].stop)]


@pytest.mark.parametrize("every", [5, 7, 10_000])
@pytest.mark.parametrize("n", [3, 5, 6, 17, 60, 300])
@pytest.mark.parametrize("overlap", [1, 5, 8, 9])
def test_no_sample_is_both_fitted_and_held_back_nor_held_back_twice(overlap, n, every):
    clips, places = imported_clips(overlap, n, every)
    fit, held_back = split_own(clips, places)
    fitted, held = samples_of(fit, places), samples_of(held_back, places)
    assert not set(fitted) & set(held)
    assert len(held) == len(set(held))
    assert {clip.key for clip in fit}.isdisjoint(clip.key for clip in held_back)
    if every == 5 and n >= 17:  # whole pieces are between clips for testing: at most a third is not fitted on
        assert len(fit) >= 0.6 * len(clips)
        sound = len(set(samples_of(clips, places)))
        assert 0.1 * sound <= len(held) <= 0.4 * sound


def test_clips_that_do_not_overlap_are_split_as_others_but_for_the_number():
    clips, places = imported_clips(0, 300)
    assert split_own(clips, places) == split_own(clips, {}) == split_training(clips, 29)
    assert len(split_own(clips, places)[1]) == held_back_count(240, 29) == 29


def test_all_is_left_that_shares_sound_with_a_test_clip_or_is_there_twice():
    clips, places = imported_clips(0, 50)
    # The same recording again, all for training: what was for testing is among the training clips now.
    again = {}
    for i in range(40):
        name = f"section_00_source_train_normal_{i + 100:04d}.wav"
        again[f"train/{name}"] = SoundPlace("a", 10 * i, 10 * i + 10)
        clips = [*clips, Clip(Path(name), ClipName.parse(name), f"train/{name}")]
    places |= again
    fit, held_back = split_own(clips, places)
    tested = {i for path, place in places.items() if "test/" in path for i in range(place.start, place.stop)}
    assert not tested & set(samples_of([*fit, *held_back], places))
    assert not set(samples_of(fit, places)) & set(samples_of(held_back, places))
    assert len(fit) + len(held_back) > 40


def test_one_run_of_overlapping_clips_is_held_back_from_where_it_can():
    clips, places = imported_clips(5, 4)
    fit, held_back = split_own(clips, places)
    assert [clip.name.index for clip in fit] == ["0000", "0001"]
    assert [clip.name.index for clip in held_back] == ["0003"]
    assert split_own(clips[:2], places) == ([], [clips[1]])


@pytest.mark.prove
def test_a_faithful_run_gets_a_threshold_for_every_section(tiny_data, tmp_path):
    pytest.importorskip("tensorflow")
    from edge_asd.quantize.pipeline import quantise_run
    from edge_asd.train.runs.fitting import Settings, train

    run = train(tiny_data, MACHINE, tmp_path / "run", Settings(epochs=1, split="faithful"))
    assert [key.split("_")[1] for key in run.held_back] == ["01", "01"]
    done = quantise_run(tmp_path / "run", tiny_data, tmp_path / "fan.easd", score_seconds=1.5)
    assert {s: t.clips for s, t in done.bundle.thresholds.items()} == {
        "00": {"source": 6, "target": 2},
        "01": {"source": 2},
    }
    assert [note.split(";")[0] for note in done.notes] == [
        "Section 00: no clip was held back, so its threshold rests on clips that the model was fitted on",
        "Section 01 has no target training clips: its int8 ranges rest on its other recordings, and on copies of them "
        "9 dB louder and softer.",
        "Section 00: its threshold rests on 8 clips",
        "Section 01: its threshold rests on 2 held-back clips",
    ]


def test_an_unknown_split(tiny_data, tmp_path):
    pytest.importorskip("tensorflow")
    from edge_asd.train.runs.fitting import Settings, train

    with pytest.raises(DataError, match="There is no split 'half'; use one of: default, faithful"):
        train(tiny_data, MACHINE, tmp_path / "run", Settings(split="half"))
