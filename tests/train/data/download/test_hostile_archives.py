"""Archives that are made to do harm, or are damaged: refused by the command, and nothing is left of them."""

from __future__ import annotations

import io
import os
import random
import resource
import stat
import struct
import time
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from edge_asd.own_set import ClipWriter, OwnSet
from edge_asd.train.data.download.records import RECORDS
from edge_asd.train.data.marker import write_marker
from tests.cli.command import assert_error
from tests.train.data.download.conftest import Fetch
from tests.train.data.download.http_server import Server
from tests.train.data.download.made_archives import clip, clips_of, publish, tree, zipped

DEV = RECORDS[2021]["dev"]
GOOD = "fan/train/section_00_source_train_normal_0000_a_1.wav"
OTHER = "fan/train/section_00_source_train_normal_0001_a_1.wav"
CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"


def refuse(server: Server, fetch: Fetch, data: Path, archive: bytes, *words: str) -> None:
    publish(server, DEV, {"dev_data_fan.zip": archive})
    before = sorted(str(path) for path in data.parent.rglob("*"))
    assert_error(fetch(), "dev_data_fan.zip", *words)
    assert not data.exists()
    assert sorted(str(path) for path in data.parent.rglob("*")) == before


def entry(name: str, data: bytes = b"x", *, mode: int = 0o100644) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo("placeholder")
    info.filename = name  # as it is: the constructor mends it
    info.external_attr = mode << 16
    return info, data


def archive_of(*entries: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(*entry(GOOD, clip(1)))
        for info, data in entries:
            archive.writestr(info, data)
    return buffer.getvalue()


def bomb(name: str, *, size: int, told: int) -> bytes:
    """Return an archive of `size` zeros whose entry says that there are `told`: one block of deflate, repeated."""
    chunk = 1 << 20
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = squeeze.compress(bytes(chunk)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = first * (size // chunk) + squeeze.flush(zlib.Z_FINISH)
    raw, crc = name.encode(), zlib.crc32(bytes(told)) if told < chunk else 0
    extra = struct.pack("<HHQQ", 1, 16, told, len(packed))
    head = struct.pack("<HHHHHLLLHH", 45, 0, 8, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(raw), len(extra))
    local = LOCAL + head + raw + extra
    tail = struct.pack("<HHHLL", 0, 0, 0, 0o100644 << 16, 0)
    central = CENTRAL + struct.pack("<H", 45) + head + tail + raw + extra
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(central), len(local) + len(packed), 0)
    return local + packed + central + end


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../evil.wav", "leads elsewhere"),
        ("fan/train/../../../evil.wav", "leads elsewhere"),
        ("fan/./train/x.wav", "leads elsewhere"),
        ("fan//train/x.wav", "leads elsewhere"),
        ("/tmp/evil.wav", "root of the disk"),
        ("C:/evil.wav", "drive"),
        ("c:evil.wav", "drive"),
        ("..\\evil.wav", "backslash"),
        ("fan\\train\\x.wav", "backslash"),
        ("fan/train/a\nb.wav", "cannot be shown"),
        ("fan/train/a\x1b[2J.wav", "cannot be shown"),
        (f"fan/train/{'x' * 300}.wav", "too long"),
        ("fan/train/../", "leads elsewhere"),
        (f"fan/{'a/' * 30}x.wav", "in 31 folders"),
        (f"fan/{'a/' * 20_000}x.wav", "too long"),
    ],
)
def test_names_that_lead_elsewhere(server: Server, fetch: Fetch, data: Path, name: str, why: str) -> None:
    refuse(server, fetch, data, archive_of(entry(name)), why)


def test_a_name_with_a_zero_byte(server: Server, fetch: Fetch, data: Path) -> None:
    archive = archive_of(entry("fan/train/a?b.wav")).replace(b"a?b.wav", b"a\0b.wav")
    refuse(server, fetch, data, archive, "cannot be shown")


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (stat.S_IFLNK | 0o777, "symbolic link"),
        (stat.S_IFIFO | 0o644, "no regular file"),
        (stat.S_IFCHR | 0o644, "no regular file"),
        (stat.S_IFSOCK | 0o644, "no regular file"),
    ],
)
def test_what_is_no_file(server: Server, fetch: Fetch, data: Path, mode: int, why: str) -> None:
    refuse(server, fetch, data, archive_of(entry("fan/train/x.wav", b"/etc/passwd", mode=mode)), why)


