"""``edge-asd data``: what is done with data sets before training."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from edge_asd.cli import data_download, data_import, data_record, data_synth
from edge_asd.cli.common import ChannelOption, DataArgument, JsonOption, note, print_json, table
from edge_asd.cli.progress import Progress
from edge_asd.stages import load_stage

app = typer.Typer(
    help="Fetch, record, import, make and check data sets in the layout of MIMII DUE.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("download")(data_download.command)
app.command("record")(data_record.command)
app.command("synth")(data_synth.command)
app.command("import")(data_import.command)

_MOST_FAULTS = 40

_UNTOLD = ("train", "test", "test_normal", "test_anomaly")
"""Counts of clips whose names tell no domain."""


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
    with Progress() as line:
        report = stage.verify(
            data,
            counts=counts,
            channel=channel,
            progress=line,
        )
    document = report.as_dict()
    if json:
        print_json(document)
    else:
        _print_report(document)
    if not report.clean:
        raise typer.Exit(1)


def _train(counts: dict[str, int], domain: str) -> str:
    return str(counts.get(f"{domain}train", 0))


def _test(counts: dict[str, int], domain: str) -> str:
    normal, anomaly = (counts.get(f"{domain}test_{label}") for label in ("normal", "anomaly"))
    if normal is None and anomaly is None:
        return str(counts.get(f"{domain}test", 0))
    return f"{normal or 0} + {anomaly or 0}"


def _print_report(document: dict[str, Any]) -> None:
    rows = []
    there = {key for section in document["sections"] for key in section["counts"]}
    untold = not there.isdisjoint(_UNTOLD)
    domains = ["source_", "target_"] if there.difference(_UNTOLD) or not untold else []
    domains += [""] if untold else []
    for section in document["sections"]:
        counts = section["counts"]
        cells = [cell(counts, domain) for domain in domains for cell in (_train, _test)]
        rows.append([section["machine"], section["section"], str(section["faults"] or "-"), *cells])
    of_domain = {"source_": "source train", "target_": "target train", "": "domain not told: train"}
    header = ["machine", "section", "faults", *(name for domain in domains for name in (of_domain[domain], "test"))]
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
