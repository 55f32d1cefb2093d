"""What healthy sound of each section is like band by band, for bundles whose detector cannot tell by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_asd.bundle.healthy_file import Healthy, write_healthy
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.detector import BaseDetector
from edge_asd.distance.blocks import MOST_FRAMES, Blocks
from edge_asd.distance.features import clip_features
from edge_asd.train.data.dataset import Clip
from edge_asd.train.features.store import ClipFeatures


def healthy_spectrum(
    detector: BaseDetector, clips: Sequence[tuple[Clip, ClipFeatures]], score_frames: int
) -> bytes | None:
    """Return the contents of ``healthy.npz``; None for other detectors than autoencoders.

    Parameters
    ----------
    detector : BaseDetector
    clips : sequence of (Clip, ClipFeatures)
        Healthy, those that thresholds are fitted on; each counts alike.
    score_frames : int
        Span of a score: of each clip so many frames count.
    """
    if not isinstance(detector, AutoencoderDetector):
        return None
    blocks = Blocks.of_span(min(score_frames, MOST_FRAMES))
    sections: dict[str, Healthy] = {}
    for section in {clip.name.section for clip, _ in clips}:
        own = [np.asarray(of.frames)[:score_frames] for clip, of in clips if clip.name.section == section]
        features = np.mean([clip_features(frames, blocks)[0] for frames in own], axis=0)
        errors = np.mean([detector.band_errors(frames) for frames in own], axis=0)
        sections[section] = Healthy(np.rint(features).astype(np.int16), np.rint(errors).astype(np.int32))
    return write_healthy(sections)
