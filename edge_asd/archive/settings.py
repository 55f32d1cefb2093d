"""What a folder of scores holds: recordings of one place, scored by one bundle in one way."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import OutputError
from edge_asd.files import printable, write_atomically
from edge_asd.monitor.config.settings import SourceConfig
from edge_asd.strict_json import read_object

NAME = "score.json"
"""The file that says so, by which a folder of scores is known."""

_LARGEST = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Scored:
    """What the scores of a folder are of.

    Attributes
    ----------
    recordings : str
        The folder or the list, as an absolute path.
    bundle : str
        Its digest.
    machine, detector, unit, section : str
        `unit` of the scores, of which 65536 are one.
    domain : str or None
    channel : int
    gain_db, interval_s : float
    off_level_db : float or None
        None for what the bundle says.
    """

    recordings: str
    bundle: str
    machine: str
    detector: str
    unit: str
    section: str
    domain: str | None
    channel: int
    gain_db: float
    interval_s: float
    off_level_db: float | None

    @classmethod
    def of(cls, where: Path, bundle: Bundle, section: str, config: SourceConfig) -> Scored:
        """Say what is asked for."""
        return cls(
            recordings=printable(os.path.abspath(where)),
            bundle=bundle.digest,
            machine=bundle.machine,
            detector=bundle.kind.name,
            unit=bundle.kind.unit,
            section=section,
            domain=config.domain,
            channel=config.channel,
            gain_db=config.gain_db,
            interval_s=config.interval_s,
            off_level_db=config.off_level_db,
        )

    def claim(self, out: Path) -> None:
        """Write this into a folder of scores, or find it there.

        Raises
        ------
        OutputError
            If the folder holds scores of something else, or cannot be written.
        """
        wanted = {"format": "edge-asd scores", "schema": 1, **asdict(self)}
        there = read_object(out / NAME, OutputError, _LARGEST)
        if there is None:
            write_atomically(out / NAME, (json.dumps(wanted, indent=2) + "\n").encode())
            return
        if there != wanted:
            missing = object()
            key = next(key for key in {**wanted, **there} if there.get(key, missing) != wanted.get(key, missing))
            raise OutputError(
                f"{out} holds scores of another kind: {key} is {there.get(key)!r} there, and {wanted.get(key)!r} here. "
                "Choose another --out."
            )
