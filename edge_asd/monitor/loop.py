"""The monitor's loop: every block to the engine, every decision to the sinks, and what goes wrong to people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from edge_asd.audio.health import DEAD_SECONDS, LIKE_MUTED, MAX_CLIPPED_SHARE, Clipping
from edge_asd.audio.stream import Break, Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import AudioFormatError, DataError
from edge_asd.monitor.engine import Decision, Engine

Note = Callable[[str], None]
"""Tells the user something."""

Sink = Callable[[Decision], None]
"""Is told of every decision."""

BreakSink = Callable[[Break, float], None]
"""Is told of every break of a live stream, with the engine's time [s]."""


def listen(
    engine: Engine,
    bundle: Bundle,
    blocks: Iterable[Pcm | Break],
    sinks: Sequence[Sink],
    note: Note,
    *,
    clipping: bool = True,
    on_break: BreakSink | None = None,
) -> int:
    """Decide on a stream until it ends.

    Parameters
    ----------
    engine : Engine
        Made of `bundle`.
    bundle : Bundle
    blocks : iterable of int16 [shape=(n,)] or Break
        The engine begins afresh at each break.
    sinks : sequence of callable
        Called with each decision, in their order.
    note : callable
        Called with what the user should know of the input.
    clipping : bool
        Tell of clipping, too; False where that was done for the stream as a whole.
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
    was_dead = was_clipped = ever_dead = False

    def told(decisions: Iterable[Decision]) -> None:
        nonlocal count, anomalies
        for decision in decisions:
            count += 1
            anomalies += decision.anomaly
            for sink in sinks:
                sink(decision)

    def hear(block: Pcm) -> None:
        nonlocal was_dead, was_clipped, ever_dead
        told(engine.push(block))
        if engine.dead and not was_dead:
            note(
                f"The input has stayed within 1 of a constant for {DEAD_SECONDS} s: it is probably muted or unplugged. "
                f"No decisions until {bundle.score_seconds:.1f} s of sound have been heard again."
            )
        was_dead = engine.dead
        ever_dead = ever_dead or was_dead
        watch.push(block)
        clipped = watch.share > MAX_CLIPPED_SHARE
        if clipping and clipped and not was_clipped:
            note(
                f"The input clips: over {MAX_CLIPPED_SHARE:.1%} of the last {bundle.score_seconds:.1f} s is at full "
                "scale, and scores of such sound mean little. Turn the input's gain down."
            )
        was_clipped = clipped

    def broken(gap: Break) -> None:
        nonlocal watch, was_dead, was_clipped
        told(engine.skip(gap.samples))
        watch, was_dead, was_clipped = Clipping(bundle.score_samples), False, False
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
    told(engine.finish())
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
