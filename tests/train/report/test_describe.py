from __future__ import annotations

from pathlib import Path

from edge_asd.clips import ClipName
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.data.marker import write_marker
from edge_asd.train.data.table1 import table1
from edge_asd.train.report.describe import describe_data
from tests.data import MACHINE
from tests.train.data.table1_tree import names


def table1_clips(machine: str, *sections: str) -> list[Clip]:
    keys = [key for section in sections for key in names(table1()[machine, section])]
    return [Clip(Path(key), ClipName.parse(key.split("/")[1]), key) for key in keys]


def describe(root, clips):
    return describe_data(root, clips, hashes=dict.fromkeys(clips, "00"))


def test_table_1s_clips_are_mimii_due_whichever_sections_were_used(tmp_path):
    clips = {"fan": table1_clips("fan", "00", "02", "03"), "valve": table1_clips("valve", "01")}
    made = describe(tmp_path, clips)
    assert made.is_mimii_due
    assert made.name == tmp_path.name
    assert sum(count.clips for count in made.counts) == 3 * 1403 + 1403
    assert made.notes == ("Machines of MIMII DUE that are not here: gearbox, pump, slider.",)


def test_companions_do_not_count(tmp_path):
    made = describe(tmp_path, {"ToyCar": table1_clips("fan", "00"), "fan": table1_clips("fan", "00")})
    assert made.is_mimii_due
    assert made.notes[-1] == "ToyCar: part of DCASE 2021 Task 2, not of MIMII DUE."


def test_machines_of_other_years_are_not_compared_with_2021(tmp_path):
    names = ("section_00_source_test_normal_0001_noAttribute.wav", "section_00_target_test_anomaly_0001.wav")
    modern = [Clip(Path(name), ClipName.parse(name, "test"), f"test/{name}") for name in names]
    made = describe(tmp_path, {"ToyCar": modern, "bearing": modern})
    assert (made.is_mimii_due, made.notes) == (False, ())


def test_one_clip_too_few_is_not_mimii_due(tmp_path):
    made = describe(tmp_path, {"fan": table1_clips("fan", "00")[1:]})
    assert made.not_mimii_due == "fan, section 00: 999 source train clips where Table 1 has 1000."


def test_other_machines_are_not_mimii_due(tmp_path):
    mixer = describe(tmp_path, {"fan": table1_clips("fan", "00"), "Mixer": table1_clips("fan", "00")})
    assert mixer.not_mimii_due == "MIMII DUE has no section 00 of a machine Mixer."
    toys = describe(tmp_path, {"ToyCar": table1_clips("fan", "00")})
    assert toys.not_mimii_due == "No machine of MIMII DUE is here."


def test_synthetic_data_of_the_right_size_are_not_mimii_due(tmp_path):
    (tmp_path / "fan").mkdir()
    write_marker(tmp_path / "fan", preset="full", seed=0, table1_counts=True)
    made = describe(tmp_path, {"fan": table1_clips("fan", "00")})
    assert made.not_mimii_due == "fan is synthetic, made by edge-asd data synth."
    (tmp_path / "valve").mkdir()
    write_marker(tmp_path / "valve", preset="full", seed=0, table1_counts=True)
    both = describe(tmp_path, {"fan": table1_clips("fan", "00"), "valve": table1_clips("valve", "00")})
    assert both.not_mimii_due == "fan, valve are synthetic, made by edge-asd data synth."


def test_clips_are_counted_and_hashed(tiny_data):
    clips = Dataset(tiny_data, MACHINE).clips
    made = describe_data(tiny_data, {MACHINE: clips})
    assert made.sha256 == {MACHINE: content_hash(clips)}
    found = {(c.section, c.domain, c.split, c.label): c.clips for c in made.counts}
    assert found["00", "source", "train", "normal"] == 6
    assert found["01", "source", "test", None] == 1
    assert sum(found.values()) == len(clips)
