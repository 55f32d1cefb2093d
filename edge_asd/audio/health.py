"""Sound that is none: the one definition of silent, dead and clipped, on arrays and counts.

A *flat* place is the last sample of 10 ms whose samples differ by at most 2 (all lie within 1 of a constant). A
*line* goes on from one flat place to the next if at most half a millisecond of other samples, a click, lies between
the flat stretches, and the line goes on where it was, to within 2. A line of at least half a second is *dead*: a muted
or unplugged input, an open converter with its offset and dither. Real recordings of machines hold such a constant for
three samples at most. The rule needs integers and the last 10 ms alone, whatever the blocks that sound comes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

DEAD_SECONDS = 0.5
"""A line of this length is dead."""

MAX_CLIPPED_SHARE = 0.001
"""Share of samples at full scale above which sound is clipped."""

MAX_OVERSHOOT = 4.0
"""Clipped float files that reach further than this, full scale being 1, are of another scale, such as int16's."""

LIKE_MUTED = "a muted or unplugged input sounds like this"

_SPREAD = 2  # LSB: within 1 of a constant


class Stretch(NamedTuple):
    """Samples from `start` to before `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.stop - self.start


class DeadLine:
    """Finds dead stretches in a stream, the same whatever the blocks.

    Parameters
    ----------
    rate : int >= 1000 [Hz]

    Attributes
    ----------
    window : int
        Samples that are flat or not: 10 ms.
    click : int
        Samples that may lie between two flat stretches of a line: half a millisecond.
    least : int
        Length from which a line is dead.
    count : int
        Samples heard.
    line : Stretch or None
        The line that the next sample may still continue, dead or not.
    """

    def __init__(self, rate: int) -> None:
        self.window, self.click, self.least = rate // 100, rate // 2000, round(DEAD_SECONDS * rate)
        self.count = 0
        self.line: Stretch | None = None
        self._value = 0  # of the line's last sample
        self._past = np.empty(0, np.int16)

    @property
    def dead(self) -> bool:
        """The input is dead now."""
        return self.line is not None and self.line.size >= self.least

    def push(self, pcm: Pcm) -> list[Stretch]:
        """Take the next samples; return the dead stretches that have ended."""
        samples = np.concatenate([self._past, pcm])
        base = self.count - self._past.size
        ended: list[Stretch] = []
        for start, stop in _flat_stretches(samples, self.window):
            value = int(samples[start])
            if self.line is not None:
                # Flat places follow one another, or a click lies between.
                goes_on = base + start <= self.line.stop + self.click and abs(value - self._value) <= _SPREAD
                if not goes_on:
                    ended += self._end()
            self.line = Stretch(base + start if self.line is None else self.line.start, base + stop)
            self._value = int(samples[stop - 1])
        self.count += pcm.size
        if self.line is not None and self.count - self.line.stop >= self.window + self.click:
            ended += self._end()
        self._past = samples[max(0, samples.size - self.window + 1) :].copy()
        return ended

    def _end(self) -> list[Stretch]:
        ended = [self.line] if self.line is not None and self.dead else []
        self.line = None
        return ended


def _flat_stretches(samples: Pcm, window: int) -> list[tuple[int, int]]:
    """Find the stretches (start, stop) in which every `window` samples differ by at most 2."""
    highest = lowest = samples
    width = 1
    while width < window <= samples.size:
        step = min(width, window - width)
        highest = np.maximum(highest[:-step], highest[step:])
        lowest = np.minimum(lowest[:-step], lowest[step:])
        width += step
        # Hardly any sound is flat for longer.
        if width == 8 and not _within(highest, lowest).any():
            return []
    if samples.size < window:
        return []
    edges = np.diff(_within(highest, lowest).astype(np.int8), prepend=0, append=0)
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) + window - 1
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _within(highest: Pcm, lowest: Pcm) -> npt.NDArray[np.bool_]:
    return np.subtract(highest, lowest, dtype=np.int32) <= _SPREAD


def dead_stretches(pcm: Pcm, rate: int) -> list[Stretch]:
    """Find the dead stretches of a recording, in their order.

    Parameters
    ----------
    pcm : int16 [shape=(n,)]
    rate : int >= 1000 [Hz]
    """
    line, found = DeadLine(rate), []
    for start in range(0, pcm.size, 1 << 16):  # bounds the memory
        found += line.push(pcm[start : start + (1 << 16)])
    return found + ([line.line] if line.line is not None and line.dead else [])


def has_line(pcm: Pcm, rate: int) -> bool:
    """Tell whether 10 ms in a row are flat: only then can the samples be part of a dead stretch."""
    return bool(_flat_stretches(pcm, rate // 100))


def is_silent(pcm: Pcm) -> bool:
    """Tell whether all samples [shape=(n,), n >= 1] lie within 1 of a constant, however few they are."""
    return int(pcm.max()) - int(pcm.min()) <= _SPREAD


def clipped_places(pcm: Pcm) -> npt.NDArray[np.intp]:
    """Find the samples at int16's ends."""
    return np.flatnonzero(is_clipped(pcm))


def is_clipped(pcm: Pcm) -> npt.NDArray[np.bool_]:
    """Tell of each sample whether it is at one of int16's ends."""
    ends: npt.NDArray[np.bool_] = (pcm == 32767) | (pcm == -32768)
    return ends


