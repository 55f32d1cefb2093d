"""The monitor's loop: blocks to the engine, decisions and events to the sinks, and what goes wrong to people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from edge_asd.audio.health import DEAD_SECONDS, LIKE_MUTED, MAX_CLIPPED_SHARE, Clipping
from edge_asd.audio.stream import Break, Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.monitor.alarms import Alarms, Event
from edge_asd.monitor.engine import Decision, Engine, InputChange
from edge_asd.monitor.reports import Clock, Report, Sink, now

Note = Callable[[str], None]
"""Tells the user something."""


BreakSink = Callable[[Break, float], None]
"""Is told of every break of a live stream, with the engine's time [s]."""


def listen(
    engine: Engine,
    bundle: Bundle,
    alarms: Alarms,
    blocks: Iterable[Pcm | Break],
    sinks: Sequence[Sink],
    note: Note,
    *,
    source: str,
    clipping: bool = True,
    clock: Clock = now,
    on_break: BreakSink | None = None,
) -> int:
    """Decide on a stream until it ends.

    Parameters
    ----------
    engine : Engine
        Made of `bundle`.
    bundle : Bundle
    alarms : Alarms
        Made for the engine's section.
    blocks : iterable of int16 [shape=(n,)] or Break
        The engine begins afresh at each break.
    sinks : sequence of Sink
        Told of each decision, with the state after it, and then of the event that it brings about.
    note : callable
        Called with what the user should know of the input.
    source : str
        Where the blocks come from, for reports.
    clipping : bool
        Tell of clipping, too; False where that was done for the stream as a whole.
    clock : callable
        Tells the time that reports bear; nothing else depends on it.
    on_break : callable, optional
        Called with each break.

    Returns
    -------
    anomalies : int
        How many decisions were anomalous.

    Raises
    ------
    DataError
        If the stream ended without any decision.
    AudioFormatError
        If it was cut off or damaged, and no decision before was anomalous; it is a note otherwise.
    """
    count = anomalies = 0
    watch = Clipping(bundle.score_samples)
    was_clipped = ever_dead = False

    def report(what: Decision | Event) -> None:
        told = Report(what, clock(), source, alarms.state)
        for sink in sinks:
            sink(told)

    def take(heard: Iterable[Decision | InputChange]) -> None:
        nonlocal count, anomalies, ever_dead
        for news in heard:
            event = alarms.push(news)
            if isinstance(news, Decision):
                count += 1
                anomalies += news.anomaly
                report(news)
            elif news.dead:
                ever_dead = True
                note(
                    f"The input has stayed within 1 of a constant for {DEAD_SECONDS} s: it is probably muted or "
                    f"unplugged. No decisions until {bundle.score_seconds:.1f} s of sound have been heard again."
                )
            if event is not None:
                report(event)

    def hear(block: Pcm) -> None:
        nonlocal was_clipped
        take(engine.hear(block))
        watch.push(block)
        clipped = watch.share > MAX_CLIPPED_SHARE
        if clipping and clipped and not was_clipped:
            note(
                f"The input clips: over {MAX_CLIPPED_SHARE:.1%} of the last {bundle.score_seconds:.1f} s is at full "
                "scale, and scores of such sound mean little. Turn the input's gain down."
            )
        was_clipped = clipped

    def broken(gap: Break) -> None:
        nonlocal watch, was_clipped
        take(engine.skip(gap.samples))
        alarms.interrupted()
        watch, was_clipped = Clipping(bundle.score_samples), False
        if gap.text:
            note(gap.text)
        if on_break is not None:
            on_break(gap, engine.time_s)

    cut_off: AudioFormatError | None = None
    try:
        for block in blocks:
            if isinstance(block, Break):
                broken(block)
            else:
                hear(block)
    except AudioFormatError as error:
        cut_off = error
    take(engine.finish())
    if cut_off is not None:
        if not anomalies:
            raise cut_off
        note(str(cut_off))  # an anomaly that was heard before stays one
    if count:
        return anomalies
    if engine.withheld or ever_dead:
        raise DataError(
            f"There was no decision: the sound stays within 1 of a constant for {DEAD_SECONDS} s or more in every span "
            f"of {bundle.score_seconds:.1f} s; {LIKE_MUTED}. Check the input, and record it again."
        )
    raise DataError(
        f"The sound lasts less than the {bundle.score_seconds:.1f} s that one score of this bundle spans. "
        "Use a longer recording, or quantise with a shorter --score-seconds."
    )
