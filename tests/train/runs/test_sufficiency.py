"""A user's own machine: how long it is fitted, and whether its recordings suffice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge_asd.errors import DataError, ModelError
from edge_asd.false_alarms import lowest_rate
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.splits import OWN_HELD_BACK, split_own
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.runs.cells import Cell
from edge_asd.train.runs.fitting import Settings, train
from edge_asd.train.runs.run import Run
from edge_asd.train.runs.schedule import Schedule, own_schedule
from edge_asd.train.runs.sufficiency import ThresholdClips, cell_notes, shortcomings, threshold_clips, threshold_notes
from tests.data import MACHINE
from tests.once import Once


def keys(section: str, count: int, domain: str = "source", first: int = 0) -> list[str]:
    return [f"train/section_{section}_{domain}_train_normal_{first + i:04d}.wav" for i in range(count)]


# --- How long, and in how large steps


@pytest.mark.parametrize(
    ("model", "clips", "batch"),
    [
        *(("ae", clips, batch) for clips, batch in ((1, 16), (8, 64), (40, 256), (54, 512), (1000, 512))),
        *(("mobilenetv2", clips, batch) for clips, batch in ((4, 16), (33, 16), (34, 32), (1000, 32))),
    ],
)
def test_batches_of_few_clips_are_small_enough_for_32_steps(model, clips, batch):
    assert own_schedule(BASELINES[model], FeatureSpec(), clips) == Schedule(100, batch, 1e-3, 10)


# --- Whether the clips suffice


def test_a_threshold_at_a_tenth_takes_29_clips():
    assert lowest_rate(OWN_HELD_BACK) <= 0.1 < lowest_rate(OWN_HELD_BACK - 1)
    few, enough, none = threshold_clips(
        [*keys("00", 14), *keys("01", 58), *keys("02", 1)], [*keys("00", 7, first=14), *keys("01", 29, first=58)]
    )
    # 87 clips are the first of which a third are 29.
    assert few == ThresholdClips("00", 7, lowest_rate(7), 29, 87 - 21)
    assert enough == ThresholdClips("01", 29, lowest_rate(29), 29, 0)
    assert none == ThresholdClips("02", 0, None, 29, 86)
    (text,) = threshold_notes([few, enough])
    assert text.startswith("Section 00: its threshold will rest on 7 clips, which can promise")
    assert "no better than 35 % of healthy clips" in text
    assert "10 %, the default of quantize, takes 29: record about 14 minutes more" in text  # 66 x 5/4 of 10 s


def test_clips_of_both_domains_make_a_sections_threshold():
    held_back = [*keys("00", 27), *keys("00", 1, "target")]
    (one,) = threshold_clips([*keys("00", 54, first=27), *keys("00", 2, "target", first=1)], held_back)
    assert (one.clips, one.more_training_clips) == (28, 3)


def cell(**changes) -> Cell:
    values = {"section": "00", "domain": "source", "clips_fit": 20, "clips_held_back": 10}
    levels = {"level_low_db": -30.0, "level_high_db": -28.0, "loss_fit": 10.0, "loss_held_back": 10.5}
    return Cell(**{**values, **levels, **changes})


def run_with(cells: list[Cell] | None, model: str = "ae", held_back: int = 29) -> Run:
    return Run(
        machine="mill", model=model, sections=["00"], classes=["00", "fan"] if model != "ae" else [], negatives=[],
        faithful=False, features=FeatureSpec(), seed=0, epochs=1, batch_size=32, learning_rate=1e-3, data_hash="",
        fit=keys("00", 58), held_back=keys("00", held_back, first=58), loss=[1.0], validation_loss=[1.0], cells=cells,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        ("ae", {}, []),
        ("ae", {"loss_held_back": 11.4}, []),
        ("ae", {"loss_held_back": 11.6}, ["More recordings of it are likely to help"]),
        ("ae", {"loss_held_back": 11.6, "level_low_db": -35.0}, ["differ, too, by 7 dB: record more of each way"]),
        ("ae", {"level_low_db": -35.0}, ["levels differ by 7 dB. If the machine runs in several ways"]),
        ("ae", {"loss_held_back": None, "clips_held_back": 0}, ["nothing of its 20 clips is held back"]),
        ("mobilenetv2", {"loss_fit": 0.001, "loss_held_back": 0.09}, []),
        ("mobilenetv2", {"loss_fit": 0.001, "loss_held_back": 0.11}, ["More recordings of it are likely to help"]),
    ],
)
def test_a_model_that_knows_its_fitted_clips_better_is_told(model, changes, words):
    run = run_with([cell(**changes)], model)
    texts = cell_notes(run)
    assert len(texts) == len(words)
    assert all(word in text for word, text in zip(words, texts, strict=True))
    assert shortcomings(run) == texts


def test_sound_of_which_no_clip_is_held_back_is_not_said_to_suffice():
    alone = cell(domain="target", clips_fit=1, clips_held_back=0, loss_held_back=None)
    (text,) = shortcomings(run_with([cell(), alone])) or []
    assert text.startswith("Section 00, target: nothing of its one clip is held back, so neither the threshold nor")


def test_recordings_that_nobody_judged_are_not_said_to_suffice():
    assert shortcomings(run_with(None)) is None
    assert shortcomings(run_with([cell()])) == []
    (text,) = shortcomings(run_with([cell()], held_back=28)) or []
    assert "its threshold will rest on 28 clips" in text


# --- A run of it


@pytest.fixture(scope="session")
def own_data(tiny_data: Path, once: Once) -> Path:
    """`tiny_data`, marked as a user's own; do not change it."""

    def make(folder: Path) -> None:
        shutil.copytree(tiny_data, folder, dirs_exist_ok=True)
        mark = {"schema": 1, "made_by": "edge-asd data import", "note": "A user's own recordings; not MIMII DUE."}
        (folder / MACHINE / "own.json").write_text(json.dumps(mark))

    return once("own_data", make)


