"""Opening whatever a path names, and writing so that a crash, a full disk or a Ctrl-C leaves the old file whole."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from edge_asd.errors import OutputError

UNFINISHED = ".unfinished-"
"""How names of files begin while `creating` writes them; a killed process leaves one behind."""

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, or leave it untouched.

    Raises
    ------
    OutputError
        If the folder cannot be made or written, or the disk is full.
    """
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of `path` when all is well, and goes where anything is raised.

    Raises
    ------
    OutputError
        If the folder cannot be made or written, or the disk is full.
    """
    temporary: str | None = None
    path = Path(os.path.realpath(path))  # a link stays, what it points to is replaced
    if os.path.exists(path) and not os.path.isfile(path):
        raise OutputError(f"Cannot write {path}: it exists and is not a file. Choose another place.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}. Choose another place or free some space."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


@contextmanager
def creating(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that appears whole at `path` when all is well, and goes where anything is raised.

    Its folder must be there. While it is written, its name starts with `UNFINISHED`.

    Raises
    ------
    FileExistsError
        At the end, if something is at `path`: it is left as it is, whoever made it and when.
    OutputError
        If the file cannot be written, or the disk is full.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # Memory cards and shares have no second names: an empty file holds the place for a moment.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            try:
                os.replace(temporary, path)
            except OSError:
                path.unlink(missing_ok=True)
                raise
            temporary = None
    except FileExistsError:
        raise
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}. Choose another place or free some space."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file for `open`, whose `opener` this is: a named pipe is to be refused, not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Keep others who lock the file at `path` waiting until it has been read, changed and replaced.

    `write_atomically` puts another file in its place: who waited for the old one goes on to lock the new one. What
    was read before the lock was held is out of date. A system or a file system without locks goes without. `waiting` is
    called where somebody else holds the lock.

    Raises
    ------
    OutputError
        If the file cannot be opened.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    while True:
        try:
            handle = open_without_waiting(str(path), os.O_RDONLY)
        except OSError as error:
            raise OutputError(f"Cannot open {path}: {error.strerror or error}.") from error
        try:
            with suppress(OSError):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waiting()
                    fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_still_at(handle, path):
                yield
                return
        finally:
            os.close(handle)


def hold(handle: int) -> None:
    """Lock an open file until it is closed or the process ends, for `is_held`; a system without locks goes without."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(path: Path) -> bool:
    """Tell whether somebody has locked a file, by `hold` for one; False where that cannot be known."""
    try:
        import fcntl

        handle = open_without_waiting(str(path), os.O_RDONLY)
    except (ImportError, OSError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _is_still_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def prepare_folder(path: Path) -> Path:
    """Make `path` a folder that can be written, before any long work starts.

    Raises
    ------
    OutputError
        If it is a file, or cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OutputError(f"Cannot write into {path}: {error.strerror or error}. Choose another --out.") from error
    return path


@contextmanager
def kept_if_filled(folder: Path) -> Iterator[None]:
    """Make a folder for what comes, and take it and those above that were made away again if it stays empty.

    Raises
    ------
    OutputError
        As `prepare_folder`.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    prepare_folder(folder)
    try:
        yield
    finally:
        for one in made:
            with suppress(OSError):  # not empty
                one.rmdir()


@contextmanager
def results_folder(out: Path, mark: str) -> Iterator[None]:
    """Prepare a folder that is new, empty or holds earlier results; one that stays empty goes again.

    `mark` is what earlier results are known by.

    Raises
    ------
    OutputError
        If it holds other files, or `prepare_folder` refuses it.
    """
    with kept_if_filled(out):
        if any(out.iterdir()) and not (out / mark).exists():
            raise OutputError(f"{out} holds other files than earlier results of this command. Choose another --out.")
        yield


def printable(text: str) -> str:
    """Make the bytes of names that are not UTF-8 visible, so that any terminal and file can take them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
