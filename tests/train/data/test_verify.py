from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from edge_asd.cli import app
from edge_asd.errors import DataError
from edge_asd.own_set import ClipWriter, OwnSet
from edge_asd.train.data.findings import KINDS
from edge_asd.train.data.verify import verify
from tests.train.data.table1_tree import SOUND_BYTES, make_table1_tree, wav_header, write_clip


@pytest.fixture(scope="module")
def table1_tree() -> Iterator[Path]:
    """42,650 clips, in memory where it has room for their 200 MB; taken away at once."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    with tempfile.TemporaryDirectory(dir=memory if roomy else None) as root:
        assert make_table1_tree(Path(root)) == 42650
        yield Path(root)


def train_clip(section: str, number: int) -> str:
    return f"train/section_{section}_source_train_normal_{number:04d}_vel_6.wav"


def rewrite(change: Callable[[Path], None]) -> Callable[[Path], None]:
    """Replace a clip by what `change` writes in its place."""

    def replace(path: Path) -> None:
        path.unlink()
        change(path)

    return replace


def copy_of(other: str) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        shutil.copy(path.parents[2] / other, path)

    return replace


def extra_chunk(other: str) -> Callable[[Path], None]:
    """Save the sound of another clip anew, with a list chunk before it."""

    def replace(path: Path) -> None:
        header, sound = wav_header(SOUND_BYTES), (path.parents[2] / other).read_bytes()[44:]
        chunk = struct.pack("<4sI8s", b"LIST", 8, b"INFOedge")
        riff = b"RIFF" + struct.pack("<I", 36 + 16 + SOUND_BYTES)
        path.write_bytes(riff + header[8:36] + chunk + header[36:] + sound)

    return replace


def flac_of(other: str) -> Callable[[Path], None]:
    """Save the sound of another clip as FLAC, under a name that says WAV."""

    def replace(path: Path) -> None:
        sound = np.frombuffer((path.parents[2] / other).read_bytes()[44:], "<i2")
        path.unlink()
        with open(path, "wb") as file:
            soundfile.write(file, sound, 16000, format="FLAC")

    return replace


def patch(path: Path, offset: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def late_copy(path: Path) -> None:
    """Two clips that differ only where no block of the fingerprint lies, and so are no duplicates."""
    other = path.with_name(path.name.replace("0051", "0052"))
    for clip, byte in ((path, 1), (other, 2)):
        clip.unlink()
        write_clip(clip, 777777)
        with open(clip, "r+b") as file:
            file.seek(100_000)
            file.write(bytes([byte]))


Plant = tuple[str, Callable[[Path], None], list[tuple[str, str, str | None, str | None, str]]]

# Where, what is done there, and every fault that must come of it: kind, machine, section, path, words.
PLANTS: dict[str, Plant] = {
    "missing clip": (
        f"fan/{train_clip('00', 17)}",
        Path.unlink,
        [("missing", "fan", "00", None, "999 source train clips where Table 1 has 1000 (not there: 0017)")],
    ),
    "missing section": (
        "fan",
        lambda path: [clip.unlink() for clip in path.glob("*/section_04_*")],
        [("missing", "fan", "04", None, "no clip of fan, section 04, is here; Table 1 has 1403")],
    ),
    "extra clip": (
        "fan/target_test/section_01_target_test_anomaly_0100.wav",
        lambda path: write_clip(path, 999001),
        [("extra", "fan", "01", None, "101 target test anomaly clips where Table 1 has 100 (too many: 0100)")],
    ),
    "label that eval data lack": (
        "fan/source_test/section_02_source_test_0003.wav",
        lambda path: write_clip(path, 999002),
        [("extra", "fan", "02", None, "1 source test clips do not name their label")],
    ),
    "wrong rate": (
        f"gearbox/{train_clip('00', 0)}",
        rewrite(lambda path: write_clip(path, 999003, 2 * 441000, rate=44100)),
        [("format", "gearbox", "00", "@", "has 44100 Hz where 16000 Hz are expected.")],
    ),
    "stereo": (
        f"gearbox/{train_clip('01', 1)}",
        rewrite(lambda path: write_clip(path, 999004, 2 * SOUND_BYTES, channels=2)),
        [("format", "gearbox", "01", "@", "has 2 channels where one is expected.")],
    ),
    "24-bit": (
        f"gearbox/{train_clip('02', 1)}",
        rewrite(lambda path: write_clip(path, 999005, 3 * SOUND_BYTES // 2, bits=24)),
        [("format", "gearbox", "02", "@", "has PCM_24 samples where 16-bit ones")],
    ),
    "8-bit": (
        f"gearbox/{train_clip('03', 2)}",
        rewrite(lambda path: write_clip(path, 999006, SOUND_BYTES // 2, bits=8)),
        [("unreadable", "gearbox", "03", "@", "has 8-bit samples")],
    ),
    "truncated": (
        f"gearbox/{train_clip('04', 1091)}",
        lambda path: os.truncate(path, 100_000),
        [("unreadable", "gearbox", "04", "@", "is truncated: its header declares 320000 bytes of sound and 99956")],
    ),
    "empty": (
        f"gearbox/{train_clip('05', 4)}",
        lambda path: os.truncate(path, 0),
        [("unreadable", "gearbox", "05", "@", "is empty (0 bytes)")],
    ),
    "wrong length": (
        "pump/target_test/section_00_target_test_normal_0005.wav",
        rewrite(lambda path: write_clip(path, 999007, SOUND_BYTES - 2)),
        [("length", "pump", "00", "@", "is 10 s long (159999 samples) where 10 s are expected.")],
    ),
    "no WAV file": (
        "pump/target_test/section_01_target_test_normal_0006.wav",
        lambda path: path.write_bytes(b"<html>404</html>" * 100),
        [("unreadable", "pump", "01", "@", "is not a WAV file")],
    ),
    "duplicate inside train": (
        f"pump/{train_clip('02', 8)}",
        copy_of(f"pump/{train_clip('02', 7)}"),
        [("duplicate", "pump", "02", "@", f"has the same sound as pump/{train_clip('02', 7)}.")],
    ),
    "duplicate in another machine, with another header": (
        f"slider/{train_clip('02', 8)}",
        extra_chunk(f"pump/{train_clip('03', 0)}"),
        [("duplicate", "slider", "02", "@", f"has the same sound as pump/{train_clip('03', 0)}.")],
    ),
    "duplicate saved as FLAC": (
        f"slider/{train_clip('02', 9)}",
        flac_of(f"pump/{train_clip('03', 1)}"),
        [("duplicate", "slider", "02", "@", f"has the same sound as pump/{train_clip('03', 1)}.")],
    ),
    "header that counts itself": (
        f"slider/{train_clip('02', 10)}",
        lambda path: patch(path, 40, struct.pack("<I", SOUND_BYTES + 44)),
        [("header", "slider", "02", "@", "counts 44 bytes of sound too many")],
    ),
    "length of half the sound": (
        f"slider/{train_clip('02', 11)}",
        lambda path: patch(path, 40, struct.pack("<I", SOUND_BYTES // 2)),
        [("unreadable", "slider", "02", "@", "declares 5 s of sound, and 160000 bytes follow that are no chunk")],
    ),
    "train/test duplicate": (
        "pump/source_test/section_04_source_test_0009.wav",
        copy_of(f"pump/{train_clip('04', 9)}"),
        [("leak", "pump", "04", "@", f"is a test clip with the sound of the training clip pump/{train_clip('04', 9)}")],
    ),
    "nearly a duplicate": (f"pump/{train_clip('05', 51)}", late_copy, []),
    "unparsable name": (
        "slider/train/section_0_source_train_normal_0000.wav",
        lambda path: write_clip(path, 999008),
        [("name", "slider", None, "@", "is not a MIMII DUE file name")],
    ),
    "name that is not UTF-8": (
        os.fsdecode(b"slider/train/\xff.wav"),
        lambda path: write_clip(path, 999009),
        [("name", "slider", None, "slider/train/\\udcff.wav", "is not a MIMII DUE file name")],
    ),
    "wrong folder": (
        "slider/source_test/section_00_target_test_anomaly_0000.wav",
        lambda path: (path.parents[1] / "target_test" / path.name).rename(path),
        [("folder", "slider", "00", "@", "says target test but lies in source_test. Move it to target_test.")],
    ),
    "anomaly in train": (
        "slider/train/section_01_source_train_anomaly_0000.wav",
        lambda path: path.with_name(path.name.replace("anomaly", "normal").replace(".wav", "_vel_6.wav")).rename(path),
        [("label", "slider", "01", "@", "is an anomalous clip among the training clips")],
    ),
    "all-zero clip": (
        f"valve/{train_clip('00', 10)}",
        rewrite(lambda path: write_clip(path, 0)),
        [("silent", "valve", "00", "@", "holds only zeros")],
    ),
    "floats at int16's scale": (
        f"valve/{train_clip('02', 19)}",
        rewrite(lambda path: soundfile.write(path, np.arange(-80_000.0, 80_000.0), 16000, subtype="FLOAT")),
        [
            ("format", "valve", "02", "@", "has FLOAT samples"),
            ("scale", "valve", "02", "@", "of its samples beyond full scale (largest 80000)"),
        ],
    ),
    "another all-zero clip, which is no duplicate": (
        f"valve/{train_clip('01', 10)}",
        rewrite(lambda path: write_clip(path, 0)),
        [("silent", "valve", "01", "@", "holds only zeros")],
    ),
    "a folder named like a clip": (
        f"valve/{train_clip('02', 11)}",
        rewrite(Path.mkdir),
        [("unreadable", "valve", "02", "@", "Is a directory")],
    ),
    "a named pipe": (
        f"valve/{train_clip('03', 12)}",
        rewrite(os.mkfifo),
        [("unreadable", "valve", "03", "@", "is not a regular file")],
    ),
    "a broken link": (
        f"valve/{train_clip('04', 13)}",
        rewrite(lambda path: path.symlink_to("nowhere")),
        [("unreadable", "valve", "04", "@", "No such file")],
    ),
}


@pytest.mark.prove
def test_a_data_set_of_table_1s_size_is_clean_and_verified_within_40_seconds(table1_tree):
    start = perf_counter()
    report = verify(table1_tree)
    seconds = perf_counter() - start
    print(f"\n{report.clips} clips in {seconds:.1f} s")
    assert report.faults == []
    assert report.notes == []
    assert (report.clips, report.clean, len(report.counts)) == (42650, True, 30)
    for section in report.as_dict()["sections"]:
        assert section["counts"] == section["expected"]
    assert seconds < 40


@pytest.mark.prove
def test_in_a_data_set_of_table_1s_size_the_planted_faults_are_found_and_no_others(table1_tree):
    expected = []
    for place, plant, faults in PLANTS.values():
        plant(table1_tree / place)
        expected += [
            (kind, machine, section, place if path == "@" else path, words)
            for kind, machine, section, path, words in faults
        ]
    report = verify(table1_tree)
    assert (report.clean, len(report.counts)) == (False, 29)  # one section is missing
    assert report.notes == []
    assert report.checks == ["names", "format", "silence", "duplicates", "counts"]
    found = [tuple(fault.values()) for fault in report.as_dict()["faults"]]
    for kind, machine, section, path, words in expected:
        (fault,) = (fault for fault in found if fault[:4] == (kind, machine, section, path))
        assert words in fault[4]
    assert sorted(fault[:4] for fault in found) == sorted(fault[:4] for fault in expected)
    assert {fault[0] for fault in found} == set(KINDS)
    touched = {fault[1:3] for fault in found}
    whole = [s for s in report.as_dict()["sections"] if (s["machine"], s["section"]) not in touched]
    assert [section["counts"] for section in whole] == [section["expected"] for section in whole] != []


# --- Small data sets


def make(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_clip(root / name, number + 1)
    return root


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["data", "verify", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


MANY = tuple(f"fan/train/section_00_source_train_normal_{i:04d}.wav" for i in range(300))
"""As many as MIMII DUE's parts have at least, and by far not all."""

