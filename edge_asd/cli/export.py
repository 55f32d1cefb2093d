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
    bundle: Annotated[Path | None, typer.Argument(metavar="[BUNDLE]", help="Bundle made by edge-asd quantize.")] = None,
    tflite: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead of BUNDLE, any int8 .tflite model: exported without a detector."),
    ] = None,
    target: Annotated[
        ExportTarget, typer.Option(help="Kind of project: a CMake library, or one for Arduino, PlatformIO or Zephyr.")
    ] = ExportTarget.cmake,
    verify: Annotated[
        Proof | None,
        typer.Option(help="Prove the C equal: on this machine under sanitizers, or on seven emulated boards as well."),
    ] = None,
    frontend_only: Annotated[
        bool, typer.Option("--frontend-only", help="The bundle's log-mel front end alone, for a model of your own.")
    ] = False,
    form: Annotated[
        ExportFormat,
        typer.Option("--format", help="c: our kernels. tflm: the model for TensorFlow Lite Micro, as a C array."),
    ] = ExportFormat.c,
    rounding: Annotated[
        ExportRounding | None,
        typer.Option(
            help="Whose arithmetic: LiteRT's reference kernels (the default of a bundle) or TensorFlow Lite Micro's "
            "and CMSIS-NN's (the default of --tflite)."
        ),
    ] = None,
    batch_hops: Annotated[
        int, typer.Option(min=1, max=16, help="Score so many hops together, which takes fewer instructions a hop.")
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
    """Write a C99 project that computes what was evaluated, integer for integer, and prove it.

    It holds the front end, the int8 model, the score and the thresholds of all sections, without heap or floating
    point, with kernels for Cortex-M's DSP instructions, for Helium, and for any other processor.
    """
    if (bundle is None) == (tflite is None):
        raise typer.BadParameter("give either BUNDLE, or --tflite FILE")
    if frontend_only and (
        tflite is not None or form is ExportFormat.tflm or batch_hops > 1 or rounding is not None or cmsis_nn
    ):
        raise typer.BadParameter("--frontend-only exports no model: it goes with BUNDLE, --target and --verify alone")
    if form is ExportFormat.tflm and (
        verify is not None or batch_hops > 1 or rounding is ExportRounding.litert or cmsis_nn
    ):
        raise typer.BadParameter(
            "--format tflm hands the model to TensorFlow Lite Micro: there is nothing of ours to prove"
        )
    exporting = load_stage("firmware_export.exporting")
    choices = exporting.Choices(
        target=target.value,
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
    if json:
        print_json(_document(done, target.value, exporting))
    else:
        _print(done)


def _document(done: Exported, target: str, exporting: Any) -> dict[str, Any]:
    found = done.verification
    report = {"mismatches": None, "vectors": None, "boards": {}} if found is None else exporting.as_report(found)
    return {"out": str(done.out), "target": target, "kind": done.kind, "files": done.files, **report}


def _print(done: Exported) -> None:
    if done.verification is not None:
        _print_proof(done.verification)
    print(f"Wrote {done.files} files to {done.out}. Next: read {done.out / 'README.md'}.")


def _print_proof(found: Verification) -> None:
    decisions = f", {found.decisions} decisions" if found.decisions else ""
    print(f"Equal to {found.reference}: {found.vectors} windows, {found.values:,} values{decisions}; 0 differ.")
    for text in found.notes:
        print(f"Note: {text}")
    if found.boards:
        header = ["board", "instructions", "a hop", "flash", "RAM", "stack", "code", "weights"]
        rows = [
            [
                name,
                f"{board.instructions_per_inference:,}",
                "-" if board.instructions_per_hop is None else f"{board.instructions_per_hop:,}",
                *(f"{size:,}" for size in (board.flash_bytes, board.ram_bytes, board.stack_bytes)),
                *(f"{size:,}" for size in (board.code_bytes, board.weight_bytes)),
            ]
            for name, board in found.boards.items()
        ]
        print("\nInstructions for one inference with the preparation of its input, and for a hop of sound; bytes:\n")
        print(table(header, rows) + "\n")
