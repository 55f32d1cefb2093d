from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge_asd.errors import OutputError
from edge_asd.files import _umask, creating, prepare_folder, results_folder, write_atomically


def test_a_file_is_written_with_its_folders_and_the_usual_permissions(tmp_path):
    path = tmp_path / "a" / "b" / "file.bin"
    mask = os.umask(0o027)
    try:
        write_atomically(path, b"one")
    finally:
        os.umask(mask)
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_atomically(path, b"")
    assert path.read_bytes() == b""
    assert [entry.name for entry in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("name", ["file/below/a", "file/a", "folder", "x" * 300])
def test_a_place_that_cannot_be_written_is_named_and_left_alone(tmp_path, name):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "content").touch()
    path = tmp_path / name
    with pytest.raises(OutputError, match="Choose another place") as error:
        write_atomically(path, b"new")
    assert str(path) in str(error.value)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["content", "file", "folder"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_read_only_system_folder_is_an_error_even_for_root():
    with pytest.raises(OutputError, match="Cannot write /proc/edge_asd/file"):
        write_atomically(Path("/proc/edge_asd/file"), b"new")
    with pytest.raises(OutputError, match="Cannot write into /proc/edge_asd"):
        prepare_folder(Path("/proc/edge_asd"))


def test_an_error_halfway_keeps_the_old_file_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    program = (
        "import sys; from pathlib import Path; from edge_asd.files import write_atomically\n"
        "from edge_asd.errors import OutputError\n"
        "try: write_atomically(Path(sys.argv[1]), bytes(1 << 20))\n"
        "except OutputError as error: print(error)"
    )

    def limit() -> None:  # as good as a full disk: the write stops in the middle
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    result = subprocess.run(
        [sys.executable, "-c", program, str(path)], preexec_fn=limit, capture_output=True, text=True, check=True
    )
    assert result.stdout == f"Cannot write {path}: File too large. Choose another place or free some space.\n"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_made_and_one_that_exists_is_kept(tmp_path):
    folder = tmp_path / "a" / "b"
    assert prepare_folder(folder) == folder
    (folder / "file").touch()
    assert prepare_folder(folder) == folder
    assert [entry.name for entry in folder.iterdir()] == ["file"]
    with pytest.raises(OutputError, match="Choose another --out"):
        prepare_folder(folder / "file")


def test_results_go_into_a_folder_of_their_own(tmp_path):
    out = tmp_path / "deep" / "out"
    with results_folder(out, "mark"):
        assert out.is_dir()
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        with results_folder(out, "mark"):
            (out / "mark").touch()
    (out / "mark").rename(out / "mine")
    with pytest.raises(OutputError, match="other files"), results_folder(out, "mark"):
        pass
    assert [path.name for path in out.iterdir()] == ["mine"]


def test_a_new_file_appears_whole_and_never_in_the_place_of_another(tmp_path):
    path = tmp_path / "file"
    with creating(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    with pytest.raises(FileExistsError), creating(path) as file:
        file.write(b"two")
    assert path.read_bytes() == b"one"
    with pytest.raises(KeyboardInterrupt), creating(tmp_path / "other"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_appears_where_files_have_no_second_names(tmp_path, monkeypatch):
    def refuse(source: str, target: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    test_a_new_file_appears_whole_and_never_in_the_place_of_another(tmp_path)
