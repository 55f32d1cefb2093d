from __future__ import annotations

import subprocess
import sys

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.kinds import KINDS
from edge_asd.detectors.loading import NETWORKS, load_detector
from edge_asd.train.networks.baselines import BASELINES
from tests.golden.committed import NAMES


def test_every_kind_is_trained_and_scored_under_the_same_name():
    assert list(KINDS) == list(NAMES)
    assert [name for name, kind in KINDS.items() if kind.network] == list(NETWORKS) == list(BASELINES)
    for name, kind in KINDS.items():
        assert kind.name == name
        assert not kind.network or BASELINES[name].kind is kind
        bundle = Bundle.load(NAMES[name])
        assert bundle.kind is kind
        assert load_detector(bundle).unit == kind.unit
        assert bool(bundle.classes) == kind.classifies


def test_kinds_load_no_numpy():
    code = "import sys, edge_asd.bundle.kinds; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