NAMES = ("train/section_00_source_train_normal_0000.wav", "source_test/section_00_source_test_normal_0000.wav")


@pytest.mark.parametrize("machine", ["press", "fan"])
def test_another_data_set_is_not_counted(tmp_path, machine):
    names = NAMES if machine == "press" else [name.replace("_00_", "_07_") for name in NAMES]
    make(tmp_path, *(f"{machine}/{name}" for name in names), "fan/train/section_01_source_train_normal_0000.wav")
    report = verify(tmp_path)
    assert (report.faults, report.checks) == ([], ["names", "format", "silence", "duplicates"])
    (note,) = report.notes
    assert note.startswith("Counts were not compared with Table 1: this is not MIMII DUE (MIMII DUE has no section 0")
    assert machine in note
    code, out, err = run(tmp_path)
    assert (code, note in err) == (0, True)
    assert "3 clips: no fault. Checked: names, format, silence, duplicates.\n" in out


def test_counts_can_be_left_out(tmp_path):
    make(tmp_path, *MANY)
    assert run(tmp_path)[0] == 1
    code, out, _ = run(tmp_path, "--no-counts")
    assert (code, "300 clips: no fault" in out) == (0, True)


def test_what_is_absent_as_a_whole_is_a_note(tmp_path):
    make(tmp_path, *MANY, "ToyCar/train/section_00_source_train_normal_0000.wav")
    report = verify(tmp_path)
    assert {(fault.kind, fault.machine) for fault in report.faults} == {("missing", "fan")}
    assert [fault.section for fault in report.faults if "no clip of" in fault.text] == ["01", "02"]
    assert report.notes == [
        "fan: the evaluation data, sections 03 to 05, are not here.",
        *(f"{machine}: not here at all; MIMII DUE has it." for machine in ("gearbox", "pump", "slider", "valve")),
        "ToyCar is not part of MIMII DUE: its clips were not counted against Table 1.",
    ]


