from __future__ import annotations

import hashlib
import io
import json
import resource
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.bundle.bundle import SCHEMA, Bundle
from edge_asd.bundle.golden_file import ARRAYS, read_golden
from edge_asd.bundle.manifest import FalsePositives, Quantisation, Threshold
from edge_asd.errors import BundleError, OutputError
from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec

FILES = ("manifest.json", "model.tflite", "model_float.tflite", "golden.npz")

SMALL = Bundle(
    machine="fan",
    detector="ae",
    features=FeatureSpec(),
    window_frames=5,
    window_hop=1,
    score_window_frames=311,
    input=Quantisation(0.25, 87, 262144),
    output=Quantisation(0.5, -1, 8388608),
    thresholds={
        "00": Threshold(46063592, "quantile", 0.9, {"source": 2, "target": 1}),
        "03": Threshold(
            7,
            "false-positive-rate",
            0.5,
            {"source": 2},
            false_positives=FalsePositives(flagged=1, clips=2, low=0.0125, high=0.9875),
            calibrated=True,
            domains={"target": Threshold(9, "gamma", 0.5, {})},
        ),
    },
    model=b"not a model, but loading does not look",
    float_model=bytes(range(256)),
    golden=b"\0" * 100,
    provenance={"seed": 0, "nested": {"list": [1, 2.5, None, "ü"]}},
)
"""Small enough to try every byte."""


def unpack(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def seal(manifest: dict) -> dict:
    """Make a manifest's own digest right again, as a mistaken or malicious writer would."""
    rest = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return {**rest, "manifest_sha256": hashlib.sha256(text.encode()).hexdigest()}


def refused(path: Path, message: str) -> None:
    with pytest.raises(BundleError, match=message) as error:
        Bundle.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).endswith(".")


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.easd"
    SMALL.save(path)
    return path


@pytest.fixture
def folder(small, tmp_path):
    return unpack(small, tmp_path / "folder.easd")


@pytest.fixture
def edited(folder):
    """Give the folder another manifest, well sealed."""

    def edit(change) -> Path:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        change(manifest)
        (folder / "manifest.json").write_text(json.dumps(seal(manifest)))
        return folder

    return edit


# --- Round trips


def test_a_bundle_survives_zip_and_folder(bundle, bundle_path, tmp_path):
    assert Bundle.load(bundle_path) == bundle
    assert Bundle.load(unpack(bundle_path, tmp_path / "folder")) == bundle
    assert (bundle.machine, bundle.detector, sorted(bundle.thresholds)) == ("fan", "ae", ["00", "01"])


def test_a_bundle_is_the_same_bytes_whenever_it_is_saved(bundle, bundle_path, tmp_path):
    bundle.save(tmp_path / "again.easd")
    assert (tmp_path / "again.easd").read_bytes() == bundle_path.read_bytes()


names = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
folders = names.filter(lambda name: name.isprintable() and name.strip(". ") and not set(name) & set("/\\"))
numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(
    machine=folders,
    thresholds=st.dictionaries(
        st.from_regex("[0-9]{2}", fullmatch=True),
        st.builds(
            Threshold,
            score=st.integers(1 - 2**31, 2**31 - 1),
            method=st.sampled_from(("quantile", "gamma")),
            quantile=st.floats(0, 1),
            clips=st.dictionaries(st.sampled_from(("source", "target")), st.integers(0, 10**9)),
        ),
        min_size=1,
        max_size=3,
    ),
    quantisation=st.builds(
        Quantisation,
        scale=st.floats(0, 1000, exclude_min=True, width=32),
        zero_point=st.integers(-128, 127),
        multiplier=st.integers(1, 2**31 - 1),
    ),
    provenance=st.dictionaries(names, plain, max_size=3),
    content=st.binary(max_size=50),
)
def test_every_value_survives(tmp_path_factory, machine, thresholds, quantisation, provenance, content):
    path = tmp_path_factory.mktemp("any") / "any.easd"
    bundle = replace(
        SMALL, machine=machine, thresholds=thresholds, input=quantisation, provenance=provenance, model=content
    )
    bundle.save(path)
    assert Bundle.load(path) == bundle


