"""``edge-asd calibrate``: a threshold on site, without training."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edge_asd.cli.calibrate_text import document, print_calibrated, report_learnt
from edge_asd.cli.choices import DomainName
from edge_asd.cli.common import BundleArgument, JsonOption, counted, finite, note, print_json
from edge_asd.cli.progress import Progress
from edge_asd.cli.thresholds import (
    DEFAULT_QUANTILE,
    FalseAlarmsOption,
    FalsePositiveRateOption,
    QuantileOption,
    check_one_target,
)
from edge_asd.clips import parse_section
from edge_asd.errors import OutputError

if TYPE_CHECKING:
    from edge_asd.bundle.bundle import Bundle
    from edge_asd.calibration.adapting import Adapted
    from edge_asd.calibration.heard import Heard, Request

DEFAULT_MINUTES = 5.0


def command(
    bundle: BundleArgument,
    section: Annotated[
        str, typer.Option(help="Section to calibrate; an autoencoder, and distance with --adapt, take new ones, too.")
    ],
    wav_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of WAV files of the healthy machine.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Record the healthy machine now: the microphone, as edge-asd devices names it."
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1440.0,
            callback=finite,
            help=f"With --device: sound to record; {DEFAULT_MINUTES:g} by default.",
        ),
    ] = None,
    adapt: Annotated[
        bool,
        typer.Option(
            "--adapt",
            help="distance only: learn how the section, or with --domain one of its domains, sounds here; its "
            "threshold stays. Twenty score spans are enough.",
        ),
    ] = False,
    restore: Annotated[
        bool,
        typer.Option(
            "--restore", help="Put back what the section had before its last calibration, or with --adapt its sound."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="BUNDLE", help="Bundle to write.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the bundle instead.")] = False,
    domain: Annotated[
        DomainName | None,
        typer.Option(
            help="Fit this domain's own threshold (20 score spans at least), not the section's; with --adapt, learn it."
        ),
    ] = None,
    quantile: QuantileOption = None,
    false_positive_rate: FalsePositiveRateOption = None,
    false_alarms_per_day: FalseAlarmsOption = None,
    off_level: Annotated[
        str | None,
        typer.Option(
            metavar="DB|none|keep",
            help="Level below which the machine is off [dB re full scale]; by default 6 dB below its quietest second.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --device: take unstable scores, too.")] = False,
    channel: Annotated[int, typer.Option(min=0, help="Channel of the files or the microphone to use.")] = 0,
    gain: Annotated[
        float,
        typer.Option(
            min=-60.0, max=60.0, callback=finite, help="Digital gain on the sound [dB]; give monitor the same."
        ),
    ] = 0.0,
    json: JsonOption = False,
) -> None:
    """Fit a section's threshold anew on sound of the healthy machine where it stands.

    The sound is scored as the monitor scores it, in spans of the bundle's score (ten seconds by
    default) that do not overlap. The model and all other thresholds stay. With --adapt a distance
    detector learns the sound itself instead, without training. What the section had before is kept
    for --restore. Silent, clipped and too short sound is refused, and from a microphone scores that
    drift or jump.
    """
    if (out is None) is not in_place:
        raise typer.BadParameter("give one of --out and --in-place")
    if [wav_dir is not None, device is not None, restore].count(True) != 1:
        raise typer.BadParameter("give one of --wav-dir, --device and --restore")
    if device is None and (minutes is not None or force):
        raise typer.BadParameter("--minutes and --force belong to --device")
    check_one_target(quantile, false_positive_rate, false_alarms_per_day)
    level = _parse_off_level(off_level)
    threshold_options = (quantile, false_positive_rate, false_alarms_per_day, off_level)
    if restore and ((domain is not None and not adapt) or threshold_options != (None,) * 4):
        raise typer.BadParameter(
            "--restore puts back what was; it takes no other options than --out, --in-place and, with --adapt, --domain"
        )
    from edge_asd.bundle.bundle import Bundle, check_replaceable
    from edge_asd.calibration import fitting
    from edge_asd.calibration.heard import Heard, Request
    from edge_asd.files import locked, prepare_folder

    target = bundle if out is None else out
    loaded = Bundle.load(bundle)
    if target.is_dir():
        raise OutputError(
            f"{target} is a folder. Name a file for the bundle with --out, such as {loaded.machine}.easd."
        )
    check_replaceable(target)
    prepare_folder(target.absolute().parent)
    request = Request(
        section=parse_section(section),
        domain=None if domain is None else domain.value,
        quantile=DEFAULT_QUANTILE if quantile is None else quantile,
        false_positive_rate=false_positive_rate,
        false_alarms_per_day=false_alarms_per_day,
        off_level=level,
        force=force,
        gain_db=gain,
        adapt=adapt,
    )
    with ExitStack() as stack:
        if in_place or (target.exists() and target.samefile(bundle)):
            stack.enter_context(locked(bundle))  # and only then read: another may just have calibrated it
            loaded = Bundle.load(bundle)
        if adapt:
            known = request.section in loaded.thresholds
            if known and threshold_options != (None,) * 4:
                raise typer.BadParameter(
                    "--adapt leaves the threshold as it is; calibrate it afterwards, on other sound, without --adapt"
                )
            if known or restore:
                learnt = _adapt(loaded, request, wav_dir, device, minutes, channel, restored=restore)
                learnt.bundle.save(target)
                report_learnt(target, loaded, request, learnt, restored=restore, json=json)
                return
        if restore:
            heard, done = Heard(), fitting.restore(loaded, request.section)
        else:
            heard = _hear(loaded, request, wav_dir, device, DEFAULT_MINUTES if minutes is None else minutes, channel)
            done = fitting.calibrate_new(loaded, request, heard) if adapt else fitting.calibrate(loaded, request, heard)
        done.bundle.save(target)
    for text in done.notes:
        note(f"Note: {text}")
    if json:
        print_json(document(target, loaded, request, heard, done))
    else:
        print_calibrated(target, request, done, restored=restore)


def _adapt(
    bundle: Bundle,
    request: Request,
    wav_dir: Path | None,
    device: str | None,
    minutes: float | None,
    channel: int,
    *,
    restored: bool,
) -> Adapted:
    from edge_asd.calibration import adapting

    if restored:
        request.check(bundle)
        return adapting.restore(bundle, request.section, request.domain)
    heard = _hear(bundle, request, wav_dir, device, DEFAULT_MINUTES if minutes is None else minutes, channel)
    for text in heard.notes:
        note(f"Note: {text}")
    return adapting.adapt(bundle, request.section, request.domain, heard.features)


def _parse_off_level(text: str | None) -> float | Literal["learn", "keep"] | None:
    if text is None:
        return "learn"
    if text == "keep":
        return "keep"
    if text == "none":
        return None
    try:
        level = float(text)
    except ValueError:
        level = 1.0
    if not -120 <= level <= 0:
        raise typer.BadParameter("--off-level takes a level from -120 to 0 [dB re full scale], none, or keep")
    return level


def _hear(
    bundle: Bundle, request: Request, wav_dir: Path | None, device: str | None, minutes: float, channel: int
) -> Heard:
    from edge_asd.calibration.live import hear_microphone, spans_wanted
    from edge_asd.calibration.recordings import hear_recordings

    with Progress() as line:
        if wav_dir is not None:
            return hear_recordings(
                bundle,
                request,
                wav_dir,
                channel=channel,
                progress=lambda n, total, _: line("scoring recordings", round(n), round(total)),
            )
        request.check(bundle)
        spans = spans_wanted(bundle, minutes, request)
        stage = f"recording {counted(minutes, 'minute')}, {counted(spans, 'score span')}"
        return hear_microphone(
            bundle,
            request,
            device,
            minutes,
            channel=channel,
            progress=lambda seconds, total, level: line(stage, round(seconds), round(total), level),
            note=line.note,
        )
