"""``edge-asd calibrate``: a threshold on site, without training."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from edge_asd.cli.choices import DomainName
from edge_asd.cli.common import BundleArgument, JsonOption, note, print_json
from edge_asd.cli.progress import Progress
from edge_asd.cli.thresholds import (
    DEFAULT_QUANTILE,
    FalsePositiveRateOption,
    QuantileOption,
    check_one_target,
    describe,
    false_positives,
)
from edge_asd.clips import parse_section
from edge_asd.errors import OutputError


def command(
    bundle: BundleArgument,
    section: Annotated[str, typer.Option(help="Section to calibrate; an autoencoder takes new ones, too.")],
    wav_dir: Annotated[Path, typer.Option(metavar="DIR", help="Folder of WAV files of the healthy machine.")],
    out: Annotated[Path | None, typer.Option(metavar="BUNDLE", help="Bundle to write.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the bundle instead.")] = False,
    domain: Annotated[
        DomainName | None,
        typer.Option(help="Fit this domain's own threshold (20 score spans at least), not the section's."),
    ] = None,
    quantile: QuantileOption = None,
    false_positive_rate: FalsePositiveRateOption = None,
    channel: Annotated[int, typer.Option(min=0, help="Channel of the files to use.")] = 0,
    json: JsonOption = False,
) -> None:
    """Fit a section's threshold anew on recordings of the healthy machine where it stands.

    The recordings are scored as the monitor scores them, in spans of the bundle's score (ten seconds by
    default). The model and all other thresholds stay. Silent, clipped and too short files are refused.
    """
    if (out is None) is not in_place:
        raise typer.BadParameter("give one of --out and --in-place")
    check_one_target(quantile, false_positive_rate)
    from edge_asd.bundle.bundle import Bundle, check_replaceable
    from edge_asd.calibration import calibrate
    from edge_asd.files import locked, prepare_folder

    target = bundle if out is None else out
    loaded = Bundle.load(bundle)
    if target.is_dir():
        raise OutputError(
            f"{target} is a folder. Name a file for the bundle with --out, such as {loaded.machine}.easd."
        )
    check_replaceable(target)
    prepare_folder(target.absolute().parent)
    chosen = parse_section(section)
    line = Progress()
    with ExitStack() as stack:
        if in_place or (target.exists() and target.samefile(bundle)):
            stack.enter_context(locked(bundle))  # and only then read: another may just have calibrated it
            loaded = Bundle.load(bundle)
        try:
            done = calibrate(
                loaded,
                chosen,
                wav_dir,
                domain=None if domain is None else domain.value,
                quantile=DEFAULT_QUANTILE if quantile is None else quantile,
                false_positive_rate=false_positive_rate,
                channel=channel,
                progress=lambda n, total: line("scoring recordings", n + 1, total),
            )
        finally:
            line.clear()
        done.bundle.save(target)
    for text in done.notes:
        note(f"Note: {text}")
    new, previous = done.threshold, done.previous
    if json:
        print_json(
            {
                "bundle": str(target),
                "machine": loaded.machine,
                "section": chosen,
                "domain": domain,
                "arithmetic": loaded.model_arithmetic,
                "files": done.files,
                "threshold": new.score,
                "previous": None if previous is None else previous.score,
                "method": new.method,
                "quantile": new.quantile,
                "clips": new.clips,
                "false_positives": false_positives(new),
                "notes": done.notes,
            }
        )
        return
    unit = loaded.kind.unit
    print(f"Section {chosen}{f', {domain}' if domain else ''}: {describe(new, unit)}.")
    print(f"Before: {describe(previous, unit)}." if previous else "It had none before.")
    print(f"Written: {target}")
    print(f"Next: edge-asd monitor {target} --section {chosen}")