def test_windows_per_score_counts_whole_windows():
    spans = [(311, 5, 1), (311, 64, 8), (312, 64, 8), (64, 64, 8), (71, 64, 8), (72, 64, 8)]
    counts = [
        replace(SMALL, score_window_frames=score, window_frames=window, window_hop=hop).windows_per_score
        for score, window, hop in spans
    ]
    assert counts == [307, 31, 32, 1, 1, 2]


def test_a_manifest_says_nothing_of_what_a_threshold_has_not(folder):
    """Bundles of before there were thresholds of domains read as they were written."""
    plain = json.loads((folder / "manifest.json").read_bytes())["sections"]["00"]
    assert set(plain) == {"score", "method", "quantile", "clips"}
    loaded = Bundle.load(folder).thresholds["00"]
    assert (loaded.false_positives, loaded.calibrated, loaded.domains) == (None, False, {})


def test_a_domain_without_a_threshold_of_its_own_has_its_sections():
    found = {domain: SMALL.threshold("03", domain).score for domain in (None, "source", "target")}
    assert found == {None: 7, "source": 7, "target": 9}
    assert SMALL.threshold("00", "target") == SMALL.threshold("00")
    missing = {domain: SMALL.without_own_threshold(domain) for domain in (None, "source", "target")}
    assert missing == {None: [], "source": ["00", "03"], "target": ["00"]}


def test_a_section_that_is_not_there_is_named_with_those_that_are():
    assert SMALL.threshold("03").score == 7
    with pytest.raises(BundleError, match=r"\(fan\) has no section 02. It has: 00, 03"):
        SMALL.threshold("02")


# --- Damage


def load_or_refuse(path: Path) -> Bundle | None:
    with warnings.catch_warnings():
        # zipfile warns of a damaged name before the check refuses it.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return Bundle.load(path)
        except BundleError:
            return None


