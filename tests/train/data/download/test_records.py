"""Lists of files and choices of machines, parts and years: what is fetched for each, and what is refused."""

from __future__ import annotations

import gc
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from edge_asd.errors import DownloadError
from edge_asd.train.data.download.archive_names import machine_of, stem_and_revision
from edge_asd.train.data.download.records import RECORDS, parse_record
from tests.cli.command import assert_error
from tests.train.data.download.conftest import Fetch
from tests.train.data.download.http_server import Server
from tests.train.data.download.made_archives import clips_of, publish, publish_2021, record_json, tree, zipped

DEV = RECORDS[2021]["dev"]
SUM = f"md5:{'0a' * 16}"
FILE = {"key": "dev_data_fan.zip", "size": 10, "checksum": SUM}


@pytest.mark.parametrize(
    "files",
    [
        [FILE],
        [{"filename": "dev_data_fan.zip", "filesize": 10, "checksum": "0A" * 16}],
        {"enabled": True, "entries": {"dev_data_fan.zip": {**FILE, "mimetype": "application/zip"}}},
        [FILE, {"key": "read me.txt"}],
    ],
)
def test_the_forms_of_zenodo_s_lists_are_read(files: Any) -> None:
    (file,) = parse_record({"id": 7, "files": files}, 7, "The list")
    assert (file.name, file.size, file.md5) == ("dev_data_fan.zip", 10, "0a" * 16)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "lists no files"),
        ({"files": []}, "lists no files"),
        ({"files": "dev_data_fan.zip"}, "lists no files"),
        ({"id": 8, "files": [FILE]}, "of the record 8, not of 7"),
        ({"files": [FILE] * 2}, "twice"),
        ({"files": [FILE, {**FILE, "key": "DEV_DATA_FAN.zip"}]}, "twice"),
        ({"files": [FILE] * 1001}, "1,001 files"),
        ({"files": [{"key": "a.txt"}]}, "no .zip archive"),
        ({"files": [7]}, "no object"),
        ({"files": [{}]}, "without a name"),
        *[
            ({"files": [{**FILE, "key": name}]}, "unsafe name")
            for name in (
                "../x.zip",
                "a/b.zip",
                "a\\b.zip",
                ".x.zip",
                "-x.zip",
                "a\nb.zip",
                "c:.zip",
                "x" * 300 + ".zip",
            )
        ],
        *[({"files": [{**FILE, "size": size}]}, "the size") for size in (-1, 0, 1.5, "10", True, None, 2**50, 10**400)],
        *[({"files": [{**FILE, "checksum": text}]}, "no MD5") for text in (None, "", "sha256:" + "0" * 64, "md5:0", 7)],
    ],
)
def test_hostile_lists_are_refused(document: Any, words: str) -> None:
    with pytest.raises(DownloadError, match=words):
        parse_record(document, 7, "The list")


def test_years_are_kept_apart(server: Server, fetch: Fetch, data: Path) -> None:
    placed = publish_2021(server, ("fan",))
    assert fetch().returncode == 0
    archives = {f"dev_{machine}.zip": zipped(clips_of(machine, "dev", 1)) for machine in ("fan", "bearing")}
    publish(server, RECORDS[2022]["dev"], archives)
    server.requests.clear()
    assert_error(fetch("--year", 2022), "holds clips of fan of 2021", "choose another --out")
    assert len(server.requests) == 1
    assert tree(data) == placed
    done = fetch("--year", 2022, "--machine", "bearing", "--json")
    assert done.returncode == 0, done.stderr
    assert f"{data} holds clips of 2021 as well (fan)." in " ".join(json.loads(done.stdout)["notes"])
    assert set(tree(data)) == {*placed, *clips_of("bearing", "dev", 1)}
    for again in (("--year", 2022, "--machine", "bearing"), ()):  # all is in place: nothing to tell
        done = fetch(*again, "--json")
        assert (done.returncode, json.loads(done.stdout)["notes"]) == (0, [])


