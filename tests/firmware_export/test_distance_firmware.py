"""A distance detector as firmware: equal on all processors, and smaller and faster than it has to be."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.calibration.fitting import calibrate
from edge_asd.calibration.heard import Request
from edge_asd.calibration.recordings import hear_recordings
from edge_asd.errors import BundleError, EdgeAsdError
from edge_asd.firmware_export import qemu
from edge_asd.firmware_export.distance_source import distance_of
from edge_asd.firmware_export.exporting import Choices, export_bundle
from edge_asd.firmware_export.layout import TARGETS, laid_out
from edge_asd.firmware_export.library import Library, detector_library
from edge_asd.firmware_export.proof.distance_detector import verify_distance
from edge_asd.firmware_export.proof.programs import DETECTOR_ENTRIES, Sources, build_detector, run_detector
from tests.cli.command import edge_asd
from tests.data import RATE, machine_sound, write_wav
from tests.firmware_export.distances import made_bundle
from tests.firmware_export.projects import built, call, project
from tests.firmware_export.test_calibrating_firmware import OK, build_of, run
from tests.golden.committed import NAMES
from tests.targets import needs

BOARD = "cortex-m4"

FRONTEND_BYTES = 24 + 6 * 1024  # EDGE_ASD_FRONTEND_BYTES(1024)

OF_A_DISTANCE = ("edge_asd_distance.c", "edge_asd_features.c", "edge_asd_windows.c")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return made_bundle()


@pytest.fixture(scope="module")
def library(bundle: Bundle) -> Library:
    return detector_library(bundle)


def test_the_committed_bundle_is_equal() -> None:
    needs(BOARD)
    found = verify_distance(detector_library(Bundle.load(NAMES["distance"])), boards=(BOARD,))
    assert found.mismatches == 0
    assert (found.vectors, set(found.boards)) == (2 * 51, {BOARD})
    assert found.decisions > 4


@pytest.mark.prove
def test_a_detector_of_ten_seconds_is_equal_on_all_boards(library: Library) -> None:
    for board in qemu.BOARDS:
        needs(board)
    found = verify_distance(library, boards=tuple(qemu.BOARDS))
    assert found.mismatches == 0
    assert (found.vectors, found.decisions) == (2 * 51, 6)
    for board, figures in found.boards.items():
        print(f"\n{board}: {figures}")


def test_it_takes_no_more_than_asked_for_on_cortex_m4(library: Library, tmp_path: Path) -> None:
    """A hop beyond the front end, decision and all, in the mean of a score's span; loud and quiet sound."""
    needs(BOARD)
    sources = Sources.write(library, tmp_path / "sources")
    program = build_detector(BOARD, sources, tmp_path / "detector")
    for loudness in (1000, 30):
        pcm = np.rint(np.random.default_rng(1).normal(0, loudness, 1 << 15)).astype(np.int16)
        done = run_detector(BOARD, program, 0, pcm, block=1 << 15)
        beyond = done.instructions - done.frontend_instructions
        ram = done.memory + done.stack - FRONTEND_BYTES
        print(f"\n{beyond} instructions a hop beyond {done.frontend_instructions} of the front end; {ram} bytes of RAM")
        assert beyond <= 7500
        assert ram <= 30_000
    files = [path.name for path in sources.files]
    size = qemu.footprint(qemu.TARGETS[BOARD], program, files, entries=DETECTOR_ENTRIES)
    code = sum(size.total(kind, source=name) for kind in ("code", "constants") for name in OF_A_DISTANCE)
    constants = size.total("constants", source="edge_asd_distance_model.c")
    section = 2 * 512 + 40 + 20  # means; the structures of two centres and of thresholds
    directions = 32 * (512 + 4)
    print(f"{code} bytes of code and tables, {directions} of directions, {section} a section")
    assert constants == directions + 16 + 2 * (section - 20) - 512  # section 01 has one mean
    assert directions + code <= 20_000
    assert section <= 1500


