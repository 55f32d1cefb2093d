"""The golden vectors: what number 1 of the distance's arithmetic means, for ever."""

from __future__ import annotations

import json

import numpy as np

from edge_asd.distance.blocks import Blocks, block_sums
from edge_asd.distance.distance import centre_scores, distances, scores
from edge_asd.distance.features import clip_features
from edge_asd.distance.parameters import DISTANCE_NUMBER, Centre, Directions
from tests.golden.make_distance import CASES, PATH


def test_golden_vectors() -> None:
    with np.load(PATH) as golden:
        about = json.loads(str(golden["about"]))
        assert about["distance_number"] == DISTANCE_NUMBER
        assert len(about["blocks"]) == len(CASES)
        for i, blocks in enumerate(Blocks(*numbers) for numbers in about["blocks"]):
            frames = golden[f"frames_{i}"]
            sums, features = block_sums(frames, blocks), clip_features(frames, blocks)
            for name in ("power", "level", "square"):
                np.testing.assert_array_equal(getattr(sums, name), golden[f"{name}_{i}"])
            np.testing.assert_array_equal(features, golden[f"features_{i}"])
            assert features.shape == (3, 2 * frames.shape[1])
            directions = Directions(golden[f"vectors_{i}"], golden[f"multipliers_{i}"])
            centres = {
                domain: Centre(golden[f"{domain}_mean_{i}"], int(golden[f"{domain}_normaliser_{i}"]))
                for domain in ("source", "target")
            }
            of = centre_scores(features, centres, directions)
            for domain, centre in centres.items():
                np.testing.assert_array_equal(
                    distances(features, centre, directions), golden[f"{domain}_distances_{i}"]
                )
                np.testing.assert_array_equal(of[domain], golden[f"{domain}_scores_{i}"])
            np.testing.assert_array_equal(scores(features, centres, directions), np.minimum(of["source"], of["target"]))
            assert len({int(x) for one in of.values() for x in one}) > 3  # it tells sounds apart
