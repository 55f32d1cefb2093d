"""Where processors part: every operation's result, in every arithmetic, there and here."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_asd import frontend
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_detector
from edge_asd.interpreter import ARITHMETICS
from edge_asd.quantize.int8.graph import Graph
from tests.golden.committed import NETWORKS, PITCHES, made_sound
from tests.pi import run_models
from tests.pi.build import ROOT
from tests.pi.installation import Installed
from tests.pi.machine import run_here

pytestmark = pytest.mark.prove


def beginnings(content: bytes) -> dict[str, bytes]:
    """Cut a model off after each of its operations; XNNPACK tells only what a model ends with."""
    kinds = [operation.kind for operation in Graph(content).operations]
    made = {}
    for i, kind in enumerate(kinds):
        graph = Graph(content)
        graph._graph.operators = graph._graph.operators[: i + 1]
        graph._graph.outputs = [graph.operations[i].output]
        graph._model.signatureDefs = []
        made[f"{i} {kind}"] = graph.to_bytes()
    return made


@pytest.mark.parametrize("name", NETWORKS)
def test_every_operation(pi: Installed, name: str) -> None:
    bundle = Bundle.load(NETWORKS[name])
    detector = load_detector(bundle)
    features = frontend.log_mel(made_sound(1, PITCHES[0]), bundle.features)
    windows = detector.windows(detector.quantise(features))[[0, -1]]  # of healthy and of faulty sound
    models = {key: np.frombuffer(model, np.uint8) for key, model in beginnings(bundle.model).items()}
    work = pi.machine.work
    np.savez(work / "models.npz", **{run_models.WINDOWS: windows, **models})  # type: ignore[arg-type]
    shutil.copy(Path(run_models.__file__), work)
    inside = ("/work/run_models.py", "/work/models.npz", "/work/there.npz")
    there = pi.machine.run("/work/venv/bin/python", *inside)
    here = run_here(sys.executable, "-m", "tests.pi.run_models", work / "models.npz", work / "here.npz", cwd=ROOT)
    assert (there.code, here.code) == (0, 0), there.stderr + here.stderr
    theirs, ours = np.load(work / "there.npz"), np.load(work / "here.npz")
    assert len(ours.files) == len(models) * len(ARITHMETICS)
    for arithmetic in ARITHMETICS:
        pairs = {key: (theirs[f"{key}|{arithmetic}"], ours[f"{key}|{arithmetic}"]) for key in models}
        differing = {key: int(np.count_nonzero(a != b)) for key, (a, b) in pairs.items()}
        count, values = sum(differing.values()), sum(b.size for _, b in pairs.values())
        first = next((f", the first {n} after operation {key}" for key, n in differing.items() if n), "")
        print(f"\n{name} {arithmetic}: {values} values of {len(windows)} windows, {count} differ{first}")
        assert count == 0 or arithmetic == "litert-builtin"
