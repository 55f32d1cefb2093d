"""A distance detector learns on site how a section sounds, keeps what it knew, and puts it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.distance_file import DistanceArrays, read_float, write_float
from edge_asd.calibration.adapting import adapt, restore
from edge_asd.calibration.fitting import calibrate, calibrate_new
from edge_asd.calibration.heard import Heard, Request
from edge_asd.calibration.recordings import hear_recordings
from edge_asd.calibration.spans import SpanScorer, span_scorer
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import score_value, span_scores
from edge_asd.distance.adapting import adapted
from edge_asd.distance.features import clip_features
from edge_asd.errors import BundleError, DataError
from edge_asd.frontend import log_mel
from edge_asd.selftest import selftest
from tests.data import machine_sound, write_wav


def recordings(folder: Path, pitch: float, count: int, *, seed: int = 5, noise: float = 450.0) -> Path:
    """Healthy sound of another pitch, two spans in each file."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        write_wav(folder / f"{i}.wav", machine_sound(rng, pitch=pitch, seconds=2.7, noise=noise))
    return folder


def hear(bundle: Bundle, folder: Path, section: str, domain: str | None) -> Heard:
    return hear_recordings(bundle, Request(section=section, domain=domain, adapt=True), folder)  # type: ignore[arg-type]


def score(bundle: Bundle, pitch: float, section: str) -> float:
    pcm = machine_sound(np.random.default_rng(99), pitch=pitch, noise=450.0)
    return score_value(int(load_detector(bundle).window_scores(log_mel(pcm, bundle.features), section).max()))


@pytest.mark.parametrize("domain", ["source", "target"])
def test_what_was_far_is_near_once_it_is_learnt(domain: str, distance_bundle: Bundle, tmp_path: Path) -> None:
    folder = recordings(tmp_path / "new", 260, 10)
    heard = hear(distance_bundle, folder, "00", domain)
    assert [len(found) for found in heard.features.values()].count(20) == 1
    learnt = adapt(distance_bundle, "00", domain, heard.features)  # type: ignore[arg-type]
    assert (learnt.spans, learnt.before) == (20, {"source": 12, "target": 2}[domain])
    assert score(distance_bundle, 260, "00") > 10
    assert score(learnt.bundle, 260, "00") < 1.6
    assert learnt.bundle.thresholds == distance_bundle.thresholds
    # The other section is as it was, and so is the other domain.
    assert score(learnt.bundle, 330, "01") == score(distance_bundle, 330, "01")
    before, after = (DistanceArrays.read(one.model) for one in (distance_bundle, learnt.bundle))
    other = "target" if domain == "source" else "source"
    assert np.array_equal(after.sections["00"][other].centre.mean, before.sections["00"][other].centre.mean)
    assert after.directions.vectors.tobytes() == before.directions.vectors.tobytes()
    # Its golden vectors prove it still, and its fit in floating point is what it computes with.
    assert selftest(learnt.bundle).verdict == "equal"
    centre, floating = after.sections["00"][domain].centre, read_float(learnt.bundle.float_model)
    assert np.array_equal(floating.sections["00"][domain].mean * 128, centre.mean)
    assert floating.sections["00"][domain].normaliser * 65536 == centre.normaliser


def test_centres_are_those_of_the_devices_arithmetic(distance_bundle: Bundle, tmp_path: Path) -> None:
    folder = recordings(tmp_path / "new", 260, 10)
    heard = hear(distance_bundle, folder, "00", "target")
    arrays = DistanceArrays.read(distance_bundle.model)
    rows = []
    for i in range(10):
        rng_sound = np.fromfile(folder / f"{i}.wav", "<i2", offset=44)
        # Two spans of ten blocks in each file, from its start.
        rows += [clip_features(log_mel(rng_sound, distance_bundle.features), arrays.blocks)[k] for k in (0, 10)]
    assert np.array_equal(np.array(heard.features["target"]), np.array(rows))
    expected = adapted(
        np.array(rows), "target", {d: c.centre for d, c in arrays.sections["00"].items()}, arrays.directions
    )
    found = adapt(distance_bundle, "00", "target", heard.features)
    centre = DistanceArrays.read(found.bundle.model).sections["00"]["target"].centre
    assert np.array_equal(centre.mean, expected.mean)
    assert centre.normaliser == expected.normaliser


def test_what_was_learnt_is_put_back_and_again(distance_bundle: Bundle, tmp_path: Path) -> None:
    heard = hear(distance_bundle, recordings(tmp_path / "new", 260, 10), "00", "target")
    learnt = adapt(distance_bundle, "00", "target", heard.features)
    back = restore(learnt.bundle, "00", "target")
    assert (back.spans, back.before) == (2, 20)
    for pitch in (200, 215, 260):
        assert score(back.bundle, pitch, "00") == score(distance_bundle, pitch, "00")
    again = restore(back.bundle, "00", "target")
    assert (again.spans, again.before) == (20, 2)
    for pitch in (200, 215, 260):
        assert score(again.bundle, pitch, "00") == score(learnt.bundle, pitch, "00")
    assert selftest(back.bundle).verdict == selftest(again.bundle).verdict == "equal"
    for section, domain in (("00", "source"), ("01", "target"), ("05", "source")):
        with pytest.raises(BundleError, match=f"Section {section} holds no earlier sound of the {domain} domain"):
            restore(learnt.bundle, section, domain)  # type: ignore[arg-type]


