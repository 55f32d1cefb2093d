"""The main job on real recordings, command by command as the README has it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import soundfile

from tests.cli.command import Command, edge_asd, json_decisions, said

KEYS = {
    "machine", "section", "domain", "n_normal", "n_anomaly", "auc_float", "auc_int8", "auc_drop",
    "pauc_float", "pauc_int8", "auc_level",
}  # fmt: skip


@pytest.mark.parametrize(
    ("machine", "cells"),
    [
        ("fan", {("00", "source"): (6, 7), ("01", "source"): (6, 7), ("01", "target"): (7, 10)}),
        pytest.param("slider", {("00", "source"): (10, 9), ("00", "target"): (1, 1)}, marks=pytest.mark.prove),
    ],
)
def test_train_quantize_evaluate_monitor(
    mimii_mini: Path, tmp_path: Path, command: Command, machine: str, cells: dict
) -> None:
    run, bundle, results = tmp_path / "run", tmp_path / f"{machine}.easd", tmp_path / "results"
    trained = command("train", mimii_mini, "--machine", machine, "--model", "ae", "--epochs", 3, "--out", run, "--json")
    assert trained.returncode == 0, trained.stderr
    assert [line for line in said(trained) if "still falls" not in line] == []
    assert json.loads(trained.stdout)["epochs"] == 3

    quantized = command("quantize", run, "--data", mimii_mini, "--out", bundle, "--json")
    assert quantized.returncode == 0, quantized.stderr
    assert set(json.loads(quantized.stdout)["thresholds"]) == {section for section, _ in cells}

    evaluated = command("evaluate", bundle, "--data", mimii_mini, "--out", results, "--json")
    assert evaluated.returncode == 0, evaluated.stderr
    rows = json.loads(evaluated.stdout)["results"]
    assert {(row["section"], row["domain"]): (row["n_normal"], row["n_anomaly"]) for row in rows} == cells
    for row in rows:
        assert row.keys() >= KEYS
        assert row["auc_drop"] == row["auc_float"] - row["auc_int8"]

    # What was evaluated is what ships: the monitor's score of each clip, integer for integer.
    for (section, domain), count in cells.items():
        with open(results / f"anomaly_score_{machine}_section_{section}_{domain}_test.csv", newline="") as file:
            scores = {name: int(score) for name, score in csv.reader(file)}
        assert len(scores) == sum(count)
        chosen = list(scores)[:: len(scores) // 2]
        for name in chosen:
            clip = mimii_mini / machine / f"{domain}_test" / name
            heard = command("monitor", bundle, "--section", section, "--wav", clip, "--json")
            assert heard.stderr == ""
            (decision,) = json_decisions(heard)
            assert decision["score"] == scores[name]
            assert decision["section"] == section
            assert decision["anomaly"] == (decision["score"] > decision["threshold"])
            assert heard.returncode == (3 if decision["anomaly"] else 0)

            if name == chosen[0]:  # a process of its own for each cell
                pcm, _ = soundfile.read(clip, dtype="int16")
                piped = edge_asd("monitor", bundle, "--section", section, "--stdin", "--json", data=pcm.tobytes())
                assert json_decisions(piped) == json_decisions(heard)
