"""Labels of a whole evaluation set in one file, ``eval_data_list*.csv``.

A machine's name alone on a line, and below it a line for each of its clips: the name that it was published
under, the name that tells its label and (from 2021 on) its domain, and in 2020 the label once more (1: anomaly).

Sources: y-kawagu/dcase2020_task2_evaluator; nttcslab/dcase2023_task2_baseline_ae (datasets/, of 2021 to 2025).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_asd.clips import ClipName, Domain, Label, as_wav
from edge_asd.errors import DataError
from edge_asd.train.data.clip_tables import csv_lines

_PREFIX = "eval_data_list"
_KIND = "a list of evaluation clips"
_LABELS: dict[str, Label] = {"0": "normal", "1": "anomaly"}


@dataclass(frozen=True, slots=True)
class ListedClip:
    """What the list tells of a clip; `domain` is None in 2020."""

    label: Label
    domain: Domain | None


def is_eval_data_list(path: Path) -> bool:
    """Tell whether a file is named as such a list."""
    return path.name.startswith(_PREFIX) and path.suffix == ".csv"


def read_eval_data_list(path: Path) -> dict[str, dict[str, dict[str, ListedClip]]]:
    """Read a list.

    Returns
    -------
    clips : dict
        By machine, section and file name (as a .wav).

    Raises
    ------
    DataError
        If the file cannot be read, lists no clip, a clip twice, or one whose label is not told or is told twice
        and differently.
    """
    machines: dict[str, dict[str, dict[str, ListedClip]]] = {}
    machine: dict[str, dict[str, ListedClip]] | None = None
    for number, line in csv_lines(path, _KIND):
        cells = [cell.strip() for cell in line]
        if not any(cells):
            continue
        where = f"{path}, line {number}"
        if len(cells) == 1:
            machine = machines.setdefault(cells[0], {})
            continue
        if machine is None or len(cells) > 3:
            raise DataError(f"{where}: expected a machine's name, or a clip's two names, not {','.join(line)!r:.80}.")
        section, listed = _listed(cells, where)
        clips = machine.setdefault(section, {})
        name = as_wav(cells[0])
        if name in clips:
            raise DataError(f"{where}: {cells[0]} is listed twice. Keep one line for each clip.")
        clips[name] = listed
    if not any(machines.values()):
        raise DataError(f"{path} lists no clip. Copy it again.")
    return machines


def _listed(cells: list[str], where: str) -> tuple[str, ListedClip]:
    try:
        published, told = (ClipName.parse(name) for name in cells[:2])
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if published.section != told.section or published.domain not in (None, told.domain):
        raise DataError(f"{where}: {cells[0]} and {cells[1]} are not the same clip.")
    label = _LABELS.get(cells[2]) if len(cells) == 3 else told.label
    if label is None or told.label not in (None, label):
        raise DataError(f"{where}: the label of {cells[0]} is not told, or twice and differently. Copy the list again.")
    return told.section, ListedClip(label, told.domain)
