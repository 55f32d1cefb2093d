"""The monitor's loop: sound to the listeners, their reports to the sinks, and what goes wrong to people."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from edge_asd.audio.stream import Break, Pcm
from edge_asd.errors import EdgeAsdError, OutputError
from edge_asd.monitor.advice import advice
from edge_asd.monitor.alarms import Event
from edge_asd.monitor.decisions import Condition
from edge_asd.monitor.listener import Listener
from edge_asd.monitor.load import Load
from edge_asd.monitor.merging import Ended, Item
from edge_asd.monitor.reports import Report, Sink, Status

Note = Callable[[str], None]
"""Tells the user something."""

Turn = Callable[[str, bool], bool]
"""Is called after each turn of the loop: with how all sources stand, for people, and whether all live ones have given a
sign within `STALE_S`, be it that they wait; true ends the loop."""

STALE_S = 30.0
"""A live source that gives no sign for so long hangs: a busy computer needs no tenth of it for a turn."""

_STATUS_S = 0.25
_CALM_S = 60.0  # without lost samples before the load is held to be bearable again
_FULL_SCALE = 32768


@dataclass(slots=True)
class Ear:
    """A listener, with what the loop keeps of its source.

    Attributes
    ----------
    listener : Listener
    live : bool
        Its sound does not wait: if it takes longer to score than it lasts, samples will be lost.
    description : callable
        Tells what the source is, for people.
    greeting : callable
        Says that it is being listened to, once a live one's first sound has come.
    tell_clipping : bool
        Tell of clipping; False where that was done for the sound as a whole.
    lost_s : float >= 0 [s]
    error : EdgeAsdError or None
        That ended the source early.
    heard, ended : bool
        Its first sound, and its end, have come.
    sign_s : float [s]
        When the source last gave anything, by the loop's timer.
    """

    listener: Listener
    live: bool = False
    description: Callable[[], str] = str
    greeting: Callable[[], str] = str
    tell_clipping: bool = True
    lost_s: float = 0.0
    error: Exception | None = None
    load: Load = field(default_factory=Load)
    calm_from_s: float = -math.inf  # of the sound: samples were lost until here
    overloaded: bool = False
    heard: bool = False
    ended: bool = False
    sign_s: float = field(default_factory=time.perf_counter)
    last: Pcm | None = None


class Loop:
    """Scores what comes, and tells the sinks.

    Parameters
    ----------
    ears : dict of name to Ear
        May change between turns.
    sinks : list of Sink
        May change between turns. Each is given the sound, then the reports, in their order: each decision, with the
        state after it, and then the event that it brings about.
    note : callable
        Called with what the user should know of the input, and of places that cannot be written.
    advise : callable, optional
        Called instead with what explains an event, for where events are shown to people already.
    turn : callable, optional
        See `Turn`.
    timer : callable
        Counts seconds; for load and status alone.
    """

    def __init__(
        self,
        ears: dict[str, Ear],
        sinks: list[Sink],
        note: Note,
        *,
        advise: Note | None = None,
        turn: Turn = lambda *_: False,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._ears, self._sinks, self._note, self._turn, self._timer = ears, sinks, note, turn, timer
        self._advise = advise or note
        self._told_s = -math.inf
        self._complaints: dict[int, str] = {}

    def run(self, items: Iterable[tuple[str, Item | Ended]]) -> None:
        """Take all items, each with its ear's name, until the end of all sources.

        What ended a source early is kept as its ear's `error`; decisions that were made before it count.
        """
        for name, item in items:
            ear = self._ears[name]
            ear.sign_s = self._timer()
            if isinstance(item, np.ndarray):
                self._hear(ear, item)
            elif isinstance(item, Break):
                self._broken(ear, item)
            elif isinstance(item, Ended):
                ear.error = item.error
                if item.error is not None and not isinstance(item.error, EdgeAsdError):
                    raise item.error
                ear.ended = True
                if item.error is not None and len(self._ears) > 1:
                    self._note(f"{name} has ended: {item.error}")
                self._tell(ear, ear.listener.finish())
            self._status()
            if self._turn(self._summary(), not self._stale()):
                return

    def _stale(self) -> bool:
        now = self._timer()
        return any(ear.live and not ear.ended and now - ear.sign_s > STALE_S for ear in self._ears.values())

    def _summary(self) -> str:
        if len(self._ears) == 1:
            return next(iter(self._ears.values())).listener.state
        return ", ".join(f"{name} {ear.listener.state}" for name, ear in self._ears.items())

    def _hear(self, ear: Ear, pcm: Pcm) -> None:
        began, place = self._timer(), ear.listener.place
        if ear.live and not ear.heard and (greeting := ear.greeting()):
            self._say(ear, greeting)
        ear.heard = True
        reports = ear.listener.hear(pcm)
        ear.last = pcm
        for sink in self._sinks:
            self._guarded(sink, lambda sink=sink: sink.hear(ear.listener.source, place, pcm))  # type: ignore[misc]
        self._tell(ear, reports)
        if ear.live:
            ear.load.push((ear.listener.place - place) / ear.listener.sample_rate, self._timer() - began)
            self._weigh()

    def _broken(self, ear: Ear, gap: Break) -> None:
        reports = ear.listener.broken(gap)
        if gap.event == "samples-lost":
            ear.lost_s += gap.seconds
            ear.calm_from_s = ear.listener.time_s
        self._tell(ear, reports)
        self._weigh()

    def _weigh(self) -> None:
        """Tell whether this computer keeps up, of all live sources at once."""
        total = sum(ear.load.share or 0.0 for ear in self._ears.values() if ear.live)
        for ear in self._ears.values():
            now = ear.listener.time_s
            losing = now - ear.calm_from_s < _CALM_S
            overloaded = ear.live and (total > 1 or losing or (ear.overloaded and total > 0.9))
            if overloaded is not ear.overloaded:
                ear.overloaded = overloaded
                text = (
                    f"scoring takes {total:.0%} of the time that the sound lasts"
                    if total > 1
                    else "sound came faster than it could be taken"
                )
                change = ear.listener.change(Condition.overloaded, began=overloaded, text=text if overloaded else None)
                self._tell(ear, change)

    def _tell(self, ear: Ear, reports: Sequence[Report]) -> None:
        for report in reports:
            if isinstance(report.what, Event) and (text := advice(report.what, ear.listener.span_s)):
                clipping = report.what.event == "clipped"
                if ear.tell_clipping or not clipping:
                    self._say(ear, text, self._advise)
            for sink in self._sinks:
                self._guarded(sink, lambda sink=sink, report=report: sink.report(report))  # type: ignore[misc]

    def _say(self, ear: Ear, text: str, say: Note | None = None) -> None:
        (say or self._note)(text if len(self._ears) == 1 else f"{ear.listener.source}: {text}")

    def _guarded(self, sink: Sink, call: Callable[[], None]) -> None:
        """Call a sink; a place that cannot be written is told, once each, and the monitor goes on."""
        try:
            call()
        except OutputError as error:
            if self._complaints.get(id(sink)) != str(error):
                self._complaints[id(sink)] = str(error)
                self._note(str(error))

    def _status(self) -> None:
        now = self._timer()
        watching = [sink for sink in self._sinks if type(sink).status is not Sink.status]
        if not watching or now - self._told_s < _STATUS_S:
            return
        self._told_s = now
        for ear in self._ears.values():
            status = ear_status(ear)
            for sink in watching:
                self._guarded(sink, lambda sink=sink, status=status: sink.status(status))  # type: ignore[misc]


def ear_status(ear: Ear) -> Status:
    """Say how a source stands; its last sound counts in one status alone."""
    pcm, ear.last = ear.last, None
    level = peak = None
    if pcm is not None and pcm.size:
        samples = pcm.astype(np.float64)
        level = _db(math.sqrt(float(np.mean(samples * samples))))
        peak = _db(float(np.abs(samples).max()))
    listener = ear.listener
    return Status(
        source=listener.source,
        section=listener.section,
        state=listener.state,
        time_s=listener.time_s,
        level_db=level,
        peak_db=peak,
        load=ear.load.share,
        lost_s=ear.lost_s,
        description=ear.description(),
    )


def _db(magnitude: float) -> float:
    return 20 * math.log10(max(magnitude, 1e-2) / _FULL_SCALE)
