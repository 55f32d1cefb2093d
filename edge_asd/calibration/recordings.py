"""Healthy sound from a folder of recordings."""

from __future__ import annotations

from pathlib import Path

from edge_asd.bundle.bundle import Bundle
from edge_asd.calibration.heard import Heard, Progress, Request
from edge_asd.calibration.spans import span_scorer
from edge_asd.calibration.stability import outliers
from edge_asd.clips import UNNAMED_DOMAIN, ClipName, Domain, find_sounds, says_anomaly
from edge_asd.errors import DataError
from edge_asd.healthy_sound import read_healthy


def hear_recordings(
    bundle: Bundle, request: Request, folder: Path, *, channel: int = 0, progress: Progress = lambda *_: None
) -> Heard:
    """Score recordings of the healthy machine, in the bundle's arithmetic of record.

    Parameters
    ----------
    bundle : Bundle
    request : Request
    folder : Path
        WAV files of the healthy machine. Names of the form of MIMII DUE or DCASE Task 2 (`edge_asd.clips`) tell
        section and domain, and those of another section or domain are left out; all others are the section's. Those
        that tell no domain are in the request's, or else `UNNAMED_DOMAIN`.
    channel : int
        Channel of the files to use.
    progress : callable, optional
        Called with recordings done and recordings.

    Raises
    ------
    EdgeAsdError
        If the bundle cannot have what is asked for, or a recording cannot be used.
    """
    request.check(bundle)
    heard = Heard()
    recordings = _recordings(folder, request.section, request.domain, heard.notes)
    scorer = span_scorer(bundle, request.section, adapt=request.adapt)
    places: dict[str, list[Path]] = {name: [] for name in heard.scores}
    for done, (path, own) in enumerate(recordings):
        progress(done + 1, len(recordings), "")
        scorer.start()
        spans = scorer.push(read_healthy(path, bundle, channel, heard.notes, request.gain_db))
        heard.add(spans, own)
        places[own] += [path] * len(spans)
    heard.files = len(recordings)
    heard.seconds = heard.count * scorer.span_seconds
    odd = [places[domain][i] for domain, scores in heard.scores.items() for i in outliers(scores)]
    if odd:
        names = list(dict.fromkeys(path.name for path in odd))
        heard.notes.append(
            f"{len(odd)} of {heard.count} score spans stand far out from the others, in {', '.join(names[:3])}"
            f"{' and others' if len(names) > 3 else ''}: listen to them; what is not the healthy machine makes the "
            "threshold too high."
        )
    return heard


def _recordings(folder: Path, section: str, domain: Domain | None, notes: list[str]) -> list[tuple[Path, Domain]]:
    """List the WAV files to use, with their domains."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Give a folder of recordings of the healthy machine with --wav-dir.")
    found = find_sounds(folder)
    paths = found.paths
    if not paths:
        raise DataError(f"{folder} holds no sound files. Give a folder of recordings of the healthy machine.")
    if passed_over := found.left_out():
        notes.append(f"{folder}: {passed_over}.")
    _refuse_anomaly(folder.absolute())  # sets older than MIMII DUE name the folder, not the files
    chosen: list[tuple[Path, Domain]] = []
    training = 0
    for path in paths:
        try:
            name = ClipName.parse(path.name, folder.name)
        except DataError:
            _refuse_anomaly(path)
            chosen.append((path, domain or UNNAMED_DOMAIN))
            continue
        if name.section != section or (None not in (domain, name.domain) and domain != name.domain):
            continue
        _refuse_anomaly(path)
        training += name.split == "train"
        chosen.append((path, name.domain or domain or UNNAMED_DOMAIN))
    what = f"section {section}" + (f", domain {domain}" if domain else "")
    if not chosen:
        raise DataError(f"{folder} holds no recordings of {what}; the file names say so. Give another folder.")
    if left_out := len(paths) - len(chosen):
        notes.append(f"{left_out} of {len(paths)} files are not of {what} by their names and were left out.")
    if training:
        notes.append(
            f"{training} of {len(chosen)} files are training clips by their names: if the model was fitted on them, "
            "the threshold may be too low for new sound."
        )
    return chosen


def _refuse_anomaly(path: Path) -> None:
    if says_anomaly(path.name):
        raise DataError(
            f"{path} is an anomaly by its name. Thresholds are fitted on healthy sound alone: give another folder."
        )
