from __future__ import annotations

import json
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_asd.errors import DataError, ModelError, OutputError
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.data.splits import split_training
from edge_asd.train.features.windows import frames_db
from edge_asd.train.runs.fitting import Settings
from edge_asd.train.runs.fitting import train as fit_run
from edge_asd.train.runs.run import Run
from tests.conftest import BATCH_SIZE
from tests.data import MACHINE, machine_sound, write_wav


def train(data, machine, folder, *, sections=None, resume=False, overwrite=False, progress=lambda *_: None, **settings):
    """Fit like `run_folder`, whose three epochs without interruption these runs are compared with."""
    return fit_run(
        data,
        machine,
        folder,
        Settings(batch_size=BATCH_SIZE, **settings),
        sections=sections,
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )


def weights(folder: Path) -> list[np.ndarray]:
    return Run.load(folder).load_model(folder).get_weights()


def equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(map(np.array_equal, a, b))


@pytest.fixture
def copied(run_folder, tmp_path):
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


def interrupt(*_, **__):
    raise KeyboardInterrupt


def stop_after(epoch: int):
    def progress(what: str, done: int, total: int, detail: str) -> None:
        if (what, done) == ("epochs", epoch):
            raise KeyboardInterrupt

    return progress


# --- What a run is


def test_a_run_says_what_was_trained_on_what(tiny_data, run_folder):
    run = Run.load(run_folder)
    clips = Dataset(tiny_data, MACHINE).select(split="train")
    fit, held_back = split_training(clips)
    assert run.fit == [clip.key for clip in fit]
    assert run.held_back == [clip.key for clip in held_back]
    assert (len(run.fit), len(run.held_back)) == (8, 4)
    assert run.data_hash == content_hash(clips)
    assert (run.machine, run.model, run.sections) == (MACHINE, "ae", ["00", "01"])
    assert (run.seed, run.epochs, run.learning_rate) == (0, 3, 1e-3)
    assert sorted(path.name for path in run_folder.iterdir()) == ["epoch_0003.keras", "run.json", "tensorboard"]
    assert len(run.loss) == len(run.validation_loss) == 3
    assert run.loss[0] > run.loss[1] > run.loss[2]


def test_run_files_of_schema_2_stay_readable(tmp_path):
    # Written by edge-asd 0.1.0; it may lack keys that later versions add, and never needs another.
    shutil.copy(Path(__file__).with_name("run_schema_2.json"), tmp_path / "run.json")
    run = Run.load(tmp_path)
    assert (run.machine, run.model, run.sections, run.classes, run.negatives) == ("fan", "ae", ["00", "01"], [], [])
    assert (run.faithful, run.features, run.frontend_number) == (False, FeatureSpec(16000, 1024, 512, 128), 1)
    assert (run.seed, run.epochs, run.batch_size, run.learning_rate, run.patience) == (0, 3, 64, 0.001, 0)
    assert run.data_hash == "f83f67472004d0fbacdcf34d7136cb4dc418bcad74f9cbe5489256170de532ff"
    assert [len(run.fit), len(run.held_back)] == [8, 4]
    assert run.held_back[2] == "train/section_00_target_train_normal_0001_strength_1_ambient.wav"
    assert run.loss == [672.3606567382812, 650.304931640625, 625.78125]
    assert run.validation_loss == [631.5609130859375, 627.1839599609375, 626.3548583984375]
    assert (run.checkpoint, run.best_epoch, run.finished) == ("epoch_0003.keras", 3, True)


def test_the_held_back_loss_is_the_mean_squared_error_on_clips_that_were_not_fitted(tiny_data, run_folder):
    from edge_asd.detectors.windowed import gather_windows
    from edge_asd.frontend import log_mel

    run = Run.load(run_folder)
    clips = [clip for clip in Dataset(tiny_data, MACHINE).clips if clip.key in run.held_back]
    windows = [gather_windows(frames_db(log_mel(clip.read(run.features, 5).pcm)), 5, 1) for clip in clips]
    x = np.concatenate(windows)
    error = np.mean((np.asarray(run.load_model(run_folder)(x)) - x) ** 2, dtype=np.float64)
    assert run.validation_loss[-1] == pytest.approx(error, rel=1e-5)


def test_features_become_floats_exactly():
    fixed = np.array([[-10259266, -1, 0, 1, 2**23 - 1, -(2**24)]], dtype=np.int32)
    assert frames_db(fixed).dtype == np.float32
    assert np.array_equal(frames_db(fixed).astype(np.float64) * 65536, fixed)


