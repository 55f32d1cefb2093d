"""The bundle: the one artefact that stages hand on, ``NAME.easd``.

A zip file, or a folder of the same files:

- ``manifest.json``: what the detector is, the numbers of the arithmetic it was evaluated in,
  its thresholds, where it came from, and the SHA-256 of every other file and of its own contents;
- ``model.tflite``: the int8 model;
- ``model_float.tflite``: the same model in float32, for comparison;
- ``golden.npz``: PCM and every value computed from it, so that any device can prove itself.

Reading is strict: an unknown key, a wrong hash, a missing or extra file or a newer schema is a
`BundleError`. Writing is atomic: the old bundle stays until the new one is complete.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from edge_asd.bundle.container import read_container, write_container
from edge_asd.bundle.detector_model import DetectorModel
from edge_asd.bundle.golden_file import MAX_BYTES as MAX_GOLDEN_BYTES
from edge_asd.bundle.golden_file import read_golden
from edge_asd.bundle.kinds import KINDS
from edge_asd.bundle.manifest import Json, Quantisation, Threshold
from edge_asd.clips import is_section
from edge_asd.errors import BundleError, EdgeAsdError, OutputError
from edge_asd.frontend.spec import FRONTEND_NUMBER, FeatureSpec
from edge_asd.interpreter import ARITHMETICS
from edge_asd.strict_json import StrictReader, parse_object

SCHEMA = 1
"""Version of the manifest that this package writes, and the newest it reads."""

SCORE_NUMBER = 1
"""Number of the score arithmetic (`edge_asd.detectors.scores`)."""

MODEL_ARITHMETICS = tuple(ARITHMETICS)
"""Arithmetics of record that this package can execute."""

MAX_CLASSES = 64

MAX_MODEL_BYTES = 16 * 2**20
"""Of the int8 model; those that fit a microcontroller are far below."""

MAX_MORE_FRAMES = 64
"""Most frames of the golden sound beyond its first window."""

MAX_SCORE_FRAMES = 1_000_000
"""Longest span of a score."""

_FORMAT = "edge-asd bundle"
_MANIFEST = "manifest.json"
_DIGEST = "manifest_sha256"
_MODEL, _FLOAT_MODEL, _GOLDEN = "model.tflite", "model_float.tflite", "golden.npz"
_FILES = (_MODEL, _FLOAT_MODEL, _GOLDEN)

_LIMITS = {_MANIFEST: 2**20, _MODEL: MAX_MODEL_BYTES, _FLOAT_MODEL: 4 * MAX_MODEL_BYTES, _GOLDEN: MAX_GOLDEN_BYTES}
"""How long each file may be [bytes]; a real manifest has some kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle(DetectorModel):
    """A trained, quantised and thresholded detector: a `DetectorModel`, and what belongs to it.

    Attributes
    ----------
    machine : str
    score_window_frames : int [frames]
        Span of the clip or rolling score that the thresholds belong to.
    thresholds : dict of section to Threshold
    float_model, golden : bytes
        Contents of the two files beside the model.
    provenance : dict
        Where the bundle came from, as plain JSON: data hash, seed, versions, figures.
    frontend_number, score_number
        With `model_arithmetic`, the three specifications that evaluation used; a device that lacks
        one refuses the bundle.
    """

    machine: str
    score_window_frames: int
    thresholds: dict[str, Threshold]
    float_model: bytes
    golden: bytes
    provenance: Json = field(default_factory=dict)
    frontend_number: int = FRONTEND_NUMBER
    score_number: int = SCORE_NUMBER

    @property
    def windows_per_score(self) -> int:
        """Number of model windows in one clip or rolling score."""
        return self.window_count(self.score_window_frames)

    @property
    def score_samples(self) -> int:
        """Number of samples that one clip or rolling score spans."""
        return self.features.sample_count(self.score_window_frames)

    @property
    def score_seconds(self) -> float:
        """Length of sound that one clip or rolling score spans [s]."""
        return self.score_samples / self.features.sample_rate

    @property
    def golden_section(self) -> str:
        """Section whose scores are among the golden vectors."""
        return golden_section(self.thresholds)

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, which holds those of all other files: what the bundle is known by."""
        return str(self._manifest(self._contents)[_DIGEST])

    @property
    def channel(self) -> int:
        """Channel of the data set's clips that the model was fitted on; 0 where the bundle does not tell."""
        channel = self.provenance.get("channel")
        return channel if type(channel) is int and channel >= 0 else 0

    @property
    def training_rates(self) -> dict[int, int]:
        """Number of training clips by their sample rate [Hz]; empty where the bundle does not tell."""
        rates = self.provenance.get("training_rates")
        return {
            int(rate): count
            for rate, count in (rates.items() if type(rates) is dict else ())
            if rate.isascii() and rate.isdecimal() and len(rate) <= 6 and type(count) is int and count > 0
        }

    def trained_at(self, rate: int) -> bool:
        """Tell whether training clips had this sample rate [Hz]: sound of it holds all that theirs did."""
        return rate in self.training_rates

    def without_own_threshold(self, domain: str | None) -> list[str]:
        """Sections that have no threshold of their own for `domain`; none where it is None."""
        return [section for section, fitted in sorted(self.thresholds.items()) if domain not in {None, *fitted.domains}]

    def threshold(self, section: str, domain: str | None = None) -> Threshold:
        """Return the threshold of `section`; of one of its domains, where that has its own.

        Raises
        ------
        BundleError
            If the bundle has no such section.
        """
        try:
            return self.thresholds[section].domains.get(domain or "", self.thresholds[section])
        except KeyError:
            known = ", ".join(sorted(self.thresholds))
            raise BundleError(
                f"This bundle ({self.machine}) has no section {section}. It has: {known}. Choose one with --section."
            ) from None

    def golden_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Read the golden vectors: pcm, features, model_input, model_output, window_scores, score.

        Raises
        ------
        BundleError
            If they are not these, or not those of such a bundle.
        """
        golden = read_golden(self.golden)
        frames = self.features.frame_count(golden["pcm"].size)
        if not self.window_frames <= frames <= self.window_frames + MAX_MORE_FRAMES:
            raise _unfit("pcm", golden["pcm"])
        windows, bands = self.window_count(frames), self.features.n_mels
        outputs = len(self.classes) if self.kind.classifies else self.window_frames * bands
        for name, shape in (
            ("features", (frames, bands)),
            ("model_input", (frames, bands)),
            ("model_output", (windows, outputs)),
            ("window_scores", (windows,)),
        ):
            if golden[name].shape != shape:
                raise _unfit(name, golden[name])
        return golden

    def save(self, path: Path) -> None:
        """Write the bundle as one zip file, atomically.

        Raises
        ------
        OutputError
            If `path` cannot be written, or holds something else than a bundle.
        """
        check_replaceable(path)
        contents = self._contents
        manifest = json.dumps(self._manifest(contents), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_container(path, {_MANIFEST: manifest.encode(), **contents})

    @property
    def _contents(self) -> dict[str, bytes]:
        return {_MODEL: self.model, _FLOAT_MODEL: self.float_model, _GOLDEN: self.golden}

    def _manifest(self, contents: Mapping[str, bytes]) -> Json:
        manifest = {
            "format": _FORMAT,
            "schema": SCHEMA,
            "machine": self.machine,
            "detector": self.detector,
            "arithmetic": {
                "front_end": self.frontend_number,
                "model": self.model_arithmetic,
                "score": self.score_number,
            },
            "features": self.features.as_dict(),
            "window_frames": self.window_frames,
            "window_hop": self.window_hop,
            "score_window_frames": self.score_window_frames,
            "input": self.input.as_json(),
            "output": self.output.as_json(),
            **({"classes": list(self.classes)} if self.classes else {}),
            "sections": {section: threshold.as_json() for section, threshold in sorted(self.thresholds.items())},
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
            "provenance": self.provenance,
        }
        return {**manifest, _DIGEST: _digest(manifest)}

    @classmethod
    def load(cls, path: Path) -> Bundle:
        """Read and check a bundle, zip file or folder.

        Raises
        ------
        BundleError
            If anything in it is missing, extra, changed, unknown or too new.
        """
        try:
            return _parse(read_container(path, _LIMITS))
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from error.__cause__


def golden_section(sections: Iterable[str]) -> str:
    """Return the section whose scores are among the golden vectors: the first."""
    return min(sections)


def _digest(manifest: Json) -> str:
    """SHA-256 of what a manifest says, its own digest left out; spaces and order do not count.

    In a zip file a checksum guards the manifest, too; in a folder nothing else does, and a flipped
    bit can turn one threshold into another.
    """
    values = {key: value for key, value in manifest.items() if key != _DIGEST}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _unfit(name: str, array: npt.NDArray[Any]) -> BundleError:
    return BundleError(
        f"The bundle's golden vectors do not fit it: {name!r} is {array.dtype} {array.shape}. Make the bundle anew."
    )


def _parse(files: dict[str, bytes]) -> Bundle:
    top = _manifest_of(files[_MANIFEST])
    _check_hashes(top.child("files"), files)
    detector = top.take("detector", str)
    frontend_number, model_arithmetic, score_number = _arithmetic(top.child("arithmetic"), detector)
    thresholds = _thresholds(top.child("sections"))
    bundle = Bundle(
        machine=_machine(top),
        detector=detector,
        features=_features(top),
        window_frames=(window_frames := top.integer("window_frames", 1, 1024)),
        window_hop=top.integer("window_hop", 1, window_frames),
        score_window_frames=top.integer("score_window_frames", 1, MAX_SCORE_FRAMES),
        input=Quantisation.parse(top.child("input")),
        output=Quantisation.parse(top.child("output")),
        thresholds=thresholds,
        model=files[_MODEL],
        float_model=files[_FLOAT_MODEL],
        golden=files[_GOLDEN],
        classes=_classes(top, thresholds) if KINDS[detector].classifies else (),
        provenance=top.take("provenance", dict),
        frontend_number=frontend_number,
        score_number=score_number,
        model_arithmetic=model_arithmetic,
    )
    top.finish()
    if bundle.score_window_frames < bundle.window_frames:
        raise BundleError("manifest.json: score_window_frames is shorter than one window.")
    return bundle


def _manifest_of(content: bytes) -> StrictReader:
    """Read the manifest; format, schema and its own digest are taken."""
    raw = parse_object(content, _MANIFEST, BundleError)
    if raw.get("format") != _FORMAT:
        raise BundleError("manifest.json is not an edge-asd manifest.")
    schema = raw.get("schema")
    if type(schema) is not int or schema < 1:
        raise BundleError(f"manifest.json has no valid schema version ({schema!r:.60}).")
    if schema > SCHEMA:
        raise BundleError(f"the bundle has schema {schema}, this edge-asd reads up to {SCHEMA}. Update edge-asd.")
    top = StrictReader(raw, _MANIFEST, BundleError)
    top.take("format", str), top.take("schema", int)
    try:
        digest = _digest(raw)
    except RecursionError as error:
        raise BundleError("manifest.json is nested too deeply; it is not one that edge-asd wrote.") from error
    if top.take(_DIGEST, str) != digest:
        raise _changed(_MANIFEST)
    return top


def _check_hashes(hashes: StrictReader, files: Mapping[str, bytes]) -> None:
    for name in _FILES:
        if hashlib.sha256(files[name]).hexdigest() != hashes.take(name, str):
            raise _changed(name)
    hashes.finish()


def _changed(name: str) -> BundleError:
    return BundleError(f"{name} was changed or damaged (wrong SHA-256). Copy the bundle again, or quantise anew.")


def _arithmetic(reader: StrictReader, detector: str) -> tuple[int, str, int]:
    """Numbers of front end, model and score; refused where this package lacks one of them, or the detector."""
    frontend_number = reader.take("front_end", int)
    model_arithmetic = reader.take("model", str)
    score_number = reader.take("score", int)
    reader.finish()
    for what, found, known in (
        ("front end", frontend_number, (FRONTEND_NUMBER,)),
        ("score", score_number, (SCORE_NUMBER,)),
        ("model arithmetic", model_arithmetic, MODEL_ARITHMETICS),
        ("detector", detector, tuple(KINDS)),
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


def _thresholds(sections: StrictReader) -> dict[str, Threshold]:
    if not sections.keys:
        raise BundleError("manifest.json lists no section.")
    for section in sections.keys:
        if not is_section(section):
            raise BundleError(f"manifest.json names a section {section!r:.60}; sections have two digits.")
    return {section: Threshold.parse(sections.child(section)) for section in sections.keys}


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


def check_replaceable(path: Path) -> None:
    """Refuse to replace a file that is no bundle.

    Raises
    ------
    OutputError
        If `path` is such a file.
    """
    if path.is_file() and not zipfile.is_zipfile(path):
        raise OutputError(f"{path} exists and is no bundle; it was left as it is. Choose another --out, or remove it.")
