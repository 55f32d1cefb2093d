from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import edge_asd.train.features.cache
from edge_asd.audio.health import level_db
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.hashes import file_digest
from edge_asd.train.features.cache import FeatureCache, cache_folder
from edge_asd.train.features.extraction import extract
from edge_asd.train.features.store import ClipFeatures, FeatureStore
from tests.data import MACHINE, write_wav

ROOT = Path(__file__).resolve().parents[3]
SPEC, FRAMES = FeatureSpec(), 5


@pytest.fixture
def clips(tiny_data) -> list[Clip]:
    return Dataset(tiny_data, MACHINE).clips


def short_clips(root: Path, count: int) -> list[Clip]:
    """Clips of a fifth of a second, quick to compute."""
    rng = np.random.default_rng(5)
    for i in range(count):
        pcm = rng.integers(-3000, 3000, 3200, dtype=np.int16)
        write_wav(root / f"fan/train/section_00_source_train_normal_{i:04d}.wav", pcm)
    return Dataset(root, "fan").clips


def assert_right(clips: list[Clip], features: list[ClipFeatures], spec: FeatureSpec = SPEC) -> None:
    assert len(features) == len(clips)
    for clip, found in zip(clips, features, strict=True):
        pcm = clip.read(spec, FRAMES).pcm
        assert np.array_equal(found.frames, log_mel(pcm, spec))
        assert (found.frames.dtype, found.level_db) == (np.int32, level_db(pcm))


def entries(folder: Path) -> list[Path]:
    """Find what is kept, and what was left unfinished."""
    return sorted(path for path in folder.glob("log-mel-*/*/*") if path.is_file())


def python(program: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, **options)  # type: ignore[call-overload]


# --- Equality


def test_features_are_those_of_the_front_end_at_first_and_later(clips, tmp_path):
    cache = FeatureCache(tmp_path / "cache")
    assert_right(clips, cache.features(clips, SPEC, FRAMES))
    written = {path: path.stat().st_ino for path in entries(tmp_path / "cache")}
    assert len(written) == len(clips)
    again = cache.features(clips, SPEC, FRAMES)
    assert_right(clips, again)
    assert {path: path.stat().st_ino for path in entries(tmp_path / "cache")} == written
    assert not any(found.frames.flags.writeable for found in again)


def test_what_is_kept_is_what_is_used(clips, tmp_path):
    store = FeatureStore(tmp_path, SPEC)
    mark = ClipFeatures(np.arange(6 * 128, dtype=np.int32).reshape(6, 128), -12.5)
    store.write(file_digest(clips[3].path), mark)
    found = FeatureCache(tmp_path).features(clips, SPEC, FRAMES)
    assert np.array_equal(found[3].frames, mark.frames)
    assert found[3].level_db == -12.5
    assert_right(clips[:3] + clips[4:], found[:3] + found[4:])


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_in_the_same_order(tmp_path, workers):
    clips = short_clips(tmp_path / "data", 70)
    steps: list[tuple[int, int, str]] = []
    cache = FeatureCache(tmp_path / "cache", workers=workers)
    # Some are there already.
    cache.features(clips[10:20], SPEC, FRAMES)
    found = cache.features(clips, SPEC, FRAMES, progress=lambda *step: steps.append(step))
    assert_right(clips, found)
    assert [step[0] for step in steps] == sorted({step[0] for step in steps})
    assert steps[-1][:2] == (70, 70)


def test_contents_count_and_not_names(clips, tmp_path):
    copy = tmp_path / "fan/train/section_09_target_train_normal_0123.wav"
    copy.parent.mkdir(parents=True)
    shutil.copy(clips[0].path, copy)
    cache = FeatureCache(tmp_path / "cache")
    cache.features([clips[0], *Dataset(tmp_path, "fan").clips], SPEC, FRAMES)
    assert len(entries(tmp_path / "cache")) == 1
    # The same name with another sound.
    shutil.copy(clips[1].path, copy)
    (other,) = Dataset(tmp_path, "fan").clips
    assert_right([other], cache.features([other], SPEC, FRAMES))
    assert len(entries(tmp_path / "cache")) == 2


def test_another_front_end_number_shares_nothing(clips, tmp_path, monkeypatch):
    FeatureCache(tmp_path).features(clips, SPEC, FRAMES)
    ours, theirs = FeatureStore(tmp_path, SPEC), FeatureStore(tmp_path, SPEC, FRONTEND_NUMBER + 1)
    digest = file_digest(clips[0].path)
    assert ours.read(digest) is not None
    assert theirs.read(digest) is None
    # Not even where its file is taken for one of the other.
    theirs.path(digest).parent.mkdir(parents=True)
    shutil.copy(ours.path(digest), theirs.path(digest))
    assert theirs.read(digest) is None
    monkeypatch.setattr(edge_asd.train.features.cache, "FRONTEND_NUMBER", FRONTEND_NUMBER + 1)
    FeatureCache(tmp_path).features(clips, SPEC, FRAMES)
    assert len(entries(tmp_path)) == 2 * len(clips)
    assert theirs.read(digest) is not None


