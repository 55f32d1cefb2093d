"""The file ``events.db``: its tables, and opening it, whatever lies there.

SQLite with a write-ahead log, so that others read while the monitor writes. A commit outlives the process that made it,
and, being synchronous, a power cut; the file is never torn by either.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from edge_asd.errors import DataError

NAME = "events.db"
"""Of the database, in the folder of records."""

CLIPS = "clips"
"""Folder of the clips, beside the database."""

SCHEMA = 1
"""Version of the tables, in the file's `user_version`."""

_APPLICATION = 0x45415344  # "EASD"
_PAGE = 4096
_LOG_PAGES = 256  # after which the log is moved into the file
DatabaseFault = (sqlite3.Error, UnicodeDecodeError)
"""What reading or writing a file that may be anybody's can raise: SQLite's messages may quote bytes of it."""

_DAMAGE = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
)
_LONGEST = 1 << 20  # bytes of a cell or a statement
_TABLES = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, offset_s INTEGER NOT NULL, source TEXT NOT NULL,
        section TEXT NOT NULL, rate INTEGER NOT NULL, machine TEXT NOT NULL, bundle TEXT NOT NULL, unit TEXT NOT NULL,
        policy TEXT NOT NULL, version TEXT NOT NULL) STRICT""",
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, place INTEGER NOT NULL, time INTEGER NOT NULL,
        offset_s INTEGER NOT NULL, section TEXT NOT NULL, event TEXT NOT NULL, state TEXT NOT NULL, score INTEGER,
        threshold INTEGER, duration_s REAL, text TEXT, clip TEXT, clip_place INTEGER) STRICT""",
    """CREATE TABLE minutes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, place INTEGER NOT NULL, time INTEGER NOT NULL,
        offset_s INTEGER NOT NULL, samples INTEGER NOT NULL, count INTEGER NOT NULL, over INTEGER NOT NULL,
        minimum INTEGER, mean INTEGER, maximum INTEGER, threshold INTEGER, states TEXT NOT NULL) STRICT""",
    """CREATE TABLE clips (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, run INTEGER NOT NULL, place INTEGER NOT NULL,
        samples INTEGER NOT NULL, missing INTEGER NOT NULL, whole INTEGER NOT NULL) STRICT""",
)
"""Times are milliseconds since 1970 (UTC), with the local zone's offset from UTC; places and samples count at the run's
rate since the source's start; scores are Q15.16."""


def open_database(path: Path, max_bytes: int, note: Callable[[str], None]) -> sqlite3.Connection:
    """Open the database to write, or make it; what is there and not ours, or damaged, is set aside under another name.

    Parameters
    ----------
    path : Path
    max_bytes : int [bytes]
        The file never grows beyond it; one that is larger already does not shrink.
    note : callable
        Told what was set aside.

    Raises
    ------
    OSError, DatabaseFault
        If nothing can be written there now.
    """
    if os.path.lexists(path):
        fault: str | None = "it is no file"
        if path.is_file():
            with closing(_connect(path)) as db:
                fault = _fault(db)
        if fault is not None:
            aside = _set_aside(path)
            note(f"{path} cannot be used: {fault}. It is kept as {aside.name}, and a new one is begun.")
    db = _connect(path)
    try:
        if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            _make(db)
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"wal_autocheckpoint = {_LOG_PAGES}",
            f"journal_size_limit = {_LOG_PAGES * _PAGE}",
            f"max_page_count = {max(1, max_bytes // _PAGE)}",
        ):
            db.execute(f"PRAGMA {setting}").fetchall()
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def read_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database to read, while the monitor writes or not, and from a medium that cannot be written.

    Raises
    ------
    DataError
        If there is none, or it is not ours, newer or damaged; and where what is read later is.
    """
    if not path.is_file():
        raise DataError(f"There is no {path}. Name the folder that edge-asd monitor was given as --records.")
    try:
        with _readable(path) as db:
            fault = _layout_fault(db)
            if fault is not None:
                raise DataError(f"{path} cannot be read: {fault}.")
            yield db
    except DatabaseFault as error:
        raise DataError(
            f"{path} cannot be read: {error}. If it is damaged, edge-asd monitor will set it aside and begin a new one."
        ) from error


@contextmanager
def _readable(path: Path) -> Iterator[sqlite3.Connection]:
    db = _connect(path, "mode=ro")
    try:
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        # A log needs a file beside it that is shared with writers; where none can be made, nobody writes.
        db.close()
    else:
        with closing(db):
            yield db
        return
    log = path.with_name(f"{path.name}-wal")
    if not log.is_file() or log.stat().st_size == 0:
        with closing(_connect(path, "mode=ro&immutable=1")) as db:
            yield db
        return
    with tempfile.TemporaryDirectory(prefix="edge-asd-") as folder:
        try:
            for file in (path, log):
                shutil.copyfile(file, Path(folder) / file.name)
        except OSError as error:
            raise DataError(f"{path} cannot be copied to be read: {error.strerror}.") from error
        with closing(_connect(Path(folder) / path.name)) as db:
            yield db


def _connect(path: Path, options: str = "mode=rwc") -> sqlite3.Connection:
    db = sqlite3.connect(
        f"file:{quote(os.fsencode(path.absolute()))}?{options}",
        uri=True,
        timeout=1.0,
        isolation_level=None,
        check_same_thread=False,
    )
    db.text_factory = lambda text: text.decode("utf-8", "replace")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _make(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA page_size = {_PAGE}")
    db.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        db.execute(table)
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    db.execute(f"PRAGMA user_version = {SCHEMA}")
    db.execute("COMMIT")


def _fault(db: sqlite3.Connection) -> str | None:
    """Say why a file cannot be written into; what the system refuses is raised."""
    try:
        if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] and not _number(db, "application_id"):
            return None  # empty: made and not filled
        fault = _layout_fault(db)
        if fault is None and (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            fault = f"it is damaged ({found})"
        return fault
    except DatabaseFault as error:
        if is_damage(error):
            return f"it is damaged or no database ({error})"
        raise


def is_damage(error: Exception) -> bool:
    """Tell whether an error speaks of the file's contents, and not of the disk or of others who hold it."""
    if isinstance(error, UnicodeDecodeError):
        return True
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _DAMAGE


def _layout_fault(db: sqlite3.Connection) -> str | None:
    """Compare the tables with ours: another's triggers and views could do anything."""
    if _number(db, "application_id") != _APPLICATION:
        return "it is another program's database"
    version = _number(db, "user_version")
    if version > SCHEMA:
        return f"a newer edge-asd wrote it (version {version} of its tables; this one knows {SCHEMA})"
    with closing(sqlite3.connect(":memory:")) as ours:
        for table in _TABLES:
            ours.execute(table)
        layout = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
        if version != SCHEMA or db.execute(layout).fetchall() != ours.execute(layout).fetchall():
            return "its tables are not ours"
    return None


def _number(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.stem}-set-aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}{path.suffix}")
    os.rename(path, aside)
    for ending in ("-wal", "-shm"):  # they belong to it
        with suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{aside}{ending}")
    return aside