def test_only_toys_are_not_mimii_due(tmp_path):
    assert (
        "this is not MIMII DUE (No machine of MIMII DUE is here)"
        in verify(make(tmp_path, f"ToyTrain/{NAMES[0]}")).notes[0]
    )


def test_other_files_are_noted(tmp_path):
    make(tmp_path, f"press/{NAMES[0]}")
    (tmp_path / "press/train/.DS_Store").touch()
    (tmp_path / "press/train/attributes.csv").touch()
    (tmp_path / "press/eval_test").mkdir()
    report = verify(tmp_path)
    assert report.faults == []
    assert report.notes[0] == "press: passed over 2 other files or folders, such as 'eval_test'."


def test_a_capital_extension_is_a_clip_as_any_other(tmp_path):
    report = verify(make(tmp_path, f"press/{NAMES[0]}", f"press/{NAMES[1][:-4]}.WAV"))
    assert (report.faults, report.clips) == ([], 2)


def test_ones_own_fan_is_not_counted_against_table_1(tmp_path):
    report = verify(make(tmp_path, *(f"fan/{name}" for name in NAMES)))
    assert (report.faults, report.expected) == ([], {})
    assert "it has 2 clips where MIMII DUE has 1,403 in the same sections" in report.notes[0]


def test_ones_own_machine_is_told_and_its_clips_may_have_any_length(tmp_path):
    folder = tmp_path / "fan"
    writer = ClipWriter(OwnSet(tmp_path, "fan", "00", "source"), made_by="edge-asd data record")
    for i in range(6):
        writer.write(np.random.default_rng(i).integers(-900, 900, 5 * 16000, dtype=np.int16))
    report = verify(tmp_path)
    assert (report.faults, report.checks) == ([], ["names", "format", "silence", "duplicates"])
    assert report.notes == ["Counts were not compared with Table 1: fan is a set of your own, of any size."]
    other = folder / "train" / "section_00_source_train_normal_0001.wav"
    rewrite(lambda path: write_clip(path, 7, 9 * 16000))(other)
    (fault,) = verify(tmp_path).faults
    assert (fault.kind, fault.path) == ("length", f"fan/train/{other.name}")
    assert fault.text == "is 4.5 s long (72000 samples) where 5 s, as of most clips of this machine, are expected."