def test_hostile_servers_are_refused(server: Server, fetch: Fetch, data: Path) -> None:
    path = f"/api/records/{DEV}"
    server.files[path] = b" " * (5 << 20)
    assert_error(fetch(), "larger than 4,194,304 bytes")
    for text in (b"<html>Log in</html>", b"[" * 100_000, b'{"id": 1, "id": 2}', b'{"id": NaN}', b"[]", b"", b"{\xff}"):
        server.files[path] = text
        assert_error(fetch(), path, "is not a list of files", "last of 4 attempts")
    for words, *targets in (
        ("leads to an address that is refused", "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1"),
        ("leads to an address that cannot be read", "http://[::1", "http://\xff\xfe/"),
        ("without an end", path),
    ):
        for target in targets:
            server.redirects[path] = target
            assert_error(fetch(), words)
            gc.collect()  # warns of connections left open, and warnings are errors
    del server.redirects[path]
    server.files[path] = record_json(DEV, {"dev_data_fan.zip": b"x"}).replace(b'"size": 1', b'"size": 900000000000')
    assert_error(fetch(), "free, and dev_data_fan.zip, 900.0 GB needs 2025.1 GB")
    assert not data.exists()
    assert server.asked_for(".zip") == []


@pytest.mark.parametrize(
    ("name", "machine", "revision"),
    [
        ("dev_data_fan.zip", "fan", 1),
        ("eval_data_train_ToyConveyor.zip", "ToyConveyor", 1),
        ("eval_data_test_fan.zip", "fan", 1),
        ("eval_data_ToyCar_train.zip", "ToyCar", 1),
        ("dev_bearing.zip", "bearing", 1),
        ("eval_data_3DPrinter_train_r2.zip", "3DPrinter", 2),
        ("dev_ToyCar_r2.zip", "ToyCar", 2),
        ("dev_ToyCarEmu.zip", "ToyCarEmu", 1),
        ("something.zip", None, 1),
    ],
)
def test_names_of_archives(name: str, machine: str | None, revision: int) -> None:
    assert machine_of(name) == machine
    assert stem_and_revision(name)[1] == revision


def test_machines_and_revisions_are_chosen_by_name(server: Server, fetch: Fetch, data: Path) -> None:
    machines = ("ToyCar", "ToyCarEmu", "fan")
    archives = {f"dev_{machine}.zip": zipped(clips_of(machine, "dev")) for machine in machines}
    archives["dev_ToyCar_r2.zip"] = zipped(clips_of("ToyCar", "dev", 1))
    archives["dev_ToyCar_r10.zip"] = zipped(clips_of("ToyCar", "dev", 3))
    archives["more fan noise.zip"] = zipped({"fan/supplemental/section_00_machine_0001_.wav": b"noise"})
    publish(server, RECORDS[2026]["dev"], archives)
    sander = zipped(clips_of("Sander", "eval-train"))
    publish(server, RECORDS[2026]["eval-train"], {"eval_data_Sander_train.zip": sander})
    publish(server, RECORDS[2026]["eval-test"], {"eval_data_Sander_test.zip": zipped(clips_of("Sander", "eval-test"))})
    assert_error(fetch("--year", 2026, "--machine", "pump"), "'pump'", "fan, more fan noise.zip, ToyCar, ToyCarEmu")
    done = fetch("--year", "2026", "--machine", "ToyCar", "--json")
    assert done.returncode == 0, done.stderr
    assert tree(data) == clips_of("ToyCar", "dev", 3)
    (archive,) = json.loads(done.stdout)["archives"]
    assert (archive["archive"], archive["replaces"]) == ("dev_ToyCar_r10.zip", ["dev_ToyCar.zip", "dev_ToyCar_r2.zip"])
    done = fetch("--year", 2026, "--machine", "fan,Sander", "--part", "all", "--json")
    assert done.returncode == 0, done.stderr
    assert [one["archive"] for one in json.loads(done.stdout)["archives"]] == [
        "dev_fan.zip", "more fan noise.zip", "eval_data_Sander_train.zip", "eval_data_Sander_test.zip",
    ]  # fmt: skip
    assert "There are no eval-train clips of fan in 2026." in done.stderr
    assert (data / "fan/supplemental/section_00_machine_0001_.wav").read_bytes() == b"noise"


