"""The golden vectors: what number 1 of the front end's arithmetic means, for ever."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from edge_asd.frontend import FRONTEND_NUMBER, fixed_point, log_mel
from edge_asd.frontend.spec import FeatureSpec

PATH = Path(__file__).resolve().parents[1] / "golden" / "frontend.npz"


def test_golden_vectors() -> None:
    with np.load(PATH) as golden:
        about = json.loads(str(golden["about"]))
        assert about["frontend_number"] == FRONTEND_NUMBER
        assert {"numpy", "python", "gcc", "machine"} <= set(about)
        values = 0
        for i, spec in enumerate(FeatureSpec.from_dict(d) for d in about["specs"]):
            for x, frames in zip(golden[f"pcm_{i}"], golden[f"frames_{i}"], strict=True):
                np.testing.assert_array_equal(fixed_point.log_mel(x, spec), frames)
                np.testing.assert_array_equal(log_mel(x, spec), frames)
                values += frames.size
    assert values > 8000
