"""``edge-asd calibrate --adapt``: what it says, writes and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.distance_file import DistanceArrays
from edge_asd.detectors.scores import score_value
from tests.calibration.test_adapting import recordings, score
from tests.cli.command import Command, assert_error
from tests.golden.committed import NAMES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(NAMES["distance"], tmp_path / "fan.easd"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty spans of the machine at another pitch."""
    return recordings(tmp_path_factory.mktemp("sound"), 260, 10)


def clips(bundle: Bundle) -> dict[str, dict[str, int]]:
    """How many spans each section and domain rests on."""
    sections = DistanceArrays.read(bundle.model).sections
    return {section: {domain: one.clips for domain, one in of.items()} for section, of in sections.items()}


def test_it_learns_and_puts_back(path: Path, sound: Path, command: Command) -> None:
    before, place = Bundle.load(path), ("--section", "0", "--domain", "target", "--in-place")
    assert clips(before) == {"00": {"source": 12, "target": 2}, "01": {"source": 10}}
    learn = command("calibrate", path, *place, "--adapt", "--wav-dir", sound)
    assert (learn.returncode, learn.stdout.splitlines()) == (0, [
        "Section 00, target: known by 20 score spans, before by 2. The threshold stays.",
        f"Written: {path}",
        f"Next: edge-asd monitor {path} --section 00",
    ])  # fmt: skip
    assert "Note: " not in learn.stderr
    after = Bundle.load(path)
    assert clips(after) == {"00": {"source": 12, "target": 20}, "01": {"source": 10}}
    assert after.thresholds == before.thresholds
    assert score(after, 260, "00") < 2 < score(before, 260, "00")

    back = command("calibrate", path, *place, "--adapt", "--restore")
    assert (back.returncode, back.stdout.splitlines()[:2]) == (0, [
        "Section 00, target: again known by 2 score spans, before by 20. The threshold stays.",
        f"Put back in: {path}",
    ])  # fmt: skip
    assert "Note: " not in back.stderr
    assert score(Bundle.load(path), 260, "00") == score(before, 260, "00")


def test_its_json_of_few_spans(path: Path, tmp_path: Path, command: Command) -> None:
    few, out = recordings(tmp_path / "few", 300, 2), tmp_path / "out.easd"
    place = ("--section", "01", "--domain", "target")
    done = command("calibrate", path, *place, "--adapt", "--wav-dir", few, "--out", out, "--json")
    note = "Section 01, target: 4 score spans may not show all of its healthy sound; 20 are better."
    assert done.returncode == 0, done.stderr
    assert f"Note: {note}\n" in done.stderr
    assert json.loads(done.stdout) == {
        "bundle": str(out),
        "machine": "fan",
        "section": "01",
        "domain": "target",
        "spans": 4,
        "spans_before": 0,
        "threshold": Bundle.load(path).thresholds["01"].score,
        "notes": [note],
    }
    assert path.read_bytes() == NAMES["distance"].read_bytes()
    assert clips(Bundle.load(out))["01"] == {"source": 10, "target": 4}

    gone = command("calibrate", out, *place, "--adapt", "--restore", "--in-place")
    assert gone.returncode == 0, gone.stderr
    assert gone.stdout.startswith("Section 01, target: no longer known, before by 4. The threshold stays.\n")


def test_a_new_section_gets_a_threshold_by_the_same_sound(path: Path, sound: Path, command: Command) -> None:
    place = ("calibrate", path, "--section", "07", "--wav-dir", sound, "--in-place")
    assert_error(command(*place), "does not know what section 07 sounds like", "Teach it 10 score spans", "--adapt")
    done = command(*place, "--adapt", "--quantile", 0.8, "--json")
    assert done.returncode == 0, done.stderr
    document, threshold = json.loads(done.stdout), Bundle.load(path).thresholds["07"]
    assert (document["threshold"], document["previous"]) == (threshold.score, None)
    assert (document["quantile"], document["clips"]) == (0.8, {"source": 20})
    assert score(Bundle.load(path), 200, "07") > 5 * score_value(threshold.score)


@pytest.mark.parametrize(
    "options",
    [("--quantile", 0.8), ("--false-positive-rate", 0.1), ("--false-alarms-per-day", 1), ("--off-level", -50)],
)
def test_a_threshold_is_not_asked_for_in_the_same_breath(
    options: tuple[object, ...], path: Path, sound: Path, command: Command
) -> None:
    done = command("calibrate", path, "--section", "00", "--in-place", "--adapt", "--wav-dir", sound, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--adapt leaves the threshold as it is" in " ".join(done.stderr.replace("│", "").split())
    assert path.read_bytes() == NAMES["distance"].read_bytes()


def test_what_cannot_be_learnt_or_put_back_is_refused(path: Path, tmp_path: Path, command: Command) -> None:
    place = ("calibrate", path, "--section", "00", "--in-place", "--adapt")
    assert_error(command(*place, "--restore"), "Section 00 holds no earlier sound of the source domain")
    few = recordings(tmp_path / "few", 260, 4)
    assert_error(command(*place, "--wav-dir", few), "8 healthy recordings are too few", "it needs 10")
    assert_error(
        command(*place, "--device", "default", "--minutes", 0.1), "learning how the machine sounds needs 10 score spans"
    )
    assert path.read_bytes() == NAMES["distance"].read_bytes()


@pytest.mark.parametrize("what", [("--restore",), ("--wav-dir",)])
def test_a_network_cannot_learn_without_training(
    what: tuple[str, ...], bundle_path: Path, sound: Path, tmp_path: Path, command: Command
) -> None:
    path = Path(shutil.copy(bundle_path, tmp_path / "ae.easd"))
    options = (*what, sound) if what == ("--wav-dir",) else what
    done = command("calibrate", path, "--section", "00", "--in-place", "--adapt", *options)
    assert_error(done, "cannot learn new sound without training", "--model distance")
    assert path.read_bytes() == bundle_path.read_bytes()
