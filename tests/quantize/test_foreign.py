"""Models that others have trained, through the command line where it can be."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DataError, ModelError
from edge_asd.interpreter import Model
from edge_asd.quantize.foreign import foreign_source
from edge_asd.quantize.int8.convert import DEFAULT_CONVERTER
from edge_asd.train.backend import import_keras, make_repeatable
from edge_asd.train.runs.run import Run
from tests.cli.command import assert_error
from tests.data import MACHINE


@pytest.fixture(scope="module")
def autoencoder(run_folder):
    return Run.load(run_folder).load_model(run_folder)


@pytest.fixture(scope="module")
def h5(autoencoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("foreign") / "model_fan.hdf5"
    autoencoder.save(path)
    return path


def published_classifier(classes: int):
    """Build it as the published code does: a network within a network."""
    keras = import_keras()
    make_repeatable(3)
    inner = keras.applications.MobileNetV2(input_shape=(64, 128, 3), alpha=0.5, weights=None, classes=classes)
    x = keras.Input((64, 128, 1))
    return keras.Model(x, inner(keras.layers.Concatenate()([x, x, x])))


def test_an_hdf5_autoencoder_becomes_the_bundle_that_its_run_does(h5, bundle, tiny_data, tmp_path, command):
    out = tmp_path / "fan.easd"
    done = command(
        "quantize", "--keras", h5, "--machine", MACHINE, "--data", tiny_data, "--out", out, "--score-seconds", "1.5",
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["machine"] == MACHINE
    found = Bundle.load(out)
    assert found.model == bundle.model
    assert found.provenance["model"] == "model_fan.hdf5"
    assert {s: t.clips for s, t in found.thresholds.items()} == {s: t.clips for s, t in bundle.thresholds.items()}


def test_a_saved_model_computes_the_same(autoencoder, tiny_data, tmp_path):
    folder = tmp_path / "saved"
    autoencoder.export(folder, verbose=False)
    content = foreign_source(folder, tiny_data, MACHINE).float_model(DEFAULT_CONVERTER)
    x = np.random.default_rng(0).normal(-40, 15, (20, 640)).astype(np.float32)
    expected = np.asarray(autoencoder(x))
    assert np.abs(Model(content, arithmetic="xnnpack").run(x) - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.fixture(scope="module")
def network():
    return published_classifier(2)


@pytest.mark.parametrize("form", ["keras", pytest.param("saved", marks=pytest.mark.prove)])
def test_a_published_classifier_is_rebuilt_with_one_channel_and_logits(network, section_data, tmp_path, form):
    path = tmp_path / ("model" if form == "saved" else "model.keras")
    if form == "saved":
        network.export(path, verbose=False)
    else:
        network.save(path)
    content = foreign_source(path, section_data, MACHINE).float_model(DEFAULT_CONVERTER)
    x = np.random.default_rng(0).normal(-40, 15, (4, 64, 128, 1)).astype(np.float32)
    z = Model(content, arithmetic="xnnpack").run(x).astype(np.float64)
    p = np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
    assert np.abs(p - np.asarray(network(x))).max() < 1e-5


@pytest.fixture
def refused(tiny_data, tmp_path):
    def check(model, message: str, error: type[Exception] = ModelError) -> None:
        path = tmp_path / "model.keras"
        model.save(path)
        with pytest.raises(error, match=message):
            foreign_source(path, tiny_data, MACHINE).float_model(DEFAULT_CONVERTER)

    return check


def test_models_that_are_neither_baseline_are_refused(refused):
    keras = import_keras()
    x = keras.Input((320,))
    refused(keras.Model(x, keras.layers.Dense(320)(x)), r"maps \(None, 320\) to \(None, 320\)")
    y = keras.Input((64, 128, 1))
    flat = keras.layers.Flatten()(y)
    refused(keras.Model(y, keras.layers.Dense(2, activation="softmax")(flat)), "has not the layers of the baseline")
    refused(published_classifier(3), "tells 3 sections apart, .* has 2", DataError)


def test_weights_that_are_not_numbers_are_refused(refused, autoencoder):
    model = import_keras().models.clone_model(autoencoder)
    model.set_weights([np.full_like(weight, np.nan) for weight in autoencoder.get_weights()])
    refused(model, "holds NaN or infinity")


def test_files_that_are_no_models_are_refused(h5, tiny_data, tmp_path, command):
    broken = tmp_path / "broken.h5"
    broken.write_bytes(h5.read_bytes()[:5000])
    (tmp_path / "empty").mkdir()
    arguments = ("--machine", MACHINE, "--data", tiny_data, "--out", tmp_path / "x.easd")
    for path, words in (
        (broken, "cannot be read as a Keras model"),
        (tmp_path / "empty", "is no SavedModel: it holds no saved_model.pb"),
        (tmp_path / "none.h5", "There is no model"),
    ):
        assert_error(command("quantize", "--keras", path, *arguments), words)
    assert not (tmp_path / "x.easd").exists()


def test_data_without_healthy_sound_is_refused(h5, tiny_data, tmp_path):
    data = shutil.copytree(tiny_data, tmp_path / "data")
    shutil.rmtree(data / MACHINE / "train")
    with pytest.raises(DataError, match="has no training clips"):
        foreign_source(h5, data, MACHINE)


def test_a_run_or_a_model_but_not_both(h5, run_folder, tiny_data, tmp_path, command):
    common = ("--data", tiny_data, "--out", tmp_path / "x.easd")
    for arguments in ((), (run_folder, "--keras", h5, "--machine", "fan"), ("--keras", h5)):
        assert command("quantize", *arguments, *common).returncode == 2
