"""The names of the archives: machine, and revision.

2020 has ``dev_data_fan.zip, eval_data_train_fan.zip``; 2021 ``dev_data_fan.zip, eval_data_fan_train.zip``; from 2022
on ``dev_fan.zip, eval_data_fan_test.zip``; an archive that was mended comes as ``dev_ToyCar_r2.zip``. Source: the
downloads of the challenge's baseline (nttcslab/dcase2023_task2_baseline_ae).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge_asd.train.data.download.records import RecordFile

_REVISION = re.compile(r"(?P<stem>.+)_r(?P<revision>[0-9]{1,4})")
_FORMS = [
    re.compile(form)
    for form in (
        r"dev(?:_data)?_(?P<machine>.+)",
        r"eval(?:_data)?_(?:train|test)_(?P<machine>.+)",
        r"eval(?:_data)?_(?P<machine>.+)_(?:train|test)",
    )
]


def machine_of(name: str) -> str | None:
    """Return the machine that an archive's name tells; None where it is named otherwise.

    >>> machine_of("eval_data_3DPrinter_train_r2.zip"), machine_of("eval_data_test_fan.zip"), machine_of("data.zip")
    ('3DPrinter', 'fan', None)
    """
    stem, _ = stem_and_revision(name)
    return next((match["machine"] for form in _FORMS if (match := form.fullmatch(stem))), None)


def stem_and_revision(name: str) -> tuple[str, int]:
    """Split a name into what all revisions share, and the revision: 1 where the name has none."""
    stem = name[: -len(".zip")]
    match = _REVISION.fullmatch(stem)
    return (match["stem"], int(match["revision"])) if match else (stem, 1)


def is_of(name: str, machine: str) -> bool:
    """Tell whether an archive is a machine's: by its name's form, or else by the machine's name within it."""
    told = machine_of(name)
    return told == machine if told is not None else machine.casefold() in name.casefold()


def newest(files: Iterable[RecordFile]) -> dict[RecordFile, list[str]]:
    """Keep the newest revision of each archive; return the names that each takes the place of."""
    groups: dict[str, list[RecordFile]] = {}
    for file in files:
        groups.setdefault(stem_and_revision(file.name)[0], []).append(file)
    chosen = {}
    for group in groups.values():
        *older, last = sorted(group, key=lambda file: stem_and_revision(file.name)[1])
        chosen[last] = [file.name for file in older]
    return chosen