def test_another_specification_shares_nothing(clips, tmp_path):
    for spec in (SPEC, FeatureSpec(n_mels=64), FeatureSpec(hop_length=256), FeatureSpec(sample_rate=8000)):
        assert_right(clips[:3], FeatureCache(tmp_path).features(clips[:3], spec, FRAMES), spec)
    assert len(entries(tmp_path)) == 12


# --- Damage


def damages() -> dict[str, object]:
    def flip(at: int):  # type: ignore[no-untyped-def]
        def damage(path: Path) -> None:
            data = bytearray(path.read_bytes())
            data[at] ^= 4
            path.write_bytes(data)

        return damage

    result: dict[str, object] = {f"byte {at}": flip(at) for at in (*range(84), 128, 5000, -1)}
    result["empty"] = lambda path: path.write_bytes(b"")
    result["short header"] = lambda path: os.truncate(path, 100)
    result["no values"] = lambda path: os.truncate(path, 128)
    result["one byte less"] = lambda path: os.truncate(path, path.stat().st_size - 1)
    result["one frame less"] = lambda path: os.truncate(path, path.stat().st_size - 512)
    result["one frame more"] = lambda path: os.truncate(path, path.stat().st_size + 512)
    result["zeros"] = lambda path: path.write_bytes(bytes(path.stat().st_size))
    return result


def test_a_damaged_entry_is_computed_again_without_a_word(clips, tmp_path):
    (clip,) = clips[:1]
    notes: list[str] = []
    cache = FeatureCache(tmp_path, note=notes.append)
    cache.features([clip], SPEC, FRAMES)
    (entry,) = entries(tmp_path)
    whole = entry.read_bytes()
    for name, damage in damages().items():
        damage(entry)  # type: ignore[operator]
        assert entry.read_bytes() != whole, name
        assert FeatureStore(tmp_path, SPEC).read(file_digest(clip.path)) is None, name
        assert_right([clip], cache.features([clip], SPEC, FRAMES))
        assert entry.read_bytes() == whole, name
    assert notes == []


def test_the_entry_of_another_clip_is_refused(clips, tmp_path):
    FeatureCache(tmp_path).features(clips[:2], SPEC, FRAMES)
    store = FeatureStore(tmp_path, SPEC)
    first, second = (file_digest(clip.path) for clip in clips[:2])
    shutil.copy(store.path(first), store.path(second))
    assert_right(clips[:2], FeatureCache(tmp_path).features(clips[:2], SPEC, FRAMES))


def test_arrays_outlive_their_files(clips, tmp_path):
    found = FeatureCache(tmp_path).features(clips[:3], SPEC, FRAMES)
    part = found[1].frames[2:4]
    expected = part.copy()
    shutil.rmtree(tmp_path)
    assert_right(clips[:3], found)
    del found
    assert np.array_equal(part, expected)


# --- Several processes, and kills

HAMMER = """
import sys, pathlib, numpy as np
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.audio.health import level_db
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.hashes import file_digest
from edge_asd.train.features.extraction import extract
from edge_asd.train.features.store import FeatureStore
data, folder, rounds, seed = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
spec = FeatureSpec()
store, rng = FeatureStore(folder, spec), np.random.default_rng(seed)
known = []
for clip in Dataset(data, "fan").clips:
    digest = file_digest(clip.path)
    known.append((digest, extract(clip, digest, spec, 5)))
print("ready", flush=True)
for _ in range(rounds):
    for i in rng.permutation(len(known)):
        digest, right = known[i]
        store.write(digest, right)
        found = store.read(digest)
        # Others write the same entries all the time: there is always one, and it is always whole.
        assert found is not None and np.array_equal(found.frames, right.frames), "torn"
print("done", flush=True)
"""


def test_processes_that_write_the_same_entries_at_once(tmp_path):
    clips = short_clips(tmp_path / "data", 12)
    writers = [python(HAMMER, tmp_path / "data", tmp_path / "cache", 60, seed) for seed in range(4)]
    assert [writer.communicate()[0] for writer in writers] == ["ready\ndone\n"] * 4
    assert [writer.returncode for writer in writers] == [0] * 4
    assert len(entries(tmp_path / "cache")) == 12
    assert_right(clips, FeatureCache(tmp_path / "cache").features(clips, SPEC, FRAMES))


def test_kills_at_any_moment_leave_no_wrong_entry(tmp_path):
    clips = short_clips(tmp_path / "data", 12)
    right = FeatureCache(tmp_path / "right").features(clips, SPEC, FRAMES)
    store = FeatureStore(tmp_path / "cache", SPEC)
    rng = np.random.default_rng(7)
    for seed in range(8):
        with python(HAMMER, tmp_path / "data", tmp_path / "cache", 10**6, seed) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
        for clip, expected in zip(clips, right, strict=True):
            found = store.read(file_digest(clip.path))
            assert found is None or np.array_equal(found.frames, expected.frames)
        if seed % 3 == 2:
            shutil.rmtree(tmp_path / "cache")
    assert_right(clips, FeatureCache(tmp_path / "cache").features(clips, SPEC, FRAMES))


