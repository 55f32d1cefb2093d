"""The bundle: the one artefact that stages hand on, ``NAME.easd``.

A zip file, or a folder of the same files:

- ``manifest.json``: what the detector is, the numbers of the arithmetic it was evaluated in,
  its thresholds, where it came from, and the SHA-256 of every other file and of its own contents;
- ``model.tflite``: the int8 model, and ``model_float.tflite``: the same model in float32, for comparison; or, of the
  distance detector, ``distance.npz`` and ``distance_float.npz`` (`edge_asd.bundle.distance_file`);
- ``golden.npz``: PCM and every value computed from it, so that any device can prove itself;
- ``healthy.npz``, of autoencoders: what healthy sound is like band by band (`edge_asd.bundle.healthy_file`).

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
from edge_asd.bundle.golden_file import ARRAYS, DISTANCE_ARRAYS, GOLDEN, read_golden
from edge_asd.bundle.healthy_file import HEALTHY, Healthy, read_healthy
from edge_asd.bundle.manifest import Json, Threshold
from edge_asd.bundle.manifest_file import (
    DIGEST,
    FORMAT,
    LIMITS,
    MANIFEST,
    MAX_MODEL_BYTES,
    MAX_SCORE_FRAMES,
    MODEL_ARITHMETICS,
    SCHEMA,
    SCORE_NUMBER,
    digest_of,
    model_files,
    needed_schema,
    parse_manifest,
)
from edge_asd.bundle.policy import Policy
from edge_asd.errors import BundleError, OutputError
from edge_asd.frontend.spec import FRONTEND_NUMBER

__all__ = [
    "MAX_MODEL_BYTES",
    "MAX_SCORE_FRAMES",
    "MODEL_ARITHMETICS",
    "SCHEMA",
    "SCORE_NUMBER",
    "Bundle",
    "check_replaceable",
    "golden_section",
]

MAX_MORE_FRAMES = 64
"""Most frames of the golden sound beyond its first window."""


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
    healthy : bytes, optional
        Contents of ``healthy.npz``; None where the detector needs none, or an earlier edge-asd made the bundle.
    policy : Policy, optional
        When its decisions raise an alarm, where that is not the default's business.
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
    healthy: bytes | None = None
    policy: Policy | None = None
    provenance: Json = field(default_factory=dict)
    frontend_number: int = FRONTEND_NUMBER
    score_number: int = SCORE_NUMBER

    @property
    def windows_per_score(self) -> int:
        """Number of model windows in one clip or rolling score."""
        return self.window_count(self.score_window_frames)

    @property
    def span_step(self) -> int:
        """Number of windows from one span of healthy sound to the next (`DetectorModel.windows_per_span`)."""
        return self.windows_per_span(self.windows_per_score)

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
        return str(self._manifest(self._contents)[DIGEST])

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
        """Read the golden vectors: pcm, features, window_scores, score, and what a detector computes in between.

        That is model_input and model_output of a network, and span_features of the distance detector.

        Raises
        ------
        BundleError
            If they are not these, or not those of such a bundle.
        """
        golden = read_golden(self.golden, ARRAYS if self.kind.network else DISTANCE_ARRAYS)
        frames = self.features.frame_count(golden["pcm"].size)
        if not self.window_frames <= frames <= self.window_frames + MAX_MORE_FRAMES:
            raise _unfit("pcm", golden["pcm"])
        windows, bands = self.window_count(frames), self.features.n_mels
        outputs = len(self.classes) if self.kind.classifies else self.window_frames * bands
        for name, shape in (
            ("features", (frames, bands)),
            ("model_input", (frames, bands)),
            ("model_output", (windows, outputs)),
            ("span_features", (windows, 2 * bands)),
            ("window_scores", (windows,)),
        ):
            if name in golden and golden[name].shape != shape:
                raise _unfit(name, golden[name])
        return golden

    def healthy_sections(self) -> dict[str, Healthy]:
        """Read what healthy sound of each section is like; empty where the bundle does not hold it.

        Raises
        ------
        BundleError
            If the file is damaged, or of another bundle.
        """
        return {} if self.healthy is None else read_healthy(self.healthy, self.features.n_mels)

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
        write_container(path, {MANIFEST: manifest.encode(), **contents})

    @property
    def _contents(self) -> dict[str, bytes]:
        model, float_model = model_files(self.kind)
        files = {model: self.model, float_model: self.float_model, GOLDEN: self.golden}
        return files if self.healthy is None else {**files, HEALTHY: self.healthy}

    def _manifest(self, contents: Mapping[str, bytes]) -> Json:
        manifest = {
            "format": FORMAT,
            "schema": needed_schema(self.kind, self.thresholds, self.policy, healthy=self.healthy is not None),
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
            **({"input": self.input.as_json()} if self.input else {}),
            **({"output": self.output.as_json()} if self.output else {}),
            **({"classes": list(self.classes)} if self.classes else {}),
            "sections": {section: threshold.as_json() for section, threshold in sorted(self.thresholds.items())},
            **({"policy": self.policy.as_json()} if self.policy is not None else {}),
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
            "provenance": self.provenance,
        }
        return {**manifest, DIGEST: digest_of(manifest)}

    @classmethod
    def load(cls, path: Path) -> Bundle:
        """Read and check a bundle, zip file or folder.

        Raises
        ------
        BundleError
            If anything in it is missing, extra, changed, unknown or too new.
        """
        try:
            return cls(**parse_manifest(read_container(path, LIMITS)))
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from error.__cause__


def golden_section(sections: Iterable[str]) -> str:
    """Return the section whose scores are among the golden vectors: the first."""
    return min(sections)


def _unfit(name: str, array: npt.NDArray[Any]) -> BundleError:
    return BundleError(
        f"The bundle's golden vectors do not fit it: {name!r} is {array.dtype} {array.shape}. Make the bundle anew."
    )


def check_replaceable(path: Path) -> None:
    """Refuse to replace a file that is no bundle.

    Raises
    ------
    OutputError
        If `path` is such a file.
    """
    if path.is_file() and not zipfile.is_zipfile(path):
        raise OutputError(f"{path} exists and is no bundle; it was left as it is. Choose another --out, or remove it.")
