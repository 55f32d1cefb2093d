"""Thresholds on site: fitted anew on recordings of the healthy machine, without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.manifest import Threshold
from edge_asd.clips import DOMAINS, ClipName, Domain, find_sounds, says_anomaly
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import span_scores
from edge_asd.errors import BundleError, DataError
from edge_asd.frontend import log_mel
from edge_asd.healthy_sound import read_healthy
from edge_asd.thresholds import FEW_CLIPS, false_positive_threshold, quantile_threshold

UNNAMED_DOMAIN: Domain = "source"
"""Domain of recordings whose names do not tell: the usual condition."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A bundle with a new threshold.

    Attributes
    ----------
    bundle : Bundle
    threshold : Threshold
        The new one.
    previous : Threshold or None
        The one in its place before; None for a new section, or a domain that had none of its own.
    files : int
        Recordings that it was fitted on.
    notes : list of str
        What the user should know.
    """

    bundle: Bundle
    threshold: Threshold
    previous: Threshold | None
    files: int
    notes: list[str]


def calibrate(
    bundle: Bundle,
    section: str,
    folder: Path,
    *,
    domain: Domain | None = None,
    quantile: float = 0.9,
    false_positive_rate: float | None = None,
    channel: int = 0,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Calibrated:
    """Fit a threshold on recordings of the healthy machine, in the bundle's arithmetic of record.

    Model, golden vectors and all other thresholds stay as they are.

    Parameters
    ----------
    bundle : Bundle
    section : str
        An autoencoder may get a section that it has not seen.
    folder : Path
        WAV files of the healthy machine. Names of MIMII DUE's form tell section and domain, and
        those of another section or domain are left out; all others are the section's, in `domain`
        or `UNNAMED_DOMAIN`.
    domain : {"source", "target"}, optional
        Fit the domain's own threshold, not the section's.
    quantile : float, 0 < quantile <= 1
    false_positive_rate : float, 0 <= rate < 1, optional
        Fit by `edge_asd.thresholds.false_positive_threshold` instead.
    channel : int
        Channel of the files to use.
    progress : callable, optional
        Called with (recordings done, recordings).

    Raises
    ------
    EdgeAsdError
        If the bundle cannot have this section, or a recording cannot be used.
    """
    check_section(bundle, section, domain)
    # A value out of range shall not be found only after the scoring.
    _fit({UNNAMED_DOMAIN: [0]}, quantile, false_positive_rate)
    notes: list[str] = []
    recordings = _recordings(folder, section, domain, notes)
    detector = load_detector(bundle)
    scores: dict[str, list[int]] = {name: [] for name in DOMAINS}
    for done, (path, own) in enumerate(recordings):
        progress(done, len(recordings))
        frames = log_mel(read_healthy(path, bundle, channel, notes), bundle.features)
        scores[own] += span_scores(detector.window_scores(frames, section), bundle.windows_per_score)
    count = sum(map(len, scores.values()))
    if domain is not None and count < FEW_CLIPS:
        raise DataError(
            f"{folder} holds {count} score spans of the domain {domain}; a threshold of its own needs {FEW_CLIPS}. The "
            f"threshold of section {section} goes on to decide there. Record more, or calibrate the section, without "
            "--domain."
        )
    fitted = replace(_fit(scores, quantile, false_positive_rate), calibrated=True)
    old = bundle.thresholds.get(section)
    if count < FEW_CLIPS:
        notes.append(
            f"Section {section}: its threshold rests on {count} score span{'s' if count > 1 else ''}; expect it to be "
            "rough. More healthy recordings make it better."
        )
    if domain is not None and old is not None:
        previous, whole = old.domains.get(domain), replace(old, domains={**old.domains, domain: fitted})
    else:
        previous, whole = old, replace(fitted, domains=old.domains if old else {})
        if whole.domains:
            notes.append(
                f"Section {section}: the threshold{'s' if len(whole.domains) > 1 else ''} of its domain"
                f"{'s' if len(whole.domains) > 1 else ''} {' and '.join(sorted(whole.domains))} stayed as before; "
                "--domain fits them anew."
            )
    return Calibrated(
        replace(bundle, thresholds={**bundle.thresholds, section: whole}), fitted, previous, len(recordings), notes
    )


def check_section(bundle: Bundle, section: str, domain: Domain | None = None) -> None:
    """Refuse a section or domain that the bundle can have no threshold for.

    Raises
    ------
    BundleError
    """
    if section in bundle.thresholds:
        return
    known = ", ".join(sorted(bundle.thresholds))
    if bundle.classes:
        raise BundleError(
            f"This bundle's model ({bundle.machine}) tells its sections {known} apart and has no class for section "
            f"{section}: it cannot score it. Choose one of these, or train anew with recordings of section {section}; "
            "an autoencoder (train --model ae) takes new sections by calibration alone."
        )
    if domain is not None:
        raise BundleError(
            f"This bundle ({bundle.machine}) has no section {section}, so its domain {domain} can have no threshold "
            f"yet. It has: {known}. Calibrate the section first, without --domain."
        )


def _fit(scores: Mapping[str, Sequence[int]], quantile: float, rate: float | None) -> Threshold:
    return quantile_threshold(scores, quantile) if rate is None else false_positive_threshold(scores, rate)


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
            name = ClipName.parse(path.name)
        except DataError:
            _refuse_anomaly(path)
            chosen.append((path, domain or UNNAMED_DOMAIN))
            continue
        if name.section != section or domain not in (None, name.domain):
            continue
        _refuse_anomaly(path)
        training += name.split == "train"
        chosen.append((path, name.domain))
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
