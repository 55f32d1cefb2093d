"""The float score of a clip is one, whichever runtime computes it."""

from __future__ import annotations

import pytest

from edge_asd.quantize.evaluation.scoring import float_scores
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.runs.run import Run
from edge_asd.train.runs.scoring import FloatScorer
from tests.data import MACHINE


@pytest.mark.prove
def test_the_float_scores_of_a_run_are_those_of_its_bundle(
    run_folder, bundle, tiny_data, section_run, section_bundle, section_data, tmp_path
):
    # One column "float", whether reproduce fills it by Keras or evaluate by TFLite.
    for folder, made, data in ((run_folder, bundle, tiny_data), (section_run, section_bundle, section_data)):
        run = Run.load(folder)
        clips = Dataset(data, MACHINE).select(split="test")
        features = FeatureCache(tmp_path).features(clips, run.features, run.baseline.window_frames, kind="float")
        sections = [clip.name.section for clip in clips]
        by_keras = FloatScorer(run, run.load_model(folder)).clip_scores(features, sections)
        by_tflite = float_scores(made, list(zip(sections, features, strict=True)))
        assert by_keras.tolist() == pytest.approx(by_tflite, rel=1e-5)
        assert len(set(by_tflite)) > len(clips) // 2
