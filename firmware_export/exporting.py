"""A bundle or a model to a project on disk, proven where that is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge_asd.bundle.bundle import MAX_MODEL_BYTES, Bundle
from edge_asd.errors import EdgeAsdError, ModelError
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.layout import laid_out
from edge_asd.firmware_export.library import FRONTEND, Library, detector_library, frontend_library, model_library
from edge_asd.firmware_export.project_folder import check_folder, write_folder
from edge_asd.firmware_export.proof.distance_detector import verify_distance
from edge_asd.firmware_export.proof.frontend import verify_frontend
from edge_asd.firmware_export.proof.verification import Verification, verify
from edge_asd.firmware_export.tflm_source import tflm_files

VERIFICATIONS = ("host", "qemu")
"""Ways to prove an export: on this machine under sanitizers, and on emulated boards as well."""

FORMATS = ("c", "tflm")
"""C of our own, or the model for TensorFlow Lite Micro."""

MAX_HOPS = 16

_REPORT = "verification.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """A project that was written.

    Attributes
    ----------
    out : Path
    kind : str
        "detector", "model", "frontend", or "tflm" for a model in TensorFlow Lite Micro.
    files : int
        Number of files.
    verification : Verification or None
    target : str or None
        None where it has none.
    notes : tuple of str
        What of the bundle is not in it.
    has_network : bool
        False for a distance detector.
    """

    out: Path
    kind: str
    files: int
    verification: Verification | None
    target: str | None = None
    notes: tuple[str, ...] = ()
    has_network: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an export is asked for.

    Attributes
    ----------
    target : str, one of `edge_asd.firmware_export.layout.TARGETS`
    rounding : {"litert", "tflm"}, optional
        By default the bundle's, and TensorFlow Lite Micro's for a model alone.
    hops : int, 1 to `MAX_HOPS`
        Windows that are scored together.
    frontend_only : bool
    tflm : bool
        Write the .tflite file for TensorFlow Lite Micro, not C of our own.
    cmsis_nn : bool
        Add what hands fully connected layers to the user's own CMSIS-NN, where the project is built so.
    verification : {"host", "qemu"}, optional
    overwrite : bool
        Replace files of an earlier export that were changed since.
    """

    target: str = "cmake"
    rounding: str | None = None
    hops: int = 1
    frontend_only: bool = False
    tflm: bool = False
    cmsis_nn: bool = False
    verification: str | None = None
    overwrite: bool = False


def export_bundle(
    path: Path, out: Path, choices: Choices, progress: Callable[[str], None] = lambda _: None
) -> Exported:
    """Export a bundle.

    Raises
    ------
    EdgeAsdError
        If it cannot be exported or written, or is not proven to be equal; nothing is then written.
    """
    check_folder(out, overwrite=choices.overwrite)
    bundle = Bundle.load(path)
    if not bundle.kind.network:
        _refuse_what_concerns_a_network(path, choices)
    if choices.tflm:
        return _export_tflm(bundle.model, out, choices)
    if choices.frontend_only:
        library = frontend_library(bundle)
    else:
        library = detector_library(
            bundle, rounding=choices.rounding or "litert", hops=choices.hops, cmsis_nn=choices.cmsis_nn
        )
    done = _export(library, bundle.model, out, choices, progress)
    return done if choices.frontend_only else replace(done, notes=_left_out(bundle))


def _refuse_what_concerns_a_network(path: Path, choices: Choices) -> None:
    given = {
        "--format tflm": choices.tflm,
        "--rounding": choices.rounding is not None,
        "--batch-hops": choices.hops > 1,
        "--cmsis-nn": choices.cmsis_nn,
    }
    if names := [name for name, is_given in given.items() if is_given]:
        raise EdgeAsdError(
            f"{path} holds a distance detector, which has no network, and {' and '.join(names)} "
            f"{'concerns' if len(names) == 1 else 'concern'} only networks. Export it without."
        )


def _left_out(bundle: Bundle) -> tuple[str, ...]:
    """Say what the bundle holds and the firmware has no use for."""
    names = []
    if bundle.policy is not None:
        names.append("alarm policy")
    if any(threshold.off_level_db is not None for threshold in bundle.thresholds.values()):
        names.append("machine-off levels")
    if not names:
        return ()
    return (
        f"The firmware does not use the bundle's {' and '.join(names)}: it tells each decision, and raises no alarms.",
    )


def export_model(path: Path, out: Path, choices: Choices, progress: Callable[[str], None] = lambda _: None) -> Exported:
    """Export a .tflite file without a bundle: the model alone.

    Raises
    ------
    EdgeAsdError
        As `export_bundle`.
    """
    check_folder(out, overwrite=choices.overwrite)
    content = _read_model(path)
    try:
        if choices.tflm:
            return _export_tflm(content, out, choices)
        library = model_library(
            content, rounding=choices.rounding or "tflm", hops=choices.hops, cmsis_nn=choices.cmsis_nn
        )
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    return _export(library, content, out, choices, progress)


def _read_model(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ModelError(f"{path} is not a file. Give a .tflite model with --tflite.")
        with path.open("rb") as file:
            content = file.read(MAX_MODEL_BYTES + 1)
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror or error}.") from error
    if len(content) > MAX_MODEL_BYTES:
        raise ModelError(f"{path} is larger than {MAX_MODEL_BYTES >> 20} MiB: no microcontroller holds such a model.")
    return content


def _export(library: Library, content: bytes, out: Path, choices: Choices, progress: Callable[[str], None]) -> Exported:
    found: Verification | None = None
    report: dict[str, Any] | None = None
    if choices.verification is not None:
        boards = tuple(qemu.BOARDS) if choices.verification == "qemu" else ()
        if library.kind == FRONTEND:
            found = verify_frontend(library, boards=boards, progress=progress)
        elif library.distance is not None:
            found = verify_distance(library, boards=boards, progress=progress)
        else:
            found = verify(library, content, boards=boards, progress=progress)
        if found.mismatches:
            raise EdgeAsdError(
                f"The exported C is NOT equal to {found.reference}: {found.mismatches} values differ. Nothing was "
                "written. Please report this with the bundle or model."
            )
        report = as_report(found)
    files = laid_out(library, choices.target, report)
    if report is not None:
        files[_REPORT] = json.dumps(report, indent=2) + "\n"
    write_folder(out, files, overwrite=choices.overwrite)
    return Exported(out, library.kind, len(files), found, choices.target, has_network=library.distance is None)


def _export_tflm(content: bytes, out: Path, choices: Choices) -> Exported:
    files = tflm_files(content)
    write_folder(out, files, overwrite=choices.overwrite)
    return Exported(out, "tflm", len(files), None)


def as_report(found: Verification) -> dict[str, Any]:
    """Return a verification as plain JSON; it holds no date and no path, so that it is the same each time."""
    return {**asdict(found), "notes": list(found.notes)}