def test_the_words_for_people(tmp_path):
    make(tmp_path, *(f"press/{name}" for name in NAMES))
    shutil.copy(tmp_path / "press" / NAMES[0], tmp_path / "press" / NAMES[1])
    code, out, _ = run(tmp_path)
    assert code == 1
    assert f"leak: press/{NAMES[1]} is a test clip with the sound of the training clip press/{NAMES[0]}" in out
    assert out.endswith("2 clips: 1 faults. Checked: names, format, silence, duplicates.\n")


def test_json(tmp_path):
    import json

    make(tmp_path, f"press/{NAMES[0]}", "press/source_test/section_00_source_test_0000.wav")
    os.truncate(tmp_path / "press" / NAMES[0], 50)
    code, out, err = run(tmp_path, "--json")
    document = json.loads(out)
    assert (code, [line for line in err.splitlines() if not line.endswith(" ...")]) == (1, [])
    assert document["sections"] == [
        {
            "machine": "press",
            "section": "00",
            "counts": {"source_test": 1, "source_train": 1},
            "expected": None,
            "faults": 1,
        }
    ]
    assert [(fault["kind"], fault["path"]) for fault in document["faults"]] == [("unreadable", f"press/{NAMES[0]}")]
    assert (document["clean"], document["clips"]) == (False, 2)
    assert document["table1"] == {"clips": 42650, "printed_total": 42668}


