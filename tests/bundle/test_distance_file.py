"""What a distance bundle's array files may hold, and what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asd.bundle.arrays import write_arrays
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.container import read_container, write_container
from edge_asd.bundle.distance_file import DistanceArrays, StoredCentre, read_float, write_float
from edge_asd.bundle.manifest_file import LIMITS
from edge_asd.detectors.loading import load_detector, load_network
from edge_asd.distance.parameters import Centre
from edge_asd.errors import BundleError
from tests.golden.committed import NAMES

Content = dict[str, Any]


def of(content: bytes) -> Content:
    with np.load(io.BytesIO(content)) as file:
        return {name: file[name] for name in file.files}


def test_integers_and_fit_come_back_as_they_were(distance_bundle: Bundle) -> None:
    arrays = DistanceArrays.read(distance_bundle.model)
    assert {s: {d: one.clips for d, one in of.items()} for s, of in arrays.sections.items()} == {
        "00": {"source": 12, "target": 2},
        "01": {"source": 10},
    }
    assert (arrays.blocks.frames, arrays.blocks.count) == (distance_bundle.window_hop, 10)
    assert distance_bundle.window_frames == distance_bundle.score_window_frames == arrays.blocks.span
    assert distance_bundle.windows_per_score == 1
    assert distance_bundle.span_step == 10
    assert of(arrays.write()).keys() == of(distance_bundle.model).keys()
    for name, values in of(distance_bundle.model).items():
        assert np.array_equal(of(arrays.write())[name], values)
    fit = read_float(distance_bundle.float_model)
    for name, values in of(distance_bundle.float_model).items():
        assert np.array_equal(of(write_float(fit))[name], values)
    for section, centres in arrays.sections.items():
        for domain, one in centres.items():
            floating = fit.sections[section][domain]
            assert np.array_equal(one.centre.mean, np.rint(floating.mean * 128))
            assert one.centre.normaliser == round(floating.normaliser * 65536)


def test_what_was_replaced_is_kept_beside_it(distance_bundle: Bundle) -> None:
    arrays = DistanceArrays.read(distance_bundle.model)
    old = arrays.sections["00"]["target"]
    new = StoredCentre(Centre(old.centre.mean + np.int16(3), 12345), 20, adapted=True, previous=old)
    again = DistanceArrays.read(arrays.with_centre("00", "target", new).write())
    found = again.sections["00"]["target"]
    assert (found.clips, found.adapted, found.centre.normaliser) == (20, True, 12345)
    assert found.previous is not None
    assert (found.previous.clips, found.previous.centre.normaliser) == (2, old.centre.normaliser)
    assert np.array_equal(found.previous.centre.mean, old.centre.mean)
    assert "target" not in arrays.without("00", "target").sections["00"]
    assert list(arrays.without("01", "source").sections) == ["00"]


def test_schema_3_is_for_what_older_versions_cannot_read(
    distance_bundle: Bundle, bundle: Bundle, tmp_path: Path
) -> None:
    for one, schema, files in (
        (distance_bundle, 3, {"distance.npz", "distance_float.npz"}),
        (bundle, 1, {"model.tflite", "model_float.tflite"}),
    ):
        path = tmp_path / f"{schema}.easd"
        one.save(path)
        found = read_container(path, LIMITS)
        assert set(found) == {"manifest.json", "golden.npz", *files}
        assert f'"schema": {schema}'.encode() in found["manifest.json"]
        assert (b'"input"' in found["manifest.json"]) is one.kind.network
        assert Bundle.load(path) == one
    assert NAMES["distance"].read_bytes() == (tmp_path / "3.easd").read_bytes()


def test_other_files_than_its_kind_has_are_refused(tmp_path: Path) -> None:
    contents = {name: read_container(path, LIMITS) for name, path in NAMES.items()}
    strange = tmp_path / "strange.easd"
    for name, more in (("ae", "distance"), ("distance", "ae")):
        write_container(strange, {**contents[more], **contents[name]})
        with pytest.raises(BundleError, match="unexpected entry"):
            Bundle.load(strange)
    few = {name: data for name, data in contents["distance"].items() if name != "distance_float.npz"}
    write_container(strange, few)
    with pytest.raises(BundleError, match=r"distance_float\.npz missing"):
        Bundle.load(strange)
    write_container(strange, {name: data for name, data in few.items() if name != "manifest.json"})
    with pytest.raises(BundleError, match=r"manifest\.json missing"):
        Bundle.load(strange)


def put(name: str, change: Callable[[Any], Any]) -> Callable[[Content], Content]:
    return lambda arrays: {**arrays, name: change(arrays[name])}


def at(place: Any, value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array = array.copy()
        array[place] = value
        return array

    return change


HOSTILE: dict[str, Callable[[Content], Content]] = {
    "an array less": lambda arrays: {name: one for name, one in arrays.items() if name != "means"},
    "an array more": lambda arrays: {**arrays, "more": np.zeros(1)},
    "float rows": put("vectors", lambda a: a.astype(np.float32)),
    "the lowest int16": put("vectors", at((0, 0), -32768)),
    "odd features": put("vectors", lambda a: a[:, :-1]),
    "a multiplier for which a projection overflows": put("multipliers", at(0, 2**31 - 1)),
    "a multiplier below 0": put("multipliers", at(0, -1)),
    "multipliers of another number": put("multipliers", lambda a: a[:-1]),
    "no blocks": put("blocks", at(1, 0)),
    "three numbers of blocks": put("blocks", lambda a: np.append(a, a[:1])),
    "a span too long": put("blocks", at(slice(None), 2**20)),
    "means of other bands": put("means", lambda a: a[:, :-2]),
    "a mean that no sound has": put("means", at((0, 0), 32767)),
    "a mean too few": put("means", lambda a: a[:-1]),
    "a normaliser of 0": put("normalisers", at(0, 0)),
    "a normaliser beyond 40 bits": put("normalisers", at(0, 2**40)),
    "no clips": put("clips", at(0, 0)),
    "clips of another number": put("clips", lambda a: a[:-1]),
    "section 100": put("centres", at((0, 0), 100)),
    "a third domain": put("centres", at((0, 1), 2)),
    "a fourth sort": put("centres", at((0, 2), 3)),
    "twice the same centre": put("centres", lambda a: np.repeat(a[:1], len(a), axis=0)),
    "an earlier centre of one that was not adapted": put("centres", at((0, 2), 2)),
    "no centre at all": lambda arrays: {
        **arrays, **{name: arrays[name][:0] for name in ("centres", "means", "normalisers", "clips")}
    },
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_integers_are_refused_in_one_sentence(what: str, distance_bundle: Bundle) -> None:
    content = write_arrays(**HOSTILE[what](of(distance_bundle.model)))
    with pytest.raises(BundleError) as refused:
        DistanceArrays.read(content)
    assert str(refused.value).endswith(("Make the bundle anew.", "Fit anew."))
    with pytest.raises(BundleError):
        load_detector(replace(distance_bundle, model=content))


@pytest.mark.parametrize(
    "change",
    [
        put("vectors", at((0, 0), np.nan)),
        put("means", at((0, 0), np.inf)),
        put("normalisers", at(0, 0.0)),
        put("vectors", lambda a: np.zeros((65, a.shape[1]))),
        put("vectors", lambda a: np.zeros((4, 258))),
        put("means", lambda a: a[:, 1:]),
        put("centres", at((0, 0), 255)),
    ],
)
def test_hostile_fits_are_refused(change: Callable[[Content], Content], distance_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="anew"):
        read_float(write_arrays(**change(of(distance_bundle.float_model))))


def test_arrays_that_claim_much_are_refused_before_they_are_unpacked(distance_bundle: Bundle) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in of(distance_bundle.model):
            archive.writestr(f"{name}.npy", bytes(2**21))
    with pytest.raises(BundleError, match="larger than 1024 KiB"):
        DistanceArrays.read(content.getvalue())


def test_a_manifest_of_other_windows_is_refused(distance_bundle: Bundle) -> None:
    for change in ({"window_frames": 41}, {"window_hop": 5}):
        with pytest.raises(BundleError, match="its manifest describes others"):
            load_detector(replace(distance_bundle, **change))


def test_it_holds_no_network(distance_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="holds no network"):
        load_network(distance_bundle)
    with pytest.raises(BundleError, match="holds no network"):
        assert distance_bundle.tensors
