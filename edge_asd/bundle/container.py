"""A few named files in one zip file, or in one folder: what a bundle is kept in.

Hostile until checked: names, number, sizes and compression of the entries are looked at before
anything is read, and nothing is ever extracted to the disk.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edge_asd.errors import BundleError
from edge_asd.files import write_atomically

_MAX_BYTES = 64 * 2**20  # of one file; a model that fits a microcontroller is far below


def write_container(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files as one zip, atomically; the same files give the same bytes.

    Raises
    ------
    OutputError
        If `path` cannot be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
    write_atomically(path, buffer.getvalue())


def read_container(path: Path, expected: set[str]) -> dict[str, bytes]:
    """Read exactly the files named in `expected`.

    Raises
    ------
    BundleError
        If `path` is neither a zip file nor a folder, or holds anything else, or too much.
    """
    try:
        if path.is_dir():
            return _read_folder(path, expected)
        if path.exists() and not path.is_file():
            raise BundleError("it is neither a file nor a folder.")
        return _read_zip(path, expected)
    except OSError as error:
        raise BundleError(
            f"it cannot be read ({error.strerror or error}). Check its path and permissions, or copy it again."
        ) from error


def _read_folder(path: Path, expected: set[str]) -> dict[str, bytes]:
    names = {entry.name for entry in path.iterdir()}
    _check_names(names, expected)
    files = {}
    for name in names:
        entry = path / name
        if not entry.is_file() or entry.stat().st_size > _MAX_BYTES:
            raise BundleError(f"{name} is not a file of at most {_MAX_BYTES >> 20} MiB; this is not a bundle.")
        files[name] = entry.read_bytes()
    return files


def _read_zip(path: Path, expected: set[str]) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len({entry.filename for entry in entries}) != len(entries):
                raise BundleError("the zip file names an entry twice; it is not a bundle that edge-asd wrote.")
            _check_names({entry.filename for entry in entries}, expected)
            for entry in entries:
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise BundleError(f"{entry.filename} is compressed in another way than edge-asd does.")
                if entry.file_size > _MAX_BYTES:
                    raise BundleError(f"{entry.filename} claims {entry.file_size} bytes; this is not a bundle.")
            return {entry.filename: archive.read(entry) for entry in entries}
    except FileNotFoundError:
        raise BundleError(
            "there is no such bundle. Make one with: edge-asd quantize RUN --data DATA --out ..."
        ) from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BundleError(f"the file is damaged or no bundle ({error}). Copy it again, or quantise anew.") from error
    except OSError as error:
        raise BundleError(
            f"the file cannot be read ({error.strerror or error}). Check its permissions, or copy it again."
        ) from error
    except Exception as error:
        if type(error).__module__ == "zlib":  # zlib.error derives from Exception alone
            raise BundleError("the file is damaged (bad compressed data). Copy it again, or quantise anew.") from error
        raise


def _check_names(names: set[str], expected: set[str]) -> None:
    if "run.json" in names:
        raise BundleError("this is a training run, not a bundle. Quantise it first: edge-asd quantize RUN ...")
    if missing := sorted(expected - names):
        raise BundleError(f"{', '.join(missing)} missing; the bundle is incomplete. Copy it again, or quantise anew.")
    if extra := sorted(names - expected):
        raise BundleError(f"unexpected entry {extra[0]!r}; a bundle holds only {', '.join(sorted(expected))}.")