def test_nothing_to_check(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        verify(tmp_path / "none")
    with pytest.raises(DataError, match="has no machine"):
        verify(tmp_path)
    (tmp_path / "fan/train").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no clips"):
        verify(tmp_path)
    with pytest.raises(DataError, match="is itself a machine's folder"):
        verify(tmp_path / "fan")


def test_every_byte_of_the_sound_counts(tmp_path):
    """Duplicates are decided by all of the sound."""
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, SOUND_BYTES, np.uint8)
    sounds = [base]
    for place in rng.integers(0, SOUND_BYTES, 40):
        sounds += [base.copy()]
        sounds[-1][place] ^= 1
    for i, sound in enumerate(sounds):
        path = tmp_path / f"press/train/section_00_source_train_normal_{i:04d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_header(SOUND_BYTES) + sound.tobytes())
    assert verify(tmp_path).faults == []


def _clicks():
    line = np.random.default_rng(2).integers(-1, 2, 160_000).astype(np.int16)
    line[:: 3 * 16_000] = 9000
    return line


SOUND = np.random.default_rng(3).normal(0, 300, 160_000).astype(np.int16)
ZEROS = np.zeros_like(SOUND)


@pytest.mark.parametrize("form", ["PCM_16", "PCM_24", "FLOAT", "FLAC"])
@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.full(160_000, -1, np.int16), "is silent: all its samples are -1. Remove it"),
        (_clicks(), "is dead from 0.00 s to 10.00 s"),
        (np.stack([ZEROS, SOUND], 1), "holds only zeros in channel 0; channel 1 has sound. Choose it with --channel 1"),
        (np.stack([SOUND, ZEROS], 1), None),
        (SOUND, None),
    ],
)
def test_dead_clips_are_named_whatever_their_format(tmp_path, samples, words, form):
    path = tmp_path / "press/train/section_00_source_train_normal_0000.wav"
    path.parent.mkdir(parents=True)
    container, subtype = ("FLAC", "PCM_16") if form == "FLAC" else ("WAV", form)
    soundfile.write(path, samples / 32768, 16000, subtype=subtype, format=container)
    faults = [fault for fault in verify(tmp_path).faults if fault.kind in ("silent", "scale", "unreadable")]
    assert [fault.kind for fault in faults] == ([] if words is None else ["silent"])
    if words is not None:
        # Which channel of a decoded file has sound is not looked for.
        assert faults[0].text.startswith(words.split(" in channel")[0] if form == "FLAC" else words)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_at_int16_scale_are_named(tmp_path, subtype):
    path = tmp_path / "press/train/section_00_source_train_normal_0000.wav"
    path.parent.mkdir(parents=True)
    soundfile.write(path, SOUND.astype(float), 16000, subtype=subtype)
    (text,) = (fault.text for fault in verify(tmp_path).faults if fault.kind == "scale")
    assert "of its samples beyond full scale" in text
    assert "Divide them by 32768" in text


def test_tensorflow_is_not_loaded(tmp_path):
    make(tmp_path, f"press/{NAMES[0]}")
    program = (
        "import sys, pathlib; from edge_asd.train.data.verify import verify; verify(pathlib.Path(sys.argv[1]));"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
