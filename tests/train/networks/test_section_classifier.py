from __future__ import annotations

import numpy as np
import pytest

from edge_asd.train.backend import make_repeatable
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.networks.section_classifier import logits_of, section_classifier
from edge_asd.train.runs.run import Run


@pytest.fixture(scope="module")
def model():
    make_repeatable(0)
    return section_classifier(128, 3)


@pytest.fixture(scope="module")
def folded(model):
    return logits_of(model)


def inverted_residuals() -> list[tuple[str, int, int]]:
    """Convolutions of MobileNetV2 (Sandler et al. 2018, Table 2), width 0.5: (kind, channels out, stride)."""

    def half(channels: int) -> int:
        rounded = max(8, (channels // 2 + 4) // 8 * 8)
        return rounded if rounded >= 0.9 * channels / 2 else rounded + 8

    layers, channels = [("Conv2D", half(32), 2)], half(32)
    for expansion, wide, repeats, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for i in range(repeats):
            if expansion > 1:
                layers.append(("Conv2D", channels * expansion, 1))
            layers.append(("DepthwiseConv2D", channels * expansion, stride if i == 0 else 1))
            channels = half(wide)
            layers.append(("Conv2D", channels, 1))
    return [*layers, ("Conv2D", 1280, 1)]


def test_it_is_the_published_network(model, folded):
    assert (model.count_params(), folded.count_params()) == (710_067, 709_779)
    assert (model.input_shape, model.output_shape) == ((None, 64, 128, 1), (None, 3))
    assert model.layers[-1].activation.__name__ == "softmax"
    names = [layer.__class__.__name__ for layer in model.layers]
    assert names[:2] == ["InputLayer", "Concatenate"]
    convolutions = [
        (name, layer.output.shape[-1], layer.strides[0])
        for name, layer in zip(names, model.layers, strict=True)
        if name in ("Conv2D", "DepthwiseConv2D")
    ]
    assert convolutions == inverted_residuals()
    assert (names.count("Add"), names.count("GlobalAveragePooling2D"), names.count("Dense")) == (10, 1, 1)
    assert names.count("BatchNormalization") == len(convolutions)


def test_the_folded_network_gives_the_same_outputs_before_the_softmax():
    make_repeatable(0)
    model = section_classifier(128, 3)
    x = np.random.default_rng(1).normal(-40, 15, (8, 64, 128, 1)).astype(np.float32)
    with_averages_of(model, x)
    folded = logits_of(model)
    logits = np.asarray(folded(x, training=False), np.float64)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    assert np.abs(p - np.asarray(model(x, training=False))).max() <= 1e-5
    assert folded.layers[-1].activation.__name__ == "linear"
    assert len(np.unique(logits.round(4))) == 24


def with_averages_of(model, x) -> None:
    """Take the moving averages of batch norms from one batch, as after long training."""
    for layer in model.layers:
        if hasattr(layer, "momentum"):
            layer.momentum = 0.0
    model(x, training=True)


def test_averages_follow_sooner_unless_the_published_code_is_asked_for(section_run):
    (default,) = {
        layer.momentum for layer in Run.load(section_run).load_model(section_run).layers if has_averages(layer)
    }
    (published,) = {layer.momentum for layer in section_classifier(128, 3).layers if has_averages(layer)}
    assert (default, published) == (0.99, 0.999)


def has_averages(layer) -> bool:
    return layer.__class__.__name__ == "BatchNormalization"


def test_what_ships_of_the_autoencoder_is_itself():
    model = BASELINES["ae"].build(128, 0)
    assert BASELINES["ae"].shipped_form(model) is model


@pytest.mark.parametrize(
    ("name", "published"),
    [("ae", (5, 1, 1, 100, 512, 1e-3)), ("mobilenetv2", (64, 8, 1, 20, 32, 1e-5))],
)
def test_settings_are_the_published_ones(name, published):
    b = BASELINES[name]
    assert (b.window_frames, b.training_hop, b.published_test_hop, b.epochs, b.batch_size, b.learning_rate) == published
