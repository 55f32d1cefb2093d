from __future__ import annotations

import numpy as np
import pytest

from edge_asd.train.report.scatter import project


def test_the_projection_is_the_same_twice_and_keeps_clusters_apart():
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(centre, 1, (20, 300)) for centre in (0, 10)]).astype(np.float32)
    points = project(vectors)
    np.testing.assert_array_equal(points, project(vectors))
    within = max(np.linalg.norm(part - part.mean(axis=0), axis=1).max() for part in (points[:20], points[20:]))
    assert np.linalg.norm(points[:20].mean(axis=0) - points[20:].mean(axis=0)) > 2 * within


@pytest.mark.parametrize("n", [5, 40])
def test_equal_windows_are_one_point(n):
    assert not np.ptp(project(np.ones((n, 300), np.float32)), axis=0).any()
