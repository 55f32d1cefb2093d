"""What keeps recordings from being scored: clear errors, and nothing half-written."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_asd.archive import scoring
from edge_asd.archive.partitions import Part
from edge_asd.archive.recordings import Recording, find
from edge_asd.archive.scoring import Job, score_part
from edge_asd.archive.settings import Scored
from edge_asd.archive.tables import FILES, SCORES, Verdicts
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DataError
from edge_asd.monitor.config.settings import SourceConfig
from edge_asd.monitor.decisions import Verdict
from edge_asd.sweeps.parts import Voice
from tests.archive.archived import BUNDLE, contents, fill, passed_over, rows, start
from tests.cli.command import Command, assert_error
from tests.golden.committed import NAMES

SCORE = ("score", BUNDLE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--section", "01"), ("section is '00' there, and '01' here",)),
        (("--section", "00", "--gain", "3"), ("gain_db is 0.0 there, and 3.0 here",)),
        (("--section", "00", "--off-level", "-70"), ("off_level_db is None there, and -70.0 here",)),
    ],
)
def test_a_folder_of_other_scores_is_refused(
    options: tuple[str, ...], words: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    tree, out = fill(tmp_path / "tree", 1), tmp_path / "out"
    assert command(*SCORE, tree, "--section", "00", "--out", out).returncode == 0
    before = contents(out)
    assert_error(command(*SCORE, tree, *options, "--out", out), *words, "Choose another --out")
    assert contents(out) == before


def test_another_bundle_or_other_recordings_are_refused(command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 1), tmp_path / "out"
    assert command(*SCORE, tree, "--section", "00", "--out", out).returncode == 0
    before = contents(out)
    given = ("--section", "00", "--out", out)
    assert_error(command("score", NAMES["distance"], tree, *given), "bundle is '7ead", "Choose another --out")
    assert_error(command(*SCORE, fill(tmp_path / "other", 1), *given), f"recordings is '{tree}' there")
    (out / "score.json").write_text("{")
    assert_error(command(*SCORE, tree, *given), "score.json is damaged")
    (out / "score.json").unlink()
    assert_error(command(*SCORE, tree, *given), "holds other files than earlier results")
    assert {**contents(out), "score.json": before["score.json"]} == before


def test_a_bundle_without_the_section_is_refused_before_anything_is_made(command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 1), tmp_path / "out"
    assert_error(command(*SCORE, tree, "--section", "07", "--out", out), "07")
    assert_error(command(*SCORE, tree, "--out", out), "Choose one with --section")
    assert_error(command("score", tree / "00.wav", tree, "--section", "00", "--out", out), "00.wav")
    assert not out.exists()


def test_a_damaged_partition_is_told(command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 2), tmp_path / "out"
    given = (*SCORE, tree, "--section", "00", "--out", out)
    assert command(*given).returncode == 0
    (before,), (path,) = [rows(out)], (out / FILES).iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    assert_error(command(*given), f"{path} cannot be read", "Remove the files of that name from scores/ and files/")
    shutil.copy(out / SCORES / path.name, path)
    assert_error(command(*given), f"{path} cannot be read (its columns are others)")
    path.unlink()
    assert command(*given).returncode == 0
    assert rows(out) == before


@pytest.mark.parametrize("package", ["pyarrow", "joblib", "threadpoolctl"])
def test_a_missing_package_is_named(
    package: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    done = command(*SCORE, fill(tmp_path / "tree", 1), "--section", "00", "--out", tmp_path / "out", "--jobs", 2)
    assert_error(done, f"the package {package}", "pip install 'edge-asd[archive]'")
    assert not (tmp_path / "out").exists()


def test_a_recording_that_changes_while_it_is_read_is_passed_over(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, out = fill(tmp_path / "tree", 2), tmp_path / "out"
    push = Verdicts.push

    def changing(self: Verdicts, verdict: Verdict) -> None:
        if self.rows == 2:
            with open(tree / self._file, "ab") as file:
                file.write(b"\0" * 32)
        push(self, verdict)

    given = (*SCORE, tree, "--section", "00", "--out", out, "--json")
    with monkeypatch.context() as patch:
        patch.setattr(Verdicts, "push", lambda self, one: (changing if self._file == "00.wav" else push)(self, one))
        done = command(*given)
    assert done.returncode == 0
    assert "Passed over: 00.wav was changed while it was read. Try again when it is complete." in done.stderr
    assert list(passed_over(out)) == ["00.wav"]
    assert {row["file"] for row in rows(out)} == {"01.wav"}
    # It is tried again, and lies where it would have lain.
    assert json.loads(command(*given).stdout)["recordings_again"] == 1
    assert [row["file"] for row in rows(out)] == ["00.wav"] * 5 + ["01.wav"] * 5


def test_a_bundle_that_is_changed_meanwhile_ends_it(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Path(shutil.copy(BUNDLE, tmp_path / "mine.easd"))
    load = scoring.Bundle.load

    def other(path: Path) -> object:
        shutil.copy(NAMES["distance"], mine)
        return load(path)

    monkeypatch.setattr(scoring, "load_detector", pytest.fail)
    with monkeypatch.context() as patch:
        patch.setattr(scoring, "Bundle", type("Bundle", (), {"load": staticmethod(other)}))
        done = command("score", mine, fill(tmp_path / "tree", 1), "--section", "00", "--out", tmp_path / "out")
    assert_error(done, "mine.easd was changed while recordings were scored")
    assert list(contents(tmp_path / "out")) == ["score.json"]


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    order = [str(mount), "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if not mount or subprocess.run(order, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small file system here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_whole_partitions(full_disk: Path, command: Command, tmp_path: Path) -> None:
    tree, out = fill(tmp_path / "tree", 12), full_disk / "out"
    given = (*SCORE, tree, "--section", "00", "--partition", 0.1, "--out")
    assert_error(command(*given, out), "Cannot write", "No space left on device. Choose another place or free some")
    there = [path.name for path in (out / FILES).iterdir()]
    assert 0 < len(there) < 12
    assert {path.name for path in (out / SCORES).iterdir()} >= set(there)
    assert not [name for name in contents(out) if Path(name).name.startswith(".")]
    subprocess.run(["mount", "-o", "remount,size=10m", str(full_disk)], check=True)
    assert command(*given, out).returncode == 0
    assert command(*given, tmp_path / "whole").returncode == 0
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.prove
def test_files_that_may_not_grow_are_told_by_several_processes(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk, where none can be mounted; processes inherit it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    tree, out = fill(tmp_path / "tree", 4, seconds=60), tmp_path / "out"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
        process = start(tree, out, "--jobs", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    printed, errors = process.communicate(timeout=600)
    assert (process.returncode, printed) == (1, "")
    assert "Cannot write" in errors
    assert "File too large" in errors
    assert "Traceback" not in errors
    assert list(contents(out)) == ["score.json"]


def test_a_worker_that_sees_none_of_the_recordings_passes_over_none(tmp_path: Path) -> None:
    tree = fill(tmp_path / "tree", 2)
    there = find(tree).recordings
    away = [recording._replace(path=str(tmp_path / "unmounted" / recording.file)) for recording in there]
    bundle, config = Bundle.load(BUNDLE), SourceConfig(name="archive", bundle=BUNDLE)
    scored = Scored.of(tree, bundle, "00", config)
    for table in (SCORES, FILES):
        (tmp_path / "out" / table).mkdir(parents=True)

    def of(recordings: list[Recording], shared: bool) -> Job:
        return Job(tmp_path / "out", Part(1, tuple(recordings)), config, scored, shared)

    voice = Voice(0, lambda _: None)
    with pytest.raises(DataError, match=r"^Recordings are not seen .* such as \S+/unmounted/00\.wav\..* mounted\.$"):
        score_part(of(away, shared=True), voice)
    assert not list((tmp_path / "out").rglob("*.parquet"))
    # What was deleted meanwhile, or is deleted here, is passed over.
    some = score_part(of([there[0], away[1]], shared=True), voice)
    assert [row.passed_over is None for row in some.rows] == [True, False]
    assert [row.decisions for row in score_part(of(away, shared=False), voice).rows] == [0, 0]
