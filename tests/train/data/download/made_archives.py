"""Small archives in the layout of 2021, and records that list them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edge_asd.train.data.download import GROUND_TRUTH_PLACE
from edge_asd.train.data.download.records import RECORDS
from tests.train.data.download.http_server import Server
from tests.train.data.table1_tree import NOISE, SOUND_BYTES, wav_header

CLIPS = {
    "dev": (
        "train/section_00_source_train_normal_{:04d}_a_1.wav",
        "source_test/section_00_source_test_anomaly_{:04d}.wav",
    ),
    "eval-train": ("train/section_03_source_train_normal_{:04d}_a_1.wav",),
    "eval-test": ("source_test/section_03_source_test_{:04d}.wav", "target_test/section_03_target_test_{:04d}.wav"),
}
"""Clips of a machine, by part of 2021."""

NAMES = {"dev": "dev_data_{}.zip", "eval-train": "eval_data_{}_train.zip", "eval-test": "eval_data_{}_test.zip"}
"""Names of archives, by part of 2021."""


def clip(number: int, size: int = SOUND_BYTES) -> bytes:
    """Return a clip of ten seconds: a number, a little noise, and zeros."""
    sound = number.to_bytes(8, "little") + NOISE
    return wav_header(size) + sound + bytes(size - len(sound))


def zipped(files: Mapping[str, bytes], *, store: bool = False) -> bytes:
    """Return an archive of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if store else zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def clips_of(machine: str, part: str, count: int = 2) -> dict[str, bytes]:
    """Return the clips of a machine's archive."""
    seed = sum(machine.encode()) * 1000 + 100 * list(CLIPS).index(part)
    return {
        f"{machine}/{form.format(i)}": clip(seed + 10 * k + i)
        for k, form in enumerate(CLIPS[part])
        for i in range(count)
    }


def record_json(record: int, archives: Mapping[str, bytes]) -> bytes:
    """Return a record's list of files, as Zenodo has it."""
    return json.dumps(
        {
            "id": record,
            "title": "A data set",
            "files": [
                {
                    "id": "0",
                    "key": name,
                    "size": len(data),
                    "checksum": f"md5:{hashlib.md5(data).hexdigest()}",
                    "links": {"self": f"https://zenodo.org/api/records/{record}/files/{name}/content"},
                }
                for name, data in archives.items()
            ],
        }
    ).encode()


def publish(
    server: Server, record: int, archives: Mapping[str, bytes], listed: Mapping[str, bytes] | None = None
) -> None:
    """Serve a record; `listed` is what its list says instead of what is there."""
    server.files[f"/api/records/{record}"] = record_json(record, listed or archives)
    for name, data in archives.items():
        server.files[f"/records/{record}/files/{name}"] = data


def publish_2021(
    server: Server, machines: tuple[str, ...] = ("fan", "pump"), parts: tuple[str, ...] = ("dev",), count: int = 2
) -> dict[str, bytes]:
    """Serve the set of 2021, as archives that hold their files as they are; return the files that belong into DATA."""
    expected: dict[str, bytes] = {}
    for part in parts:
        archives = {}
        for machine in machines:
            files = clips_of(machine, part, count)
            expected |= files
            archives[NAMES[part].format(machine)] = zipped(files, store=True)
        publish(server, RECORDS[2021][part], archives)
    return expected


def publish_labels(server: Server, hashes: Mapping[str, bytes]) -> None:
    """Serve ground truth."""
    for name, data in hashes.items():
        server.files[f"/{GROUND_TRUTH_PLACE}/{name}"] = data


def tree(data: Path) -> dict[str, bytes]:
    """Return what lies in a data set, the hidden folder left out."""
    return {
        str(path.relative_to(data)): path.read_bytes()
        for path in sorted(data.rglob("*"))
        if path.is_file() and not path.relative_to(data).parts[0].startswith(".")
    }


def hidden(data: Path) -> list[str]:
    """Return what lies in the hidden folder of a data set."""
    work = data / ".edge-asd-download"
    return sorted(str(path.relative_to(work)) for path in work.rglob("*") if path.is_file())
