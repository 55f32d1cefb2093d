"""What int8 and fixed point cost: float against the shipped arithmetic, section by section."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge_asd.bundle import Bundle
from edge_asd.clips import DOMAINS
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import BundleError, DataError
from edge_asd.files import prepare_folder, write_atomically
from edge_asd.frontend import float_reference
from edge_asd.interpreter import Model
from edge_asd.thresholds import is_anomalous
from train.dataset import Clip, Dataset
from train.feature_cache import FeatureCache
from train.feature_store import ClipFeatures
from train.metrics import decision_figures, rank_figures
from train.official_csv import Row, write_result
from train.score_files import decisions_name, scores_name, write_pairs


@dataclass(frozen=True, slots=True)
class Result:
    """One section and domain; None where a class is missing.

    `auc_float` belongs to float features and the float model, `auc_int8` to the shipped
    arithmetic, `auc_level` to the clips' RMS level alone; `auc_drop` = `auc_float` - `auc_int8`.
    """

    machine: str
    section: str
    domain: str
    n_normal: int
    n_anomaly: int
    auc_float: float | None
    auc_int8: float | None
    auc_drop: float | None
    pauc_float: float | None
    pauc_int8: float | None
    auc_level: float | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class ClipScores:
    """One clip, scored three ways."""

    clip: Clip
    shipped: int
    floating: float
    level: float
    frames: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All results, and what the reader should know about them."""

    results: list[Result]
    clips: list[ClipScores]
    saturated_share: float
    notes: list[str]


def evaluate(
    bundle: Bundle,
    data: Path,
    out: Path,
    *,
    ground_truth: Path | None = None,
    cache: FeatureCache | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Evaluation:
    """Evaluate a bundle on the test clips of its machine and write the official files.

    Parameters
    ----------
    bundle : Bundle
    data : Path
        Data set in the layout of MIMII DUE.
    out : Path
        Folder for ``result.csv``, scores and decisions of the shipped arithmetic (integers,
        Q15.16), ``float/`` with the float scores (dB^2 or nat), and ``evaluation.json``.
    ground_truth : Path, optional
        File or folder with the labels of evaluation clips (see `train.ground_truth`).
    cache : FeatureCache, optional
        The user's by default.
    progress : callable, optional
        Called with (clips done, clips).

    Raises
    ------
    EdgeAsdError
        If the data cannot be used or `out` cannot be written.
    """
    dataset = Dataset(data, bundle.machine, ground_truth=ground_truth)
    sections = [section for section in dataset.sections if section in bundle.thresholds]
    clips = [clip for clip in dataset.select(split="test") if clip.name.section in sections]
    if not clips:
        raise DataError(
            f"{data / bundle.machine} has no test clips of the bundle's sections "
            f"({', '.join(sorted(bundle.thresholds))})."
        )
    prepare_folder(out)
    notes = [*dataset.notes] + [
        f"Section {section} is not in this bundle and was left out."
        for section in dataset.sections
        if section not in bundle.thresholds
    ]
    scorer = _Scorer(bundle)
    scored = []
    features = (cache or FeatureCache()).features(clips, bundle.features, bundle.window_frames)
    for i, clip in enumerate(clips):
        scored.append(scorer.score(clip, features[i]))
        progress(i + 1, len(clips))
    if any(clip.frames != bundle.score_window_frames for clip in scored):
        notes.append(
            f"Some clips do not span {bundle.score_window_frames} frames, the length that the thresholds belong to."
        )

    results = []
    for domain in DOMAINS:
        for section in sections:
            group = [s for s in scored if (s.clip.name.section, s.clip.name.domain) == (section, domain)]
            if group:
                results.append(_evaluate_group(bundle, section, domain, group, out))
            else:
                notes.append(f"Section {section} has no {domain} test clips.")
    write_result(
        out / "result.csv",
        [Row(r.machine, r.section, r.domain, (r.auc_int8, r.pauc_int8, r.precision, r.recall, r.f1)) for r in results],
    )
    evaluation = Evaluation(results, scored, scorer.saturated_share, notes)
    document = {"results": [asdict(result) for result in results], "notes": notes}
    write_atomically(out / "evaluation.json", (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())
    return evaluation


class _Scorer:
    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._detector = load_detector(bundle)
        self._float_model = model = Model(bundle.float_model, reference=False)
        try:
            self._detector.check_shapes(bundle, model, np.float32)
        except BundleError as error:
            raise BundleError(f"The float model in the bundle does not fit its int8 model: {error}") from error

    @property
    def saturated_share(self) -> float:
        return self._detector.saturated / max(1, self._detector.quantised)

    def score(self, clip: Clip, features: ClipFeatures) -> ClipScores:
        bundle = self._bundle
        shipped = mean_score(self._detector.window_scores(features.frames, clip.name.section))
        pcm = clip.read(bundle.features, bundle.window_frames).pcm
        # The same frames as on the device: the difference is arithmetic, not padding.
        floats = float_reference.log_mel(pcm, bundle.features)
        windows = self._detector.windows(floats)
        outputs = self._float_model.run(windows.reshape(len(windows), *self._float_model.input_shape))
        floating = float(np.mean(self._detector.float_scores(windows, outputs, clip.name.section)))
        return ClipScores(clip, shipped, floating, features.level_db, len(features.frames))


def _evaluate_group(bundle: Bundle, section: str, domain: str, group: Sequence[ClipScores], out: Path) -> Result:
    threshold = bundle.threshold(section).score
    names = [s.clip.path.name for s in group]
    write_pairs(out / scores_name(bundle.machine, section, domain), zip(names, (s.shipped for s in group), strict=True))
    write_pairs(
        out / decisions_name(bundle.machine, section, domain),
        zip(names, (int(is_anomalous(s.shipped, threshold)) for s in group), strict=True),
    )
    write_pairs(
        out / "float" / scores_name(bundle.machine, section, domain),
        zip(names, (s.floating for s in group), strict=True),
    )
    labelled = [s for s in group if s.clip.name.label is not None]
    anomaly = [s.clip.name.label == "anomaly" for s in labelled]
    floating = rank_figures(anomaly, [s.floating for s in labelled])
    shipped = rank_figures(anomaly, [s.shipped for s in labelled])
    decisions = decision_figures(anomaly, [is_anomalous(s.shipped, threshold) for s in labelled])
    return Result(
        machine=bundle.machine,
        section=section,
        domain=domain,
        n_normal=anomaly.count(False),
        n_anomaly=anomaly.count(True),
        auc_float=floating.auc,
        auc_int8=shipped.auc,
        auc_drop=None if floating.auc is None or shipped.auc is None else floating.auc - shipped.auc,
        pauc_float=floating.pauc,
        pauc_int8=shipped.pauc,
        auc_level=rank_figures(anomaly, [s.level for s in labelled]).auc,
        precision=decisions.precision,
        recall=decisions.recall,
        f1=decisions.f1,
    )
