"""Schema 2: a policy, machine-off levels and the thresholds before; and schema 1 for good."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.bundle.bundle import SCHEMA, Bundle
from edge_asd.bundle.manifest import Threshold
from edge_asd.bundle.policy import Policy
from edge_asd.errors import BundleError
from tests.bundle.test_bundle import SMALL, seal
from tests.golden.committed import NAMES

OLD = Threshold(
    5, "quantile", 0.9, {"source": 40}, off_level_db=-50.0, domains={"source": Threshold(4, "gamma", 1, {})}
)
NEW = Threshold(6, "quantile", 0.9, {"source": 30}, calibrated=True, off_level_db=-45.5, previous=OLD)
FULL = replace(SMALL, thresholds={**SMALL.thresholds, "00": NEW}, policy=Policy(needed=3, of=5, minimum_s=2))
POLICY, SECTION = ("policy",), ("sections", "00")
BEFORE = (*SECTION, "previous")


def manifest_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("manifest.json")


def edited(bundle: Bundle, folder: Path, level: tuple[str, ...], changes: dict[str, Any], drop: str = "") -> Path:
    """Write the bundle as a folder whose manifest was changed, and well sealed."""
    bundle.save(folder / "whole.easd")
    with zipfile.ZipFile(folder / "whole.easd") as archive:
        archive.extractall(folder / "edited.easd")
    place = folder / "edited.easd" / "manifest.json"
    manifest = json.loads(place.read_bytes())
    node = manifest
    for key in level:
        node = node[key]
    node.update(changes)
    node.pop(drop, None)
    place.write_text(json.dumps(seal(manifest)))
    return place.parent


@pytest.mark.parametrize("name", NAMES)
def test_committed_bundles_are_written_as_before(name: str, tmp_path: Path) -> None:
    again = tmp_path / "again.easd"
    loaded = Bundle.load(NAMES[name])
    loaded.save(again)
    assert again.read_bytes() == NAMES[name].read_bytes()
    assert json.loads(manifest_of(again))["schema"] == (1 if loaded.kind.network else 3)
    assert loaded.policy is None
    assert {(t.off_level_db, t.previous) for t in loaded.thresholds.values()} == {(None, None)}


@pytest.mark.parametrize(
    "bundle",
    [
        FULL,
        replace(SMALL, policy=Policy()),
        replace(SMALL, thresholds={"00": replace(NEW, previous=None)}),
        replace(SMALL, thresholds={"00": replace(NEW, off_level_db=None)}),
    ],
)
def test_any_new_key_makes_schema_2_and_survives(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "a.easd")
    assert json.loads(manifest_of(tmp_path / "a.easd"))["schema"] == 2
    assert Bundle.load(tmp_path / "a.easd") == bundle
    plain = replace(
        bundle,
        policy=None,
        thresholds={s: replace(t, off_level_db=None, previous=None) for s, t in bundle.thresholds.items()},
    )
    plain.save(tmp_path / "b.easd")
    assert json.loads(manifest_of(tmp_path / "b.easd"))["schema"] == 1


def test_schema_1_knows_no_new_key(tmp_path: Path) -> None:
    for level, changes in (
        ((), {"policy": Policy().as_json()}),
        (SECTION, {"off_level_db": -40.0}),
        (SECTION, {"previous": SMALL.thresholds["00"].as_json()}),
    ):
        with pytest.raises(BundleError, match=f"unknown key '{next(iter(changes))}'"):
            Bundle.load(edited(SMALL, tmp_path, level, changes))
    # Nor does a bundle of schema 2 that calls itself 1.
    with pytest.raises(BundleError, match="unknown key"):
        Bundle.load(edited(FULL, tmp_path, (), {"schema": 1}))
    # Schema 2 may lack them all.
    assert Bundle.load(edited(SMALL, tmp_path, (), {"schema": 2})) == SMALL
    # And schema 3 is for other detectors, too.
    assert Bundle.load(edited(FULL, tmp_path, (), {"schema": 3})) == FULL
    message = rf"has schema {SCHEMA + 1}, this edge-asd reads up to {SCHEMA}\. Update edge-asd"
    with pytest.raises(BundleError, match=message):
        Bundle.load(edited(FULL, tmp_path, (), {"schema": SCHEMA + 1}))


@pytest.mark.parametrize(
    ("level", "changes", "message"),
    [
        (SECTION, {"off_level_db": 0.1}, "'off_level_db' is 0.1, not a multiple of 0.1 from -120 to 0"),
        (SECTION, {"off_level_db": -120.1}, "'off_level_db' is -120.1, not"),
        (SECTION, {"off_level_db": -40.05}, "'off_level_db' is -40.05, not"),
        (SECTION, {"off_level_db": -(10**400)}, "should be float"),
        (SECTION, {"off_level_db": None}, "should be float"),
        (SECTION, {"off_level_db": True}, "should be float"),
        (SECTION, {"previous": None}, "should be dict"),
        (SECTION, {"previous": []}, "should be dict"),
        (SECTION, {"previous": {}}, "sections, 00, previous: the key 'clips' is missing"),
        (BEFORE, {"previous": {}}, "unknown key 'previous'"),
        (BEFORE, {"surprise": 1}, "unknown key 'surprise'"),
        (BEFORE, {"off_level_db": -130.0}, "'off_level_db' is -130.0, not"),
        ((*BEFORE, "domains", "source"), {"off_level_db": -40.0}, "unknown key 'off_level_db'"),
        ((*BEFORE, "domains", "source"), {"previous": {}}, "unknown key 'previous'"),
        (("sections", "03", "domains", "target"), {"off_level_db": -40.0}, "unknown key 'off_level_db'"),
        (POLICY, {"surprise": 1}, "unknown key 'surprise'"),
        (POLICY, {"needed": 6}, "policy: an alarm cannot need 6 of 5 decisions"),
        (POLICY, {"needed": 0}, "outside 1 to"),
        (POLICY, {"of": 10**6}, "outside 1 to 100000"),
        (POLICY, {"release_percent": 2.5}, "should be int"),
        (POLICY, {"cooldown_s": -1}, "the cooldown cannot be -1.0 s"),
        (POLICY, {"escalation_s": 10**12}, "the time to escalation cannot be"),
        ((), {"policy": None}, "should be dict"),
        ((), {"policy": {}}, "'needed' is missing"),
    ],
)
def test_hostile_values_are_refused(
    tmp_path: Path, level: tuple[str, ...], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleError, match=message) as error:
        Bundle.load(edited(FULL, tmp_path, level, changes))
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("key", Policy().as_json())
def test_a_missing_key_of_a_policy_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(BundleError, match=f"'{key}' is missing"):
        Bundle.load(edited(FULL, tmp_path, POLICY, {}, drop=key))


levels = st.integers(-1200, 0).map(lambda tenths: tenths / 10)
thresholds = st.builds(
    Threshold,
    score=st.integers(1 - 2**31, 2**31 - 1),
    method=st.just("quantile"),
    quantile=st.floats(0, 1),
    clips=st.just({"source": 3}),
    off_level_db=st.none() | levels,
)
policies = st.integers(1, 100_000).flatmap(
    lambda of: st.builds(
        Policy,
        needed=st.integers(1, of),
        of=st.just(of),
        release_percent=st.integers(0, 100),
        cooldown_s=st.floats(0, 1e9),
    )
)


@settings(max_examples=50)
@given(section=thresholds, previous=st.none() | thresholds, policy=st.none() | policies)
def test_every_value_survives(
    tmp_path_factory: pytest.TempPathFactory, section: Threshold, previous: Threshold | None, policy: Policy | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.easd"
    bundle = replace(SMALL, thresholds={"00": replace(section, previous=previous)}, policy=policy)
    bundle.save(path)
    assert Bundle.load(path) == bundle
