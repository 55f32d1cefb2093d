"""Ways to hold training clips back from fitting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from edge_asd.bundle.manifest import complement
from edge_asd.false_alarms import spans_for_rate
from edge_asd.thresholds import Target
from edge_asd.train.data.dataset import Clip

_LEAST = 10

OWN_HELD_BACK = spans_for_rate(complement(Target().value))
"""Clips that promise the rate of false positives that `quantize` asks for by default: 29, for a tenth."""


def held_back_count(n: int, least: int = _LEAST) -> int:
    """Return how many of `n` clips of a section and domain are held back by `split_training`."""
    return 0 if n < 2 else max(1, round(n / 10), min(least, n // 3))


def split_training(clips: Iterable[Clip], least: int = _LEAST) -> tuple[list[Clip], list[Clip]]:
    """Hold clips back from fitting, evenly spaced within each section and domain.

    A tenth is held back as in the published baselines, but at least ten clips where a third of
    them makes ten, and one of two: thresholds are fitted on what is held back.

    Parameters
    ----------
    clips : iterable of Clip
    least : int > 0
        Clips to hold back where a third of them makes as many.

    Returns
    -------
    fit, held_back : list of Clip
    """
    groups: dict[tuple[str, str | None], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.name.section, clip.name.domain), []).append(clip)
    fit: list[Clip] = []
    held_back: list[Clip] = []
    for group in groups.values():
        n = len(group)
        count = held_back_count(n, least)
        chosen = {int((i + 0.5) * n / count) for i in range(count)}
        for i, clip in enumerate(group):
            (held_back if i in chosen else fit).append(clip)
    return fit, held_back


def split_own(clips: Iterable[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Hold clips of a user's own machine back, as `split_training` does, but at least `OWN_HELD_BACK` where it can.

    Of hundreds of clips, twenty more to fit on help the model less than they help the threshold.

    Returns
    -------
    fit, held_back : list of Clip
    """
    return split_training(clips, OWN_HELD_BACK)


def split_faithful(clips: Iterable[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Hold back the last tenth of all sections' clips in the order of their paths, as the published baselines do.

    So only the last section is held back from, all its target clips among them; `split_training` mends that.

    Returns
    -------
    fit, held_back : list of Clip
    """
    ordered = sorted(clips, key=lambda clip: clip.key)
    first = max(1, len(ordered) * 9 // 10)
    return ordered[:first], ordered[first:]


_Splitter = Callable[[Iterable[Clip]], tuple[list[Clip], list[Clip]]]
SPLITS: Mapping[str, _Splitter] = {"default": split_training, "faithful": split_faithful}
"""Ways to hold training clips back, by name."""
