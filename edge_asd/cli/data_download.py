"""``edge-asd data download``: the public sets of 2020 to 2026, fetched, checked and put in place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from edge_asd.cli.common import JsonOption, note, print_json, table
from edge_asd.cli.progress import Progress
from edge_asd.errors import DataError, EdgeAsdError
from edge_asd.files import printable
from edge_asd.stages import load_stage

ZENODO = "https://zenodo.org"

_MOST_KINDS = 6


def command(
    out: Annotated[
        Path, typer.Option("--out", metavar="DATA", help="Data set to fetch into; what is in place already stays.")
    ],
    year: Annotated[
        int, typer.Option(help="Year of DCASE Task 2, 2020 to 2026. 2021 is MIMII DUE and two toys.")
    ] = 2021,
    machine: Annotated[
        list[str] | None, typer.Option(metavar="fan,pump,...|all", help="Machine types; all of them by default.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART,...|all",
            help="dev (the default), eval-train, eval-test or all; mimii-due for the record of MIMII DUE itself.",
        ),
    ] = None,
    ground_truth: Annotated[
        bool,
        typer.Option(
            "--ground-truth", help="Labels of the evaluation clips of 2021; without --part, nothing but these."
        ),
    ] = False,
    record: Annotated[
        int | None, typer.Option(min=1, help="Zenodo record of the one --part, instead of the one that is known.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="EDGE_ASD_BASE_URL", help="Mirror to ask instead of Zenodo and GitHub."),
    ] = None,
    ground_truth_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Folder that holds the 42 files of the ground truth, instead of GitHub's."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=8, help="Archives that are fetched at once.")] = 3,
    keep_archives: Annotated[
        bool, typer.Option("--keep-archives/--no-keep-archives", help="Keep the archives, laid out as a mirror.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Fetch public data sets from Zenodo: resumed after any break, checked by MD5, unpacked into DATA.

    A second run fetches nothing that is in place, also when its archives have gone. Nothing of yours
    is overwritten. At the end the clips are checked as by edge-asd data verify; what that finds in the
    published files does not change the exit code.
    """
    stage = load_stage("train.data.download")
    machines, parts = _names(machine), _names(part)
    choice = None
    if parts or not ground_truth:
        choice = stage.wanted(year, parts or ["dev"], machines, record)
    if ground_truth and year != 2021:
        raise DataError(
            "--ground-truth fetches the labels of 2021 alone. Those of 2020 to 2025 are in the repository "
            "nttcslab/dcase2023_task2_baseline_ae: copy them from there."
        )
    try:
        with Progress() as line:
            result = stage.download(
                out,
                choice,
                labels_of=tuple(name for name in machines if name != "all") if ground_truth else None,
                servers=_servers(stage, base_url, ground_truth_url),
                jobs=jobs,
                keep=keep_archives,
                patience=stage.Patience(),
                watch=line,
                note=line.note,
            )
            checked, problem = (
                _verified(stage, out, year, line) if any(o.fetched for o in result.outcomes) else (None, None)
            )
    except KeyboardInterrupt:
        note("Note: What has come is kept; the same command goes on from there.")
        raise
    if problem is not None:
        note(f"Note: {problem}")
    document = _document(result, out, year, checked, [*result.notes, *([problem] if problem else [])])
    if json:
        print_json(document)
    else:
        _print(stage, document, result.changed)


def _names(options: Sequence[str] | None) -> list[str]:
    return [name.strip() for option in options or () for name in option.split(",")]


def _servers(stage: ModuleType, base_url: str | None, ground_truth_url: str | None) -> Any:
    records = stage.check_base_url(base_url or ZENODO)
    folder = f"{stage.check_base_url(base_url or stage.GROUND_TRUTH_SERVER)}/{stage.GROUND_TRUTH_PLACE}"
    return stage.Servers(records, stage.check_base_url(ground_truth_url) if ground_truth_url else folder)


def _verified(stage: ModuleType, out: Path, year: int, line: Progress) -> tuple[Any, str | None]:
    """Check the clips; say why where that is not possible."""
    parts = stage.parts_in_place(out, year)
    # Table 1 counts whole sections: evaluation clips for training alone are none.
    whole = year == 2021 and ("eval-train" in parts) == ("eval-test" in parts)
    try:
        return load_stage("train.data.verify").verify(out, counts=whole, progress=line), None
    except EdgeAsdError as error:
        return None, f"The clips are in place, and could not be checked: {error}"


def _document(result: Any, out: Path, year: int, checked: Any, notes: list[str]) -> dict[str, Any]:
    outcomes = sorted(result.outcomes, key=lambda outcome: (outcome.item.record, outcome.item.file.name))
    return {
        "out": printable(str(out)),
        "year": year,
        "archives": [
            {
                "archive": outcome.item.file.name,
                "part": outcome.item.part,
                "record": outcome.item.record,
                "machines": outcome.machines,
                "bytes": outcome.item.file.size,
                "md5": outcome.item.file.md5,
                "replaces": list(outcome.item.replaces),
                "files": outcome.files,
                "fetched": outcome.fetched,
            }
            for outcome in outcomes
        ],
        "ground_truth": None
        if result.labels is None
        else {"folder": printable(str(out / "ground_truth")), "files": result.labels, "fetched": result.labels_fetched},
        "bytes_fetched": result.bytes_fetched,
        "archives_kept": None if result.archives is None else printable(str(result.archives)),
        "verify": None if checked is None else _summary(checked),
        "notes": notes,
    }


def _summary(report: Any) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for fault in report.faults:
        kinds[fault.kind] = kinds.get(fault.kind, 0) + 1
    return {"clips": report.clips, "clean": report.clean, "faults": kinds, "checks": report.checks}


def _print(stage: ModuleType, document: dict[str, Any], changed: bool) -> None:
    out, checked, labels = document["out"], document["verify"], document["ground_truth"]
    rows = [
        [
            one["archive"],
            one["part"],
            ", ".join(one["machines"]),
            stage.size_text(one["bytes"]),
            f"{one['files']:,}",
            "fetched" if one["fetched"] else "in place",
        ]
        for one in document["archives"]
    ]
    if rows:
        print(table(["archive", "part", "machine", "size", "files", ""], rows))
    if labels is not None:
        print(f"Ground truth: {labels['files']} files in {labels['folder']}, {labels['fetched']} of them fetched now.")
    if not changed:
        print(f"Nothing to do: all of it is in {out} already. To check the clips: edge-asd data verify {out}")
        return
    if document["archives_kept"] is not None:
        print(f"The archives are kept in {document['archives_kept']}, as a mirror for --base-url.")
    if checked is not None:
        faults = ", ".join(f"{count:,} {kind}" for kind, count in list(checked["faults"].items())[:_MOST_KINDS])
        told = f"found: {faults}. What they are: edge-asd data verify {out}" if faults else "no fault."
        print(f"{checked['clips']:,} clips checked ({', '.join(checked['checks'])}): {told}")
    if rows:
        first = document["archives"][0]["machines"][0]
        print(f"Next: edge-asd train {out} --machine {first} --out runs/{first}")