def test_every_byte_of_a_zip_counts_or_carries_no_meaning(small):
    """A changed byte is an error, or (a date, a file mode) the loaded bundle is equal."""
    content = small.read_bytes()
    harmless = 0
    for place in range(len(content)):
        for mask in (1 << place % 8, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= mask
            small.write_bytes(damaged)
            loaded = load_or_refuse(small)
            assert loaded in (None, SMALL), f"byte {place} of {len(content)} changed by {mask:#x} went unnoticed"
            harmless += loaded is not None
    # Dates, versions, modes, and what a zip says twice: some 50 bytes for each of the 4 entries, tried twice.
    assert harmless < 4 * 60 * 2


def test_a_real_bundle_with_a_changed_byte_is_refused(bundle, bundle_path, tmp_path):
    content = bundle_path.read_bytes()
    path = tmp_path / "damaged.easd"
    refusals = 0
    for place in np.linspace(0, len(content) - 1, 41).astype(int):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        loaded = load_or_refuse(path)
        assert loaded in (None, bundle)
        refusals += loaded is None
    assert refusals >= 39  # all but perhaps the very ends


@pytest.mark.parametrize("keep", [0, 1, 21, 22, 100, 0.5, 0.9, -1])
def test_a_cut_zip_is_refused(small, keep):
    content = small.read_bytes()
    small.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    refused(small, "damaged or no bundle")


@pytest.mark.parametrize("name", FILES)
def test_every_byte_of_a_folder_counts_or_carries_no_meaning(folder, name):
    content = (folder / name).read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        (folder / name).write_bytes(damaged)
        loaded = load_or_refuse(folder)
        # White space in the manifest is the one thing without meaning.
        assert loaded is None or (name == FILES[0] and loaded == SMALL), f"byte {place} went unnoticed"


def test_a_threshold_changed_in_place_is_refused(folder):
    text = (folder / "manifest.json").read_text()
    assert "46063592" in text
    (folder / "manifest.json").write_text(text.replace("46063592", "46063593"))
    refused(folder, "manifest.json was changed or damaged")


def test_a_manifest_without_its_digest_is_refused(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    del manifest["manifest_sha256"]
    path.write_text(json.dumps(manifest))
    refused(folder, "the key 'manifest_sha256' is missing")


@pytest.mark.parametrize("name", FILES[1:])
def test_a_changed_file_is_named(folder, name):
    (folder / name).write_bytes((folder / name).read_bytes() + b"x")
    refused(folder, f"{name} was changed or damaged")


@pytest.mark.parametrize("machine", ["../../evil", "a\\b", "..", " ", "", "fan\x1b[31m"])
def test_a_machine_that_is_no_name_is_refused(folder, machine):
    path = folder / "manifest.json"
    path.write_text(json.dumps(seal({**json.loads(path.read_bytes()), "machine": machine})))
    refused(folder, "which is not the name of a folder")


@pytest.mark.parametrize("section", ["../x", "3", "003", "0\u0663"])
def test_a_section_that_is_not_two_digits_is_refused(folder, section):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["sections"] = {section: manifest["sections"]["03"]}
    path.write_text(json.dumps(seal(manifest)))
    refused(folder, "sections have two digits")


# --- Manifests that are whole but wrong

FITTED = ("sections", "03")
RATE = (*FITTED, "false_positives")
OWN = (*FITTED, "domains", "target")
LEVELS = [(), ("arithmetic",), ("features",), ("input",), ("output",), ("sections", "00"), ("files",), RATE, OWN]


def at(manifest: dict, level: tuple[str, ...]) -> dict:
    for key in level:
        manifest = manifest[key]
    return manifest


def keys() -> list[tuple[tuple[str, ...], str]]:
    manifest = json.loads(json.dumps(SMALL._manifest(dict.fromkeys(FILES[1:], b""))))
    found = [(level, key) for level in LEVELS for key in at(manifest, level)]
    assert len(found) == 15 + 3 + 4 + 3 + 3 + 4 + 3 + 4 + 4
    return [(level, key) for level, key in found if key != "manifest_sha256"]


@pytest.mark.parametrize("level", LEVELS)
def test_an_unknown_key_is_refused_at_every_level(edited, level):
    refused(edited(lambda manifest: at(manifest, level).update(surprise=1)), "surprise")


@pytest.mark.parametrize(("level", "key"), keys())
def test_a_missing_key_is_refused(edited, level, key):
    refused(
        edited(lambda manifest: at(manifest, level).pop(key)), "not an edge-asd manifest" if key == "format" else key
    )


WRONG = [None, True, "x", 1.5, -1000, 10**400, [], [1], {"x": {}}]
FINE = [("machine", "x"), ("score", -1000), ("method", "x"), ("scale", 1.5), ("provenance", {"x": {}})]


@pytest.mark.parametrize(
    ("level", "key", "value"),
    [(*place, value) for place in keys() for value in WRONG if (place[1], value) not in FINE],
)
def test_a_value_of_another_type_is_refused(edited, level, key, value):
    refused(edited(lambda manifest: at(manifest, level).update({key: value})), ": .")


@pytest.mark.parametrize(
    ("level", "key", "value", "message"),
    [
        ((), "format", "edge-asd run", "not an edge-asd manifest"),
        ((), "schema", SCHEMA + 1, f"schema {SCHEMA + 1}, this edge-asd reads up to {SCHEMA}. Update edge-asd"),
        ((), "schema", 0, "no valid schema"),
        ((), "detector", "section_id", "detector section_id; this edge-asd has ae"),
        (("arithmetic",), "front_end", FRONTEND_NUMBER + 1, f"front end {FRONTEND_NUMBER + 1}; this edge-asd has"),
        (("arithmetic",), "score", 2, "score 2; this edge-asd has 1"),
        (("arithmetic",), "model", "tflm", "model arithmetic tflm; this edge-asd has litert-ref"),
        ((), "window_frames", 0, "outside 1 to"),
        ((), "window_frames", 2**31, "outside 1 to"),
        ((), "window_hop", 0, "outside 1 to 5"),
        ((), "window_hop", 6, "outside 1 to 5"),  # frames between windows would go unheard
        ((), "score_window_frames", 4, "score_window_frames is shorter than one window"),
        ((), "score_window_frames", 10**12, "outside 1 to"),
        ((), "sections", {}, "lists no section"),
        (("features",), "n_mels", 129, "n_mels"),
        (("features",), "hop_length", 0, "hop_length"),
        (("features",), "n_fft", 1000, "n_fft"),
        (("input",), "scale", 0.0, "scale must be greater than 0"),
        (("input",), "scale", -0.5, "scale must be greater than 0"),
        (("input",), "zero_point", 128, "outside -128 to 127"),
        (("input",), "multiplier", 0, "outside 1 to"),
        (("output",), "multiplier", 2**31, "outside 1 to"),
        (("sections", "00"), "score", 2**31, "outside -2147483647 to"),
        (("sections", "00"), "score", -(2**31), "outside -2147483647 to"),
        (("sections", "00"), "clips", {"source": -1}, "outside 0 to"),
        (("sections", "00"), "clips", {"source": 1.5}, "should be int"),
        (FITTED, "calibrated", 1, "'calibrated' should be bool"),
        (FITTED, "false_positives", None, "should be dict"),
        (RATE, "clips", 0, "outside 1 to"),
        (RATE, "flagged", 3, "outside 0 to 2"),
        (RATE, "low", -0.1, "is no interval of 0.5"),
        (RATE, "low", 0.6, "is no interval of 0.5"),
        (RATE, "high", 1.1, "is no interval of 0.5"),
        (FITTED, "domains", [], "should be dict"),
        (FITTED, "domains", {"elsewhere": {}}, "unknown key 'elsewhere'"),
        (OWN, "domains", {}, "unknown key 'domains'"),
        (OWN, "score", 2**31, "outside -2147483647 to"),
        (("files",), "model.tflite", "0" * 64, "model.tflite was changed"),
    ],
)
def test_a_value_out_of_range_is_refused(edited, level, key, value, message):
    refused(edited(lambda manifest: at(manifest, level).update({key: value})), message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"schema": 1,', '"schema": 1, "schema": 1,', "a key occurs twice"),
        ('"zero_point": 87', '"zero_point": 87, "zero_point": 87', "a key occurs twice"),
        ('"seed": 0', '"seed": NaN', "NaN is not JSON"),
        ('"seed": 0', '"seed": 1e999', "1e999 is too large"),
        ('"scale": 0.25', '"scale": Infinity', "Infinity is not JSON"),
        ("{", "[", "is damaged"),
    ],
)
def test_json_that_means_two_things_or_nothing_is_refused(folder, old, new, message):
    path = folder / "manifest.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    refused(folder, message)


def test_the_layout_of_the_manifest_does_not_matter(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps(dict(reversed(manifest.items())), separators=(" ,  ", ":\n\t")))
    assert Bundle.load(folder) == SMALL


# --- Files that are missing, extra, doubled, huge, or no bundle at all


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, small, name):
    with zipfile.ZipFile(small, "w") as archive:
        for other in FILES:
            if other != name:
                archive.write(folder / other, other)
    (folder / name).unlink()
    refused(folder, f"{name} missing")
    refused(small, f"{name} missing")