# --- The same run, whatever happens


@pytest.fixture
def others() -> Iterator[None]:
    """Other threads of the process that use Python's generator of random numbers, as a Dask worker has them."""
    stop = threading.Event()

    def draw() -> None:
        while not stop.wait(0.001):
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.prove  # the next one shows it, too, with a stop between
def test_the_same_seed_gives_the_same_weights(tiny_data, run_folder, tmp_path):
    train(tiny_data, MACHINE, tmp_path / "again", epochs=3)
    assert equal(weights(tmp_path / "again"), weights(run_folder))
    assert Run.load(tmp_path / "again") == Run.load(run_folder)


def test_a_run_that_was_stopped_and_resumed_is_the_same_run(tiny_data, run_folder, tmp_path, others):
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge_asd.train.runs.epochs.TrainingLog", interrupt)  # before its first epoch has ended
        with pytest.raises(KeyboardInterrupt):
            train(tiny_data, MACHINE, folder, epochs=3)
    assert [path.name for path in folder.iterdir()] == ["run.json"]
    with pytest.raises(ModelError, match="has no finished epoch yet"):
        Run.load(folder).load_model(folder)

    with pytest.raises(KeyboardInterrupt):
        train(tiny_data, MACHINE, folder, epochs=3, resume=True, progress=stop_after(1))
    assert sorted(path.name for path in folder.iterdir()) == ["epoch_0001.keras", "run.json", "tensorboard"]
    assert Run.load(folder).loss == Run.load(run_folder).loss[:1]
    assert not equal(weights(folder), weights(run_folder))

    train(tiny_data, MACHINE, folder, epochs=3, resume=True)
    assert equal(weights(folder), weights(run_folder))
    assert Run.load(folder) == Run.load(run_folder)


def test_a_finished_run_is_not_changed_by_resuming(tiny_data, copied, run_folder):
    assert train(tiny_data, MACHINE, copied, epochs=3, resume=True) == Run.load(run_folder)
    assert equal(weights(copied), weights(run_folder))


# --- What is refused


def test_a_run_is_not_overwritten_unless_asked(tiny_data, copied, run_folder):
    before = (copied / "run.json").read_bytes()
    with pytest.raises(ModelError, match=r"already holds a run\. Add --resume .* --overwrite"):
        train(tiny_data, MACHINE, copied, epochs=1)
    assert (copied / "run.json").read_bytes() == before
    assert equal(weights(copied), weights(run_folder))


