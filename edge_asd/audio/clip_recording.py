"""One's own machine from a microphone, cut into clips: no gap between them, none within, and none that is of no use."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from edge_asd.audio.gain import Gain
from edge_asd.audio.health import LIKE_MUTED, clipped_place, clipped_share, dead_place, level_db
from edge_asd.audio.loudness import SILENCE_DB, block_power, db_of_power
from edge_asd.audio.meter import Meter, peak_db
from edge_asd.audio.stream import SETTLE_SECONDS, Break, Pcm, Waiting

Fault = Literal["clipped", "dead", "broken", "paused"]

ADVICE_AFTER = 3
"""So many clips in a row that are of no use: what to do is told, and then only at twice as many, and so on."""

_ADVICE: dict[str, str] = {
    "clipped": (
        "Turn the microphone's own gain down (alsamixer, F4), or move it further away, until the peak stays below -6 dB"
    ),
    "dead": f"{LIKE_MUTED[0].upper()}{LIKE_MUTED[1:]}: plug it in, unmute it, or choose another --channel or --device",
    "broken": "Mend that first: another cable or port, or a computer that is less busy",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Sound that became no clip.

    Attributes
    ----------
    fault : {"clipped", "dead", "broken", "paused"}
    clock : float [s]
        When it began; since 1970.
    seconds : float > 0 [s]
    text : str
        What is wrong with it, for people; starts with a verb.
    """

    fault: Fault
    clock: float
    seconds: float
    text: str


@dataclass(slots=True)
class Recorded:
    """What came of a recording.

    Attributes
    ----------
    clips : int >= 0
        That were written.
    refusals : list of Refusal
        In their order.
    levels_db : list of float [dB re full scale]
        RMS level of each clip.
    peak_db : float [dB re full scale]
        Of the clips; -inf where there are none.
    """

    clips: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    levels_db: list[float] = field(default_factory=list)
    peak_db: float = -math.inf


