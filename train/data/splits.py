"""Ways to hold training clips back from fitting."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from edge_asd.bundle.manifest import complement
from edge_asd.false_alarms import spans_for_rate
from edge_asd.own_set import TEST_EVERY, SoundPlace
from edge_asd.thresholds import Target
from edge_asd.train.data.dataset import Clip

_LEAST = 10

_PIECE = TEST_EVERY - 1
"""Clips that are held back together at the most: so many lie between two for testing."""

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
    fit: list[Clip] = []
    held_back: list[Clip] = []
    for group in _groups(clips):
        chosen = _spaced(len(group), held_back_count(len(group), least))
        for i, clip in enumerate(group):
            (held_back if i in chosen else fit).append(clip)
    return fit, held_back


def split_own(clips: Iterable[Clip], places: Mapping[str, SoundPlace]) -> tuple[list[Clip], list[Clip]]:
    """Hold clips of a user's own machine back, as `split_training` does, but at least `OWN_HELD_BACK` where it can.

    Of hundreds of clips, twenty more to fit on help the model less than they help the threshold.

    Where clips overlap, neighbours are held back together. In neither list is a clip that shares sound with another
    one held back, or with a test clip, as after a recording was imported again.

    Parameters
    ----------
    clips : iterable of Clip
    places : dict of str to SoundPlace
        Where the sound of imported clips is from, those for testing among them
        (`edge_asd.own_set.imported_places`).

    Returns
    -------
    fit, held_back : list of Clip
        No sample is in a clip of both, nor in two of `held_back`.
    """
    tested = (place for path, place in places.items() if not path.startswith("train/"))
    rest: list[Clip] = []
    held_back: list[Clip] = []
    for group in _groups(_without(tested, clips, places)):
        pieces = _pieces(group, places)
        if len(pieces) == 1:
            pieces = [piece for piece in (group[:-1], group[-1:]) if piece]
        # As many pieces as hold what would be held back of as many clips without overlap.
        apart = [_apart(piece, places) for piece in pieces]
        count = sum(map(len, apart))
        wanted = held_back_count(count, OWN_HELD_BACK)
        chosen = _spaced(len(pieces), max(min(1, wanted), round(wanted * len(pieces) / count)))
        for i, piece in enumerate(pieces):
            (held_back if i in chosen else rest).extend(apart[i] if i in chosen else piece)
    held_back = _apart(held_back, places)
    return _without((places[clip.key] for clip in held_back if clip.key in places), rest, places), held_back


def own_apart(clips: Iterable[Clip], places: Mapping[str, SoundPlace]) -> list[Clip]:
    """Leave clips of a user's own machine out that share sound with another one, or with a test clip.

    Parameters
    ----------
    clips : iterable of Clip
    places : dict of str to SoundPlace
        See `split_own`.
    """
    tested = (place for path, place in places.items() if not path.startswith("train/"))
    return _apart(_without(tested, clips, places), places)


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


def _groups(clips: Iterable[Clip]) -> Iterable[list[Clip]]:
    groups: dict[tuple[str, str | None], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.name.section, clip.name.domain), []).append(clip)
    return groups.values()


def _spaced(n: int, count: int) -> set[int]:
    """Choose `count` of `n` places, evenly."""
    return {int((i + 0.5) * n / count) for i in range(count)}


def _runs(clips: Iterable[Clip], places: Mapping[str, SoundPlace]) -> list[list[Clip]]:
    """Put clips together that share sound with their neighbours in it, each run in the order of the sound."""
    runs: list[list[Clip]] = []
    at: tuple[str, int] | None = None
    for clip in sorted(clips, key=lambda clip: _order(places.get(clip.key))):
        place = places.get(clip.key)
        if place is not None and at is not None and place.recording == at[0] and place.start < at[1]:
            runs[-1].append(clip)
            at = place.recording, max(at[1], place.stop)
        else:
            runs.append([clip])
            at = None if place is None else (place.recording, place.stop)
    return runs


def _order(place: SoundPlace | None) -> tuple[str, int]:
    return ("", 0) if place is None else (place.recording, place.start)


def _pieces(clips: Sequence[Clip], places: Mapping[str, SoundPlace]) -> list[list[Clip]]:
    """Return runs, long ones in several pieces, in the order of their first clips."""
    number = {clip.key: i for i, clip in enumerate(clips)}
    pieces = [run[i : i + _PIECE] for run in _runs(clips, places) for i in range(0, len(run), _PIECE)]
    return sorted(pieces, key=lambda piece: number[piece[0].key])


def _apart(clips: Sequence[Clip], places: Mapping[str, SoundPlace]) -> list[Clip]:
    """Keep as many clips as share no sound."""
    shared: set[str] = set()
    for run in _runs(clips, places):
        stop = 0
        for clip in run if len(run) > 1 else ():
            if places[clip.key].start < stop:
                shared.add(clip.key)
            else:
                stop = places[clip.key].stop
    return [clip for clip in clips if clip.key not in shared]


def _without(taken: Iterable[SoundPlace], clips: Iterable[Clip], places: Mapping[str, SoundPlace]) -> list[Clip]:
    """Leave clips out that share sound with places that are taken."""
    stretches: dict[str, list[SoundPlace]] = {}
    for place in sorted(taken, key=_order):
        there = stretches.setdefault(place.recording, [])
        if there and place.start < there[-1].stop:
            before = there.pop()
            place = replace(before, stop=max(before.stop, place.stop))
        there.append(place)

    def free(clip: Clip) -> bool:
        if (place := places.get(clip.key)) is None:
            return True
        there = stretches.get(place.recording, [])
        last = bisect_left(there, place.stop, key=lambda one: one.start)
        return last == 0 or there[last - 1].stop <= place.start

    return [clip for clip in clips if free(clip)]


_Splitter = Callable[[Iterable[Clip]], tuple[list[Clip], list[Clip]]]
SPLITS: Mapping[str, _Splitter] = {"default": split_training, "faithful": split_faithful}
"""Ways to hold training clips back, by name."""
