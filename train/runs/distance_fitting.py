"""A run of the distance detector: its clips' features, one fit, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edge_asd.clips import UNNAMED_DOMAIN, Domain
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.features import FEATURE_BITS, clip_features
from edge_asd.distance.floating import Floats
from edge_asd.errors import DataError
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.train.data.dataset import Clip
from edge_asd.train.distance.fit import Fitted, fit
from edge_asd.train.distance.fit_file import keep_fit
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.runs.cells import Cell
from edge_asd.train.runs.run import Run

Progress = Callable[[str, int, int, str], None]


def fit_distance(
    run: Run,
    out: Path,
    clips: Sequence[Clip],
    cache: FeatureCache,
    progress: Progress,
    *,
    score_frames: int,
    own: bool,
    note: Callable[[str], None],
) -> Fitted:
    """Fit a run of the distance detector, and keep it in its folder; the run's span is set here.

    Parameters
    ----------
    run : Run
    out : Path
        Its folder.
    clips : sequence of Clip
        All that it is fitted on.
    cache : FeatureCache
    progress : callable
        Called with (what, done, all, detail).
    score_frames : int > 0
        Frames that a score should span; it spans fewer where the shortest clip has no more.
    own : bool
        It is a user's own machine, whose clips are judged by section and domain.
    note : callable
        Called with a sentence for what the user should know.

    Raises
    ------
    DataError
        If the clips are too few, too short or all the same.
    """
    features = cache.features(
        clips, run.features, 1, progress=lambda done, total, name: progress("fitting clips", done, total, name)
    )
    shortest, frames = min(
        ((clip, len(one.frames)) for clip, one in zip(clips, features, strict=True)), key=lambda pair: pair[1]
    )
    blocks = Blocks.of_span(min(frames, score_frames))
    if frames < score_frames:
        seconds = run.features.sample_count(blocks.span) / run.features.sample_rate
        note(f"Scores span {seconds:.2f} s, for the shortest clip, {shortest.path.name}, has no more.")
    run.span_frames = blocks.span
    fitted = _fit(clips, features, blocks)
    keep_fit(out, fitted)
    for checkpoint in out.glob("epoch_*.keras"):  # of a network's run that is replaced
        checkpoint.unlink(missing_ok=True)
    if own:
        run.cells = _cells(clips, features)
    run.save(out)
    return fitted


def _fit(clips: Sequence[Clip], features: Sequence[ClipFeatures], blocks: Blocks) -> Fitted:
    rows: dict[str, dict[Domain, list[Floats]]] = {}
    recordings: dict[str, list[int]] = {}
    for number, (clip, one) in enumerate(zip(clips, features, strict=True)):
        section, domain = clip.name.section, clip.name.domain or UNNAMED_DOMAIN
        # Spans that do not overlap: one clip is no surer a fact for being long.
        spans = clip_features(np.asarray(one.frames), blocks)[:: blocks.count] / 2.0**FEATURE_BITS
        rows.setdefault(section, {}).setdefault(domain, []).append(spans)
        if domain == "source":
            recordings.setdefault(section, []).extend([number] * len(spans))
    return fit(
        {section: {domain: np.concatenate(found) for domain, found in of.items()} for section, of in rows.items()},
        groups={section: np.array(recordings.get(section, []), np.int64) for section in rows},
    )


def _cells(clips: Sequence[Clip], features: Sequence[ClipFeatures]) -> list[Cell]:
    """Count the clips, and measure how their levels differ; the fit has no loss to judge them by."""
    levels: dict[tuple[str, str | None], list[float]] = {}
    for clip, one in zip(clips, features, strict=True):
        levels.setdefault((clip.name.section, clip.name.domain), []).append(one.level_db)
    return [
        Cell(section, domain, len(own), 0, round(min(own), 2), round(max(own), 2), None, None)
        for (section, domain), own in sorted(levels.items(), key=str)
    ]


def score_frames_of(spec: FeatureSpec, seconds: float) -> int:
    """Frames of a score that spans `seconds` [s].

    Raises
    ------
    DataError
        If it would hold no frame, or more than the arithmetic can sum.
    """
    frames = spec.frame_count(round(seconds * spec.sample_rate)) if seconds > 0 else 0
    if frames < 2:
        raise DataError(f"A score cannot span {seconds:g} s: it needs two frames. Ask for example for 10.")
    return frames