class ClipRecorder:
    """Cuts live sound into clips. Whatever breaks the sound costs the clip that was under way, and the next begins
    behind it.

    Parameters
    ----------
    write : callable
        Takes a whole clip, int16 [shape=(n,)].
    wanted : int > 0
        Clips; what comes after them is left.
    seconds : float > 0 [s]
        Length of a clip.
    rate : int >= 1000 [Hz]
    gain_db : float, -60 to 60 [dB]
        Digital gain on the clips. Whether sound is dead or clipped is told without it, too, for it hides both.
    note : callable
        Called with what the user should know at once.

    Attributes
    ----------
    recorded : Recorded
    meter : Meter
        Of the sound with its gain.
    paused : bool
    """

    def __init__(
        self,
        write: Callable[[Pcm], object],
        wanted: int,
        *,
        seconds: float,
        rate: int,
        gain_db: float = 0.0,
        note: Callable[[str], None],
    ) -> None:
        self.recorded, self.meter, self.paused = Recorded(), Meter(rate), False
        self._write, self._wanted, self._note = write, wanted, note
        self._rate, self._size, self._gain = rate, round(seconds * rate), Gain(gain_db)
        self._parts: list[Pcm] = []  # of the clip under way
        self._held = 0
        self._settle = round(SETTLE_SECONDS * rate)
        self._in_a_row = 0

    @property
    def done(self) -> bool:
        """All clips are written."""
        return self.recorded.clips >= self._wanted

    @property
    def seconds(self) -> float:
        """Sound of clips that are written or under way [s]."""
        return (self.recorded.clips * self._size + self._held) / self._rate

    def hear(self, pcm: Pcm) -> None:
        """Take the next samples, int16 [shape=(n,), n >= 1], at the microphone's own level.

        Raises
        ------
        OutputError
            As `write` does.
        """
        self.meter.push(self._gain.apply(pcm))
        if self.paused:
            return
        pcm, self._settle = pcm[self._settle :], max(0, self._settle - pcm.size)
        while pcm.size and not self.done:
            part, pcm = np.split(pcm, [self._size - self._held])
            self._parts.append(part)
            self._held += part.size
            if self._held == self._size:
                self._finish()

    def broken(self, gap: Break) -> None:
        """Begin afresh behind a gap."""
        left = self._drop("broken", "has a gap behind it")
        if gap.text or left:
            self._note(f"{gap.text}{left}".strip())
        if gap.event != "samples-lost":
            self._settle = round(SETTLE_SECONDS * self._rate)
            self.meter = Meter(self._rate)  # what was before is not heard now

    def pause(self) -> None:
        """Leave out what comes, until `resume`."""
        if not self.paused:
            self.paused = True
            self._note(f"Paused.{self._drop('paused', 'has a pause behind it')}")

    def resume(self) -> None:
        """Go on; the key or the voice that ended the pause is left out, too."""
        if self.paused:
            self.paused = False
            self._settle = round(SETTLE_SECONDS * self._rate)
            self._note("Going on.")

    def end(self) -> None:
        """Leave out the clip that is under way."""
        self._parts, self._held = [], 0

    def _drop(self, fault: Fault, text: str) -> str:
        """Leave out the clip that is under way, and say so; "" where there is none."""
        if not self._held:
            return ""
        seconds = self._held / self._rate
        self.recorded.refusals.append(Refusal(fault, time.time() - seconds, seconds, text))
        self.end()
        advice = self._refused(fault) if fault != "paused" else ""
        return f" Not written: {seconds:.1f} s of a clip before it.{advice}"

    def _refused(self, fault: Fault) -> str:
        """Count it; return what to do if it is time to say that."""
        self._in_a_row += 1
        times, odd = divmod(self._in_a_row, ADVICE_AFTER)
        if odd or times & (times - 1):
            return ""
        return f" That makes {self._in_a_row} in a row. {_ADVICE[fault]}. Recording goes on; Ctrl-C ends it."

    def _finish(self) -> None:
        raw = np.concatenate(self._parts)
        self.end()
        pcm = self._gain.apply(raw)
        if found := self._fault(raw, pcm):
            seconds = self._size / self._rate
            began = time.time() - seconds
            self.recorded.refusals.append(Refusal(found[0], began, seconds, found[1]))
            advice = self._refused(found[0])
            if advice or self._in_a_row <= ADVICE_AFTER:
                when = time.strftime("%H:%M:%S", time.localtime(began))
                self._note(f"Not written: the clip from {when} {found[1]}.{advice}")
            return
        self._write(pcm)
        self._in_a_row = 0
        self.recorded.clips += 1
        self.recorded.levels_db.append(level_db(pcm))
        self.recorded.peak_db = max(self.recorded.peak_db, peak_db(int(np.abs(pcm.astype(np.int32)).max())))

    def _fault(self, raw: Pcm, pcm: Pcm) -> tuple[Fault, str] | None:
        if place := dead_place(raw, self._rate):
            return "dead", place
        seconds = [raw[start : start + self._rate] for start in range(0, raw.size, self._rate)]
        if db_of_power(max(map(block_power, seconds))) < SILENCE_DB:
            return "dead", f"is silent: no second of it is louder than {SILENCE_DB:.0f} dB, a converter's own noise"
        # A gain below 0 dB would hide what the converter clipped, and one above may clip more.
        if place := clipped_place(max(clipped_share(raw), clipped_share(pcm))):
            return "clipped", place
        return None


def record_clips(
    recorder: ClipRecorder,
    sound: Iterable[Pcm | Break | Waiting],
    *,
    paused: Callable[[], bool] = lambda: False,
    ended: Callable[[], bool] = lambda: False,
    shown: Callable[[], object] = lambda: None,
) -> None:
    """Record until all clips are written.

    Parameters
    ----------
    recorder : ClipRecorder
    sound : iterable of int16 [shape=(n,)] or Break or Waiting
        Live, so that the others here are asked about four times a second at least.
    paused, ended : callable
        Tell whether what comes is to be left out, and whether to end before all is recorded.
    shown : callable
        Called after each part of the sound.

    Raises
    ------
    OutputError
        If a clip cannot be written. Those before it are.
    """
    for item in sound:
        if ended():
            break
        (recorder.pause if paused() else recorder.resume)()
        if isinstance(item, Break):
            recorder.broken(item)
        elif isinstance(item, np.ndarray):
            recorder.hear(item)
        shown()
        if recorder.done:
            break
    recorder.end()