@pytest.mark.parametrize("options", [{}, {"overwrite": True}])
def test_a_folder_with_other_files_is_left_alone(tiny_data, tmp_path, options):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "epoch_0050.keras").write_bytes(b"mine")
    with pytest.raises(ModelError, match="holds other files and no run"):
        train(tiny_data, MACHINE, tmp_path, epochs=1, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_0050.keras", "tensorboard"]


@pytest.mark.parametrize("size", [0, 65_537, 10**20])
def test_a_batch_of_no_use(tiny_data, tmp_path, size):
    with pytest.raises(ModelError, match="ask for 1 to 65536"):
        fit_run(tiny_data, MACHINE, tmp_path / "run", Settings(epochs=1, batch_size=size))
    assert not (tmp_path / "run").exists()


def test_another_seed_over_an_old_run_is_another_run(tiny_data, copied, run_folder):
    calls = []
    run = train(tiny_data, MACHINE, copied, epochs=1, seed=8, overwrite=True, progress=lambda *call: calls.append(call))
    assert [call[:3] for call in calls] == [
        *(("fitting clips", i + 1, 8) for i in range(8)),
        *(("held-back clips", i + 1, 4) for i in range(4)),
        ("epochs", 1, 1),
    ]
    assert (len(run.loss), run.seed) == (1, 8)
    assert run.loss != Run.load(run_folder).loss[:1]
    assert sorted(path.name for path in copied.iterdir()) == ["epoch_0001.keras", "run.json", "tensorboard"]


def test_nothing_to_resume(tiny_data, tmp_path):
    with pytest.raises(ModelError, match="holds no run to resume"):
        train(tiny_data, MACHINE, tmp_path / "run", epochs=1, resume=True)


@pytest.mark.parametrize(("options", "what"), [({"seed": 8}, "seed"), ({"sections": ["00"]}, "sections")])
def test_a_run_is_not_resumed_with_other_settings(tiny_data, copied, options, what):
    with pytest.raises(ModelError, match=f"was begun with another {what}"):
        train(tiny_data, MACHINE, copied, epochs=4, resume=True, **options)


def test_a_network_is_not_resumed_as_another_detector(tiny_data, copied):
    before = (copied / "run.json").read_bytes()
    with pytest.raises(ModelError, match="was begun with another model"):
        fit_run(tiny_data, MACHINE, copied, Settings(model="distance"), resume=True)
    assert (copied / "run.json").read_bytes() == before


def test_a_run_is_not_resumed_on_changed_data(tiny_data, copied, tmp_path):
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    clip = next((data / MACHINE / "train").glob("*.wav"))
    content = bytearray(clip.read_bytes())
    content[-1] ^= 1
    clip.write_bytes(content)
    with pytest.raises(ModelError, match="was begun with another data hash"):
        train(data, MACHINE, copied, epochs=4, resume=True)
    write_wav(clip.with_name("section_00_source_train_normal_0099.wav"), machine_sound(np.random.default_rng(0)))
    with pytest.raises(ModelError, match="was begun with another"):
        train(data, MACHINE, copied, epochs=4, resume=True)
    assert len(Run.load(copied).loss) == 3


@pytest.mark.parametrize("epochs", [0, -1])
def test_no_epochs(tiny_data, tmp_path, epochs):
    with pytest.raises(ModelError, match="ask for at least 1"):
        train(tiny_data, MACHINE, tmp_path / "run", epochs=epochs)
    assert not (tmp_path / "run").exists()


def test_a_section_without_training_clips(tiny_data, tmp_path):
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    for clip in (data / MACHINE / "train").glob("section_01_*"):
        clip.unlink()
    with pytest.raises(DataError, match=r"section 01 has no training clips\. Leave it out with --sections"):
        train(data, MACHINE, tmp_path / "run", epochs=1)
    assert not (tmp_path / "run").exists()


def test_an_output_folder_that_is_a_file(tiny_data, tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(OutputError, match="Choose another --out"):
        train(tiny_data, MACHINE, tmp_path / "run", epochs=1)


def test_a_bad_clip_leaves_no_run(tiny_data, tmp_path):
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    write_wav(data / MACHINE / "train" / "section_01_source_train_normal_0000_x.wav", np.zeros(8000, np.int16))
    with pytest.raises(DataError, match="holds only zeros"):
        train(data, MACHINE, tmp_path / "run", epochs=1)
    assert not Run.exists(tmp_path / "run")


# --- Damaged run folders


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: run.update(surprise=1), "unknown key 'surprise'"),
        (lambda run: run.pop("seed"), "'seed' is missing"),
        (lambda run: run.update(seed="0"), "'seed' should be int"),
        (lambda run: run.update(schema=3), "not a run of this version"),
        (lambda run: run.update(format="x"), "not a run of this version"),
        (lambda run: run.update(checkpoint="../epoch_0001.keras"), "its checkpoints are not what"),
        (lambda run: run.update(frontend_number=99), "was trained on front end 99"),
        (lambda run: run["features"].update(n_mels=4), "n_mels"),
        (lambda run: run["features"].pop("n_mels"), "expected exactly the keys"),
        (lambda run: run.update(model="cnn"), "has no model 'cnn'"),
        (lambda run: run.update(fit=[1]), "fit: '0' should be str"),
        (lambda run: run["loss"].__setitem__(1, "nan"), "loss: '1' should be float"),
        (lambda run: run.update(sections="00"), "'sections' should be list"),
        (lambda run: run.update(faithful=True, features={**run["features"], "n_mels": 64}), "runs on its own features"),
        (lambda run: run.update(model="mobilenetv2", features={**run["features"], "n_mels": 31}), "at least 32"),
    ],
)
def test_a_changed_run_file_is_refused(copied, change, message):
    document = json.loads((copied / "run.json").read_text())
    change(document)
    (copied / "run.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match=message):
        Run.load(copied)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1000])])
def test_a_damaged_model_is_refused(copied, spoil):
    spoil(copied / "epoch_0003.keras")
    with pytest.raises(ModelError, match=r"epoch_0003.keras cannot be read .* Train anew"):
        Run.load(copied).load_model(copied)


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(ModelError, match=r"is not a training run: it has no run\.json"):
        Run.load(tmp_path)
    (tmp_path / "run.json").write_bytes(b"{")
    with pytest.raises(ModelError, match="is damaged"):
        Run.load(tmp_path)
