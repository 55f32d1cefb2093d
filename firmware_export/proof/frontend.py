"""The proof of a front end that is exported alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.library import Library
from edge_asd.firmware_export.proof.decisions import HOST
from edge_asd.firmware_export.proof.programs import HARNESS, SANITIZE, Sources
from edge_asd.firmware_export.proof.verification import Board, Verification
from edge_asd.frontend.fixed_point import log_mel

_FRAMES = 60
_SEED = 3


def verify_frontend(
    library: Library, *, boards: Sequence[str] = (), progress: Callable[[str], None] = lambda _: None
) -> Verification:
    """Prove that a front end computes what its specification computes.

    Parameters
    ----------
    library : Library
    boards : sequence of str
        Of ``qemu.BOARDS``, beside this machine.
    progress : callable
        Told what comes next.
    """
    assert library.bundle is not None
    qemu.require(qemu.TARGETS[name] for name in (HOST, *boards))
    spec = library.bundle.features
    rng = np.random.default_rng(_SEED)
    count = spec.sample_count(_FRAMES)
    levels = 10 ** rng.uniform(0, 4.5, count // 97 + 1).repeat(97)[:count]
    sound = np.clip(np.rint(rng.normal(0, 1, count) * levels), -32768, 32767).astype("<i2")
    expected = log_mel(sound.astype(np.int16), spec)
    mismatches, measured = 0, dict[str, Board]()
    with tempfile.TemporaryDirectory(prefix="edge-asd-proof-") as temporary:
        folder = Path(temporary)
        sources = Sources.write(library, folder / "sources")
        for name in (HOST, *boards):
            progress("this machine, under sanitizers" if name == HOST else name)
            place = folder / name
            place.mkdir()
            target = qemu.TARGETS[name]
            program = qemu.build(
                target,
                [*sources.files, HARNESS / "frontend.c"],
                place / "frontend",
                include=[*sources.include, HARNESS],
                flags=SANITIZE if name == HOST else ("-O2",),
            )
            sound.tofile(place / "sound.bin")
            qemu.run(target, program, place, count=True)
            found = np.fromfile(place / "features.bin", "<i4")
            wrong = abs(found.size - expected.size)
            wrong += int(np.count_nonzero(found[: expected.size] != expected.ravel()[: found.size]))
            mismatches += wrong
            if name != HOST:
                measured[name] = _board(target, program, [path.name for path in sources.files], wrong)
    return Verification(
        mismatches=mismatches,
        vectors=_FRAMES,
        values=expected.size,
        decisions=0,
        reference="the front end's specification",
        boards=measured,
    )


def _board(target: qemu.Target, program: Path, library: list[str], wrong: int) -> Board:
    instructions, stack, memory = (int(n) for n in np.fromfile(program.parent / "figures.bin", np.uint32))
    size = qemu.footprint(target, program, library)
    return Board(
        mismatches=wrong,
        instructions_per_inference=None,
        instructions_per_hop=instructions,
        flash_bytes=size.flash,
        ram_bytes=size.ram + memory + stack,
        stack_bytes=stack,
        code_bytes=size.total("code"),
        weight_bytes=0,
    )
