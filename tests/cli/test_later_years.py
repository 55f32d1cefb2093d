"""The commands on sets of DCASE Task 2 of 2020 and of 2022 to 2026, as their user calls them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_asd.bundle.bundle import Bundle
from tests.cli.command import Command
from tests.golden.committed import NAMES
from tests.once import Once
from tests.train.data.yearly_trees import YEARS, Machine, machines_of, make_tree

SECONDS = 1.5

Done = subprocess.CompletedProcess[str]


def documents(command: Command, tree: Path, out: Path, machine: str, *options: object) -> dict[str, Any]:
    """Train, quantize, evaluate and compute the figures; return what they print, by command."""
    run, bundle, results = out / "run", out / f"{machine}.easd", out / "results"
    calls = {
        "train": (tree, "--machine", machine, "--epochs", 1, "--out", run, *options),
        "quantize": (run, "--data", tree, "--out", bundle),
        "evaluate": (bundle, "--data", tree, "--out", results),
        "metrics": (results,),
    }
    said: dict[str, Any] = {}
    for name, arguments in calls.items():
        done = command(name, *arguments, "--json")
        said[name] = done
        if done.returncode:
            assert name == "metrics", done.stderr
    return said


def cells(results: list[dict[str, Any]]) -> dict[tuple[str, str | None], tuple[int, int]]:
    return {(row["section"], row["domain"]): (row["n_normal"], row["n_anomaly"]) for row in results}


def scored(folder: Path) -> dict[str, list[str]]:
    """Names of the clips in each file of scores."""
    return {
        path.name: [line.split(",")[0] for line in path.read_text().splitlines()]
        for path in sorted(folder.glob("anomaly_score_*.csv"))
    }


def files_of(machine: Machine, year: int) -> dict[str, list[str]]:
    """Return the files of scores that there must be, in the form of that year, with their clips."""
    wanted: dict[str, list[str]] = {}
    for clip in machine.clips:
        if clip.split == "test":
            place = f"id_{clip.section}" if year == 2020 else f"section_{clip.section}_test"
            wanted.setdefault(f"anomaly_score_{machine.name}_{place}.csv", []).append(clip.file.split("/")[1])
    return {name: sorted(names) for name, names in sorted(wanted.items())}


def check_figures(year: int, machine: Machine, folder: Path, evaluate: Done, metrics: Done) -> None:
    """Hold the figures of both commands, and the files of scores in `folder`, against what was made."""
    evaluated = json.loads(evaluate.stdout)
    assert evaluated["year"] == year
    wanted = {(s, None): (3, 3) for s in {clip.section for clip in machine.clips}}
    if year != 2020:
        # The anomalies of both domains count in each.
        wanted = {
            (s, domain): (3, 6) for s in {clip.section for clip in machine.clips} for domain in ("source", "target")
        }  # type: ignore[misc]
    assert cells(evaluated["results"]) == wanted
    assert scored(folder / "results") == files_of(machine, year)
    figures = json.loads(metrics.stdout)
    assert figures["year"] == (2020 if year == 2020 else 2022)  # the files of scores are named alike from then on
    assert cells(figures["results"]) == wanted
    for ours, theirs in zip(evaluated["results"], figures["results"], strict=True):
        assert (ours["auc_int8"], ours["pauc_int8"]) == (theirs["auc"], theirs["pauc"])


@pytest.mark.parametrize("year", [2020, 2022])
def test_figures_of_a_machine_with_labels(command: Command, once: Once, tmp_path: Path, year: int) -> None:
    tree = tmp_path / "data"
    shutil.copytree(once(f"dcase{year}short", lambda folder: make_tree(folder, year, SECONDS)), tree)
    machine = replace(machines_of(year)[0], name="fan")
    if year == 2020:
        (tree / "ToyConveyor").rename(tree / "fan")
        machine = replace(machine, clips=tuple(clip for clip in machine.clips if clip.section == "00"))
    evaluate = command("evaluate", NAMES["ae"], "--data", tree, "--out", tmp_path / "results", "--json")
    assert evaluate.returncode == 0, evaluate.stderr
    assert ("Section 02 is not in this bundle and was left out." in evaluate.stderr) == (year == 2020)
    check_figures(year, machine, tmp_path, evaluate, command("metrics", tmp_path / "results", "--json"))


@pytest.mark.prove
@pytest.mark.parametrize("year", YEARS)
def test_a_detector_of_a_machine_with_labels(command: Command, once: Once, tmp_path: Path, year: int) -> None:
    tree = once(f"dcase{year}short", lambda folder: make_tree(folder, year, SECONDS))
    machine = machines_of(year)[0]
    options = ("--channel", "far") if year == 2026 else ()
    said = documents(command, tree, tmp_path, machine.name, *options)

    sections = sorted({clip.section for clip in machine.clips})
    train = json.loads(said["train"].stdout)
    assert train["sections"] == sections
    assert train["clips_fit"] + train["clips_held_back"] == sum(clip.split == "train" for clip in machine.clips)
    two = f"{train['clips_fit'] + train['clips_held_back']} training clips have 2 channels; channel 1 is used."
    assert (two in said["train"].stderr) == (year == 2026)
    for name in ("train", "quantize", "evaluate"):
        assert ("3 supplemental clips" in said[name].stderr) == bool(machine.supplemental), name

    bundle = Bundle.load(tmp_path / f"{machine.name}.easd")
    assert bundle.channel == (1 if year == 2026 else 0)
    held_back = {section: Counter(threshold.clips) for section, threshold in bundle.thresholds.items()}
    assert sum((clips for clips in held_back.values()), Counter()).total() == train["clips_held_back"]
    assert {domain for clips in held_back.values() for domain in clips} == (
        {"source"} if year == 2020 else {"source", "target"}
    )
    assert "has no target training clips" not in said["quantize"].stderr

    check_figures(year, machine, tmp_path, said["evaluate"], said["metrics"])


@pytest.mark.prove
@pytest.mark.parametrize("year", YEARS)
def test_a_detector_of_a_machine_without_labels(command: Command, once: Once, tmp_path: Path, year: int) -> None:
    tree = once(f"dcase{year}short", lambda folder: make_tree(folder, year, SECONDS))
    machine = machines_of(year)[1]
    said = documents(command, tree, tmp_path, machine.name)
    evaluated = json.loads(said["evaluate"].stdout)
    sections = sorted({clip.section for clip in machine.clips})
    assert evaluated["year"] == year
    assert cells(evaluated["results"]) == {(section, None): (0, 0) for section in sections}
    assert scored(tmp_path / "results") == files_of(machine, year)
    assert said["metrics"].returncode == 1
    assert "--ground-truth" in said["metrics"].stderr
    lengths = re.search(r"(\d+) of 12 clips do not last 1\.\d+ s", said["evaluate"].stderr)
    assert (lengths is not None and lengths[1] == "8") == (year == 2026)