@pytest.mark.parametrize(
    "name", ["model2.tflite", "../model.tflite", "/etc/passwd", "model.tflite/", "sub/", "Manifest.json"]
)
def test_an_extra_entry_is_named(small, name):
    with zipfile.ZipFile(small, "a") as archive:
        archive.writestr(name, b"")
    refused(small, f"unexpected entry '{name}'")


def test_an_extra_file_or_folder_is_named(folder):
    (folder / ".DS_Store").touch()
    refused(folder, "unexpected entry '.DS_Store'")
    (folder / ".DS_Store").unlink()
    (folder / "model.tflite").unlink()
    (folder / "model.tflite").mkdir()
    refused(folder, "model.tflite is not a file")


def test_an_entry_that_is_there_twice_is_refused(small):
    with zipfile.ZipFile(small, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("model.tflite", b"another")
    refused(small, "names an entry twice")


def test_absurd_sizes_are_refused_before_they_are_read(small, folder):
    content = bytearray(small.read_bytes())
    place = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, place + 24, 2**32 - 2)  # the size of the first entry, as the directory has it
    small.write_bytes(content)
    refused(small, "manifest.json claims 4294967294 bytes")

    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:  # a bomb: 80 MiB in 80 KiB
        for name in FILES:
            archive.writestr(name, bytes(80 << 20) if name == "golden.npz" else b"")
    assert small.stat().st_size < 100_000
    refused(small, "golden.npz claims 83886080 bytes")

    with open(folder / "golden.npz", "wb") as file:
        file.truncate(1 << 40)
    refused(folder, "golden.npz is not a file of at most 8 MiB")


