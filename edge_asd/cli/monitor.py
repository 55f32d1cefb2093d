"""``edge-asd monitor``: listen, score, decide."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_asd.cli.choices import DomainName
from edge_asd.cli.common import BundleArgument, finite, note

if TYPE_CHECKING:
    from edge_asd.monitor.alarms import Policy


def command(
    bundle: BundleArgument,
    section: Annotated[
        str | None, typer.Option(help="Section whose threshold decides; may be left out if there is only one.")
    ] = None,
    domain: Annotated[
        DomainName | None, typer.Option(help="Decide by this domain's own threshold, where the section has one.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Microphone: its name, a part of it, or its index (see edge-asd devices).")
    ] = None,
    wav: Annotated[Path | None, typer.Option(metavar="FILE", help="Listen to a sound file instead.")] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Listen to raw little-endian int16 on standard input.")
    ] = False,
    rate: Annotated[int, typer.Option(min=1000, max=384000, help="Sample rate of --stdin [Hz].")] = 16000,
    channels: Annotated[int, typer.Option(min=1, max=256, help="Interleaved channels of --stdin.")] = 1,
    channel: Annotated[int, typer.Option(min=0, help="Channel to listen to.")] = 0,
    interval: Annotated[
        float, typer.Option(min=0.032, max=3600, callback=finite, help="Seconds between two decisions.")
    ] = 1.0,
    alarm_after: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Raise an alarm after K of the last N decisions were over the threshold. "
            "By default three quarters of a minute's: 45/60 at one a second.",
        ),
    ] = None,
    cooldown: Annotated[
        float, typer.Option(min=0, callback=finite, help="Seconds without a new alarm after one has ended.")
    ] = 60.0,
    verbose: Annotated[
        bool | None,
        typer.Option(
            "--verbose/--quiet",
            help="Print every decision, or a summary a minute; events in any case. "
            "By default every decision of --wav and --stdin, and of a microphone the summary.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON line a decision and an event.")] = False,
) -> None:
    """Listen to a machine and decide, once a second, whether it sounds anomalous.

    Each decision rests on the score of the last ten seconds (the span that the bundle's thresholds
    belong to). An alarm is raised, once, when three quarters of a minute's decisions were anomalous, and cleared
    when as many were not. With --wav or --stdin the exit code is 3 if any decision was anomalous, alarm or not.
    """
    if (device is not None) + (wav is not None) + stdin > 1:
        raise typer.BadParameter("give only one of --device, --wav and --stdin")
    from edge_asd.audio.stream import Break, Pcm
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.interface import choose_section
    from edge_asd.monitor.alarms import Alarms
    from edge_asd.monitor.engine import Engine
    from edge_asd.monitor.loop import listen
    from edge_asd.monitor.reports import Sink
    from edge_asd.monitor.sinks.console import JsonLines, Lines, Minutes, json_break
    from edge_asd.monitor.sources import one_shot as sources

    policy = _policy(interval, alarm_after, cooldown)
    loaded = Bundle.load(bundle)
    chosen = choose_section(loaded, section)
    engine = Engine(loaded, chosen, domain=domain, interval_s=interval)
    if chosen in loaded.without_own_threshold(domain):
        note(f"Section {chosen} has no threshold of its own for the domain {domain}; the section's decides.")
    live = wav is None and not stdin
    blocks: Iterable[Pcm | Break]
    stack = ExitStack()  # closes the microphone
    try:
        if wav is not None:
            blocks = sources.from_file(wav, loaded, channel, note)
        elif stdin:
            blocks = sources.from_standard_input(
                sys.stdin.buffer, loaded, rate=rate, channels=channels, channel=channel, note=note
            )
        else:
            blocks = stack.enter_context(closing(sources.from_microphone(device, loaded, chosen, channel, note)))
        if verbose is None:
            verbose = not live
        sink: Sink
        if json:
            sink = JsonLines()
        elif verbose:
            sink = Lines(engine.unit)
        else:
            sink = Minutes(engine.unit, time_of_day=wav is None)
        source = "stdin" if stdin else str(wav or device or "microphone")
        alarms = Alarms(policy, chosen, loaded.features.sample_rate)
        on_break = json_break if json else None
        with stack, closing(sink):
            anomalies = listen(
                engine,
                loaded,
                alarms,
                blocks,
                [sink],
                note,
                source=source,
                clipping=wav is None,
                on_break=on_break,
            )
    except KeyboardInterrupt:
        note("Stopped.")
        raise typer.Exit(0 if live else 130) from None
    if anomalies:
        raise typer.Exit(3)


def _policy(interval_s: float, alarm_after: str | None, cooldown_s: float) -> Policy:
    from edge_asd.monitor.alarms import Policy

    policy = replace(Policy.for_interval(interval_s), cooldown_s=cooldown_s)
    if alarm_after is None:
        return policy
    numbers = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", alarm_after)
    if numbers is None:
        raise typer.BadParameter(f"--alarm-after takes two numbers such as 45/60, not {alarm_after!r}")
    try:
        return replace(policy, needed=int(numbers[1]), of=int(numbers[2]))
    except ValueError as error:
        raise typer.BadParameter(f"--alarm-after {alarm_after}: {error}") from None
