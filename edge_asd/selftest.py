"""Does this device compute what the bundle's maker computed?

Each stage of the arithmetic takes its input from the bundle's golden vectors and is compared with
what they hold next, so that one wrong stage does not make those after it look wrong; the score
alone is computed from the sound, through every stage, as the monitor does. Front end, quantisation
and window scores are integer specifications and must be equal. TFLite runtimes round differently:
the model's outputs and the score may be close, within `OUTPUT_BOUND` and `SCORE_BOUND`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edge_asd import frontend
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.distance import DistanceDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.detectors.windowed import WindowDetector
from edge_asd.interpreter import runtime_name

OUTPUT_BOUND = 8
"""Largest difference of an int8 model output that counts as rounding [LSB]; docs/runtimes.md has measured ones."""

SCORE_BOUND = 0.001
"""Largest difference of a score that counts as rounding, as a share of its windows' mean magnitude."""

Verdict = Literal["equal", "close", "wrong"]

_REINSTALL = "Install edge-asd anew here, in the version that made the bundle"
_ADVICE = {
    "features": f"The front end does not work on this device. {_REINSTALL}; if it stays, `edge-asd doctor` says "
    "which front end is in use, and it is a defect worth reporting.",
    "model input": f"Quantisation does not work on this device. {_REINSTALL}.",
    "span features": f"The distance detector does not work on this device. {_REINSTALL}.",
    "model output": "This runtime computes something else than the one that made the bundle: thresholds mean nothing "
    "here. Install that runtime (pip install --upgrade ai-edge-litert), or quantise anew with another --arithmetic.",
    "window scores": f"The score does not work on this device. {_REINSTALL}.",
    "score": "The score differs by more than rounding: thresholds mean nothing here. Install the runtime that made "
    "the bundle (pip install --upgrade ai-edge-litert), or quantise anew with another --arithmetic.",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """How one stage compares with the golden vectors.

    Attributes
    ----------
    name : str
    verdict : {"equal", "close", "wrong"}
    values, differing : int
        Number of values, and of those that differ.
    largest_difference : float
        In `unit`: steps of the stage's integers, or a share for the score.
    bound : float
        Largest difference that is still close; 0 where only equal will do.
    unit : {"LSB", "share"}
    """

    name: str
    verdict: Verdict
    values: int
    differing: int
    largest_difference: float
    bound: float
    unit: str


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What a device has shown.

    Attributes
    ----------
    runtime, front_end : str
        What was in use here.
    made_with : str
        The runtime that made the golden vectors; empty where the bundle does not say.
    arithmetic : str
        The bundle's model arithmetic.
    stages : list of Stage
    """

    runtime: str
    front_end: str
    made_with: str
    arithmetic: str
    stages: list[Stage]

    @property
    def verdict(self) -> Verdict:
        """The worst stage's verdict."""
        order: tuple[Verdict, ...] = ("equal", "close", "wrong")
        return max((stage.verdict for stage in self.stages), key=order.index)

    @property
    def advice(self) -> str | None:
        """What to do about the first stage that is wrong; None where none is."""
        return next((_ADVICE[stage.name] for stage in self.stages if stage.verdict == "wrong"), None)


def selftest(bundle: Bundle) -> SelfTest:
    """Replay a bundle's golden vectors on this device.

    Raises
    ------
    BundleError
        If the golden vectors are not those of such a bundle.
    DependencyError
        If there is no TFLite runtime.
    ModelError
        If the runtime cannot run the model.
    """
    golden = bundle.golden_arrays()
    detector = load_detector(bundle)
    features = frontend.log_mel(golden["pcm"], bundle.features)
    model = (
        _network_stages(detector, golden, bundle.golden_section)
        if isinstance(detector, WindowDetector)
        else _distance_stages(detector, golden, bundle.golden_section)
    )
    through = detector.window_scores(features, bundle.golden_section)
    return SelfTest(
        runtime=runtime_name() if bundle.kind.network else detector.runtime,
        front_end=frontend.describe(),
        made_with=_made_with(bundle),
        arithmetic=bundle.model_arithmetic,
        stages=[
            _compare("features", features, golden["features"]),
            *model,
            _compare_score(mean_score(through), int(golden["score"]), golden["window_scores"]),
        ],
    )


def _network_stages(detector: WindowDetector, golden: Mapping[str, Any], section: str) -> list[Stage]:
    inputs = detector.quantise(golden["features"])
    outputs = detector.run(detector.windows(golden["model_input"]))
    scores = detector.scores_of_outputs(detector.windows(golden["features"]), golden["model_output"], section)
    return [
        _compare("model input", inputs, golden["model_input"]),
        _compare("model output", outputs, golden["model_output"], OUTPUT_BOUND),
        _compare("window scores", scores, golden["window_scores"]),
    ]


def _distance_stages(detector: DistanceDetector, golden: Mapping[str, Any], section: str) -> list[Stage]:
    return [
        _compare("span features", detector.features(golden["features"]), golden["span_features"]),
        _compare(
            "window scores", detector.scores_of_features(golden["span_features"], section), golden["window_scores"]
        ),
    ]


def _made_with(bundle: Bundle) -> str:
    versions = bundle.provenance.get("versions")
    return str(versions.get("runtime", "")) if isinstance(versions, dict) else ""


def _compare(name: str, found: npt.NDArray[Any], expected: npt.NDArray[Any], bound: int = 0) -> Stage:
    difference = np.abs(found.astype(np.int64) - expected.astype(np.int64))
    largest = int(difference.max())
    return Stage(name, _verdict(largest, bound), difference.size, int((difference != 0).sum()), largest, bound, "LSB")


def _compare_score(found: int, expected: int, window_scores: npt.NDArray[np.int32]) -> Stage:
    # Not the score itself: where scores may have either sign, their mean can be next to nothing.
    magnitude = max(1, mean_score(np.abs(window_scores.astype(np.int64))))
    share = abs(found - expected) / magnitude
    return Stage("score", _verdict(share, SCORE_BOUND), 1, int(found != expected), share, SCORE_BOUND, "share")


def _verdict(largest: float, bound: float) -> Verdict:
    if largest == 0:
        return "equal"
    return "close" if largest <= bound else "wrong"