def test_a_bomb_that_lies_about_its_size_is_refused(small):
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            archive.writestr(name, bytes(80 << 20) if name == "golden.npz" else b"")
    content = small.read_bytes().replace(struct.pack("<I", 80 << 20), struct.pack("<I", 1000))
    small.write_bytes(content)
    refused(small, "damaged or no bundle")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_compress_are_refused(folder, small, method):
    with zipfile.ZipFile(small, "w", method) as archive:
        for name in FILES:
            archive.write(folder / name, name)
    refused(small, "compressed in another way")


def test_a_zip_that_is_only_stored_is_a_bundle(folder, small):
    with zipfile.ZipFile(small, "w", zipfile.ZIP_STORED) as archive:
        for name in FILES:
            archive.write(folder / name, name)
    assert Bundle.load(small) == SMALL


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x05\x06" + bytes(18), b"RIFF\0\0\0\0WAVE", bytes(10_000)])
def test_a_file_that_is_no_bundle_is_refused(tmp_path, content):
    path = tmp_path / "other.easd"
    path.write_bytes(content)
    refused(path, "no bundle|missing")


def test_places_without_a_bundle_are_refused(tmp_path):
    refused(tmp_path / "nothing.easd", "there is no such bundle. Make one with: edge-asd quantize")
    refused(tmp_path, "manifest.json missing")
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "below", "cannot be read")


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_fail_clearly(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "any.easd"
    path.write_bytes(content)
    with pytest.raises(BundleError):
        Bundle.load(path)


# --- Writing


def test_an_unwritable_place_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    for path in (tmp_path / "file" / "a.easd", tmp_path, Path("/proc/a.easd")):
        with pytest.raises(OutputError, match=f"Cannot write {path}"):
            SMALL.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_up_leaves_the_old_bundle(small, tmp_path):
    """A limit on the size of files stands for a full disk: the write stops in the middle."""
    before = small.read_bytes()
    program = (
        "import sys; from dataclasses import replace; from pathlib import Path; import random\n"
        "from edge_asd.bundle.bundle import Bundle; from edge_asd.errors import OutputError\n"
        "path = Path(sys.argv[1]); bundle = Bundle.load(path)\n"
        "try: replace(bundle, model=random.randbytes(100_000)).save(path)\n"
        "except OutputError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(small)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16)),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.startswith(f"Cannot write {small}: File too large.")
    assert small.read_bytes() == before
    assert list(tmp_path.iterdir()) == [small]


@pytest.fixture
def full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("may not mount a small file system here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_the_old_bundle(full_disk):
    path = full_disk / "small.easd"
    SMALL.save(path)
    large = replace(SMALL, model=np.random.default_rng(0).bytes(100_000))
    with pytest.raises(OutputError, match=r"No space left on device\. Choose another place or free some space"):
        large.save(path)
    assert list(full_disk.iterdir()) == [path]
    assert Bundle.load(path) == SMALL


# --- Golden vectors


def test_golden_arrays_are_read(bundle):
    arrays = bundle.golden_arrays()
    assert {name: (array.dtype.name, array.shape) for name, array in arrays.items()} == {
        "pcm": ("int16", (20992,)),
        "features": ("int32", (40, 128)),
        "model_input": ("int8", (40, 128)),
        "model_output": ("int8", (36, 640)),
        "window_scores": ("int32", (36,)),
        "score": ("int64", ()),
    }


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array, *, pickled: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "golden",
    [
        b"",
        b"PK",
        b"PK\x03\x04" + bytes(50),
        b"\x93NUMPY",
        b"cos\nsystem\n(S'exit 1'\ntR.",  # a pickle that would run a program
        bytes(100),
        npy(np.arange(3)),  # an array where an archive of arrays belongs
        npz(pcm=np.arange(100))[:-30],
        npz(pcm=np.arange(100)).replace(b"(100,)", b"(999,)"),
    ],
)
def test_golden_arrays_that_cannot_be_read_are_an_error(golden):
    with pytest.raises(BundleError, match=r"golden.npz cannot be (read|used): .* Make the bundle anew"):
        replace(SMALL, golden=golden).golden_arrays()


def test_golden_arrays_never_unpickle(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    buffer = io.BytesIO()
    np.savez(buffer, **{**dict.fromkeys(ARRAYS, np.zeros(1)), "pcm": np.array([Trap()], dtype=object)})
    with pytest.raises(BundleError, match="'pcm' is object"):
        replace(SMALL, golden=buffer.getvalue()).golden_arrays()
    assert list(tmp_path.iterdir()) == []


def test_golden_arrays_with_a_changed_byte_are_equal_or_an_error(bundle):
    small = {name: array[:8] if array.ndim else array for name, array in bundle.golden_arrays().items()}
    content = npz(**small)
    for place in np.linspace(0, len(content) - 1, 400).astype(int):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            try:
                found = read_golden(bytes(damaged))
            except BundleError:
                continue
        assert all(np.array_equal(found[name], small[name]) for name in found)


@pytest.mark.parametrize("header", ["(10**12,)", "(-1,)", "(True,)", "(3.0,)", "(2**63, 2**63)"])
def test_a_golden_array_that_lies_about_its_shape_gets_no_memory(bundle, header):
    shape = str(eval(header))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in bundle.golden_arrays().items():
            content = npy(array)
            if name == "pcm":
                text = f"{{'descr': '<i2', 'fortran_order': False, 'shape': {shape}, }}"
                content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content[128:]
            archive.writestr(f"{name}.npy", content)
    with pytest.raises(BundleError, match=r"golden.npz cannot be (read|used)"):
        read_golden(buffer.getvalue())


def test_a_manifest_of_blank_space_is_refused_by_its_size(small):
    with zipfile.ZipFile(small) as archive:
        contents = {name: archive.read(name) for name in FILES}
    contents["manifest.json"] += b" " * (60 << 20)
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    refused(small, "manifest.json claims")


def test_a_zip_file_that_lists_a_thousand_entries_is_refused_before_it_is_listed(small):
    with zipfile.ZipFile(small, "w") as archive:
        for i in range(1000):
            archive.writestr(f"{i}", b"")
    refused(small, "lists more than a bundle holds")