def test_a_domain_that_was_unknown_is_forgotten_again(distance_bundle: Bundle, tmp_path: Path) -> None:
    heard = hear(distance_bundle, recordings(tmp_path / "new", 300, 3), "01", "target")
    learnt = adapt(distance_bundle, "01", "target", heard.features)
    assert (learnt.spans, learnt.before) == (6, 0)
    back = restore(learnt.bundle, "01", "target")
    assert back.spans == 0
    assert list(DistanceArrays.read(back.bundle.model).sections["01"]) == ["source"]
    assert score(back.bundle, 300, "01") == score(distance_bundle, 300, "01") > 5 * score(learnt.bundle, 300, "01")


@pytest.mark.parametrize("section", ["05", "99"])
def test_a_new_section_is_learnt_with_its_threshold(section: str, distance_bundle: Bundle, tmp_path: Path) -> None:
    request = Request(section=section, adapt=True, false_positive_rate=0.2)
    heard = hear_recordings(distance_bundle, request, recordings(tmp_path / "new", 260, 10))
    done = calibrate_new(distance_bundle, request, heard)
    fitted = done.bundle.thresholds[section]
    assert (fitted.calibrated, fitted.clips, fitted.method) == (True, {"source": 20}, "false-positive-rate")
    assert fitted.false_positives is not None
    assert fitted.false_positives.flagged == 4
    assert score(done.bundle, 260, section) < 2 * score_value(fitted.score)
    assert score(done.bundle, 200, section) > 5 * score_value(fitted.score)
    done.bundle.save(tmp_path / "new.easd")
    assert selftest(Bundle.load(tmp_path / "new.easd")).verdict == "equal"
    with pytest.raises(BundleError, match="Teach it 10 score spans or more"):
        Request(section=section).check(distance_bundle)


def test_the_golden_section_may_change(distance_bundle: Bundle, tmp_path: Path) -> None:
    arrays = DistanceArrays.read(distance_bundle.model)
    only = replace(
        distance_bundle,
        model=arrays.without("00", "source").without("00", "target").write(),
        thresholds={"01": distance_bundle.thresholds["01"]},
    )
    request = Request(section="00", adapt=True)
    done = calibrate_new(only, request, hear_recordings(only, request, recordings(tmp_path / "new", 260, 10)))
    assert done.bundle.golden_section == "00"
    assert selftest(done.bundle).verdict == "equal"


def test_its_threshold_is_fitted_on_spans_that_do_not_overlap(distance_bundle: Bundle) -> None:
    pcm = np.concatenate([machine_sound(np.random.default_rng(i), pitch=200) for i in range(8)])
    detector = load_detector(distance_bundle)
    scorer = SpanScorer(distance_bundle, detector, "00")
    found = []
    for start in range(0, pcm.size, 3333):
        found += scorer.push(pcm[start : start + 3333])
    scores = detector.window_scores(log_mel(pcm, distance_bundle.features), "00")
    assert [span.score for span in found] == scores[::10].tolist() == span_scores(scores, 1, 10)
    assert len(found) == 12
    heard = Heard()
    heard.add(found, "source")
    done = calibrate(distance_bundle, Request(section="00", quantile=0.5, off_level=None), heard)
    assert done.threshold.score == sorted(scores[::10].tolist())[5]
    learner = span_scorer(distance_bundle, "00", adapt=True)
    learnt = learner.push(pcm)
    assert [span.score for span in learnt] == [span.score for span in found]
    assert all(span.features is not None for span in learnt)


def test_what_cannot_be_learnt_is_refused(distance_bundle: Bundle, bundle: Bundle, tmp_path: Path) -> None:
    few = hear(distance_bundle, recordings(tmp_path / "few", 260, 4), "00", "source")
    with pytest.raises(DataError, match=r"8 healthy recordings are too few.*it needs 10"):
        adapt(distance_bundle, "00", "source", few.features)
    same = {"target": [few.features["source"][0]] * 5}
    with pytest.raises(DataError, match="all the same sound"):
        adapt(distance_bundle, "00", "target", same)
    fitted = read_float(distance_bundle.float_model)
    for wrong in (
        replace(fitted, sections={"01": fitted.sections["01"]}),
        replace(fitted, vectors=fitted.vectors[:-1]),
    ):
        hostile = replace(distance_bundle, float_model=write_float(wrong))
        with pytest.raises(BundleError, match=r"distance_float\.npz .* is not the fit"):
            adapt(hostile, "00", "target", few.features | {"target": few.features["source"]})
    with pytest.raises(BundleError, match="cannot learn new sound without training"):
        Request(section="00", adapt=True).check(bundle)
