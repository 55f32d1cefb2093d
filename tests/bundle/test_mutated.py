"""Bundles changed at random, their hashes made right again: an error for people, or a detector that runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import Policy
from tests.golden.committed import NAMES

PROGRAM = """
import hashlib, io, json, random, sys, time, zipfile
from pathlib import Path
import numpy as np
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.manifest_file import digest_of
from edge_asd.detectors.loading import load_detector
from edge_asd.errors import EdgeAsdError
from edge_asd.frontend import log_mel
from tests.golden.committed import made_sound

source, place, count, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rng = random.Random(seed)
with zipfile.ZipFile(source) as archive:
    original = {name: archive.read(name) for name in archive.namelist()}
pcm = made_sound(1, 200)[:48000]
VALUES = [0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 1e308, 5e-324, True, None]
VALUES += ["", "x" * 10000, "../..", [], [[]], {}, {"a": 1}]


def leaves(node, path=()):
    if isinstance(node, dict):
        for key in node:
            yield from leaves(node[key], (*path, key))
            yield (*path, key)
    elif isinstance(node, list):
        for key in range(len(node)):
            yield (*path, key)


def change_manifest(files):
    manifest = json.loads(files["manifest.json"])
    path = rng.choice([p for p in leaves(manifest) if p[-1] != "manifest_sha256"])
    node = manifest
    for key in path[:-1]:
        node = node[key]
    what = rng.random()
    if what < 0.15:
        del node[path[-1]]
    elif what < 0.3 and isinstance(node, dict):
        node["new" * rng.randint(1, 3)] = rng.choice(VALUES)
    else:
        node[path[-1]] = rng.choice(VALUES)
    manifest["manifest_sha256"] = digest_of(manifest)
    text = json.dumps(manifest)
    if rng.random() < 0.1:
        text = rng.choice([" " * 2_000_000 + text, text + "]" * 100_000, "[" * 100_000 + text, text[: len(text) // 2]])
    files["manifest.json"] = text.encode()


def change_bytes(data):
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    if rng.random() < 0.1:
        del changed[rng.randrange(len(changed)) :]
    return bytes(changed)


def change_arrays(files, file):
    if rng.random() < 0.5:
        files[file] = change_bytes(files[file])
        return
    with np.load(io.BytesIO(files[file])) as arrays:
        made = {name: arrays[name] for name in arrays.files}
    name = rng.choice(list(made))
    array = made.pop(name)
    new = rng.choice([
        None, array.astype(np.float64), array[:0] if array.ndim else array, np.zeros((1, 1), np.int8),
        np.zeros(20_000_000, np.int8), np.broadcast_to(array, (2, *array.shape)), np.array("text"),
        np.full_like(array, rng.choice([-128, -1, 0, 1, 127])), array[::-1] if array.ndim else -array,
    ])
    if new is not None:
        made[rng.choice([name, name, "../" + name])] = new
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **made)
    files[file] = buffer.getvalue()


def right_hashes(files):
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in manifest["files"]}
    manifest["manifest_sha256"] = digest_of(manifest)
    files["manifest.json"] = json.dumps(manifest).encode()


refused = ran = 0
slowest = 0.0
for number in range(count):
    files = dict(original)
    kind = rng.randrange(5)
    if kind == 0:
        change_manifest(files)
    elif kind == 1:
        name = rng.choice(sorted(set(files) - {"manifest.json", "golden.npz"}))
        if name.endswith(".npz"):
            change_arrays(files, name)
        else:
            files[name] = change_bytes(files[name])
        right_hashes(files)
    elif kind == 2:
        change_arrays(files, "golden.npz")
        right_hashes(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        if kind == 3:
            for _ in range(rng.choice([1, 1, 1000])):
                archive.writestr(rng.choice(["../x", "manifest.json2", "x/" * 100, "a"]) + str(rng.random()), b"")
    data = buffer.getvalue()
    if kind == 4:
        tail = len(data) - rng.randint(1, 600)
        data = change_bytes(data[:tail]) + change_bytes(data[tail:])
    path = place / f"{number}.easd"
    path.write_bytes(data)
    start = time.perf_counter()
    try:
        bundle = Bundle.load(path)
        bundle.golden_arrays()
        load_detector(bundle).window_scores(log_mel(pcm, bundle.features), min(bundle.thresholds))
        ran += 1
    except EdgeAsdError as error:
        assert "\\n" not in str(error), str(error)
        refused += 1
    slowest = max(slowest, time.perf_counter() - start)
    path.unlink()
# Not ru_maxrss, which a process inherits from the one that started it.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(refused, ran, round(slowest, 3), int(peak.split()[1]) // 1024)
"""


@pytest.fixture(params=[*NAMES, "schema 2"])
def source(request, tmp_path):
    if request.param in NAMES:
        return NAMES[request.param]
    bundle, path = Bundle.load(NAMES["ae"]), tmp_path / "schema_2.easd"
    before = bundle.thresholds["00"]
    section = replace(before, off_level_db=-48.5, previous=replace(before, domains={"target": before}))
    replace(bundle, thresholds={**bundle.thresholds, "00": section}, policy=Policy()).save(path)
    return path


def attack(source, place, count, seed):
    arguments = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(source), str(place), str(count), str(seed)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr[-1500:])
    print(source.name, done.stdout)
    return [float(value) for value in done.stdout.split()]


def test_no_changed_bundle_crashes(source, tmp_path):
    refused, ran, _, memory = attack(source, tmp_path, 25, 1)
    assert refused + ran == 25
    assert refused > 0
    assert memory < 300


@pytest.mark.prove
def test_no_changed_bundle_of_many_crashes(source, tmp_path):
    refused, ran, slowest, memory = attack(source, tmp_path, 1500, 2)
    assert refused + ran == 1500
    assert min(refused, ran) > 0
    assert memory < 300
    assert slowest < 5