def test_a_fault_in_the_c_is_found(library: Library) -> None:
    text = library.files["edge_asd_features.c"]
    wrong = text.replace("(exact + 256) >> 9", "(exact + 255) >> 9")
    assert wrong != text
    broken = dataclasses.replace(library, files={**library.files, "edge_asd_features.c": wrong})
    assert verify_distance(broken).mismatches > 0


def test_exporting_twice_gives_the_same_bytes(bundle: Bundle, library: Library) -> None:
    again = detector_library(bundle)
    for target in TARGETS:
        files = laid_out(library, target)
        assert files == laid_out(again, target)
        assert not any("edge_asd_network" in text for text in files.values())


def test_a_threshold_fitted_on_the_device_is_that_of_calibrate(bundle: Bundle, tmp_path: Path) -> None:
    program = build_of("host", detector_library(bundle), tmp_path)
    rng = np.random.default_rng(5)
    heard = [machine_sound(rng, seconds=seconds, noise=300.0) for seconds in (10.0, 33.0, 21.0)]
    for number, pcm in enumerate(heard):
        write_wav(tmp_path / "healthy" / f"recording_{number}.wav", pcm, RATE)
    request = Request(section="00", quantile=0.5)
    fitted = calibrate(bundle, request, hear_recordings(bundle, request, tmp_path / "healthy")).threshold.score
    assert run("host", program, 0, 500_000, heard) == ([OK] * 3, OK, fitted)


def test_a_section_without_a_centre_is_refused(bundle: Bundle) -> None:
    thresholds = {**bundle.thresholds, "07": bundle.thresholds["00"]}
    with pytest.raises(BundleError, match="no centre for section 07"):
        distance_of(dataclasses.replace(bundle, thresholds=thresholds))


def test_what_concerns_a_network_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "distance.easd")
    for choices, names in (
        (Choices(tflm=True), "--format tflm concerns"),
        (Choices(rounding="litert", hops=2, cmsis_nn=True), "--rounding and --batch-hops and --cmsis-nn concern"),
    ):
        with pytest.raises(EdgeAsdError, match=f"has no network, and {names} only networks"):
            export_bundle(tmp_path / "distance.easd", tmp_path / "out", choices)
        assert not (tmp_path / "out").exists()


def test_the_front_end_alone(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "distance.easd")
    done = export_bundle(tmp_path / "distance.easd", tmp_path / "out", Choices(frontend_only=True))
    assert done.kind == "frontend"
    assert not list((tmp_path / "out").rglob("edge_asd_distance*"))


def test_the_readme_speaks_of_no_network(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "distance.easd")
    done = export_bundle(tmp_path / "distance.easd", tmp_path / "out", Choices())
    assert (done.kind, done.has_network) == ("detector", False)
    readme = (tmp_path / "out" / "README.md").read_text()
    assert not re.search("int8|the model|infer|weight", readme.split("## Licence")[0], re.IGNORECASE)
    assert "(front end 1,\nscore 1, distance 1)" in readme


@pytest.mark.prove
def test_the_command_exports_and_proves_it(bundle: Bundle, tmp_path: Path) -> None:
    needs(BOARD)
    bundle.save(tmp_path / "distance.easd")
    done = edge_asd("export", tmp_path / "distance.easd", "--out", tmp_path / "out", "--verify", "qemu", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["kind"], told["mismatches"], told["vectors"], told["decisions"]) == ("detector", 0, 102, 6)
    assert told["reference"] == "the distance's specification"
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "Compared with the distance's specification, on the exporting computer and on each" in readme
    assert "| processor | instructions beyond the front end | instructions, hop |" in readme


@pytest.mark.prove
@pytest.mark.parametrize("target", TARGETS)
def test_a_project_builds_and_passes_its_selftest(library: Library, target: str, tmp_path: Path) -> None:
    folder = project(tmp_path, target, library)
    if target == "cmake":
        program = built(folder) / "wav"
    else:
        program = folder / "wav"
        headers = [f"-I{part}" for part in ("include", "src") if (folder / part).is_dir()]
        sources = [*(folder / "src").glob("*.c"), *(folder / "extras").glob("*.c")]
        call("cc", "-O2", *headers, *sources, "-o", program, folder=folder)
    assert "Self-test passed." in call(program, "--selftest", folder=folder)
