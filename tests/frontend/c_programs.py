"""Build and run the test programs in ``tests/frontend/c``, on this machine or an emulated one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_asd import frontend
from edge_asd.firmware_export import qemu
from edge_asd.frontend.c_tables import c_header, c_source
from edge_asd.frontend.spec import FeatureSpec
from tests.frontend.signals import Pcm
from tests.targets import needs

CSRC = Path(frontend.__file__).parent / "csrc"
PROGRAMS = Path(__file__).parent / "c"
SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


def build(
    name: str, program: str, spec: FeatureSpec, folder: Path, *, batch: bool = False, flags: tuple[str, ...] = ("-O2",)
) -> Path:
    """Build ``c/{program}.c`` with the front end and the tables of `spec` in `folder`."""
    (folder / "edge_asd_tables.c").write_text(c_source(spec))
    (folder / "edge_asd_tables.h").write_text(c_header())
    sources = [PROGRAMS / f"{program}.c", folder / "edge_asd_tables.c", CSRC / "edge_asd_frontend.c"]
    if batch:
        sources.append(CSRC / "edge_asd_frontend_batch.c")
    return qemu.build(needs(name), sources, folder / program, include=[CSRC, folder], flags=flags)


def run(name: str, program: Path, x: Pcm, *, count: bool = False) -> Path:
    """Run `program` on `x`; return the folder with its output."""
    folder = program.parent
    x.tofile(folder / "input.bin")
    qemu.run(needs(name), program, folder, count=count)
    return folder


def frames(folder: Path, spec: FeatureSpec) -> np.ndarray:
    """Read output.bin [shape=(frames, n_mels)]."""
    return np.fromfile(folder / "output.bin", dtype=np.int32).reshape(-1, spec.n_mels)
