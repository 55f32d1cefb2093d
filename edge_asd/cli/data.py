"""``edge-asd data``: what is done with data sets before training."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from edge_asd.cli import data_import, data_record, data_synth
from edge_asd.cli.common import ChannelOption, DataArgument, JsonOption, note, print_json, table
from edge_asd.cli.progress import Progress
from edge_asd.stages import load_stage

app = typer.Typer(
    help="Make, record, import and check data sets in the layout of MIMII DUE.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("record")(data_record.command)
app.command("synth")(data_synth.command)
app.command("import")(data_import.command)

_MOST_FAULTS = 40


@app.command("verify")
def verify(
    data: DataArgument,
    counts: Annotated[
        bool, typer.Option("--counts/--no-counts", help="Compare counts with Table 1 of the MIMII DUE paper.")
    ] = True,
    channel: ChannelOption = 0,
    json: JsonOption = False,
) -> None:
    """Check every clip: counts, names, formats, broken files, silence and duplicates.

    Exits with 1 where anything is wrong. A data set of other machines or sections than MIMII DUE's
    is not counted, nor is a synthetic one of another size.
    """
    stage = load_stage("train.data.verify")
    line = Progress()
    try:
        report = stage.verify(
            data,
            counts=counts,
            channel=channel,
            progress=line,
        )
    finally:
        line.clear()
    document = report.as_dict()
    if json:
        print_json(document)
    else:
        _print_report(document)
    if not report.clean:
        raise typer.Exit(1)


def _print_report(document: dict[str, Any]) -> None:
    rows = []
    for section in document["sections"]:
        counts = section["counts"]
        cells = []
        for domain in ("source", "target"):
            test = {
                key.removeprefix(f"{domain}_test"): n for key, n in counts.items() if key.startswith(f"{domain}_test")
            }
            cells += [
                str(counts.get(f"{domain}_train", 0)),
                str(test.get("", 0)) if set(test) <= {""} else f"{test.get('_normal', 0)} + {test.get('_anomaly', 0)}",
            ]
        rows.append([section["machine"], section["section"], str(section["faults"] or "-"), *cells])
    header = ["machine", "section", "faults", "source train", "test", "target train", "test"]
    print(table(header, rows))
    print("(test: normal + anomaly where the names tell)")
    for text in document["notes"]:
        note(f"Note: {text}")
    if "counts" in document["checks"]:
        figures = document["table1"]
        note(
            f"Note: the rows of Table 1 sum to {figures['clips']:,} clips; the paper prints "
            f"{figures['printed_total']:,}. The rows are what is compared."
        )
    faults = document["faults"]
    for fault in faults[:_MOST_FAULTS]:
        print(f"{fault['kind']}: {fault['path'] + ' ' if fault['path'] else ''}{fault['text']}")
    if len(faults) > _MOST_FAULTS:
        print(f"... and {len(faults) - _MOST_FAULTS} more; --json lists them all.")
    checked = ", ".join(document["checks"])
    print(f"{document['clips']:,} clips: {f'{len(faults)} faults' if faults else 'no fault'}. Checked: {checked}.")
