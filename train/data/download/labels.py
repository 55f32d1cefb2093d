"""The ground truth of the evaluation clips of 2021: 42 CSV files of the challenge's evaluator, pinned by a commit.

Their SHA-256 lie beside, in ``ground_truth_2021.sha256``: whatever server they come from, they are these files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from edge_asd.errors import DataError
from edge_asd.files import write_atomically
from edge_asd.train.data.download.client import Client
from edge_asd.train.data.download.resuming import fetch

SERVER = "https://raw.githubusercontent.com"
PLACE = "y-kawagu/dcase2021_task2_evaluator/0c11634ba7259e4ae4a655646aebd6cd056cc523/ground_truth_data"
"""Where the files are on the server."""

FOLDER = "ground_truth"
"""The folder of a data set that they are put into."""

_LARGEST = 1 << 20  # bytes
_HASHES = Path(__file__).with_name("ground_truth_2021.sha256")


def ground_truth_files(machines: Sequence[str]) -> dict[str, str]:
    """Return the files of some machines, or all of them where none is named, with their SHA-256.

    Raises
    ------
    DataError
        If a machine has none.
    """
    lines = (line.split() for line in _HASHES.read_text().splitlines())
    files = {name: digest for digest, name in lines}
    for machine in machines:
        if not any(_is_of(name, machine) for name in files):
            known = sorted({name.split("_")[2] for name in files}, key=str.casefold)
            raise DataError(f"There is no ground truth of {machine!r} of 2021. There is of: {', '.join(known)}.")
    return {name: digest for name, digest in files.items() if not machines or any(_is_of(name, m) for m in machines)}


def missing_files(folder: Path, files: dict[str, str]) -> list[str]:
    """Return which files are not there yet.

    Raises
    ------
    DataError
        If one is there with other contents.
    """
    missing = []
    for name, digest in files.items():
        path = folder / name
        if not path.exists():
            missing.append(name)
        elif (
            not path.is_file()
            or path.stat().st_size > _LARGEST
            or hashlib.sha256(path.read_bytes()).hexdigest() != digest
        ):
            raise DataError(
                f"{path} is there, and is not the published file. Nothing of yours is overwritten: move it away."
            )
    return missing


def fetch_labels(client: Client, url: str, name: str, digest: str, kept: Path, folder: Path) -> None:
    """Fetch one file to `kept`, and put a copy into the data set.

    Raises
    ------
    DownloadError
        If it cannot be had, or is not the published file.
    OutputError
        If it cannot be written.
    """
    fetch(client, f"{url}/{name}", kept / name, f"sha256:{digest}", size=None, largest=_LARGEST)
    write_atomically(folder / name, (kept / name).read_bytes())


def _is_of(name: str, machine: str) -> bool:
    return name.startswith(f"ground_truth_{machine}_section_")
