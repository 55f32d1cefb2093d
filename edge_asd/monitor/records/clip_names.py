"""The one grammar of evidence clips' file names, read and written.

``20261128T141654.123456Z_fan-3_00_1a2b3c4d.flac``: when the alarm was told (UTC), the source, the section, and eight
digits that keep apart what looks alike. Names sort by time. What does not look like this was not written by us, and is
never touched.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

from edge_asd.monitor.reports import Report

PART = ".part.wav"
"""Ends the name of a clip that is being recorded, or that a killed monitor left behind."""

ENCODING = ".part.flac"
"""Ends the name of a clip's second form while it is being written."""

ENDINGS = (".flac", ".wav")
"""End the names of clips that are complete."""

_TIME = "%Y%m%dT%H%M%S.%fZ"
_STEM = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)_[A-Za-z0-9-]{1,40}_[A-Za-z0-9-]{1,20}_[0-9a-f]{8}", re.ASCII)


def clip_name(report: Report) -> str:
    """Name the clip of an alarm, without the ending."""
    what = report.what
    alike = "\0".join([report.source, what.section, repr(what.time_s)])
    digits = hashlib.sha256(alike.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{report.time.astimezone(UTC):{_TIME}}_{_plain(report.source, 40)}_{_plain(what.section, 20)}_{digits}"


def is_clip_name(text: str) -> bool:
    """Tell whether this is a clip's name, without the ending."""
    return _told(text) is not None


def stem_of(file_name: str) -> str | None:
    """Return a clip's name without the ending; None where this is no clip's file."""
    for ending in (PART, ENCODING, *ENDINGS):
        if file_name.endswith(ending):
            stem = file_name.removesuffix(ending)
            return stem if is_clip_name(stem) else None
    return None


def time_of(stem: str) -> datetime:
    """Return when the alarm of a clip was told (UTC)."""
    time = _told(stem)
    if time is None:
        raise ValueError(f"{stem!r} is no clip's name")
    return time


def find_clip(folder: Path, stem: str) -> Path | None:
    """Find a clip's file, complete or not; None where there is none."""
    if not is_clip_name(stem):
        return None
    for ending in (*ENDINGS, PART):
        path = folder / f"{stem}{ending}"
        if path.is_file() and not path.is_symlink():
            return path
    return None


def _told(stem: str) -> datetime | None:
    found = _STEM.fullmatch(stem)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1])
    except ValueError:
        return None


def _plain(text: str, length: int) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text)[:length].strip("-") or "x"
