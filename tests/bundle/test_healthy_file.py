from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.healthy_file import HEALTHY, Healthy, read_healthy, write_healthy
from edge_asd.errors import BundleError
from edge_asd.heard.explaining import Explainer, why_not
from edge_asd.monitor.engine import Engine
from tests.bundle.test_bundle import SMALL
from tests.golden.committed import NAMES

N = 128


def healthy(seed: int) -> Healthy:
    rng = np.random.default_rng(seed)
    return Healthy(rng.integers(-20096, 6529, 2 * N).astype(np.int16), rng.integers(1, 2**31, N).astype(np.int32))


GOOD: dict[str, Any] = {
    "sections": np.array([0, 3], np.uint8),
    "features": np.zeros((2, 2 * N), np.int16),
    "errors": np.ones((2, N), np.int32),
}


def npz(**changes: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in {**GOOD, **changes}.items() if array is not None})
    return file.getvalue()


def schema_of(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return int(json.loads(archive.read("manifest.json"))["schema"])


def test_what_is_written_is_read() -> None:
    sections = {"03": healthy(1), "00": healthy(2), "99": healthy(3)}
    found = read_healthy(write_healthy(sections), N)
    assert list(found) == ["00", "03", "99"]
    for section, one in found.items():
        assert (one.features == sections[section].features).all()
        assert (one.errors == sections[section].errors).all()


def test_a_bundle_holds_it_by_schema_3_and_does_without_it_by_an_older_one(tmp_path: Path) -> None:
    content = write_healthy({"00": healthy(1), "03": healthy(2)})
    for file, schema, given in (("with", 3, content), ("without", 1, None)):
        bundle = replace(SMALL, healthy=given)
        bundle.save(tmp_path / file)
        assert Bundle.load(tmp_path / file) == bundle
        assert schema_of(tmp_path / file) == schema


@pytest.mark.parametrize(
    "changes",
    [
        {"errors": None},
        {"more": np.zeros(1, np.int32)},
        {"sections": np.array([3, 3], np.uint8)},
        {"sections": np.array([0, 100], np.uint8)},
        {"sections": np.array([0], np.uint8)},
        {"sections": np.array([0, 3], np.int64)},
        {"features": np.zeros((2, N), np.int16)},
        {"features": np.zeros((2, 2 * N), np.float64)},
        {"features": np.full((2, 2 * N), -20097, np.int16)},
        {"features": np.full((2, 2 * N), 6529, np.int16)},
        {"errors": np.ones((2, 2 * N), np.int32)},
        {"errors": np.zeros((2, N), np.int32)},
        {"errors": np.full((2, N), -1, np.int32)},
        {"errors": np.ones((600, N), np.int32), "features": np.zeros((600, 2 * N), np.int16)},
        {"sections": np.array([{}], object)},
    ],
    ids=str,
)
def test_what_is_no_healthy_spectrum_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match=rf"The bundle's {HEALTHY} cannot be .*\. Make the bundle anew\.$"):
        read_healthy(npz(**changes), N)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, npz()[:-30], npz()[:200] + npz()[260:]])
def test_bytes_that_are_no_arrays_are_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match=HEALTHY):
        read_healthy(content, N)


def test_a_monitor_refuses_a_bundle_whose_spectrum_is_damaged() -> None:
    bundle = replace(Bundle.load(NAMES["ae"]), healthy=npz(errors=None))
    with pytest.raises(BundleError, match=HEALTHY):
        Engine(bundle, "00")


def test_a_classifier_and_an_older_bundle_say_that_they_cannot_tell() -> None:
    assert "section classifier" in why_not(Bundle.load(NAMES["mobilenetv2"]))
    old = Bundle.load(NAMES["ae"])
    assert "Quantise its run anew" in why_not(old)
    assert Engine(old, "00").heard(1.0) is None
    assert why_not(Bundle.load(NAMES["distance"])) == ""
    n_mels = old.features.n_mels
    new = replace(old, healthy=npz(features=np.zeros((2, 2 * n_mels), np.int16), errors=np.ones((2, n_mels), np.int32)))
    assert why_not(new) == why_not(new, "00") == ""
    assert "section 01" in why_not(new, "01")
    assert len(Explainer(new).limits) == n_mels + 1