def test_what_a_killed_process_left_is_swept_away_later(clips, tmp_path):
    FeatureCache(tmp_path).features(clips[:1], SPEC, FRAMES)
    (entry,) = entries(tmp_path)
    old, young = entry.parent / ".old", entry.parent / ".young"
    for path, age in ((old, 4000), (young, 100), (entry, 4000)):
        path.write_bytes(entry.read_bytes())
        os.utime(path, (time.time() - age,) * 2)
    FeatureCache(tmp_path).features(clips[:1], SPEC, FRAMES)
    assert set(entries(tmp_path)) == {entry, young}


# --- Clips that cannot be used


def test_a_broken_clip_is_named_by_threads_too(tmp_path):
    clips = short_clips(tmp_path / "data", 60)
    write_wav(clips[41].path, np.zeros(3200, np.int16))
    for workers in (1, 2):
        with pytest.raises(DataError, match=f"{clips[41].path.name} holds only zeros"):
            FeatureCache(tmp_path / str(workers), workers=workers).features(clips, SPEC, FRAMES)


def test_a_clip_that_is_kept_may_still_be_too_short(tmp_path):
    clips = short_clips(tmp_path / "data", 2)
    cache = FeatureCache(tmp_path / "cache")
    assert_right(clips, cache.features(clips, SPEC, FRAMES))
    with pytest.raises(DataError, match="shorter than one window"):
        cache.features(clips, SPEC, 6)


def test_a_clip_that_changes_while_it_is_read(clips):
    with pytest.raises(DataError, match="changed while it was read"):
        extract(clips[0], file_digest(clips[1].path), SPEC, FRAMES)


def test_clips_that_cannot_be_read(tmp_path):
    clips = short_clips(tmp_path, 3)
    clips[0].path.unlink()
    clips[1].path.unlink()
    os.mkfifo(clips[1].path)
    for clip, words in ((clips[0], "cannot be read: No such file"), (clips[1], "is not a regular file")):
        with pytest.raises(AudioFormatError, match=words):
            FeatureCache(tmp_path / "cache").features([clip], SPEC, FRAMES)


# --- Where they are kept


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_that_cannot_be_written_costs_one_note(tmp_path, workers):
    clips = short_clips(tmp_path / "data", 40)
    (tmp_path / "file").touch()
    notes: list[str] = []
    cache = FeatureCache(tmp_path / "file" / "cache", workers=workers, note=notes.append)
    for _ in range(2):
        assert_right(clips, cache.features(clips, SPEC, FRAMES))
    (note,) = notes
    assert note == (
        f"Features cannot be kept in {tmp_path}/file/cache (Not a directory); they are computed every time and held "
        "in memory. Choose a folder with --cache or EDGE_ASD_CACHE."
    )


def test_a_full_disk_costs_one_note(tmp_path):
    clips = short_clips(tmp_path / "data", 12)
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("filling a disk needs the right to mount one")
    try:
        notes: list[str] = []
        cache = FeatureCache(disk, note=notes.append)
        found = cache.features(clips, SPEC, FRAMES)
        assert_right(clips, found)
        assert [("No space left on device" in note) for note in notes] == [True]
        assert 0 < len(entries(disk)) < 12
        assert not any(path.name.startswith(".") for path in entries(disk))
        assert_right(clips, cache.features(clips, SPEC, FRAMES))
        del found
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_the_folder_is_chosen_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_ASD_CACHE", str(tmp_path / "chosen"))
    assert cache_folder() == tmp_path / "chosen"
    monkeypatch.setenv("EDGE_ASD_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/edge-asd"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for nothing in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", nothing)
        assert cache_folder() == tmp_path / "home/.cache/edge-asd"


def test_the_tests_keep_away_from_the_users_cache(features_folder, tiny_data):
    assert cache_folder() == features_folder
    FeatureCache().features(Dataset(tiny_data, MACHINE).clips[:1], SPEC, FRAMES)
    assert entries(features_folder)


# --- Memory


def test_mapped_clips_need_no_open_file_each(tmp_path):
    clips = short_clips(tmp_path / "data", 80)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 20, hard))
    try:
        found = FeatureCache(tmp_path / "cache", workers=1).features(clips, SPEC, FRAMES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert_right(clips, found)


@pytest.mark.prove
def test_listing_and_set_up_take_the_same_memory_for_ten_times_the_clips():
    command = [sys.executable, ROOT / "benchmarks/features.py", "--memory-only", "--json"]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for what in ("listing", "setup"):
        assert abs(figures[f"{what}_peak_bytes_1000"] / figures[f"{what}_peak_bytes_100"] - 1) < 0.1
