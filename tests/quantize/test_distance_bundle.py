"""The distance detector from clips to a bundle: trained, rounded, given thresholds, evaluated."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.distance_file import DistanceArrays, read_float
from edge_asd.detectors.scores import score_value
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.features import clip_features
from edge_asd.distance.floating import float_features
from edge_asd.errors import BundleError, DataError, ModelError
from edge_asd.quantize.evaluation.cost import evaluate
from edge_asd.quantize.evaluation.scoring import float_scores
from edge_asd.quantize.pipeline import quantise_run
from edge_asd.selftest import selftest
from edge_asd.thresholds import Target
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.distance.fit import fit
from edge_asd.train.distance.fit_file import load_fit
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.runs.fitting import Settings, train
from edge_asd.train.runs.run import Run
from tests.conftest import SCORE_SECONDS
from tests.data import MACHINE, MORE_TRAIN, make_tiny_data

SETTINGS = Settings(model="distance", score_seconds=SCORE_SECONDS)


def test_the_run_holds_the_fit_to_all_clips(distance_run: Path, distance_data: Path) -> None:
    run, fitted = Run.load(distance_run), load_fit(distance_run)
    assert (run.model, run.span_frames, run.held_back) == ("distance", 40, [])
    assert len(run.fit) == sum(MORE_TRAIN.values())
    clips = Dataset(distance_data, MACHINE).select(split="train")
    features = FeatureCache().features(clips, run.features, 1)
    rows: dict[str, dict[str, list[np.ndarray]]] = {}
    for clip, one in zip(clips, features, strict=True):
        spans = clip_features(np.asarray(one.frames), Blocks.of_span(47))
        rows.setdefault(clip.name.section, {}).setdefault(clip.name.domain or "", []).append(spans[0] / 128)
    expected = fit({s: {d: np.array(found) for d, found in of.items()} for s, of in rows.items()})  # type: ignore[misc]
    assert np.array_equal(fitted.model.vectors, expected.model.vectors)
    for section, of in expected.held_out.items():
        assert {d: len(found) for d, found in of.items()} == {d: n for (s, d), n in MORE_TRAIN.items() if s == section}
        for domain, found in of.items():
            assert np.array_equal(np.sort(fitted.held_out[section][domain]), np.sort(found))


def test_the_same_clips_make_the_same_bundle_and_the_committed_one(
    distance_run: Path, distance_data: Path, distance_bundle: Bundle, tmp_path: Path
) -> None:
    one = quantise_run(distance_run, distance_data, tmp_path / "one.easd").bundle
    quantise_run(distance_run, distance_data, tmp_path / "two.easd")
    assert (tmp_path / "one.easd").read_bytes() == (tmp_path / "two.easd").read_bytes()
    # Eigenvectors may differ in their last bits from one linear algebra to another.
    found, made = DistanceArrays.read(one.model), DistanceArrays.read(distance_bundle.model)
    for section, centres in made.sections.items():
        for domain, centre in centres.items():
            assert np.array_equal(found.sections[section][domain].centre.mean, centre.centre.mean)
    assert {s: t.score for s, t in one.thresholds.items()} == pytest.approx(
        {s: t.score for s, t in distance_bundle.thresholds.items()}, rel=1e-3
    )
    assert one.provenance["quantisation"] == {"method": "rounded", "saturation": {}}
    assert selftest(one).verdict == selftest(distance_bundle).verdict == "equal"
    assert [stage.name for stage in selftest(one).stages] == ["features", "span features", "window scores", "score"]


@pytest.mark.parametrize("target", [Target(), Target("quantile", 0.5), Target("false-positive-rate", 0.1)])
def test_thresholds_are_fitted_to_held_out_source_clips(
    target: Target, distance_run: Path, distance_data: Path, tmp_path: Path
) -> None:
    done = quantise_run(distance_run, distance_data, tmp_path / "fan.easd", target=target)
    for section, threshold in done.bundle.thresholds.items():
        scores = load_fit(distance_run).held_out[section]["source"]
        assert threshold.clips == {"source": MORE_TRAIN[section, "source"]}
        if target.method == "quantile":
            share = float((scores <= score_value(threshold.score) + 1e-4).mean())
            assert target.value <= share <= target.value + 2 / len(scores)
        else:
            assert threshold.false_positives is not None
            assert threshold.false_positives.flagged == int((scores > score_value(threshold.score) + 1e-4).sum())
    assert any("section 00 by 2" in note and "--adapt --domain target" in note for note in done.notes)


def test_what_belongs_to_networks_is_refused(distance_run: Path, distance_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "fan.easd"
    for choice in (
        {"quantisation": "plain"},
        {"headroom_db": 3.0},
        {"ranges": tmp_path / "r.csv"},
        {"arithmetic": "xnnpack"},
    ):
        with pytest.raises(DataError, match="holds no network"):
            quantise_run(distance_run, distance_data, out, **choice)
    with pytest.raises(DataError, match=r"fitted for scores that span 1\.31 s.*train --score-seconds"):
        quantise_run(distance_run, distance_data, out, score_seconds=1.0)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 3}, "fitted in one step"),
        ({"patience": 0}, "fitted in one step"),
        ({"split": "faithful"}, "fitted in one step"),
        ({"faithful": True}, "leave --faithful out"),
        ({"negatives": ("pump",)}, "leave --negatives out"),
        ({"score_seconds": 0.0}, "needs two frames"),
        ({"score_seconds": 5000.0}, None),
    ],
)
def test_settings_of_a_run(change: dict[str, object], message: str | None, distance_data: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, **change)  # type: ignore[arg-type]
    if message is None:  # a span longer than the clips is theirs
        assert train(distance_data, MACHINE, tmp_path / "run", settings).span_frames == 60
        return
    with pytest.raises((DataError, ModelError), match=message):
        train(distance_data, MACHINE, tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_ten_source_clips_are_needed(tiny_data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Section 00 has 6 training clips of the source domain.*needs 10"):
        train(tiny_data, MACHINE, tmp_path / "run", SETTINGS)
    with pytest.raises(ModelError, match="--score-seconds"):
        train(tiny_data, MACHINE, tmp_path / "run", Settings(score_seconds=1.0))


def test_a_damaged_run_is_refused(distance_run: Path, distance_data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for name in ("held_out.npz", "distance_float.npz"):
        shutil.copytree(distance_run, run)
        (run / name).write_bytes(b"PK")
        with pytest.raises(ModelError, match=name):
            quantise_run(run, distance_data, tmp_path / "x.easd")
        (run / name).unlink()
        with pytest.raises(ModelError, match=rf"no finished fit.*{name}.*Train anew"):
            quantise_run(run, distance_data, tmp_path / "x.easd")
        shutil.rmtree(run)


def test_spans_of_one_recording_are_held_out_together() -> None:
    rng = np.random.default_rng(3)
    # Each of six recordings has a sound of its own, which its other spans give away.
    rows = np.repeat(rng.normal(size=(6, 16)), 5, axis=0) * 3 + rng.normal(size=(30, 16))

    def normaliser(groups: np.ndarray | None) -> float:
        found = fit({"00": {"source": rows}}, groups=None if groups is None else {"00": groups})
        return found.model.sections["00"]["source"].normaliser

    assert normaliser(np.repeat(np.arange(6), 5)) > 2 * normaliser(None)
    assert normaliser(np.zeros(30, np.int64)) == normaliser(None)


def test_long_clips_give_several_spans(tmp_path: Path) -> None:
    make_tiny_data(tmp_path / "data", seconds=4.0, train={("00", "source"): 5, ("01", "source"): 5})
    run = train(tmp_path / "data", MACHINE, tmp_path / "run", SETTINGS)
    assert {s: len(of["source"]) for s, of in load_fit(tmp_path / "run").held_out.items()} == {"00": 15, "01": 15}
    assert run.span_frames == 40


def test_evaluation_compares_with_the_fit(distance_bundle: Bundle, distance_data: Path, tmp_path: Path) -> None:
    done = evaluate(distance_bundle, distance_data, tmp_path / "results", hears=False)
    assert done.saturated_share is None
    assert done.as_dict()["saturation"] is None
    assert done.agreement.score_correlation is not None
    assert done.agreement.score_correlation > 0.9999
    assert done.agreement.max_relative_score_error < 0.02
    scored = {clip.clip.path.name: clip for clip in done.clips}
    clip = scored["section_01_source_test_normal_0000.wav"]
    model, blocks = read_float(distance_bundle.float_model), DistanceArrays.read(distance_bundle.model).blocks
    frames = FeatureCache().features([clip.clip], distance_bundle.features, 1, kind="float")[0].frames
    expected = model.scores(float_features(np.asarray(frames) / 65536, blocks), "01").mean()
    assert clip.floating == pytest.approx(float(expected), rel=1e-5)
    # Clips of two seconds are longer than the score's span by more than a block.
    assert any("do not last 1.3 s" in note for note in done.notes)


def test_a_fit_of_other_bands_is_refused(distance_bundle: Bundle) -> None:
    spec = replace(distance_bundle.features, n_mels=64)
    with pytest.raises(BundleError, match="another number of bands"):
        float_scores(replace(distance_bundle, features=spec), [])
