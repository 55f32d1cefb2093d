"""What an import did: which recording gave which clips, and what became of every sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_asd.audio.health import Stretch
from edge_asd.files import printable
from edge_asd.own_set import RATE, OwnSet
from edge_asd.own_set.ledger import ImportedClip

LEFT = ("skipped", "dead", "clipped", "too_short", "imported_before", "changed", "remainder")
"""Why samples are in no clip."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a part of one, that gave no clip.

    Attributes
    ----------
    file : str
    why : str
        For people; starts with a verb.
    start_seconds, stop_seconds : float or None [s]
        The part; None for the whole file.
    """

    file: str
    why: str
    start_seconds: float | None = None
    stop_seconds: float | None = None


@dataclass(slots=True)
class FileReport:
    """What became of a recording that could be read.

    Attributes
    ----------
    file : str
    sample_rate, channels : int
        The file's own.
    samples_in : int > 0
        Of one channel, at the clips' rate.
    samples_out : int >= 0
        That are in new clips; each counts once, however many clips overlap there.
    left : dict of str to int
        Samples that are in no new clip, by their reason (`LEFT`).
    clips_before : int >= 0
        Clips that an earlier import had made of it.
    clips : list of ImportedClip
        The new ones.
    """

    file: str
    sample_rate: int
    channels: int
    samples_in: int
    samples_out: int = 0
    left: Counter[str] = field(default_factory=Counter)
    clips_before: int = 0
    clips: list[ImportedClip] = field(default_factory=list)

    def account(self, reason: str, samples: int | None = None) -> None:
        """Say of samples, or of all that are not accounted for, why they are left."""
        rest = self.samples_in - self.samples_out - self.left.total()
        if samples is None or samples > 0:
            self.left[reason] += rest if samples is None else samples


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    own : OwnSet
    clip_samples : int
        Length of a clip.
    dry_run : bool
        Nothing was written.
    stopped : bool
        Ctrl-C came before the end.
    files : list of FileReport
    skipped : list of Skipped
    notes : list of str
    """

    own: OwnSet
    clip_samples: int
    dry_run: bool
    stopped: bool = False
    files: list[FileReport] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, path: Path, why: str, part: Stretch | None = None) -> None:
        """List a file, or a part of it, that gave no clip."""
        places = (None, None) if part is None else (part.start / RATE, part.stop / RATE)
        self.skipped.append(Skipped(printable(str(path)), printable(why), *places))

    def note(self, text: str) -> None:
        """Tell the user something, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def clips(self) -> int:
        """Number of new clips."""
        return sum(len(file.clips) for file in self.files)

    @property
    def clips_before(self) -> int:
        """Number of clips that earlier imports had made of these recordings."""
        return sum(file.clips_before for file in self.files)

    def as_dict(self) -> dict[str, Any]:
        """Return the document for ``--json``."""
        own = self.own
        paths = [clip.path for file in self.files for clip in file.clips]
        train = sum(path.startswith("train/") for path in paths)
        totals = {key: sum(getattr(file, key) for file in self.files) for key in ("samples_in", "samples_out")}
        left = _left(file.left for file in self.files)
        return {
            "out": printable(str(own.root)),
            "machine": own.machine,
            "section": own.section,
            "domain": own.domain,
            "label": own.label,
            "attributes": own.attributes,
            "dry_run": self.dry_run,
            "stopped": self.stopped,
            "clips_train": train,
            "clips_test": len(paths) - train,
            "clips_before": self.clips_before,
            "clip_samples": self.clip_samples,
            "sample_rate": RATE,
            **totals,
            "samples_left": sum(left.values()),
            "left": left,
            "skipped": [asdict(one) for one in self.skipped],
            "files": [
                {
                    "file": file.file,
                    "sample_rate": file.sample_rate,
                    "channels": file.channels,
                    "samples_in": file.samples_in,
                    "samples_out": file.samples_out,
                    "samples_left": file.left.total(),
                    "left": _left([file.left]),
                    "clips_before": file.clips_before,
                    "clips": [
                        {"clip": clip.path, "start_seconds": clip.start / RATE, "stop_seconds": clip.stop / RATE}
                        for clip in file.clips
                    ],
                }
                for file in self.files
            ],
            "notes": self.notes,
        }


def _left(counts: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total += count
    return {reason: total[reason] for reason in LEFT}
