"""Fetching one file: resumed after a break, checked by pooch, and put in its place whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pooch

from edge_asd.errors import DownloadError, OutputError
from edge_asd.train.data.download.client import Client, content_length
from edge_asd.train.data.download.retrying import PassingError

_GAIN = 1 << 16
"""Bytes by which a file must have grown for an attempt to count as one that brought it forward."""

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_TAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')
_OF_POOCH = re.compile(r"tmp[a-z0-9_]{8}")


class WrongChecksumError(DownloadError):
    """A file that has come whole, and is not what it should be."""


class Resuming:
    """Pooch's downloader that goes on where an earlier one ended, in this run or in another.

    What has come lies beside the file, in NAME.CHECKSUM.part: another version of the file is another file.

    Parameters
    ----------
    client : Client
    part : Path
        Where what has come is kept.
    size : int or None [bytes]
        How large the file is; None where that is not known.
    largest : int [bytes]
        How large it may be at the most.
    come : callable
        Told how many bytes there are, whenever that changes.
    """

    def __init__(
        self, client: Client, part: Path, *, size: int | None, largest: int, come: Callable[[int], None]
    ) -> None:
        self._client, self._part, self._size, self._largest, self._come = client, part, size, largest, come
        self._tag_file = part.with_name(part.name + ".etag")
        self._best = self._there()

    def __call__(self, url: str, output_file: str, pup: Any) -> None:
        """Fetch `url` into `output_file`, as pooch asks."""
        if self._size is None or self._there() != self._size:
            self._client.persist(f"{os.path.basename(url)}", lambda: self._once(url), self._gained)
        # A second name, not another place: whoever is stopped while the checksum is made has lost nothing.
        os.unlink(output_file)
        try:
            os.link(self._part, output_file)
        except OSError:
            os.replace(self._part, output_file)

    def forget(self) -> None:
        """Remove what has come."""
        self._part.unlink(missing_ok=True)
        self._tag_file.unlink(missing_ok=True)

    def _there(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _gained(self) -> bool:
        there = self._there()
        gained = there >= self._best + _GAIN
        self._best = max(self._best, there) if gained else self._best
        return gained

    def _once(self, url: str) -> None:
        there = self._there()
        if there > self._largest or (self._size is not None and there > self._size):
            self.forget()
            there = 0
        if there and there == self._size:
            return
        headers = {"Range": f"bytes={there}-"} if there else {}
        if there and (tag := self._tag()):
            headers["If-Range"] = tag
        with self._client.answer(url, headers) as response:
            if response.status_code == 416:
                self.forget()
                raise PassingError("the server does not have the range that is missing")
            start = self._start(response, there)
            self._remember(response.headers.get("ETag"))
            with self._open(start) as file:
                self._receive(response, file, start)
        there = self._there()
        expected = self._size if self._size is not None else content_length(response)
        if expected is not None and there < expected:
            raise PassingError(f"the server broke off after {there:,} of {expected:,} bytes")

    def _start(self, response: Any, there: int) -> int:
        """Return where in the file the answer begins."""
        length = content_length(response)
        if response.status_code == 206:
            match = _RANGE.fullmatch(str(response.headers.get("Content-Range", "")))
            total = None if match is None or match[3] == "*" else int(match[3])
            if match is None or int(match[1]) != there or (total is not None and self._size not in (None, total)):
                self.forget()
                raise PassingError("the server sent another range than was asked for")
            return there
        if length is not None and self._size is not None and length != self._size:
            raise PassingError(f"the server has {length:,} bytes where {self._size:,} are expected")
        return 0

    def _open(self, start: int) -> BinaryIO:
        file = open(self._part, "r+b" if self._part.exists() else "wb", buffering=0)  # noqa: SIM115
        file.truncate(start)
        file.seek(start)
        return file

    def _receive(self, response: Any, file: BinaryIO, there: int) -> None:
        most = self._size if self._size is not None else self._largest
        for chunk in self._client.chunks(response):
            there += len(chunk)
            if there > most:
                self.forget()
                raise PassingError(f"the server sent more than the {most:,} bytes that are expected")
            _write(file, chunk)
            self._come(there)

    def _tag(self) -> str | None:
        try:
            text = self._tag_file.read_bytes()[:300].decode("latin-1")
        except OSError:
            return None
        return text if _TAG.fullmatch(text) else None

    def _remember(self, tag: Any) -> None:
        """Keep the answer's entity tag if it is a strong one: a weak one says nothing about bytes."""
        self._tag_file.unlink(missing_ok=True)
        if isinstance(tag, str) and _TAG.fullmatch(tag):
            self._tag_file.write_text(tag)


def fetch(
    client: Client,
    url: str,
    path: Path,
    checksum: str,
    *,
    size: int | None,
    largest: int,
    come: Callable[[int], None] = lambda there: None,
) -> None:
    """Fetch a file to `path`, unless it is there with that checksum.

    Parameters
    ----------
    client : Client
    url : str
    path : Path
    checksum : str
        As pooch takes it: ``md5:...`` or ``sha256:...``.
    size : int or None [bytes]
        None where it is not known.
    largest : int [bytes]
        The largest size that is accepted.
    come : callable, optional
        Told how many bytes there are, whenever that changes.

    Raises
    ------
    DownloadError
        If it cannot be had.
    WrongChecksumError
        If it has another checksum, each time; nothing is kept then.
    OutputError
        If it cannot be written; what has come is kept.
    """
    pooch.get_logger().setLevel("ERROR")  # what happens is told by us
    part = path.with_name(f"{path.name}.{checksum.rpartition(':')[2]}.part")
    try:
        for _ in range(client.patience.restarts):
            downloader = Resuming(client, part, size=size, largest=largest, come=come)
            store = pooch.Pooch(path=path.parent, base_url="", registry={path.name: checksum}, urls={path.name: url})
            try:
                store.fetch(path.name, downloader=downloader)
            except ValueError:  # another checksum
                downloader.forget()
                come(0)
                continue
            downloader.forget()
            return
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written into {path.parent}: {error.strerror or error}. Free some space, or choose "
            "another --out; what has come is kept, and the same command goes on from there."
        ) from error
    path.unlink(missing_ok=True)
    raise WrongChecksumError(
        f"{path.name} has another checksum than {checksum}, {client.patience.restarts} times over; nothing of it was "
        f"kept. {url} is damaged or was replaced. Try later, or another --base-url."
    )


def clear_leftovers(folder: Path) -> None:
    """Remove what pooch had to leave behind where the process was killed."""
    for path in folder.glob("tmp*"):
        if _OF_POOCH.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()


def _write(file: BinaryIO, data: bytes) -> None:
    """Write all of it: an unbuffered file may take a part, as the disk fills."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
