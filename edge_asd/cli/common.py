"""What the commands share: options, progress on the standard error, output on the standard output."""

from __future__ import annotations

import json
import math
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_asd.cli.choices import DomainName, LabelName

if TYPE_CHECKING:
    from edge_asd.sweeps.running import Where

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on the standard output.")]
DataArgument = Annotated[
    Path, typer.Argument(metavar="DATA", help="Data set: a folder that holds one folder a machine, such as fan/.")
]
DataOption = Annotated[
    Path, typer.Option("--data", metavar="DATA", help="Data set: a folder that holds one folder a machine.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        envvar="EDGE_ASD_CACHE",
        help="Folder that keeps computed features; by default edge-asd in the user's cache folder.",
    ),
]


def _channel(text: str | int) -> int:
    """Read a channel: a number, or the name that it has in DCASE 2026."""
    names = {"near": 0, "far": 1}
    if text in names:
        return names[str(text)]
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 255:
        raise typer.BadParameter(f"{text} is not a channel: give a number from 0 to 255, near (0) or far (1).")
    return number


ChannelOption = Annotated[
    int,
    typer.Option(
        "--channel",
        metavar="N|near|far",
        parser=_channel,
        help="Channel of the clips to listen to; of the two of DCASE 2026, near is 0 and far 1.",
    ),
]
GroundTruthOption = Annotated[
    Path | None,
    typer.Option(
        "--ground-truth",
        metavar="CSV|DIR",
        help="Labels of evaluation clips: ground_truth_<machine>_section_<NN>_<domain>_test.csv, or their folder; from "
        "2022 on the folder that holds ground_truth_data and ground_truth_domain; or eval_data_list.csv.",
    ),
]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs", metavar="N", min=1, max=256, help="Parts at a time, a process each; they do not change the result."
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Work on the parts by the workers of a Dask cluster, such as tcp://host:8786 (docs/sweeps.md).",
    ),
]


def where(jobs: int, scheduler: str | None) -> Where:
    """Read where the parts of a job are to be worked on (`edge_asd.sweeps.running.Where`)."""
    if scheduler is not None and jobs != 1:
        raise typer.BadParameter("give --jobs or --scheduler, not both")
    from edge_asd.sweeps.running import Where

    return Where(jobs, scheduler)


OwnMachineOption = Annotated[
    str, typer.Option("--machine", metavar="NAME", help="The machine's name, and its folder's in the set.")
]
OwnOutOption = Annotated[
    Path, typer.Option("--out", metavar="DATA", help="Data set to add to; made where it is not there.")
]
OwnSectionOption = Annotated[
    str,
    typer.Option(
        "--section", metavar="NN", help="Section: 00, 01, ...; one per product, place or microphone of the machine."
    ),
]
OwnDomainOption = Annotated[
    DomainName,
    typer.Option("--domain", help="source: its usual conditions; target: changed ones, such as another load."),
]
OwnLabelOption = Annotated[
    LabelName, typer.Option("--label", help="normal: the machine is healthy; anomaly: it has a fault.")
]
OwnAttributesOption = Annotated[
    str,
    typer.Option("--attributes", metavar="TEXT", help="What else the names of the clips are to say, such as speed_2."),
]
FIRST_YEAR, LAST_YEAR = 2020, 2026
"""Of the published measures (`edge_asd.train.figures.measures.YEARS`)."""


def _year(value: int | None) -> int | None:
    if value is not None and not FIRST_YEAR <= value <= LAST_YEAR:
        raise typer.BadParameter(f"there are measures of {FIRST_YEAR} to {LAST_YEAR}, none of {value}.")
    return value


YearOption = Annotated[
    int | None,
    typer.Option(
        "--year",
        metavar="YEAR",
        callback=_year,
        help="Compute that year's measures of DCASE Task 2 (docs/measures.md), whatever the names tell.",
    ),
]
BundleArgument = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle made by edge-asd quantize.")]


class State:
    """Options given before the command's name."""

    debug = False


def print_json(document: Any) -> None:
    """Print one JSON document; an absent value is null, never NaN."""
    print(json.dumps(document, indent=2, allow_nan=False), flush=True)


def note(text: str) -> None:
    """Tell the user something on the standard error; where nobody reads it any more, or its disk is full, nobody."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def finite(value: float | None) -> float | None:
    """Refuse NaN and infinity: the callback of every option that takes a float, for no range of Typer's does."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


ClipSecondsOption = Annotated[
    float,
    typer.Option(
        "--clip-seconds", min=1.0, max=60.0, callback=finite, help="Length of a clip [s]; MIMII DUE's are 10 s."
    ),
]


def counted(number: float, what: str) -> str:
    """Return a number with what it counts, in its singular or plural: ``1 minute``, ``1,200 clips``."""
    digits = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{digits} {what}{'' if number == 1 else 's'}"


def figure(value: float | None) -> str:
    """Format an AUC for a table; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Lay out a table: the first three columns to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row: list[str]) -> str:
        cells = [
            f"{cell:<{w}}" if i < 3 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * w for w in widths), *map(line, rows)])


def measures_line(measures: Any, *, by_names: bool = False) -> str:
    """Name a year's measures (`edge_asd.train.figures.measures.Measures`), and say below what they are of.

    With `by_names` nothing but the names of score files told the year.
    """
    return f"Measures of {measures.source_by_names if by_names else measures.source}.\n{measures.explained}"
