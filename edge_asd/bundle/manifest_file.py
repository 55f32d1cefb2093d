"""``manifest.json``, read strictly: from the files of a bundle to the values of a `Bundle`.

Schema 2 adds keys that may be left out: `policy`, and in a section's object `off_level_db` and `previous`. Schema 3
adds the distance detector, whose files are others and which has no `input` and `output`, and the file ``healthy.npz``
of networks (`edge_asd.bundle.healthy_file`), which may be left out. A bundle is written in the
oldest schema that can say what it is, so that older versions of edge-asd read what they can.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from edge_asd.bundle.container import check_names
from edge_asd.bundle.detector_model import DISTANCE_ARITHMETIC
from edge_asd.bundle.distance_file import DISTANCE, FLOAT_DISTANCE
from edge_asd.bundle.distance_file import MAX_BYTES as MAX_DISTANCE_BYTES
from edge_asd.bundle.golden_file import GOLDEN
from edge_asd.bundle.golden_file import MAX_BYTES as MAX_GOLDEN_BYTES
from edge_asd.bundle.healthy_file import HEALTHY
from edge_asd.bundle.healthy_file import MAX_BYTES as MAX_HEALTHY_BYTES
from edge_asd.bundle.kinds import KINDS, Kind
from edge_asd.bundle.manifest import Json, Quantisation, Threshold
from edge_asd.bundle.policy import Policy
from edge_asd.clips import is_section
from edge_asd.distance.blocks import MOST_FRAMES
from edge_asd.errors import BundleError, EdgeAsdError
from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from edge_asd.interpreter import ARITHMETICS
from edge_asd.strict_json import StrictReader, parse_object

SCHEMA = 3
"""Newest version of the manifest that this package reads."""

SCORE_NUMBER = 1
"""Number of the score arithmetic (`edge_asd.detectors.scores`)."""

MODEL_ARITHMETICS = tuple(ARITHMETICS)
"""Arithmetics of record that this package can execute."""

MAX_CLASSES = 64

MAX_MODEL_BYTES = 16 * 2**20
"""Of the int8 model; those that fit a microcontroller are far below."""

MAX_SCORE_FRAMES = 1_000_000
"""Longest span of a score."""

FORMAT = "edge-asd bundle"
MANIFEST = "manifest.json"
DIGEST = "manifest_sha256"
NETWORK_FILES = ("model.tflite", "model_float.tflite")
DISTANCE_FILES = (DISTANCE, FLOAT_DISTANCE)

LIMITS = {
    MANIFEST: 2**20,
    **dict(zip(NETWORK_FILES, (MAX_MODEL_BYTES, 4 * MAX_MODEL_BYTES), strict=True)),
    **dict.fromkeys(DISTANCE_FILES, MAX_DISTANCE_BYTES),
    GOLDEN: MAX_GOLDEN_BYTES,
    HEALTHY: MAX_HEALTHY_BYTES,
}
"""How long each file may be [bytes]; a real manifest has some kilobytes."""


def model_files(kind: Kind) -> tuple[str, str]:
    """Names of the files of the model as it ships, and of its float form."""
    return NETWORK_FILES if kind.network else DISTANCE_FILES


def needed_schema(
    kind: Kind, thresholds: Mapping[str, Threshold], policy: Policy | None, *, healthy: bool = False
) -> int:
    """Return the oldest schema that can say this, and hold ``healthy.npz`` where there is one."""
    if healthy or not kind.network:
        return 3
    return 2 if policy is not None or any(threshold.needs_schema_2 for threshold in thresholds.values()) else 1


def digest_of(manifest: Json) -> str:
    """SHA-256 of what a manifest says, its own digest left out; spaces and order do not count.

    In a zip file a checksum guards the manifest, too; in a folder nothing else does, and a flipped
    bit can turn one threshold into another.
    """
    values = {key: value for key, value in manifest.items() if key != DIGEST}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def parse_manifest(files: Mapping[str, bytes]) -> Json:
    """Check a bundle's files against its manifest, and read it.

    Returns
    -------
    values : dict
        What `Bundle` takes, by name.

    Raises
    ------
    BundleError
        If anything is missing, changed, unknown or too new.
    """
    if MANIFEST not in files:
        check_names(files, (MANIFEST,))
    top, schema = _manifest_of(files[MANIFEST])
    detector = top.take("detector", str)
    frontend_number, model_arithmetic, score_number = _arithmetic(top.child("arithmetic"), detector, schema)
    kind = KINDS[detector]
    model, float_model = model_files(kind)
    may = [HEALTHY] if schema > 2 and kind.network and HEALTHY in files else []
    check_names(files, (MANIFEST, model, float_model, GOLDEN, *may))
    _check_hashes(top.child("files"), files)
    thresholds = _thresholds(top.child("sections"), schema)
    values: Json = {
        "machine": _machine(top),
        "detector": detector,
        "features": _features(top),
        "window_frames": (window_frames := top.integer("window_frames", 1, 1024 if kind.network else MOST_FRAMES)),
        "window_hop": top.integer("window_hop", 1, window_frames),
        "score_window_frames": top.integer("score_window_frames", 1, MAX_SCORE_FRAMES),
        "input": Quantisation.parse(top.child("input")) if kind.network else None,
        "output": Quantisation.parse(top.child("output")) if kind.network else None,
        "thresholds": thresholds,
        "model": files[model],
        "float_model": files[float_model],
        "golden": files[GOLDEN],
        "healthy": files.get(HEALTHY),
        "classes": _classes(top, thresholds) if kind.classifies else (),
        "policy": Policy.parse(top.child("policy")) if schema > 1 and "policy" in top.keys else None,
        "provenance": top.take("provenance", dict),
        "frontend_number": frontend_number,
        "score_number": score_number,
        "model_arithmetic": model_arithmetic,
    }
    top.finish()
    if values["score_window_frames"] < window_frames:
        raise BundleError("manifest.json: score_window_frames is shorter than one window.")
    return values


def _manifest_of(content: bytes) -> tuple[StrictReader, int]:
    """Read the manifest, and its schema; format, schema and its own digest are taken."""
    raw = parse_object(content, MANIFEST, BundleError)
    if raw.get("format") != FORMAT:
        raise BundleError("manifest.json is not an edge-asd manifest.")
    schema = raw.get("schema")
    if type(schema) is not int or schema < 1:
        raise BundleError(f"manifest.json has no valid schema version ({schema!r:.60}).")
    if schema > SCHEMA:
        raise BundleError(f"the bundle has schema {schema}, this edge-asd reads up to {SCHEMA}. Update edge-asd.")
    top = StrictReader(raw, MANIFEST, BundleError)
    top.take("format", str), top.take("schema", int)
    try:
        digest = digest_of(raw)
    except RecursionError as error:
        raise BundleError("manifest.json is nested too deeply; it is not one that edge-asd wrote.") from error
    if top.take(DIGEST, str) != digest:
        raise _changed(MANIFEST)
    return top, schema


def _check_hashes(hashes: StrictReader, files: Mapping[str, bytes]) -> None:
    for name in sorted(set(files) - {MANIFEST}):
        if hashlib.sha256(files[name]).hexdigest() != hashes.take(name, str):
            raise _changed(name)
    hashes.finish()


def _changed(name: str) -> BundleError:
    return BundleError(f"{name} was changed or damaged (wrong SHA-256). Copy the bundle again, or quantise anew.")


def _arithmetic(reader: StrictReader, detector: str, schema: int) -> tuple[int, str, int]:
    """Numbers of front end, model and score; refused where this package lacks one of them, or the detector."""
    frontend_number = reader.take("front_end", int)
    model_arithmetic = reader.take("model", str)
    score_number = reader.take("score", int)
    reader.finish()
    kinds = tuple(name for name, kind in KINDS.items() if kind.network or schema > 2)
    arithmetics = MODEL_ARITHMETICS if detector not in KINDS or KINDS[detector].network else (DISTANCE_ARITHMETIC,)
    for what, found, known in (
        ("front end", frontend_number, (FRONTEND_NUMBER,)),
        ("score", score_number, (SCORE_NUMBER,)),
        ("model arithmetic", model_arithmetic, arithmetics),
        ("detector", detector, kinds),
    ):
        if found not in known:
            raise BundleError(
                f"the bundle was evaluated with {what} {found!s:.60}; this edge-asd has {', '.join(map(str, known))}. "
                "Use the edge-asd version that made it, or quantise anew."
            )
    return frontend_number, model_arithmetic, score_number


def _features(top: StrictReader) -> FeatureSpec:
    try:
        return FeatureSpec.from_dict(top.take("features", dict))
    except EdgeAsdError as error:
        raise BundleError(f"manifest.json: {error}") from error


def _thresholds(sections: StrictReader, schema: int) -> dict[str, Threshold]:
    if not sections.keys:
        raise BundleError("manifest.json lists no section.")
    for section in sections.keys:
        if not is_section(section):
            raise BundleError(f"manifest.json names a section {section!r:.60}; sections have two digits.")
    return {section: Threshold.parse(sections.child(section), schema) for section in sections.keys}


def _machine(top: StrictReader) -> str:
    machine: str = top.take("machine", str)
    # It becomes part of file names, and is printed.
    if not machine.isprintable() or not machine.strip(". ") or set(machine) & set("/\\"):
        raise BundleError(f"manifest.json names a machine {machine!r:.60}, which is not the name of a folder.")
    return machine


def _classes(reader: StrictReader, sections: Iterable[str]) -> tuple[str, ...]:
    names = reader.take("classes", list)
    if not (
        2 <= len(names) <= MAX_CLASSES
        and all(type(name) is str for name in names)
        and len(set(names)) == len(names)
        and set(sections) <= set(names)
    ):
        raise BundleError(f"{reader.where}: 'classes' does not name each section, and at least one class more, once.")
    return tuple(names)