def clipped_share(pcm: Pcm, beyond: float = 0.0) -> float:
    """Share of samples at int16's ends, or beyond them in the file.

    Parameters
    ----------
    pcm : int16 [shape=(n,), n >= 1]
    beyond : float, 0 to 1
        Share of the file's samples that were cut to int16's range.
    """
    return max(clipped_places(pcm).size / pcm.size, beyond)


class Clipping:
    """Watches how many of a stream's last samples are at full scale.

    Parameters
    ----------
    span : int > 0
        Number of these last samples.

    Attributes
    ----------
    share : float
        Of them that are at full scale.
    """

    def __init__(self, span: int) -> None:
        self._span, self._count = span, 0
        self._places = np.empty(0, np.int64)
        self.share = 0.0

    def push(self, pcm: Pcm) -> None:
        """Take the next samples."""
        places = np.concatenate([self._places, clipped_places(pcm) + self._count])
        self._count += pcm.size
        self._places = places[places >= self._count - self._span]
        self.share = self._places.size / self._span


def level_db(pcm: Pcm) -> float:
    """Return a clip's RMS level [dB re full scale]; the level-only score that ours must beat."""
    squares = pcm.astype(np.int32)
    squares *= squares
    power = int(squares.sum(dtype=np.int64)) / (pcm.size * 2**30)
    return 10 * float(np.log10(max(power, 1e-20)))


def wrong_scale(beyond: float, largest: float) -> str:
    """Say that float samples are not of full scale 1; "" where they are.

    Parameters
    ----------
    beyond : float, 0 to 1
        Share of the samples beyond full scale.
    largest : float >= 0
        Largest magnitude of a sample.

    Returns
    -------
    text : str
        Starts with a verb.
    """
    if beyond <= MAX_CLIPPED_SHARE or largest <= MAX_OVERSHOOT:
        return ""
    advice = "Divide them by 32768 and save the file again." if largest <= 32768 else "Scale them and save it again."
    return (
        f"has {beyond:.1%} of its samples beyond full scale (largest {largest:.6g}): float samples must lie within -1 "
        f"and 1. {advice}"
    )


def clipping_text(share: float) -> str:
    """Say that sound is clipped; "" where it is not.

    Parameters
    ----------
    share : float, 0 to 1
        See `clipped_share`.

    Returns
    -------
    text : str
        Starts with a verb.
    """
    what = clipped_place(share)
    return f"{what}. Turn the input's gain down and record it again." if what else ""


def clipped_place(share: float) -> str:
    """Say how clipped sound is, without advice; see `clipping_text`."""
    if share <= MAX_CLIPPED_SHARE:
        return ""
    return f"is clipped: {share:.2%} of its samples are at full scale, over {MAX_CLIPPED_SHARE:.1%}"


def dead_text(pcm: Pcm, rate: int, *, channel: int = 0, sounding: Sequence[int] = ()) -> str:
    """Say that a recording is silent, or dead somewhere; "" where it is neither.

    Parameters
    ----------
    pcm : int16 [shape=(n,), n >= 1]
    rate : int >= 1000 [Hz]
    channel : int
        Where the samples were in their file.
    sounding : sequence of int
        Other channels of the file that hold sound, where that is known.

    Returns
    -------
    text : str
        Starts with a verb, and says at the end what to do.
    """
    return dead_advice(dead_place(pcm, rate), channel, sounding)


def dead_advice(what: str, channel: int, sounding: Sequence[int]) -> str:
    """Add to what `dead_place` said, if anything, what to do; see `dead_text`."""
    if what and sounding:
        return f"{what} in channel {channel}; {other_channels(sounding)}"
    return f"{what}. Remove it, or record it again: {LIKE_MUTED}." if what else ""


def dead_place(pcm: Pcm, rate: int) -> str:
    """Say where a recording is dead and what it holds there, without advice; see `dead_text`."""
    longest = max(dead_stretches(pcm, rate), key=lambda stretch: stretch.size, default=None)
    return place_text(int(pcm.min()), int(pcm.max()), longest, rate)


def place_text(low: int, high: int, longest: Stretch | None, rate: int) -> str:
    """Say what `dead_place` does, of a recording between `low` and `high` and its longest dead stretch."""
    if high - low <= _SPREAD:
        if low == high:
            return "holds only zeros" if low == 0 else f"is silent: all its samples are {low}"
        return f"is silent: all its samples lie between {low} and {high}"
    if longest is None:
        return ""
    return stretch_text(longest, rate)


def stretch_text(stretch: Stretch, rate: int) -> str:
    """Say where a dead stretch is. Starts with a verb."""
    start, stop = stretch
    return f"is dead from {start / rate:.2f} s to {stop / rate:.2f} s (its samples stay within 1 of a constant)"


def other_channels(sounding: Sequence[int]) -> str:
    """Say which channels hold sound, and how to choose the first of them."""
    names, several = ", ".join(map(str, sounding)), len(sounding) > 1
    return (
        f"channel{'s' if several else ''} {names} {'have' if several else 'has'} sound. "
        f"Choose it with --channel {sounding[0]}."
    )
