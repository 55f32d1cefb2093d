"""The whole proof of an exported distance detector: its arithmetic, then sound to decisions, here and on boards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.bundle_source import section_names
from edge_asd.firmware_export.library import Library
from edge_asd.firmware_export.proof.decisions import HOST, changing_sound, wrong_decisions
from edge_asd.firmware_export.proof.distance import build_distance, expected_run, run_distance, trial_frames
from edge_asd.firmware_export.proof.programs import DETECTOR_ENTRIES, Sources, build_detector, run_detector
from edge_asd.firmware_export.proof.verification import Board, Verification

BLOCKS = 60
"""Random blocks of frames that each section is tried on by default."""

_SEED = 15


def verify_distance(
    library: Library,
    *,
    boards: Sequence[str] = (),
    blocks: int = BLOCKS,
    progress: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Prove that a library computes what `edge_asd.distance` and `edge_asd.monitor` compute.

    Parameters
    ----------
    library : Library
        Of a distance detector.
    boards : sequence of str
        Of ``qemu.BOARDS``, beside this machine.
    blocks : int
        No fewer than a span has.
    progress : callable
        Told what comes next.

    Raises
    ------
    EdgeAsdError
        If a compiler or emulator is missing, or a program fails: a sanitizer's find does.
    """
    model, bundle = library.distance, library.bundle
    assert model is not None
    assert bundle is not None
    qemu.require(qemu.TARGETS[name] for name in (HOST, *boards))
    sound = changing_sound(bundle)
    rng = np.random.default_rng(_SEED)
    frames = [trial_frames(rng, blocks, model.blocks.frames, model.n_mels) for _ in section_names(bundle)]
    expected = [expected_run(model, *one) for one in zip(section_names(bundle), frames, strict=True)]
    with tempfile.TemporaryDirectory(prefix="edge-asd-proof-") as temporary:
        folder = Path(temporary)
        sources = Sources.write(library, folder / "sources")

        def compared(name: str) -> tuple[int, int, Path]:
            """Values that differ, decisions, and the detector's program."""
            progress("this machine, under sanitizers" if name == HOST else name)
            program = build_distance(name, sources, folder / name / "distance")
            wrong = sum(
                run_distance(name, program, model, place, one).differing(wanted)
                for place, (one, wanted) in enumerate(zip(frames, expected, strict=True))
            )
            detector = build_detector(name, sources, folder / name / "detector")
            differ, decisions = wrong_decisions(library, name, detector, sound)
            return wrong + differ, decisions, detector

        def measured(name: str) -> Board:
            wrong, _, program = compared(name)
            run = run_detector(name, program, 0, sound[: 1 << 16], block=1 << 15)
            size = qemu.footprint(
                qemu.TARGETS[name], program, [path.name for path in sources.files], entries=DETECTOR_ENTRIES
            )
            return Board(
                mismatches=wrong + run.selftest,
                instructions_per_inference=run.instructions - run.frontend_instructions,
                instructions_per_hop=run.instructions,
                flash_bytes=size.flash,
                ram_bytes=size.ram + run.memory + run.stack,
                stack_bytes=run.stack,
                code_bytes=size.total("code"),
                weight_bytes=size.total("constants", source="edge_asd_distance_model.c"),
            )

        here, decided, _ = compared(HOST)
        with ThreadPoolExecutor(2) as pool:
            done = dict(zip(boards, pool.map(measured, boards), strict=True))
    return Verification(
        mismatches=here + sum(board.mismatches for board in done.values()),
        vectors=sum(len(one.scores) for one in expected),
        values=sum(one.values for one in expected),
        decisions=decided,
        reference="the distance's specification",
        boards=done,
    )
