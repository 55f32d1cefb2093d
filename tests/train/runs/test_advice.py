"""What is said of a finished training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_asd.frontend.spec import FeatureSpec
from edge_asd.train.runs.advice import advice
from edge_asd.train.runs.run import Run


def run(losses: list[float], model: str = "ae") -> Run:
    classes = ["00", "01", "02"] if model == "mobilenetv2" else []
    return Run(
        machine="fan", model=model, sections=["00", "01", "02"], classes=classes, negatives=[], faithful=False,
        features=FeatureSpec(), seed=0, epochs=len(losses), batch_size=32, learning_rate=1e-3, data_hash="", fit=["a"],
        held_back=["b"], loss=losses, validation_loss=losses,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("losses", "falls"),
    [([9.0], False), ([9.0, 8.0], True), ([9.0, 8.9], False), ([10.0] * 90 + [9.0] * 10, True), ([9.0] * 100, False)],
)
def test_a_loss_that_still_falls_is_told(losses: list[float], falls: bool) -> None:
    assert any("still falls" in text and "--resume" in text for text in advice(run(losses))) == falls


def test_the_last_epochs_are_named() -> None:
    (one,), (ten,) = (advice(run(losses)) for losses in ([81.2, 63.0], [10.0] * 90 + [9.0] * 10))
    assert "(from 81.2 to 63 dB² over the last epoch)" in one
    assert "(from 10 to 9 dB² over the last 10 epochs)" in ten


@pytest.mark.parametrize(("loss", "guessing"), [(1.0986, True), (1.05, True), (1.0, False), (0.2, False)])
def test_a_classifier_that_guesses_is_told(loss: float, guessing: bool) -> None:
    texts = advice(run([loss], "mobilenetv2"))
    assert [("no better than guessing" in text, "1.1" in text) for text in texts] == [(True, True)] * guessing


def test_a_learning_rate_that_was_taken_is_not_advised() -> None:
    (taken,) = advice(run([1.0986], "mobilenetv2"))
    (slow,) = advice(replace(run([1.0986], "mobilenetv2"), learning_rate=1e-5))
    assert taken.endswith("Try more --epochs.")
    assert slow.endswith("Try more --epochs, or --learning-rate 0.001 where clips are few.")
