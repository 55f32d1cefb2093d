"""``edge-asd export``: a bundle or a model to a C project for microcontrollers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_asd.cli.choices import ExportFormat, ExportRounding, ExportTarget, Proof
from edge_asd.cli.common import JsonOption, note, print_json, table
from edge_asd.stages import load_stage

if TYPE_CHECKING:
    from edge_asd.firmware_export.exporting import Exported
    from edge_asd.firmware_export.proof.verification import Verification


def command(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the project.")],
    bundle: Annotated[Path | None, typer.Argument(metavar="BUNDLE", help="Bundle made by edge-asd quantize.")] = None,
    tflite: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead of BUNDLE, any int8 .tflite model: exported without a detector."),
    ] = None,
    target: Annotated[
        ExportTarget | None,
        typer.Option(help="Kind of project: a CMake library (the default), or one for Arduino, PlatformIO or Zephyr."),
    ] = None,
    verify: Annotated[
        Proof | None,
        typer.Option(
            help="Prove that the C computes what edge-asd computes: on this machine, or on seven emulated boards, too. "
            "Without it nothing is proven."
        ),
    ] = None,
    frontend_only: Annotated[
        bool, typer.Option("--frontend-only", help="The bundle's log-mel front end alone, for a model of your own.")
    ] = False,
    form: Annotated[
        ExportFormat,
        typer.Option("--format", help="c: our own code. tflm: the network alone, an array for TensorFlow Lite Micro."),
    ] = ExportFormat.c,
    rounding: Annotated[
        ExportRounding | None,
        typer.Option(
            help="Whose rounding: LiteRT's, which a bundle was evaluated with (its default), or TensorFlow Lite "
            "Micro's and CMSIS-NN's (the default of --tflite)."
        ),
    ] = None,
    batch_hops: Annotated[
        int,
        typer.Option(
            min=1,
            max=16,
            help="Run the model once for so many hops of sound: fewer instructions, more memory, later decisions. Best "
            "a multiple of 4; for fully connected models.",
        ),
    ] = 1,
    cmsis_nn: Annotated[
        bool,
        typer.Option("--cmsis-nn", help="Add what hands fully connected layers to a CMSIS-NN of yours, if built so."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of an earlier export in DIR that were changed since.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write a C99 project for microcontrollers that decides as edge-asd monitor does, integer for integer.

    It holds the front end, the int8 model or the distance detector's integers, the score and the thresholds of all
    sections, without heap or floating point; Cortex-M4, M7, M33, M55 and M0+ have kernels of their own. --verify
    proves it, and counts instructions and memory.
    """
    if (bundle is None) == (tflite is None):
        raise typer.BadParameter("give either BUNDLE, or --tflite FILE")
    if frontend_only:
        _refuse(
            "goes with a model; --frontend-only exports none",
            {
                "--tflite": tflite is not None,
                "--format tflm": form is ExportFormat.tflm,
                "--batch-hops": batch_hops > 1,
                "--rounding": rounding is not None,
                "--cmsis-nn": cmsis_nn,
            },
        )
    if form is ExportFormat.tflm:
        _refuse(
            "is for C of our own; --format tflm writes the model alone",
            {
                "--verify": verify is not None,
                "--batch-hops": batch_hops > 1,
                "--rounding litert": rounding is ExportRounding.litert,
                "--target": target is not None,
                "--cmsis-nn": cmsis_nn,
            },
        )
    exporting = load_stage("firmware_export.exporting")
    choices = exporting.Choices(
        target=(target or ExportTarget.cmake).value,
        rounding=rounding and rounding.value,
        hops=batch_hops,
        frontend_only=frontend_only,
        tflm=form is ExportFormat.tflm,
        cmsis_nn=cmsis_nn,
        verification=verify and verify.value,
        overwrite=overwrite,
    )

    def progress(what: str) -> None:
        note(f"Proving on {what} ...")

    if bundle is not None:
        done = exporting.export_bundle(bundle, out, choices, progress)
    else:
        done = exporting.export_model(tflite, out, choices, progress)
    for text in done.notes:
        note(f"Note: {text}")
    if json:
        print_json(_document(done, exporting))
    else:
        _print(done)


def _refuse(why: str, given: dict[str, bool]) -> None:
    for option, is_given in given.items():
        if is_given:
            raise typer.BadParameter(f"{option} {why}")


def _document(done: Exported, exporting: Any) -> dict[str, Any]:
    found = done.verification
    absent = dict.fromkeys(("mismatches", "vectors", "values", "decisions", "reference"))
    report = {**absent, "boards": {}, "notes": []} if found is None else exporting.as_report(found)
    report["notes"] = [*report["notes"], *done.notes]
    return {"out": str(done.out), "target": done.target, "kind": done.kind, "files": done.files, **report}


def _print(done: Exported) -> None:
    if done.verification is not None:
        _print_proof(done.verification, done)
    print(f"Wrote {done.files} files to {done.out}. Next: read {done.out / 'README.md'}.")


def _print_proof(found: Verification, done: Exported) -> None:
    what = "frames" if done.kind == "frontend" else "windows" if done.has_network else "spans"
    decisions = f", {found.decisions} decisions" if found.decisions else ""
    print(f"Equal to {found.reference}: {found.vectors} {what}, {found.values:,} values{decisions}; 0 differ.")
    for text in found.notes:
        print(f"Note: {text}")
    if found.boards:
        names = ("inference", "weights") if done.has_network else ("beyond front end", "directions")
        header = ["board", names[0], "hop (mean)", "flash", "RAM", "stack", "code", names[1]]
        rows = [
            [
                name,
                *(
                    "-" if n is None else f"{n:,}"
                    for n in (board.instructions_per_inference, board.instructions_per_hop)
                ),
                *(f"{size:,}" for size in (board.flash_bytes, board.ram_bytes, board.stack_bytes)),
                *(f"{size:,}" for size in (board.code_bytes, board.weight_bytes)),
            ]
            for name, board in found.boards.items()
        ]
        counted = (
            "of an inference with the preparation of its input, and of a hop of sound, with and without the model, in "
            "the mean"
            if done.has_network
            else "of a hop of sound beyond the front end, decisions included, and of the whole hop, over a span"
        )
        print(f"\nInstructions {counted}; bytes:\n")
        print(table(header, rows) + "\n")


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