def test_choices_that_cannot_be_met(server: Server, fetch: Fetch, data: Path) -> None:
    assert_error(fetch("--year", 2019), "no set of 2019", "2020 to 2026")
    assert_error(fetch("--part", "test"), "no part 'test'", "dev, eval-train, eval-test, mimii-due, all")
    assert_error(fetch("--year", 2022, "--part", "mimii-due"), "2022 has no part 'mimii-due'")
    assert_error(fetch("--part", "mimii-due,dev"), "Fetch it alone")
    assert_error(fetch("--part", "all", "--record", 5), "--record is the record of one part")
    assert_error(fetch("--machine", "../fan"), "'../fan' is not the name of a machine")
    assert_error(fetch("--year", 2022, "--ground-truth"), "labels of 2021")
    assert not data.exists()
    assert server.requests == []
    publish(server, 5, {"eval_data_Sander_test.zip": zipped(clips_of("Sander", "eval-test"))})
    done = fetch("--year", 2026, "--part", "eval-test", "--record", 5)
    assert done.returncode == 0, done.stderr
    assert tree(data) == clips_of("Sander", "eval-test")


def test_the_ground_truth_of_2021(
    server: Server, fetch: Fetch, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_asd.train.data.download import GROUND_TRUTH_PLACE, labels

    published = labels.ground_truth_files([])
    assert len(published) == 42
    # The published files are not to be had here: others, with their own list.
    files = {name: f"{name},1\n".encode() for name in published}
    listed = tmp_path / "list.sha256"
    listed.write_text("".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in files.items()))
    monkeypatch.setattr(labels, "_HASHES", listed)
    url = "--ground-truth-url"
    assert_error(
        fetch("--ground-truth", "--jobs", 1), "404", "There is no such thing there. Check --ground-truth-url, or"
    )
    assert_error(fetch("--ground-truth", url, "http://127.0.0.1:1"), "Connection refused", "last of 4 attempts")
    server.files |= {f"/{GROUND_TRUTH_PLACE}/{name}": text for name, text in files.items()}
    done = fetch("--ground-truth", "--machine", "fan", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ground_truth"] == {
        "folder": str(data / "ground_truth"), "files": 6, "fetched": 6,
    }  # fmt: skip
    assert json.loads(done.stdout)["archives"] == []
    expected = publish_2021(server, ("fan",))
    server.fault = lambda path, ranged: "bytes" if path.endswith(".csv") and len(server.requests) % 5 == 0 else None
    done = fetch("--ground-truth", "--part", "dev")
    assert done.returncode == 0, done.stderr
    assert "42 files" in done.stdout
    assert "36 of them fetched now" in done.stdout
    assert tree(data) == expected | {f"ground_truth/{name}": text for name, text in files.items()}
    assert fetch("--ground-truth").stdout.count("Nothing to do") == 1
    assert_error(fetch("--ground-truth", "--machine", "bearing"), "no ground truth of 'bearing'", "fan, gearbox, pump")
    name = next(iter(files))
    (data / "ground_truth" / name).write_text("mine")
    assert_error(fetch("--ground-truth"), name, "Nothing of yours is overwritten")
    (data / "ground_truth" / name).unlink()
    server.files[f"/{GROUND_TRUTH_PLACE}/{name}"] = b"forged"
    assert_error(fetch("--ground-truth"), f"{name} has another checksum")
    assert not (data / "ground_truth" / name).exists()
    server.files[f"/folder/{name}"] = files[name]
    assert fetch("--ground-truth", url, f"{server.url}/folder/").returncode == 0
    assert tree(data) == expected | {f"ground_truth/{name}": text for name, text in files.items()}
