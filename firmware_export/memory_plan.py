"""Where each tensor lies while the network runs: one block of memory, used again as soon as it is free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory that is needed from step `first` to step `last`, both included.

    Attributes
    ----------
    key : int
        To find it again.
    size : int [bytes]
    first, last : int
    """

    key: int
    size: int
    first: int
    last: int


def placed(buffers: Sequence[Buffer]) -> tuple[dict[int, int], int]:
    """Place buffers so that none overlaps another of the same time: the largest first, each as low as it can lie.

    Returns
    -------
    offsets : dict of int to int
        By `Buffer.key`, multiples of `ALIGNMENT`.
    size : int
        Bytes of all.
    """
    offsets: dict[int, int] = {}
    done: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: (-b.size, b.first, b.key)):
        at_the_time = sorted(
            (offsets[other.key], offsets[other.key] + other.size)
            for other in done
            if other.first <= buffer.last and buffer.first <= other.last
        )
        place = 0
        for start, stop in at_the_time:
            if place + buffer.size <= start:
                break
            place = max(place, -(-stop // ALIGNMENT) * ALIGNMENT)
        offsets[buffer.key] = place
        done.append(buffer)
    return offsets, max((offsets[b.key] + b.size for b in buffers), default=0)