def stop_after_the_first(what: str, done: int, total: int, detail: str) -> None:
    if (what, done) == ("epochs", 1):
        raise KeyboardInterrupt


def test_own_clips_are_fitted_until_held_back_ones_gain_no_more_and_are_judged(own_data, tmp_path):
    notes, settings = [], Settings(epochs=2)
    with pytest.raises(KeyboardInterrupt):
        train(own_data, MACHINE, tmp_path / "run", settings, progress=stop_after_the_first)
    assert Run.load(tmp_path / "run").cells is None
    run = train(own_data, MACHINE, tmp_path / "run", settings, resume=True, note=notes.append)
    assert (run.batch_size, run.learning_rate, run.patience, run.epochs) == (64, 1e-3, 10, 2)
    fit, held_back = split_own(Dataset(own_data, MACHINE).select(split="train"), {})
    assert (run.fit, run.held_back) == ([clip.key for clip in fit], [clip.key for clip in held_back])
    assert [(c.section, c.domain, c.clips_fit, c.clips_held_back) for c in run.cells] == [
        ("00", "source", 4, 2), ("00", "target", 1, 1), ("01", "source", 3, 1),
    ]  # fmt: skip
    # All clips are as long, so their mean is that of their windows.
    mean = sum(c.loss_held_back * c.clips_held_back for c in run.cells) / len(held_back)
    assert mean == pytest.approx(run.validation_loss[run.best_epoch - 1], rel=1e-5)
    assert [note.split(":")[0] for note in notes] == ["Section 00", "Section 01"]
    assert Run.load(tmp_path / "run") == run

    document = json.loads((tmp_path / "run" / "run.json").read_text())
    document["cells"][0]["surprise"] = 1
    (tmp_path / "run" / "run.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="cells, 0: unknown key 'surprise'"):
        Run.load(tmp_path / "run")


@pytest.mark.prove  # test_fitting.py shows it of runs without cells
def test_a_run_that_was_stopped_and_resumed_is_judged_alike(own_data, tmp_path):
    settings = Settings(epochs=2)
    run = train(own_data, MACHINE, tmp_path / "run", settings)
    with pytest.raises(KeyboardInterrupt):
        train(own_data, MACHINE, tmp_path / "stopped", settings, progress=stop_after_the_first)
    assert train(own_data, MACHINE, tmp_path / "stopped", settings, resume=True) == run
    assert Run.load(tmp_path / "run") == Run.load(tmp_path / "stopped") == run


def test_without_the_mark_nothing_is_judged(run_folder):
    assert Run.load(run_folder).cells is None
    assert '"cells"' not in (run_folder / "run.json").read_text()


def test_clips_that_all_share_their_sound_give_no_threshold(own_data, tmp_path):
    shutil.copytree(own_data / MACHINE, tmp_path / MACHINE)
    with (tmp_path / MACHINE / "imported.jsonl").open("w") as ledger:
        for i, clip in enumerate(sorted((tmp_path / MACHINE / "train").glob("section_01_*"))):
            line = {"sound": "s", "begin": "b", "file": "a.wav", "clip": f"train/{clip.name}", "start": i, "stop": 99}
            ledger.write(json.dumps(line) + "\n")
    with pytest.raises(DataError, match=r"section 01 .* share their sound"):
        train(tmp_path, MACHINE, tmp_path / "run")
    assert not (tmp_path / "run").exists()