@pytest.mark.parametrize(
    "name",
    [
        GOOD,
        GOOD.upper().replace("FAN/TRAIN", "fan/train"),
        GOOD.replace("fan", "Fan"),
        f"dev_data/{GOOD}",
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_place_for_two_files(server: Server, fetch: Fetch, data: Path, name: str) -> None:
    refuse(server, fetch, data, archive_of(entry(name, clip(2))), "two" if name.startswith("dev") else "twice")


def test_one_name_in_two_forms_of_unicode(server: Server, fetch: Fetch, data: Path) -> None:
    names = [unicodedata.normalize(form, "fan/train/\u00fcber.wav") for form in ("NFC", "NFD")]
    assert names[0] != names[1]
    refuse(server, fetch, data, archive_of(*[entry(name) for name in names]), "twice")


def test_a_file_that_is_a_folder_too(server: Server, fetch: Fetch, data: Path) -> None:
    refuse(server, fetch, data, archive_of(entry("fan/train/a"), entry("fan/train/a/b.wav")), "file and as a folder")


def test_ten_gigabytes_of_zeros_in_ten_megabytes(server: Server, fetch: Fetch, data: Path) -> None:
    archive = bomb(GOOD, size=10 << 30, told=10 << 30)
    assert 9e6 < len(archive) < 12e6
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(server, fetch, data, archive, "would unpack to 10,737,418,240 bytes", "times its size")
    # Entries that say less than there is.
    refuse(server, fetch, data, bomb(GOOD, size=10 << 30, told=4096), "one of its lengths is wrong")
    refuse(server, fetch, data, bomb(GOOD, size=10 << 30, told=60 << 20), "damaged")
    assert time.monotonic() - started < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_an_encrypted_file(server: Server, fetch: Fetch, data: Path) -> None:
    archive = bytearray(zipped({GOOD: clip(1)}))
    for mark, offset in ((LOCAL, 6), (CENTRAL, 8)):
        archive[archive.index(mark) + offset] |= 1
    refuse(server, fetch, data, bytes(archive), "encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_these_sets_do_not_use(server: Server, fetch: Fetch, data: Path, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(GOOD, clip(1))
    refuse(server, fetch, data, buffer.getvalue(), f"method {method}")


def test_damaged_archives(server: Server, fetch: Fetch, data: Path) -> None:
    good = zipped(clips_of("fan", "dev"))
    for damaged in (b"no archive", good[: len(good) // 2], b"", good[:-22] + bytes(22)):
        if damaged:
            refuse(server, fetch, data, damaged, "damaged", "refused")
    middle = good.index(CENTRAL) // 2
    refuse(server, fetch, data, good[:middle] + bytes([good[middle] ^ 8]) + good[middle + 1 :], "refused")
    # A directory that is said to have four gigabytes.
    refuse(server, fetch, data, good[:-10] + struct.pack("<L", 0xFFFFFFF0) + good[-6:], "refused")


@pytest.mark.prove
def test_any_damage_is_told_and_harms_nothing(server: Server, fetch: Fetch, data: Path) -> None:
    good, chance = bytearray(zipped(clips_of("fan", "dev", 1))), random.Random(5)
    start, placed = good.index(CENTRAL), 0
    for _ in range(150):
        damaged = bytearray(good)
        for _ in range(chance.choice((1, 2, 8))):
            damaged[chance.randrange(start if chance.random() < 0.8 else 0, len(good))] = chance.randrange(256)
        publish(server, DEV, {"dev_data_fan.zip": bytes(damaged)})
        outside = set(data.parent.iterdir()) - {data}
        done = fetch()
        assert set(data.parent.iterdir()) - {data} == outside
        if done.returncode:
            assert_error(done, "dev_data_fan.zip")
            assert not data.exists(), done.stderr
        else:
            placed += 1
            os.rename(data, data.parent / f"data {placed}")
    print(f"{placed} of 150 were harmless")


def test_archives_of_something_else(server: Server, fetch: Fetch, data: Path) -> None:
    for files in ({"README.md": b"hello"}, {"fan/clips/x.wav": clip(1)}, {"train/train/x.wav": clip(1)}):
        refuse(server, fetch, data, zipped(files), "refused")


@pytest.mark.parametrize("top", ["", "dev_data/", "dev_data_fan/", "a/b/"])
def test_folders_around_the_machine_are_left_away(server: Server, fetch: Fetch, data: Path, top: str) -> None:
    clips = clips_of("fan", "dev")
    files = {f"{top}{name}": content for name, content in clips.items()}
    beside = {f"{top}fan/attributes_00.csv": b"file_name,d1p\n", "README.md": b"x", "__MACOSX/fan/train/._x.wav": b"x"}
    publish(server, DEV, {"dev_data_fan.zip": zipped({**files, **beside})})
    done = fetch()
    assert done.returncode == 0, done.stderr
    assert tree(data) == {**clips, "fan/attributes_00.csv": b"file_name,d1p\n"}
    assert "left out 2 files that are of no machine: README.md, __MACOSX/fan/train/._x.wav." in done.stderr


def test_clips_without_a_machine_s_folder_are_of_the_one_that_the_name_tells(
    server: Server, fetch: Fetch, data: Path
) -> None:
    clips = clips_of("fan", "dev")
    publish(server, DEV, {"dev_data_fan.zip": zipped({name.removeprefix("fan/"): c for name, c in clips.items()})})
    assert fetch().returncode == 0
    assert tree(data) == clips


def test_nothing_of_the_user_s_is_overwritten(server: Server, fetch: Fetch, data: Path) -> None:
    clips = clips_of("fan", "dev")
    publish(server, DEV, {"dev_data_fan.zip": zipped(clips)})
    mine, same, *_ = clips
    for name, content in ((mine, b"mine"), (same, clips[same])):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    assert_error(fetch(), "1 of the 4 files of dev_data_fan.zip", mine, "Nothing of yours is overwritten")
    assert tree(data) == {mine: b"mine", same: clips[same]}
    # The archive waits for the way to be free.
    asked = len(server.asked_for(".zip"))
    (data / mine).unlink()
    assert fetch().returncode == 0
    assert len(server.asked_for(".zip")) == asked
    assert tree(data) == clips
    # A file where a folder is needed, and a folder where a file is.
    for wrong in ("file", "folder"):
        os.rename(data, data.parent / f"before {wrong}")
        path = data / ("fan" if wrong == "file" else mine)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if wrong == "file" else path.mkdir()
        assert_error(fetch(), "Nothing of yours is overwritten")
        assert path.exists()


def test_a_mended_archive_replaces_what_the_earlier_one_placed(server: Server, fetch: Fetch, data: Path) -> None:
    old, new = clips_of("fan", "dev"), dict(clips_of("fan", "dev"))
    mended, gone, changed, kept = old
    new[mended], new["fan/train/section_00_source_train_normal_0002_a_1.wav"] = clip(99), clip(98)
    del new[gone]
    publish(server, DEV, {"dev_data_fan.zip": zipped(old)})
    assert fetch().returncode == 0
    (data / changed).write_bytes(b"mine")
    publish(server, DEV, {"dev_data_fan.zip": zipped(old), "dev_data_fan_r2.zip": zipped(new)})
    done = fetch()
    assert_error(done, "dev_data_fan_r2.zip", changed, "Nothing of yours is overwritten")
    (data / changed).write_bytes(old[changed])
    done = fetch("--json")
    assert done.returncode == 0, done.stderr
    assert "dev_data_fan_r2.zip takes the place of dev_data_fan.zip, which is not fetched." in done.stderr
    assert tree(data) == new
    assert kept in new
    assert "Nothing to do" in fetch().stdout


def test_deep_names_take_neither_memory_nor_time(server: Server, fetch: Fetch, data: Path) -> None:
    """All folders above each of a hundred names that fill their field would be over a hundred gigabytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    names = [f"fan/{i:03d}/" + "a/" * 30_000 + "x.wav" for i in range(100)]
    refuse(server, fetch, data, archive_of(*map(entry, names)), "too long")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("name", ["dev_...zip", "dev_..zip", "dev_-rf.zip", "dev_a,b.zip"])
def test_a_name_that_is_no_machine_s(server: Server, fetch: Fetch, data: Path, name: str) -> None:
    publish(server, DEV, {name: zipped({GOOD.removeprefix("fan/"): clip(1)})})
    assert_error(fetch(), name, "does not tell which machine")
    assert not data.exists()


@pytest.mark.parametrize("made_by", ["data record", "data synth"])
def test_published_clips_are_not_mixed_with_clips_made_here(
    server: Server, fetch: Fetch, data: Path, made_by: str
) -> None:
    publish(server, DEV, {"dev_data_fan.zip": zipped({GOOD: clip(1)})})
    if made_by == "data record":
        ClipWriter(OwnSet(data, "fan", "00", "source"), made_by="edge-asd data record").prepare()
    else:
        (data / "fan").mkdir(parents=True)
        write_marker(data / "fan", preset="tiny", seed=0, table1_counts=False, recordings=False)
    before = tree(data)
    assert_error(fetch(), "not mixed", "--out")
    assert tree(data) == before
    assert server.asked_for("dev_data_fan.zip") == []


def test_an_archive_brings_no_marks_of_this_program(server: Server, fetch: Fetch, data: Path) -> None:
    marks = {f"fan/{name}": b"{}" for name in ("own.json", "imported.jsonl", "synthetic.json")}
    publish(server, DEV, {"dev_data_fan.zip": zipped({GOOD: clip(1), **marks})})
    run = fetch()
    assert run.returncode == 0, run.stderr
    assert list(tree(data)) == [GOOD]
    assert "left out 3 files" in run.stderr
