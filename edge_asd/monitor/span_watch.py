"""How loud and how clipped the span of a score was, whatever the blocks that its sound came in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edge_asd.audio.health import is_clipped
from edge_asd.audio.loudness import Pcm, energies

BLOCK_HOPS = 31
"""Loudness is judged over so many hops: a second at the default front end."""


class Measures(NamedTuple):
    """What a span holds.

    Attributes
    ----------
    quiet_now : bool
        Its last block is quieter than the level.
    quiet : bool
        One of its blocks is.
    clipped : int
        Its samples at full scale.
    power : float >= 0
        Its mean square.
    """

    quiet_now: bool
    quiet: bool
    clipped: int
    power: float


class SpanWatch:
    """Sums energy and clipped samples hop by hop.

    Blocks of `BLOCK_HOPS` hops, or of the whole span where that is shorter, are counted backwards from a span's end;
    what is left over at its beginning belongs to none.

    Parameters
    ----------
    hop : int > 0 [samples]
    first : int >= 0 [samples]
        Ends of spans are a multiple of `hop` after this place.
    span : int >= `hop` [samples]
    power : int >= 0
        Blocks whose mean square is below it are quiet; 0 for none.
    """

    def __init__(self, hop: int, first: int, span: int, power: int) -> None:
        self._hop, self._power, self._span_hops = hop, power, span // hop
        self._block_hops = min(BLOCK_HOPS, self._span_hops)
        # Zeros before the start bring the ends of spans to multiples of the hop; no span reaches into them.
        self._pad = -first % hop
        self._rest = np.zeros(self._pad, np.int16)
        # Sums of energy and of clipped samples up to each hop's end, of which the first `_dropped` are not kept.
        self._sums, self._dropped = np.zeros((1, 2), np.int64), 0

    def push(self, pcm: Pcm) -> None:
        """Take the next samples."""
        samples = np.concatenate([self._rest, pcm])
        whole = samples.size - samples.size % self._hop
        hops = samples[:whole].reshape(-1, self._hop)
        self._rest = samples[whole:]
        new = np.stack([energies(hops).sum(axis=1), is_clipped(hops).sum(axis=1)], axis=1)
        kept = self._sums[-self._span_hops - 1 :]  # spans that end among the new samples begin here at the earliest
        self._dropped += len(self._sums) - len(kept)
        self._sums = np.concatenate([kept, kept[-1] + np.cumsum(new, axis=0)])

    def at(self, end: int) -> Measures:
        """Measure the span that ends before sample `end`, which lies in the samples pushed last."""
        last = (end + self._pad) // self._hop - self._dropped
        first = last - self._span_hops
        ends = self._sums[last : first - 1 if first else None : -self._block_hops, 0]
        quiet = ends[:-1] - ends[1:] < self._power * self._block_hops * self._hop
        energy, clipped = (self._sums[last] - self._sums[first]).tolist()
        return Measures(bool(quiet[0]), bool(quiet.any()), clipped, energy / (self._span_hops * self._hop))
