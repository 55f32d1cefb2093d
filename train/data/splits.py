"""Ways to hold training clips back from fitting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from edge_asd.train.data.dataset import Clip


def split_training(clips: Iterable[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Hold clips back from fitting, evenly spaced within each section and domain.

    A tenth is held back as in the published baselines, but at least ten clips where a third of
    them makes ten, and one of two: thresholds are fitted on what is held back.

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
        count = 0 if n < 2 else max(1, round(n / 10), min(10, n // 3))
        chosen = {int((i + 0.5) * n / count) for i in range(count)}
        for i, clip in enumerate(group):
            (held_back if i in chosen else fit).append(clip)
    return fit, held_back


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
