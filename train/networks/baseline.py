"""What training, conversion and scoring need to know of a baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_asd.bundle.kinds import Kind

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One of the baselines of DCASE 2021 Task 2, with the published settings.

    Attributes
    ----------
    kind : Kind
        The detector that it becomes.
    window_frames : int
        Frames that a window spans.
    training_hop, test_hop, published_test_hop : int
        Frames between two windows: in training, in tests, and in the tests of the published code.
    least_mels : int
        Bands that the network needs.
    epochs, batch_size : int
    learning_rate : float
        Adam's.
    build : callable
        (bands, classes) to an untrained model.
    shipped_form : callable
        A trained model to the network that is converted and shipped.
    """

    kind: Kind
    window_frames: int
    training_hop: int
    test_hop: int
    published_test_hop: int
    least_mels: int
    epochs: int
    batch_size: int
    learning_rate: float
    build: Callable[[int, int], keras.Model]
    shipped_form: Callable[[keras.Model], keras.Model]

    def input_shape(self, n_mels: int) -> tuple[int, ...]:
        """Shape of one window as the model takes it."""
        return (self.window_frames, n_mels, 1) if self.kind.classifies else (self.window_frames * n_mels,)
