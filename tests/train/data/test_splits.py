from __future__ import annotations

from pathlib import Path

import pytest

from edge_asd.clips import ClipName
from edge_asd.errors import DataError
from edge_asd.train.data.dataset import Clip
from edge_asd.train.data.splits import SPLITS, split_faithful
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
