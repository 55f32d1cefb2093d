"""Training that is killed at any moment and resumed ends where an uninterrupted one does."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from edge_asd.train.runs.run import Run
from tests.cli.command import EDGE_ASD
from tests.data import MACHINE


@pytest.mark.prove
@pytest.mark.parametrize(("model", "data"), [("ae", "tiny_data"), ("mobilenetv2", "section_data")])
def test_five_kills_leave_the_same_weights(request, tmp_path, model, data):
    root: Path = request.getfixturevalue(data)
    arguments = [str(EDGE_ASD), "train", str(root), "--machine", MACHINE, "--model", model, "--epochs", "8"]
    arguments += ["--learning-rate", "0.001", "--batch-size", "16"]
    start = time.monotonic()
    subprocess.run([*arguments, "--out", str(tmp_path / "whole")], check=True, capture_output=True)
    duration = time.monotonic() - start
    folder = tmp_path / "killed"
    rng = np.random.default_rng(5)
    reached = []
    for _ in range(5):
        resume = ["--resume"] if Run.exists(folder) else []
        with subprocess.Popen([*arguments, "--out", str(folder), *resume], stderr=subprocess.DEVNULL) as training:
            time.sleep(rng.uniform(0.3, 0.9) * duration)
            training.send_signal(signal.SIGKILL)
        reached.append(len(Run.load(folder).loss) if Run.exists(folder) else 0)
    resume = ["--resume"] if Run.exists(folder) else []
    subprocess.run([*arguments, "--out", str(folder), *resume], check=True, capture_output=True)
    whole, killed = Run.load(tmp_path / "whole"), Run.load(folder)
    assert killed == whole
    for a, b in zip(
        whole.load_model(tmp_path / "whole").get_weights(), killed.load_model(folder).get_weights(), strict=True
    ):
        assert np.array_equal(a, b)
    assert max(reached) >= 1
