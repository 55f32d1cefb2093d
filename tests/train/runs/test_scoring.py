from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_asd.detectors.windowed import gather_windows
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.windows import frames_db
from edge_asd.train.runs.run import Run
from edge_asd.train.runs.scoring import FloatScorer, published_odds
from tests.data import MACHINE


def clips_of(data, tmp_path, frames, kind="fixed"):
    run_clips = Dataset(data, MACHINE).select(split="test")
    from edge_asd.frontend.spec import FeatureSpec

    return run_clips, FeatureCache(tmp_path).features(run_clips, FeatureSpec(), frames, kind=kind)


def test_an_autoencoder_scores_like_the_published_loop(run_folder, tiny_data, tmp_path):
    run = Run.load(run_folder)
    model = run.load_model(run_folder)
    clips, features = clips_of(tiny_data, tmp_path, 5)
    found = FloatScorer(run, model).clip_scores(features, [clip.name.section for clip in clips])
    for clip, score in zip(features, found, strict=True):
        x = gather_windows(frames_db(clip.frames), 5, 1)
        assert score == pytest.approx(np.mean((x - np.asarray(model(x), np.float64)) ** 2), rel=1e-5)
    assert len(set(found)) == len(clips)


@pytest.mark.parametrize(("faithful", "hop"), [(False, 8), pytest.param(True, 1, marks=pytest.mark.prove)])
def test_a_classifier_scores_as_meant_or_as_published(section_run, section_data, tmp_path, faithful, hop):
    run = replace(Run.load(section_run), faithful=faithful)
    model = run.load_model(section_run)
    clips, features = clips_of(section_data, tmp_path, 64, run.feature_kind)
    clips, features = clips[::4], features[::4]
    sections = [clip.name.section for clip in clips]
    found = FloatScorer(run, model).clip_scores(features, sections)
    assert len(features[0].frames) == (94 if faithful else 92)
    for section, clip, score in zip(sections, features, found, strict=True):
        x = gather_windows(frames_db(clip.frames), 64, hop).reshape(-1, 64, 128, 1)
        p = np.asarray(model(x, training=False), np.float64)[:, run.classes.index(section)]
        expected = np.log(1 - p - np.log(p)) if faithful else np.log((1 - p) / p)
        assert score == pytest.approx(expected.mean(), rel=1e-3, abs=1e-4)


def test_published_odds_at_their_ends():
    eps = 2.0**-52
    found = published_odds(np.array([0.0, 0.5, 1.0], np.float32))
    assert found == pytest.approx([np.log(1 - np.log(eps)), np.log(0.5 + np.log(2)), np.log(eps)])


def test_no_clips_no_scores(run_folder):
    run = Run.load(run_folder)
    assert FloatScorer(run, run.load_model(run_folder)).clip_scores([], []).shape == (0,)
