"""``edge-asd monitor``: listen, score, decide."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_asd.cli.common import BundleArgument, DomainName, finite, note
from edge_asd.clips import parse_section
from edge_asd.errors import DataError

if TYPE_CHECKING:
    from edge_asd.audio.stream import Pcm
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.monitor.engine import Decision, Engine

_BLOCK_SECONDS = 1.0  # of a file: large enough to be fast, small enough for a small computer


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
    wav: Annotated[Path | None, typer.Option(metavar="FILE", help="Listen to a WAV file instead.")] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Listen to raw little-endian int16 on standard input.")
    ] = False,
    rate: Annotated[int, typer.Option(min=1000, max=384000, help="Sample rate of --stdin [Hz].")] = 16000,
    channels: Annotated[int, typer.Option(min=1, max=256, help="Interleaved channels of --stdin.")] = 1,
    channel: Annotated[int, typer.Option(min=0, help="Channel to listen to.")] = 0,
    interval: Annotated[
        float, typer.Option(min=0.032, max=3600, callback=finite, help="Seconds between two decisions.")
    ] = 1.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON line a decision.")] = False,
) -> None:
    """Listen to a machine and decide, once a second, whether it sounds anomalous.

    Each decision rests on the score of the last ten seconds (the span that the bundle's thresholds
    belong to). With --wav or --stdin the exit code is 3 if any decision was anomalous.
    """
    if (device is not None) + (wav is not None) + stdin > 1:
        raise typer.BadParameter("give only one of --device, --wav and --stdin")
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.monitor.engine import Engine

    loaded = Bundle.load(bundle)
    chosen = _section(loaded, section)
    engine = Engine(loaded, chosen, domain=domain, interval_s=interval)
    if chosen in loaded.without_own_threshold(domain):
        note(f"Section {chosen} has no threshold of its own for the domain {domain}; the section's decides.")
    live = wav is None and not stdin
    try:
        if wav is not None:
            blocks = _file(wav, loaded, channel)
        elif stdin:
            blocks = _standard_input(loaded, rate, channels, channel)
        else:
            blocks = _microphone(device, loaded, chosen, channel)
        count, anomalies = _listen(engine, blocks, json)
    except KeyboardInterrupt:
        note("Stopped.")
        raise typer.Exit(0 if live else 130) from None
    if count == 0:
        raise DataError(
            f"The sound lasts less than the {_score_seconds(loaded):.1f} s that one score of this bundle spans. "
            "Use a longer recording, or quantise with a shorter --score-seconds."
        )
    if anomalies:
        raise typer.Exit(3)


def _section(bundle: Bundle, section: str | None) -> str:
    if section is not None:
        chosen = parse_section(section)
        bundle.threshold(chosen)
        return chosen
    if len(bundle.thresholds) > 1:
        raise DataError(f"This bundle has sections {', '.join(sorted(bundle.thresholds))}. Choose one with --section.")
    return next(iter(bundle.thresholds))


def _score_seconds(bundle: Bundle) -> float:
    spec = bundle.features
    return spec.sample_count(bundle.score_window_frames) / spec.sample_rate


def _file(path: Path, bundle: Bundle, channel: int) -> Iterator[Pcm]:
    from edge_asd.audio.recording_file import read_recording
    from edge_asd.audio.stream import from_recording

    rate = bundle.features.sample_rate
    recording = read_recording(path, sample_rate=rate, channel=channel)
    for text in recording.notes:
        note(f"{path} {text}")
    if recording.file_channels > 1:
        note(f"{path} has {recording.file_channels} channels; listening to channel {channel}.")
    if recording.file_rate != rate:
        note(f"{path} has {recording.file_rate} Hz; resampled to {rate} Hz.")
    if recording.file_rate < rate:
        note(
            f"Nothing above {recording.file_rate // 2} Hz is in it: it will sound anomalous, whatever the machine does."
        )
    if recording.silent:
        raise DataError(f"{path} holds only zeros. A muted or unplugged input sounds like this; record it again.")
    return from_recording(recording.pcm, int(_BLOCK_SECONDS * rate))


def _standard_input(bundle: Bundle, rate: int, channels: int, channel: int) -> Iterator[Pcm]:
    from edge_asd.audio.stream import from_raw

    return from_raw(
        sys.stdin.buffer,
        source_rate=rate,
        sample_rate=bundle.features.sample_rate,
        channels=channels,
        channel=channel,
    )


def _microphone(device: str | None, bundle: Bundle, section: str, channel: int) -> Iterator[Pcm]:
    from edge_asd.audio.microphone import Microphone

    wanted = int(device) if device is not None and device.isdecimal() else device
    with Microphone(wanted, sample_rate=bundle.features.sample_rate, channel=channel) as microphone:
        note(
            f"Listening to {microphone.description} for {bundle.machine}, section {section}. "
            f"First decision after {_score_seconds(bundle):.1f} s; Ctrl-C stops."
        )
        dropped = 0
        for block in microphone.blocks():
            if microphone.dropped_samples > dropped:
                dropped = microphone.dropped_samples
                note(f"{dropped} samples were lost so far: this computer is too busy to keep up.")
            yield block


def _listen(engine: Engine, blocks: Iterator[Pcm], json: bool) -> tuple[int, int]:
    """Print the decisions on a stream; return how many there were, and how many were anomalous."""
    count = anomalies = 0
    warned = False
    for block in blocks:
        for decision in engine.push(block):
            count += 1
            anomalies += decision.anomaly
            _print(decision, engine.unit, json)
        if engine.silent and not warned:
            note(
                "Only zeros for the last 5 s: the input is probably muted or unplugged. No decisions until it is heard."
            )
        warned = engine.silent
    if not engine.heard:
        raise DataError("The sound holds only zeros. A muted or unplugged input sounds like this.")
    return count, anomalies


def _print(decision: Decision, unit: str, json: bool) -> None:
    if json:
        print(jsonlib.dumps(asdict(decision)), flush=True)
        return
    from edge_asd.detectors.scores import score_value

    verdict = "ANOMALY" if decision.anomaly else "healthy"
    print(
        f"{decision.time_s:9.1f} s  section {decision.section}  score {score_value(decision.score):8.2f} {unit}  "
        f"threshold {score_value(decision.threshold):.2f}  {verdict}",
        flush=True,
    )
