"""``edge-asd export`` as its user runs it: projects, errors, and what lies in the folder before and after."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from edge_asd.cli.choices import ExportTarget
from edge_asd.firmware_export import qemu
from tests.cli.command import Command, assert_error
from tests.firmware_export.zoo import ZOO
from tests.golden.committed import NAMES
from tests.targets import needs

AE = NAMES["ae"]

FIGURES = {
    "mismatches", "instructions_per_inference", "instructions_per_hop", "flash_bytes", "ram_bytes", "stack_bytes",
    "code_bytes", "weight_bytes",
}  # fmt: skip


@pytest.fixture
def tflite(tmp_path: Path) -> Path:
    """The committed autoencoder's int8 model as a file of its own."""
    with zipfile.ZipFile(AE) as archive:
        (tmp_path / "model.tflite").write_bytes(archive.read("model.tflite"))
    return tmp_path / "model.tflite"


@pytest.fixture
def float_model(tmp_path: Path) -> Path:
    """The same in float32."""
    with zipfile.ZipFile(AE) as archive:
        (tmp_path / "float.tflite").write_bytes(archive.read("model_float.tflite"))
    return tmp_path / "float.tflite"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", list(ExportTarget))
def test_the_same_bytes_each_time(command: Command, target: ExportTarget, tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = command("export", AE, "--target", target.value, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert f"to {tmp_path / name}. Next: read {tmp_path / name / 'README.md'}." in done.stdout
    found = tree(tmp_path / "one")
    assert found == tree(tmp_path / "two")
    assert {"README.md", "LICENSE", "edge-asd-export.json"} <= found.keys()
    for name, content in found.items():
        assert str(tmp_path).encode() not in content, name


@pytest.mark.parametrize(
    ("model", "instructions"), [("small", 5_000), pytest.param("autoencoder", 260_000, marks=pytest.mark.prove)]
)
def test_proof_as_json(command: Command, tflite: Path, tmp_path: Path, model: str, instructions: int) -> None:
    """A model without a bundle, on every board."""
    for board in qemu.BOARDS:
        needs(board)
    if model == "small":
        tflite.write_bytes(ZOO["dense 33 columns"]())
    done = command("export", "--tflite", tflite, "--target", "cmake", "--out", tmp_path / "out", "--verify", "qemu",
                   "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["kind"], document["mismatches"], document["vectors"]) == ("model", 0, 20)
    assert set(document["boards"]) == {
        *("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "cortex-m3", "cortex-m0plus", "riscv32"),
    }
    report = json.loads((tmp_path / "out" / "verification.json").read_text())
    assert report["boards"] == document["boards"]
    readme = (tmp_path / "out" / "README.md").read_text()
    for board in document["boards"].values():
        assert board.keys() == FIGURES
        assert f"{board['instructions_per_inference']:,}" in readme
        assert board.pop("instructions_per_hop") is None
        assert board.pop("mismatches") == 0
        assert all(type(value) is int and value > 0 for value in board.values())
    assert document["boards"]["cortex-m4"]["instructions_per_inference"] <= instructions


def test_without_proof_there_are_no_figures(command: Command, tmp_path: Path) -> None:
    done = command("export", AE, "--out", tmp_path / "out", "--json")
    document = json.loads(done.stdout)
    assert (document["mismatches"], document["vectors"], document["boards"]) == (None, None, {})
    assert not (tmp_path / "out" / "verification.json").exists()


def test_the_front_end_alone(command: Command, tmp_path: Path) -> None:
    done = command("export", AE, "--frontend-only", "--verify", "host", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "values; 0 differ." in done.stdout
    assert not any("network" in name for name in tree(tmp_path / "out"))


def test_the_model_for_tensorflow_lite_micro(command: Command, tflite: Path, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="needs tflite-micro, which has packages for Linux on x86-64 alone")
    for words in ([AE], ["--tflite", tflite]):
        done = command("export", *words, "--format", "tflm", "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr
    assert {"edge_asd_model.c", "edge_asd_model.h", "main.cc", "README.md"} <= tree(tmp_path / "out").keys()


class TestFolder:
    """What `--out` names already."""

    def test_an_earlier_export_is_replaced_and_other_files_stay(self, command: Command, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert command("export", AE, "--out", out).returncode == 0
        (out / "src" / "mine.c").write_text("int mine;\n")
        shutil.rmtree(out / "examples")
        assert command("export", AE, "--target", "arduino", "--out", out).returncode == 0
        found = tree(out)
        assert found["src/mine.c"] == b"int mine;\n"
        assert "library.properties" in found
        assert "CMakeLists.txt" not in found
        assert not (out / "include").exists()

    def test_changed_files_are_kept_unless_asked(self, command: Command, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert command("export", AE, "--out", out).returncode == 0
        path = out / "CMakeLists.txt"
        exported = path.read_text()
        path.write_text("# mine\n")
        before = tree(out)
        assert_error(command("export", AE, "--out", out), str(path), "--overwrite")
        assert tree(out) == before
        assert command("export", AE, "--out", out, "--overwrite").returncode == 0
        assert path.read_text() == exported

    @pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
    def test_a_folder_of_other_files(self, command: Command, overwrite: list[str], tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("x")
        assert_error(command("export", AE, "--out", tmp_path, *overwrite), str(tmp_path), "--out")
        assert tree(tmp_path) == {"thesis.txt": b"x"}

    def test_a_file(self, command: Command, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("x")
        assert_error(command("export", AE, "--out", tmp_path / "out"), "is a file", "--out")

    def test_a_place_that_cannot_be_written(self, command: Command) -> None:
        assert_error(command("export", AE, "--out", "/proc/out"), "/proc", "Choose another --out")

    def test_a_list_that_leads_out_of_the_folder(self, command: Command, tmp_path: Path) -> None:
        """The list of exported files may have been written by anybody."""
        out, secret = tmp_path / "out", tmp_path / "secret.txt"
        out.mkdir()
        secret.write_text("x")
        for name in ("../secret.txt", str(secret), "..", "a/../../secret.txt"):
            (out / "edge-asd-export.json").write_text(json.dumps({name: "0" * 64}))
            assert_error(command("export", AE, "--out", out, "--overwrite"), "holds other files")
        assert secret.read_text() == "x"

    @pytest.mark.parametrize(
        "listed", ['{"a\\u0000b": "x"}', '{"\\ud800": "x"}', "[" * 100_000, "[]", '{"README.md": 1}', ""]
    )
    def test_a_damaged_list(self, command: Command, listed: str, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "edge-asd-export.json").write_text(listed)
        (out / "README.md").write_text("mine")
        done = command("export", AE, "--out", out)
        assert_error(done, str(out), "--out")
        assert (out / "README.md").read_text() == "mine"

    def test_a_repository_and_empty_folders_survive(self, command: Command, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert command("export", AE, "--out", out).returncode == 0
        kept = [out / ".git" / "refs" / "heads", out / "mydata" / "inbox", out / "src" / "empty"]
        for folder in kept:
            folder.mkdir(parents=True)
        assert command("export", AE, "--target", "arduino", "--out", out).returncode == 0
        assert all(folder.is_dir() for folder in kept)
        assert not (out / "include").exists()

    def test_a_file_of_the_users_in_the_way(self, command: Command, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert command("export", AE, "--out", out).returncode == 0
        path = out / "library.properties"
        path.write_text("mine")
        before = tree(out)
        assert_error(command("export", AE, "--target", "arduino", "--out", out), str(path), "--overwrite")
        assert tree(out) == before
        assert command("export", AE, "--target", "arduino", "--out", out, "--overwrite").returncode == 0
        assert path.read_text() != "mine"

    def test_a_file_where_a_folder_belongs(self, command: Command, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert command("export", AE, "--out", out).returncode == 0
        shutil.rmtree(out / "src")
        (out / "src").write_text("mine")
        before = tree(out)
        assert_error(command("export", AE, "--batch-hops", 4, "--out", out), str(out / "src"))
        assert tree(out) == before

    @pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
    def test_links_lead_nowhere(self, command: Command, overwrite: list[str], tmp_path: Path) -> None:
        out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "file").write_text("x")
        assert command("export", AE, "--out", out).returncode == 0
        listed = json.loads((out / "edge-asd-export.json").read_text())
        (out / "edge-asd-export.json").write_text(json.dumps({**listed, "lnk/file": "0" * 64}))
        (out / "lnk").symlink_to(elsewhere)
        shutil.rmtree(out / "src")
        (out / "src").symlink_to(elsewhere)
        assert_error(command("export", AE, "--out", out, *overwrite), "--out")
        assert tree(elsewhere) == {"file": b"x"}

    def test_a_link_to_another_folder(self, command: Command, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "out").symlink_to(tmp_path / "real")
        assert command("export", AE, "--out", tmp_path / "out").returncode == 0
        assert (tmp_path / "real" / "README.md").is_file()
        assert (tmp_path / "out").is_symlink()

    def test_nothing_is_left_where_it_fails(self, command: Command, float_model: Path, tmp_path: Path) -> None:
        assert_error(command("export", "--tflite", float_model, "--out", tmp_path / "a" / "out"), str(float_model))
        assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", ["not a .tflite file"]), (b"RIFF" + bytes(60), ["not a .tflite file"]), (bytes(8192), ["not a .tflite"])],
)
def test_no_model(command: Command, content: bytes, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    assert_error(command("export", "--tflite", path, "--out", tmp_path / "out"), str(path), *words)


def test_missing_files(command: Command, tmp_path: Path) -> None:
    assert_error(command("export", tmp_path / "no.easd", "--out", tmp_path / "out"), "no.easd")
    assert_error(command("export", "--tflite", tmp_path / "no.tflite", "--out", tmp_path / "out"), "no.tflite")
    assert_error(command("export", "--tflite", tmp_path, "--out", tmp_path / "out"), str(tmp_path))


def test_a_float_model_is_named_with_its_operation(command: Command, float_model: Path, tmp_path: Path) -> None:
    done = command("export", "--tflite", float_model, "--out", tmp_path / "out")
    assert_error(done, "Operation 1 of the model, FULLY_CONNECTED", "int8")


def test_a_bundle_of_another_arithmetic(command: Command, tmp_path: Path) -> None:
    from dataclasses import replace

    from edge_asd.bundle.bundle import Bundle

    path = tmp_path / "xnnpack.easd"
    replace(Bundle.load(AE), model_arithmetic="xnnpack").save(path)
    assert_error(command("export", path, "--out", tmp_path / "out"), "xnnpack", "--arithmetic litert-ref")


def test_a_bundle_of_schema_2(command: Command, tmp_path: Path) -> None:
    """It exports to the same files; what firmware has no use for is told."""
    from dataclasses import replace

    from edge_asd.bundle.bundle import Bundle
    from edge_asd.bundle.policy import Policy

    bundle, path = Bundle.load(AE), tmp_path / "two.easd"
    old = bundle.thresholds["00"]
    section = replace(old, off_level_db=-50.0, previous=replace(old, score=1))
    replace(bundle, policy=Policy(), thresholds={**bundle.thresholds, "00": section}).save(path)
    done = command("export", path, "--out", tmp_path / "two", "--json")
    assert done.returncode == 0, done.stderr
    told = "The firmware does not use the bundle's alarm policy and machine-off levels: "
    assert done.stderr.startswith(f"Note: {told}")
    assert json.loads(done.stdout)["notes"][0].startswith(told)
    plain = command("export", AE, "--out", tmp_path / "one")
    assert plain.stderr == ""
    one, two = (
        {file.relative_to(root): file.read_bytes() for file in root.rglob("*") if file.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two


@pytest.mark.parametrize(
    "words",
    [
        [],
        [AE, "--tflite", "x.tflite"],
        ["--tflite", "x.tflite", "--frontend-only"],
        [AE, "--frontend-only", "--batch-hops", 4],
        [AE, "--frontend-only", "--rounding", "litert"],
        [AE, "--format", "tflm", "--verify", "host"],
        [AE, "--format", "tflm", "--rounding", "litert"],
        [AE, "--batch-hops", 0],
        [AE, "--target", "mbed"],
    ],
)
def test_wrong_usage(command: Command, words: list[object], tmp_path: Path) -> None:
    done = command("export", *words, "--out", tmp_path / "out")
    assert done.returncode == 2, done
    assert not (tmp_path / "out").exists()


def test_hops_together_need_a_dense_network(command: Command, tmp_path: Path) -> None:
    done = command("export", NAMES["mobilenetv2"], "--batch-hops", 4, "--out", tmp_path / "out")
    assert_error(done, "Operation 1 of the model, CONV_2D", "--batch-hops")


def test_without_a_compiler(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path / "bin"))
    done = command("export", AE, "--verify", "host", "--out", tmp_path / "out")
    assert_error(done, "gcc", "apt install")
    assert not (tmp_path / "out").exists()
