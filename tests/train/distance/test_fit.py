from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.clips import Domain
from edge_asd.distance.adapting import GAMMA, adapted
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.distance import scores
from edge_asd.distance.floating import FloatModel, float_distances
from edge_asd.errors import DataError
from edge_asd.train.distance.fit import Features, FitSettings, target_centre
from edge_asd.train.distance.fit import fit as fit_with_scores
from edge_asd.train.distance.integers import rounding_report, to_integers

FEATURES = 256
Clips = dict[str, dict[Domain, npt.NDArray[np.float64]]]


def fit(features: Features, settings: FitSettings | None = None) -> FloatModel:
    return fit_with_scores(features, settings).model


def machine(seed: int, source: int, target: int = 0, sections: int = 1) -> Clips:
    """Clips' features: a few ways to vary together, and a little noise."""
    rng = np.random.default_rng(seed)
    ways = rng.normal(size=(12, FEATURES)) * np.geomspace(0.3, 0.05, 12)[:, None]

    def clips(count: int, mean: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return mean + rng.normal(size=(count, 12)) @ ways + rng.normal(0, 0.15, (count, FEATURES))

    found: Clips = {}
    for number in range(sections):
        mean = rng.normal(-45, 10, FEATURES)
        found[f"{number:02d}"] = {"source": clips(source, mean)}
        if target:
            found[f"{number:02d}"]["target"] = clips(target, mean + rng.normal(0, 1.5, FEATURES))
    return found


def rounded(features: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    return np.rint(features * 128).astype(np.int16)


def held_out(seed: int, source: int, new: int, target: int = 0) -> tuple[Clips, Clips]:
    both = machine(seed, source + new, target + new if target else 0)
    first = {s: {d: x[:-new] for d, x in of.items()} for s, of in both.items()}
    return first, {s: {d: x[-new:] for d, x in of.items()} for s, of in both.items()}


@pytest.mark.parametrize(("clips", "least"), [(10, 0.7), (100, 0.9)])
def test_half_of_new_source_clips_lie_beyond_one(clips: int, least: float) -> None:
    # Less than 1 with few clips: the folds that measured it had fewer yet.
    known, new = held_out(1, clips, 200)
    of = fit(known).scores(new["00"]["source"], "00")
    assert least < np.median(of) < 1.1


def test_ten_clips_are_enough_to_hear_a_band_move() -> None:
    known, new = held_out(2, 10, 100)
    model = fit(known)
    healthy = model.scores(new["00"]["source"], "00")
    odd = new["00"]["source"].copy()
    odd[:, 40:44] += 4
    assert np.mean(model.scores(odd, "00")[:, None] > healthy) > 0.97


def test_the_directions_are_the_leading_eigenvectors_and_weigh_the_rest_alike() -> None:
    from sklearn.covariance import LedoitWolf

    clips = machine(3, 60, sections=2)
    model = fit(clips, FitSettings(directions=20))
    residuals = np.concatenate([of["source"] - of["source"].mean(axis=0) for of in clips.values()])
    values, vectors = np.linalg.eigh(LedoitWolf(assume_centered=True).fit(residuals).covariance_)
    assert model.vectors.shape == (20, FEATURES)
    np.testing.assert_allclose((model.vectors**2).sum(axis=1), 1 - values[0] / values[::-1][:20], rtol=1e-9)
    np.testing.assert_allclose(np.abs((model.vectors * vectors.T[::-1][:20]).sum(axis=1)) ** 2,
                               1 - values[0] / values[::-1][:20], rtol=1e-9)  # fmt: skip


def test_the_target_is_heard_by_few_clips() -> None:
    known, new = held_out(4, 60, 60, target=3)
    model = fit(known)
    without = fit({"00": {"source": known["00"]["source"]}})
    assert set(without.sections["00"]) == {"source"}
    assert (
        np.median(model.scores(new["00"]["target"], "00")) < 1.2 < np.median(without.scores(new["00"]["target"], "00"))
    )


def test_one_target_clip_takes_the_sources_normaliser() -> None:
    centres = fit(machine(5, 20, target=1)).sections["00"]
    assert centres["target"].normaliser == centres["source"].normaliser


@pytest.mark.parametrize("t", [2, 3, 10])
def test_the_targets_normaliser_is_its_formula(t: int) -> None:
    of = machine(6, 40, target=t)["00"]
    vectors = fit({"00": of}).vectors
    target = of["target"]
    left_out = np.mean([
        float_distances(target[i] - np.delete(target, i, axis=0).mean(axis=0), vectors) for i in range(t)
    ])  # fmt: skip
    wanted = GAMMA * left_out * (1 + 1 / t) / (1 + 1 / (t - 1))
    assert target_centre(target, 0.1, vectors, GAMMA).normaliser == pytest.approx(wanted, rel=1e-9)
    assert target_centre(target, 1e6, vectors, GAMMA).normaliser == 1e6


def test_a_device_adapts_as_the_fit_would() -> None:
    known, new = held_out(10, 60, 20, target=3)
    few = to_integers(fit(known), Blocks())
    many = to_integers(fit({"00": {"source": known["00"]["source"], "target": new["00"]["target"]}}), Blocks())
    centre = adapted(rounded(new["00"]["target"]), "target", few.sections["00"], few.directions)
    assert np.abs(centre.mean - many.sections["00"]["target"].mean).max() <= 1
    assert centre.normaliser == pytest.approx(many.sections["00"]["target"].normaliser, rel=0.005)


def test_a_device_learns_a_source_that_has_moved() -> None:
    known, new = held_out(11, 60, 100)
    model = to_integers(fit(known), Blocks())
    moved = rounded(new["00"]["source"] + np.random.default_rng(1).normal(0, 2, FEATURES))
    centre = adapted(moved[:20], "source", model.sections["00"], model.directions)
    before, after = (
        np.median(scores(moved[20:], centres, model.directions)) / 65536
        for centres in (model.sections["00"], {"source": centre})
    )
    assert before > 5
    assert 0.9 < after < 1.1


@pytest.mark.parametrize(("domain", "count", "least"), [("source", 9, 10), ("target", 1, 2)])
def test_too_few_clips_to_adapt_are_refused(domain: Domain, count: int, least: int) -> None:
    clips = machine(12, 20)
    model = to_integers(fit(clips), Blocks())
    one = rounded(clips["00"]["source"])
    with pytest.raises(DataError, match=rf"{count} healthy recordings .* needs {least}"):
        adapted(one[:count], domain, model.sections["00"], model.directions)
    with pytest.raises(DataError, match="all the same sound"):
        adapted(np.repeat(one[:1], 10, axis=0), domain, model.sections["00"], model.directions)


def test_too_few_source_clips_are_refused() -> None:
    clips = machine(7, 12, target=3, sections=2)
    clips["01"]["source"] = clips["01"]["source"][:9]
    with pytest.raises(DataError, match=r"Section 01 has 9 training clips of the source domain.*needs 10"):
        fit(clips)
    del clips["01"]["source"]
    with pytest.raises(DataError, match="Section 01 has 0 training clips"):
        fit(clips)


def test_clips_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(DataError, match="all the same sound"):
        fit({"00": {"source": np.full((20, FEATURES), -40.0)}})
    clips = machine(9, 12, sections=2)
    clips["01"]["source"][:] = clips["01"]["source"][0]
    with pytest.raises(DataError, match="clips of section 01 are all the same sound"):
        fit(clips)


def test_a_recording_that_is_most_of_the_sound_is_not_held_out_as_a_whole() -> None:
    # Without the first, one span would be left, which tells nothing of how the machine varies.
    clips = machine(10, 15)
    recordings = np.array([4] * 14 + [7])
    assert np.array_equal(
        fit_with_scores(clips, groups={"00": recordings}).held_out["00"]["source"],
        fit_with_scores(clips).held_out["00"]["source"],
    )


def test_a_hundred_clips_take_less_than_five_seconds_of_processor_time() -> None:
    clips = machine(8, 100, target=3)
    began = time.process_time()
    to_integers(fit(clips), Blocks())
    assert time.process_time() - began < 5


def compared(
    model: FloatModel, known: Clips, new: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    integers = to_integers(model, Blocks())
    return model.scores(new, "00"), scores(rounded(new), integers.sections["00"], integers.directions)


def test_integers_score_as_the_fit_does() -> None:
    known, new = held_out(9, 100, 100, target=3)
    model = fit(known)
    healthy = new["00"]["source"]
    odd = healthy + np.random.default_rng(1).normal(0, 0.1, healthy.shape)
    louder = healthy + 10.0  # far along a direction that takes most of it back
    for clips, worst in ((np.concatenate([healthy, odd]), 0.01), (louder, 0.02)):
        by_float, by_integers = compared(model, known, clips)
        report = rounding_report(by_float, by_integers, [i >= 100 for i in range(len(clips))])
        assert report.correlation > 0.9995
        assert report.worst < worst
        assert report.auc_drop is None or abs(report.auc_drop) <= 0.002


def test_a_report_tells_what_rounding_costs() -> None:
    floats = np.array([1.0, 2.0, 3.0, 4.0])
    integers = np.array([65536, 3 * 65536, 2 * 65536, 4 * 65536], dtype=np.int32)
    report = rounding_report(floats, integers, [False, False, True, True])
    assert report.worst == 0.5
    assert report.auc_drop == 0.25
    assert rounding_report(floats, integers).auc_drop is None
    assert rounding_report(floats, np.array([1, 2, 3, 4], dtype=np.int32) * 65536).correlation == pytest.approx(1)
