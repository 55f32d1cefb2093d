"""What a finished training shows at first sight, and what to try."""

from __future__ import annotations

import math

from edge_asd.train.runs.run import Run

_FALLING = 0.02
"""Share by which the loss on held-back clips fell over the last tenth of the epochs, above which more are advised."""

_CHANCE = 0.95
"""Share of the loss of guessing, above which a classifier has learnt nothing to speak of."""


def advice(run: Run) -> list[str]:
    """Say where a loss still falls, or a classifier is no better than chance.

    Parameters
    ----------
    run : Run
        With at least one epoch.
    """
    losses = run.validation_loss
    texts: list[str] = []
    if not losses:  # it was fitted in one step
        return texts
    guessing = math.log(len(run.classes)) if run.classes else math.inf
    if run.classes and losses[run.best_epoch - 1] > _CHANCE * guessing:
        faster = ", or --learning-rate 0.001 where clips are few" if run.learning_rate < 0.001 else ""
        texts.append(
            f"On held-back clips the classifier is no better than guessing ({losses[run.best_epoch - 1]:.3g} nat; "
            f"guessing among {len(run.classes)} classes gives {guessing:.3g}). Try more --epochs{faster}."
        )
    span, unit = max(1, len(losses) // 10), run.baseline.kind.unit
    if len(losses) > span and losses[-1] < (1 - _FALLING) * losses[-1 - span]:
        texts.append(
            f"The loss on held-back clips still falls (from {losses[-1 - span]:.3g} to {losses[-1]:.3g} {unit} over "
            f"the last {'epoch' if span == 1 else f'{span} epochs'}). More --epochs with --resume may hear more."
        )
    return texts
