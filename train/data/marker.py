"""The note that a synthetic data set carries in each machine's folder, so that nobody takes it for MIMII DUE."""

from __future__ import annotations

import json
from pathlib import Path

from edge_asd.errors import DataError
from edge_asd.strict_json import Json, read_object

MARKER = "synthetic.json"

_LARGEST = 65_536  # bytes


def write_marker(folder: Path, *, preset: str, seed: int, table1_counts: bool, recordings: bool = False) -> None:
    """Mark a machine's folder as made by this program.

    Parameters
    ----------
    folder : Path
    preset : str
    seed : int
    table1_counts : bool
        Whether it has the clips that Table 1 counts.
    recordings : bool
        Whether the machine's clips are a user's recordings.
    """
    document = {
        "made_by": "edge-asd data synth",
        "note": "This is not MIMII DUE.",
        "preset": preset,
        "seed": seed,
        "table1_counts": table1_counts,
        "recordings": recordings,
    }
    (folder / MARKER).write_text(json.dumps(document, indent=2) + "\n")


def read_marker(folder: Path) -> Json | None:
    """Return what a machine's folder is marked with; None where it is not marked, or by a note of another kind."""
    try:
        document = read_object(folder / MARKER, DataError, _LARGEST)
    except DataError:
        return None
    return document if document is not None and document.get("made_by") == "edge-asd data synth" else None
