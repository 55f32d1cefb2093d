"""How long to fit, in how large steps: as published, or for a user's own machine by the clips that are there.

The clips that pick the epoch are those that thresholds are fitted on. That makes thresholds a little too low: on a
synthetic gearbox (16 clips fitted, 114 others, 3,000 draws of those held back) 18.9 % of healthy clips lay above a
threshold of ten clips, and 18.2 % where ten other clips had picked the epoch; 10.1 % and 9.9 % with 29 clips, 35.8 %
and 33.1 % with two. Holding other clips back for the epoch would cost the threshold more.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_asd.frontend.spec import FeatureSpec
from edge_asd.train.networks.baseline import Baseline

OWN_EPOCHS, OWN_PATIENCE = 100, 10
"""Of a user's own set: at most so many epochs, and so many without gain on the clips held back.

Ten ended the same gearbox after 45 epochs, twenty after 67 for a loss 1.5 % lower.
"""

OWN_LEARNING_RATE = 1e-3
"""Adam's, of both networks: MobileNetV2's published rate is made for thousands of clips."""

_STEPS = 32
"""Steps that an epoch should have at least: ten published epochs of five clips are twenty."""

_LEAST_BATCH = 16  # windows: batch norms need some
_CLIP_SECONDS = 10.0  # of the clips that `data record` and `data import` make


@dataclass(frozen=True, slots=True)
class Schedule:
    """What fitting does where the user asks for nothing else.

    Attributes
    ----------
    epochs, batch_size : int > 0
    learning_rate : float > 0
    patience : int
        Epochs without gain on the clips held back after which fitting stops, and the best is the result; 0: never,
        and the last is.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    patience: int = 0


def published_schedule(baseline: Baseline) -> Schedule:
    """Return a baseline's published settings."""
    return Schedule(baseline.epochs, baseline.batch_size, baseline.learning_rate)


def epoch_windows(baseline: Baseline, features: FeatureSpec, clips: int) -> int:
    """Return the windows of an epoch on so many clips, taken as ten seconds each."""
    frames = features.frame_count(round(_CLIP_SECONDS * features.sample_rate))
    return clips * (1 + (frames - baseline.window_frames) // baseline.training_hop)


def own_schedule(baseline: Baseline, features: FeatureSpec, clips: int) -> Schedule:
    """Return what suits a user's own machine.

    Of few clips a published epoch is a few steps, and a hundred epochs end before the network has learnt the offset
    of its input. So batches shrink until an epoch has some 32 steps, and the held-back clips tell when to stop.

    Parameters
    ----------
    baseline : Baseline
    features : FeatureSpec
    clips : int > 0
        That are fitted on, taken as ten seconds each.
    """
    windows = epoch_windows(baseline, features, clips)
    batch = baseline.batch_size
    while batch > _LEAST_BATCH and windows < batch * _STEPS:
        batch //= 2
    return Schedule(OWN_EPOCHS, batch, OWN_LEARNING_RATE, OWN_PATIENCE)
