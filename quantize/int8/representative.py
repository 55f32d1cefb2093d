"""Representative data for int8 conversion: every section and domain, its extremes, and room for other levels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.clips import DOMAINS, UNNAMED_DOMAIN, Domain
from edge_asd.errors import ModelError
from edge_asd.frontend.spec import FLOOR_POWER, FeatureSpec
from edge_asd.train.data.dataset import Clip
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.windows import frames_db

EVEN_WINDOWS = 120
"""Windows taken from each section and domain, spread evenly over its clips."""

HEADROOM_DB = 9.0
"""How much louder and softer than training the ranges hold: anomalies are often louder than anything in it.

Chosen by benchmarks/quantisation_methods.py; see docs/quantisation.md."""

MAX_HEADROOM_DB = 40.0

_FLOOR_DB = float(10 * np.log10(FLOOR_POWER))


@dataclass(frozen=True, slots=True, eq=False)
class Representative:
    """Windows that int8 ranges and statistics are measured on.

    Attributes
    ----------
    windows : ndarray, float32 [shape=(n, *window shape), dB]
        As they are, then all of them louder, then all of them softer.
    record : dict
        How they were chosen, as plain JSON for the manifest.
    notes : list of str
        What a person should know about them.
    """

    windows: npt.NDArray[np.float32]
    record: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def representative_windows(
    clips: Sequence[Clip],
    spec: FeatureSpec,
    shape: Sequence[int],
    cache: FeatureCache | None = None,
    *,
    headroom_db: float = HEADROOM_DB,
    domains: Sequence[Domain] = DOMAINS,
) -> Representative:
    """Choose windows of training clips, balanced over sections and domains.

    Each section and domain gives `EVEN_WINDOWS` spread evenly, and the windows around the frames in
    which each band, and all of them together, are loudest and quietest.

    Parameters
    ----------
    clips : sequence of Clip
    spec : FeatureSpec
    shape : sequence of int
        Shape of the model's input; frames times bands, in that order, in all.
    cache : FeatureCache, optional
        The user's by default.
    headroom_db : float, 0 to `MAX_HEADROOM_DB`
        Level of the louder copies above the windows, and of the softer ones below them.
    domains : sequence of {"source", "target"}
        Those that a note misses where a section has none of their clips.

    Raises
    ------
    ModelError
        If the shape holds no whole frames, or the headroom is out of range.
    EdgeAsdError
        If a clip cannot be used.
    """
    frames, rest = divmod(int(np.prod(shape)), spec.n_mels)
    if rest or frames < 1:
        raise ModelError(f"A model input of shape {tuple(shape)} does not hold frames of {spec.n_mels} bands.")
    if not 0 <= headroom_db <= MAX_HEADROOM_DB:
        raise ModelError(f"A headroom of {headroom_db:g} dB cannot be used; give 0 to {MAX_HEADROOM_DB:g} dB.")
    cells: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        cells.setdefault((clip.name.section, clip.name.domain or UNNAMED_DOMAIN), []).append(clip)
    chosen, counts = [np.empty((0, frames, spec.n_mels), np.int32)], {}
    for (section, domain), cell in sorted(cells.items()):
        found = (cache or FeatureCache()).features(cell, spec, frames)
        places = even_windows([features.frames for features in found], frames) | _extremes(found, frames)
        chosen.append(np.stack([found[clip].frames[start : start + frames] for clip, start in sorted(places)]))
        counts[f"{section} {domain}"] = len(places)
    plain = frames_db(np.concatenate(chosen))
    shift = np.float32(headroom_db)
    windows = np.concatenate([plain, plain + shift, np.maximum(plain - shift, np.float32(_FLOOR_DB))])
    windows = windows.reshape(-1, *shape)
    record = {
        "windows": len(windows),
        "windows_by_section_and_domain": counts,
        "headroom_db": float(headroom_db),
        "sha256": hashlib.sha256(windows.tobytes()).hexdigest(),
    }
    notes = [
        f"Section {section} has no {domain} training clips: its int8 ranges rest on its other recordings, and on "
        f"copies of them {headroom_db:g} dB louder and softer."
        for section in sorted({clip.name.section for clip in clips if clip.name.domain})  # in 2020 there are no domains
        for domain in domains
        if (section, domain) not in cells
    ]
    return Representative(windows, record, notes)


def even_windows(
    frames: Sequence[npt.NDArray[np.int32]], window_frames: int, count: int = EVEN_WINDOWS
) -> set[tuple[int, int]]:
    """Choose about `count` windows (clip, first frame), spread evenly over clips and within each."""
    # At most one clip for each window wanted.
    clips = np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int))
    share = -(-count // len(clips))
    return {
        (int(clip), int(start))
        for clip in clips
        for start in np.linspace(0, len(frames[clip]) - window_frames, share).round().astype(int)
    }


def _extremes(found: Sequence[Any], window_frames: int) -> set[tuple[int, int]]:
    """Choose windows around the frames where a band, or the sum of all, is loudest or quietest."""
    best: list[tuple[int, int, int]] = []  # value, clip, frame
    for clip, features in enumerate(found):
        values = np.concatenate([features.frames, features.frames.sum(axis=1, dtype=np.int64)[:, None]], axis=1)
        signed = np.concatenate([values, -values], axis=1)
        at = signed.argmax(axis=0)
        peaks = signed.max(axis=0)
        new = [(int(peak), clip, int(frame)) for peak, frame in zip(peaks, at, strict=True)]
        best = new if not best else [max(a, b, key=lambda x: x[0]) for a, b in zip(best, new, strict=True)]
    places: set[tuple[int, int]] = set()
    for _, clip, frame in best:
        if not any(c == clip and start <= frame < start + window_frames for c, start in places):
            last = len(found[clip].frames) - window_frames
            places.add((clip, min(max(0, frame - window_frames // 2), last)))
    return places
