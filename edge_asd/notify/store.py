"""The file of the queue: one SQLite database, checked when it is opened, set aside when it is damaged or another's.

A write-ahead log makes each change whole or nothing, whatever kills the program, and every change is forced to the
disk, as a message must outlive a power cut. Both files are made as large as some messages need at the start, and their
space is used again, so that a disk that is full later still lets alarms through.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_asd.errors import OutputError

NAME = "queue.sqlite"
_LOCK = "dispatcher.lock"
ASIDE = "queue.damaged"
"""Where a damaged file is kept, until the next one."""

_APPLICATION = 0x45415344  # "EASD"
_VERSION = 1
_SCHEMA = (
    "CREATE TABLE message (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL) STRICT",
    # `failures` in a row; `next_try` [s since 1970]; `lost` messages that it was not told of.
    "CREATE TABLE recipient (key TEXT PRIMARY KEY, failures INTEGER NOT NULL DEFAULT 0, "
    "next_try REAL NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE pending (message INTEGER NOT NULL, recipient TEXT NOT NULL, "
    "PRIMARY KEY (message, recipient)) STRICT, WITHOUT ROWID",
    # When messages of a source were let through, and what was held back because there were too many.
    "CREATE TABLE admitted (source TEXT NOT NULL, time REAL NOT NULL) STRICT",
    "CREATE TABLE held (source TEXT NOT NULL, event TEXT NOT NULL, count INTEGER NOT NULL, last TEXT NOT NULL, "
    "severity TEXT NOT NULL, PRIMARY KEY (source, event)) STRICT",
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY_SECONDS = 10
_CHECKPOINT_PAGES = 64  # small, so that the log's space is soon used again
_RESERVE = 512 << 10  # more than the pages above


class ForeignFileError(Exception):
    """The file is no queue of this version."""


def is_damage(error: Exception) -> bool:
    """Tell whether an error speaks of the file's content, not of a full disk or a lock."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, ForeignFileError) or (code is not None and code & 0xFF in _DAMAGED)


def open_store(folder: Path, note: Callable[[str], None]) -> sqlite3.Connection:
    """Open the queue's file in a folder that only its owner may read; make either where it is missing.

    What is damaged or foreign is moved to `ASIDE`, and told, and a new one begun.

    Raises
    ------
    OutputError
        If it can be neither opened nor made.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        try:
            return _with_reserve(connect(path))
        except (sqlite3.DatabaseError, ForeignFileError) as error:
            if not is_damage(error):
                raise
            aside = _set_aside(path)
            note(
                f"The queue of notifications {path} is damaged or of another program ({error}). "
                f"It was moved to {aside}, and a new one begun; messages in it will not be sent."
            )
            return _with_reserve(connect(path))
    except (OSError, sqlite3.Error, ForeignFileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"The queue of notifications {path} cannot be opened or made: {reason}. "
            "Choose another folder, free some space, or change the folder's owner."
        ) from error


def _with_reserve(store: sqlite3.Connection) -> sqlite3.Connection:
    """Make both files as large as they may need to be; a disk that is full already goes without."""
    with suppress(sqlite3.OperationalError), transaction(store):
        # A message for nobody, should this end before it is deleted: the next start forgets it.
        store.execute("INSERT INTO message (text) VALUES (?)", (" " * _RESERVE,))
    with suppress(sqlite3.OperationalError), transaction(store):
        store.execute("DELETE FROM message WHERE id NOT IN (SELECT message FROM pending)")
    return store


def connect(path: Path) -> sqlite3.Connection:
    """Open the file and check all of it.

    Raises
    ------
    sqlite3.Error
    ForeignFileError
    OSError
    """
    if path.exists() and not path.is_file():
        raise ForeignFileError("it is not a file")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would make it readable to all
    # The thread that opens it may hand it to another, which then uses it alone.
    store = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        store.execute("PRAGMA synchronous = FULL")
        store.execute("PRAGMA trusted_schema = OFF")
        with transaction(store):
            _begin_or_check(store)  # before a foreign file would be changed
        store.execute("PRAGMA journal_mode = WAL")
        store.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except BaseException:
        store.close()
        raise
    return store


def _begin_or_check(store: sqlite3.Connection) -> None:
    there = [sql for (sql,) in store.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
    own = ["CREATE TABLE sqlite_sequence(name,seq)"]
    (application,) = store.execute("PRAGMA application_id").fetchone()
    (version,) = store.execute("PRAGMA user_version").fetchone()
    if not there and (application, version) == (0, 0):
        for sql in _SCHEMA:
            store.execute(sql)
        store.execute(f"PRAGMA application_id = {_APPLICATION}")
        store.execute(f"PRAGMA user_version = {_VERSION}")
        return
    if (application, version) != (_APPLICATION, _VERSION) or sorted(there) != sorted([*_SCHEMA, *own]):
        raise ForeignFileError("it holds other tables than this version's")
    (verdict,) = store.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise ForeignFileError(str(verdict).replace("\n", " "))


@contextmanager
def transaction(store: sqlite3.Connection) -> Iterator[None]:
    """Make all changes or none, with nobody else's between them."""
    store.execute("BEGIN IMMEDIATE")
    try:
        yield
        store.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has rolled it back already
            store.execute("ROLLBACK")
        raise


def _set_aside(path: Path) -> Path:
    aside = path.with_name(ASIDE)
    with suppress(FileNotFoundError):
        aside.unlink()
    path.rename(aside)
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    return aside


def lock_folder(folder: Path) -> int:
    """Make the folder this program's, until the descriptor that is returned is closed.

    Raises
    ------
    OutputError
        If another program has it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError(f"Cannot open {folder / _LOCK}: {error.strerror or error}. Choose another folder.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise OutputError(
            f"The queue of notifications in {folder} is in use by another edge-asd. End it, or choose another folder."
        ) from None
    except OSError:  # a file system without locks goes without
        pass
    return lock
