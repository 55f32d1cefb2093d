"""``edge-asd monitor``: listen, score, decide, tell."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_asd.cli.common import finite, note
from edge_asd.cli.listening import (
    ChannelNumberOption,
    DomainOption,
    GainOption,
    IntervalOption,
    OffLevelOption,
    SectionOption,
)

if TYPE_CHECKING:
    from edge_asd.monitor.config.settings import ConfigFile
    from edge_asd.monitor.reports import Sink
    from edge_asd.monitor.session import Session


def command(
    bundle: Annotated[
        Path | None, typer.Argument(metavar="BUNDLE", help="Bundle made by edge-asd quantize; --config may name it.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Configuration in TOML: sources, alarms, records, notifications. Options here go before it.",
        ),
    ] = None,
    section: SectionOption = None,
    domain: DomainOption = None,
    device: Annotated[
        str | None,
        typer.Option(help="Microphone: its selector (see edge-asd devices), its name, a part of it, or its index."),
    ] = None,
    wav: Annotated[
        Path | None, typer.Option(metavar="FILE|DIR", help="Listen to a sound file, or to all of a folder.")
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Listen to raw little-endian int16 on standard input.")
    ] = False,
    source_command: Annotated[
        str | None,
        typer.Option(
            metavar="CMD",
            help="Listen to what a program writes: raw little-endian int16, such as ffmpeg's on a network stream. It "
            "is started again whenever it ends.",
        ),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(min=1000, max=384000, help="Sample rate of raw sound [Hz].  [default: 16000]")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(min=1, max=256, help="Interleaved channels of raw sound.  [default: 1]")
    ] = None,
    channel: ChannelNumberOption = None,
    gain: GainOption = None,
    interval: IntervalOption = None,
    alarm_after: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Raise an alarm after K of the last N decisions were over the threshold. "
            "By default three quarters of a minute's: 45/60 at one a second.",
        ),
    ] = None,
    cooldown: Annotated[
        float | None,
        typer.Option(min=0, callback=finite, help="Seconds without a new alarm after one has ended.  [default: 60]"),
    ] = None,
    off_level: OffLevelOption = None,
    records: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep events, scores by the minute and the sound of alarms: edge-asd events."),
    ] = None,
    on_alarm: Annotated[
        str | None,
        typer.Option(metavar="CMD", help="Command for the shell at each alarm, which gets the event as JSON."),
    ] = None,
    verbose: Annotated[
        bool | None,
        typer.Option(
            "--verbose/--quiet",
            help="Print every decision, or a summary a minute; events in any case. "
            "By default every decision of --wav and --stdin; of a microphone a view on a terminal, elsewhere the "
            "summary.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON line a decision and an event.")] = False,
) -> None:
    """Listen to a machine and decide, once a second, whether it sounds anomalous.

    Each decision rests on the score of the last ten seconds (the span that the bundle's thresholds
    belong to). An alarm is raised, once, when three quarters of a minute's decisions were anomalous, and cleared
    when as many were not. With --wav or --stdin the exit code is 3 if any decision was anomalous, alarm or not.
    """
    inputs = {"--device": device, "--wav": wav, "--stdin": stdin or None, "--source-command": source_command}
    if sum(given is not None for given in inputs.values()) > 1:
        *first, last = inputs
        raise typer.BadParameter(f"give only one of {', '.join(first)} and {last}")
    _check_alarm_after(alarm_after)
    folder = wav is not None and wav.is_dir()
    flags = {
        "bundle": bundle,
        "section": section,
        "domain": None if domain is None else domain.value,
        "device": device,
        "wav": None if folder else wav,
        "folder": wav if folder else None,
        "stdin": stdin or None,
        "command": source_command,
        "rate": rate,
        "channels": channels,
        "channel": channel,
        "gain_db": gain,
        "interval_s": interval,
        "off_level_db": off_level,
        "policy.alarm_after": alarm_after,
        "policy.cooldown_s": cooldown,
        "records.folder": records,
        "notify.on_alarm": on_alarm,
    }
    name = str(wav or device or ("stdin" if stdin else "command" if source_command else "microphone"))
    _monitor(config, flags, name, verbose=verbose, json=json)


def _monitor(path: Path | None, flags: Mapping[str, object], name: str, *, verbose: bool | None, json: bool) -> None:
    from edge_asd.monitor.config.reading import load_default_config
    from edge_asd.monitor.ending import inside
    from edge_asd.monitor.loop import Loop
    from edge_asd.monitor.outcome import conclude
    from edge_asd.monitor.outputs import Outputs
    from edge_asd.monitor.running import Running
    from edge_asd.monitor.session import Session
    from edge_asd.monitor.sinks.terminal import TerminalView

    def read() -> ConfigFile:
        return load_default_config(path, flags=flags, name=name)

    loaded = read()
    console: Sink | None = None

    def tell(text: str) -> None:
        # A view that fills the terminal shows notes among its events.
        (console.note if isinstance(console, TerminalView) else note)(text)

    session = Session(loaded, tell)
    live = any(ear.live for ear in session.ears.values())
    running = Running(loaded, read, session, tell, live=live)
    console = _console(session, live=live, verbose=verbose, json=json)
    # The view shows events, and what each state means: the same in other words would take a second line of it.
    advise = (lambda _: None) if isinstance(console, TerminalView) else tell
    try:
        with running:
            running.outputs = outputs = Outputs(loaded, session, console, tell, live=live)
            with inside(outputs, session, at_once=live):  # a live monitor that is asked to end has a second
                items = session.items(changing=loaded.path is not None)
                Loop(session.ears, outputs.sinks, tell, advise=advise, turn=running.turn).run(items)
        if running.ended:
            raise typer.Exit(0)
        anomalies = sum([conclude(ear.listener, ear.error, note) for ear in session.ears.values()])
    except KeyboardInterrupt:
        note("Stopped.")
        raise typer.Exit(0 if live else 130) from None
    if anomalies:
        raise typer.Exit(3)


def _console(session: Session, *, live: bool, verbose: bool | None, json: bool) -> Sink:
    from edge_asd.monitor.sinks.console import JsonLines, Lines, Minutes
    from edge_asd.monitor.sinks.scene import Subject
    from edge_asd.monitor.sinks.terminal import TerminalView, usable

    if json:
        return JsonLines(lasting=live)
    if verbose or (verbose is None and not live):
        return Lines(session.units, lasting=live)
    if verbose is None and usable(sys.stdout):
        watched = session.watched.items()
        return TerminalView(
            sys.stdout,
            {name: Subject(one.bundle.machine, one.bundle.kind.unit, one.section) for name, one in watched},
        )
    of_files = all(watched.config.wav or watched.config.folder for watched in session.watched.values())
    return Minutes(session.units, time_of_day=not of_files, lasting=live)


def _check_alarm_after(text: str | None) -> None:
    import re

    from edge_asd.bundle.policy import Policy

    if text is None:
        return
    numbers = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if numbers is None:
        raise typer.BadParameter(f"--alarm-after takes two numbers such as 45/60, not {text!r}")
    try:
        Policy(needed=int(numbers[1]), of=int(numbers[2]))
    except ValueError as error:
        raise typer.BadParameter(f"--alarm-after {text}: {error}") from None
