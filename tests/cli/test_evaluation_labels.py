"""Labels of evaluation clips from ground truth files, and features kept where the user says."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import Command, assert_error, edge_asd
from tests.data import UNLABELLED


def test_ground_truth_adds_a_clip_to_the_figures(
    tiny_data: Path, bundle_path: Path, tmp_path: Path, command: Command
) -> None:
    truth = tmp_path / "ground_truth_fan_section_01_source_test.csv"
    truth.write_text(f"{UNLABELLED.split('/')[1]},1\n")
    anomalies = []
    for arguments in ((), ("--ground-truth", truth), ("--ground-truth", tmp_path)):
        done = command(
            "evaluate", bundle_path, "--data", tiny_data, "--out", tmp_path / "out", "--json", *arguments,
            "--cache", tmp_path / "cache",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (row,) = (row for row in json.loads(done.stdout)["results"] if row["section"] == "01")
        anomalies.append((row["n_normal"], row["n_anomaly"]))
    assert anomalies == [(2, 3), (2, 4), (2, 4)]
    assert len(list((tmp_path / "cache").glob("log-mel-*/*/*"))) == 14
    done = command(
        "evaluate", bundle_path, "--data", tiny_data, "--out", tmp_path / "out", "--ground-truth", tmp_path / "none"
    )
    assert_error(done, "There is no file or folder", "none")


def test_a_cache_that_cannot_be_written_is_a_note(tiny_data: Path, bundle_path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = edge_asd(
        "evaluate", bundle_path, "--data", tiny_data, "--out", tmp_path / "out", "--cache", tmp_path / "file"
    )
    assert done.returncode == 0
    (note,) = (line for line in done.stderr.splitlines() if "Features cannot be kept" in line)
    assert note.startswith(f"Note: Features cannot be kept in {tmp_path / 'file'} (Not a directory)")
