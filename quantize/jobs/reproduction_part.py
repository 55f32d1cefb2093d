"""One part of a reproduction: a machine's group of sections, one model, one seed; trained, scored and kept.

The published systems train one model on sections 00-02 of a machine, the development data, and
another on 03-05, the evaluation data; sections are grouped by threes here, whatever they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_asd.clips import DOMAINS, UNNAMED_DOMAIN
from edge_asd.detectors.scores import score_value
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.floating import float_features
from edge_asd.errors import DataError
from edge_asd.quantize.evaluation.scoring import shipped_scores
from edge_asd.quantize.pipeline import quantise_run
from edge_asd.quantize.threshold_fitting import gamma_quantile
from edge_asd.quantize.versions import versions
from edge_asd.thresholds import weighted_quantile
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.data.hashes import content_hash
from edge_asd.train.distance.fit import Fitted
from edge_asd.train.distance.fit_file import load_fit
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.extraction import Kind
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.features.windows import frames_db
from edge_asd.train.figures.measures import RowClips, measures_of, missing_domains, pick, rows_of
from edge_asd.train.networks.baselines import BASELINES
from edge_asd.train.report.describe import describe_data
from edge_asd.train.report.results import Arguments, Cell, ModelArguments, Reproduction
from edge_asd.train.report.results_json import read_results, write_results
from edge_asd.train.runs.distance_fitting import score_frames_of
from edge_asd.train.runs.fitting import SCORE_SECONDS, Settings, train
from edge_asd.train.runs.run import Run
from edge_asd.train.runs.scoring import FloatScorer

QUANTILE = 0.9
"""Share of healthy clips below a threshold, as published."""

Step = Callable[..., None]
"""Called with a stage and, where they are known, (steps done, steps, detail)."""


@dataclass(frozen=True, slots=True)
class Part:
    """What to train and score.

    Attributes
    ----------
    machine : str
    sections : tuple of str
        Trained together.
    settings : Settings
        Model and seed among them.
    year : int
        Whose measures the figures are.
    int8 : bool
        Quantise, and score in fixed point and in the shipped arithmetic too.
    """

    machine: str
    sections: tuple[str, ...]
    settings: Settings
    int8: bool
    year: int = 2021

    @property
    def name(self) -> str:
        """Name of its files."""
        sections = "-".join(dict.fromkeys((self.sections[0], self.sections[-1])))
        channel = f"_channel{self.settings.channel}" if self.settings.channel else ""
        return f"{self.machine}_{sections}_{self.settings.model}_seed{self.settings.seed}{channel}"

    @property
    def arguments(self) -> Arguments:
        """How it is trained and scored."""
        settings = self.settings
        return Arguments(
            command="edge-asd reproduce",
            faithful=settings.faithful,
            seeds=(settings.seed,),
            int8=self.int8,
            models={settings.model: self._model_arguments},
            year=self.year,
        )

    @property
    def _model_arguments(self) -> ModelArguments:
        settings = self.settings
        if settings.model not in BASELINES:
            frames = score_frames_of(settings.features, settings.score_seconds or SCORE_SECONDS)
            return ModelArguments(epochs=0, learning_rate=0.0, batch_size=0, window_hop=Blocks.of_span(frames).frames)
        baseline = BASELINES[settings.model]
        return ModelArguments(
            epochs=settings.epochs or baseline.epochs,
            learning_rate=settings.learning_rate or baseline.learning_rate,
            batch_size=settings.batch_size or baseline.batch_size,
            window_hop=baseline.published_test_hop if settings.faithful else baseline.test_hop,
        )


def bundle_path(out: Path, part: Part) -> Path:
    """Return the place of a part's bundle in the folder of a reproduction."""
    return out / "bundles" / f"{part.name}.easd"


def run_part(
    part: Part,
    data: Path,
    out: Path,
    *,
    ground_truth: Path | None = None,
    cache: FeatureCache,
    step: Step = lambda *_: None,
) -> Reproduction:
    """Train and score a part, or read what an earlier call has kept of it.

    Parameters
    ----------
    part : Part
    data : Path
        Data set in the layout of MIMII DUE.
    out : Path
        Folder of the reproduction: ``parts/`` gets the results, ``runs/`` the model, ``bundles/``
        the int8 one.
    ground_truth : Path, optional
    cache : FeatureCache
    step : callable, optional
        Called with a sentence for each step.

    Raises
    ------
    EdgeAsdError
        If the data cannot be used, what is kept does not fit, or `out` cannot be written.
    """
    dataset = Dataset(data, part.machine, part.sections, ground_truth=ground_truth, channel=part.settings.channel)
    digest = content_hash(dataset.clips)
    path = out / "parts" / f"{part.name}.json"
    if path.is_file():
        kept = read_results(path)
        test = dataset.select(split="test")
        here = {
            (section, row.domain): (
                tuple(test[i].path.name for i in at),
                tuple(test[i].name.label for i in at),
            )
            for section, rows in _rows(test, part).items()
            for row, at in rows
        }
        same = here == {(cell.section, cell.domain): (cell.clips, cell.labels) for cell in kept.cells}
        if kept.arguments == part.arguments and kept.data.sha256 == {part.machine: digest} and same:
            return kept
        raise DataError(f"{path} was made with other settings or other data. Remove {out}, or choose another --out.")
    found = _Work(part, data, out, dataset, cache, step)
    cells = found.cells()
    result = Reproduction(
        data=describe_data(data, {part.machine: dataset.clips}, hashes={part.machine: digest}),
        arguments=part.arguments,
        cells=tuple(cells),
        versions=versions(),
        durations_s=found.durations_s,
        notes=tuple(found.notes),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_results(path, result)
    return result


def _rows(test: Sequence[Clip], part: Part) -> dict[str, list[tuple[RowClips, list[int]]]]:
    """Return the rows of each section, with the numbers of their own clips among the test clips."""
    found = {}
    for section in part.sections:
        at = [i for i, clip in enumerate(test) if clip.name.section == section]
        names = [test[i].name for i in at]
        rows = rows_of([name.label for name in names], [name.domain for name in names], measures_of(part.year))
        found[section] = [(row, pick(at, row.own)) for row in rows]
    return found


_Scores = Callable[..., npt.NDArray[np.float64]]
"""Scores features of clips of some sections, as `FloatScorer.clip_scores` does."""


def _distance_scores(fitted: Fitted, run: Run) -> _Scores:
    blocks = Blocks.of_span(run.span_frames)

    def score(
        clips: Sequence[ClipFeatures], sections: Sequence[str], progress: Callable[[int, int], None]
    ) -> npt.NDArray[np.float64]:
        found = []
        for clip, section in zip(clips, sections, strict=True):
            spans = float_features(frames_db(clip.frames).astype(np.float64), blocks)
            found.append(float(fitted.model.scores(spans, section).mean()))
            progress(len(found), len(clips))
        return np.array(found)

    return score


class _Work:
    """The steps of one part."""

    def __init__(self, part: Part, data: Path, out: Path, dataset: Dataset, cache: FeatureCache, step: Step) -> None:
        self._part, self._data, self._out, self._cache, self._step = part, data, out, cache, step
        self._dataset = dataset
        self._test = dataset.select(split="test")
        self.durations_s: dict[str, float] = {}
        self.notes: list[str] = []

    def cells(self) -> list[Cell]:
        part = self._part
        folder = self._out / "runs" / part.name
        start = time.monotonic()
        run = train(
            self._data,
            part.machine,
            folder,
            part.settings,
            sections=part.sections,
            resume=Run.exists(folder),
            cache=self._cache,
            progress=lambda what, done, total, detail: self._say(f"training: {what}", done, total, detail),
        )
        self._took("training", start)
        start = time.monotonic()
        kind: Kind = "float-padded" if run.faithful else "float"
        thresholds: dict[str, Mapping[str, float]] = {}
        if run.kind.network:
            network = FloatScorer(run, run.load_model(folder))
            scorer: _Scores = network.clip_scores
            thresholds["float"] = self._float_thresholds(run, network, kind)
        else:
            fitted = load_fit(folder)
            scorer = _distance_scores(fitted, run)
            thresholds["float"] = {
                section: weighted_quantile({"source": of["source"].tolist()}, QUANTILE)
                for section, of in fitted.held_out.items()
            }
        columns = {"float": self._float_scores(run, scorer, self._test, kind)}
        if part.int8:
            columns["fixed"] = self._float_scores(run, scorer, self._test, "fixed")
            self._took("scoring", start)
            columns["shipped"], thresholds["shipped"] = self._shipped(run, folder)
        else:
            self._took("scoring", start)
        levels = [features.level_db for features in self._features(run, self._test, kind)]
        cells = []
        for section, rows in _rows(self._test, part).items():
            names = missing_domains(
                {section: [row for row, _ in rows]}, DOMAINS if measures_of(part.year).domains else ()
            )
            self.notes += [f"{part.machine}: {note}" for note in names]
            for row, at in rows:
                cells.append(
                    Cell(
                        machine=part.machine,
                        model=part.settings.model,
                        seed=part.settings.seed,
                        section=section,
                        domain=row.domain,
                        clips=tuple(self._test[i].path.name for i in at),
                        labels=tuple(self._test[i].name.label for i in at),
                        scores={name: tuple(float(scores[i]) for i in at) for name, scores in columns.items()},
                        level_db=tuple(levels[i] for i in at),
                        thresholds={name: values[section] for name, values in thresholds.items() if section in values},
                    )
                )
        return cells

    def _say(self, text: str, *progress: object) -> None:
        part = self._part
        self._step(
            f"{part.machine} {','.join(part.sections)}, {part.settings.model}, seed {part.settings.seed}: {text}",
            *progress,
        )

    def _took(self, what: str, start: float) -> None:
        key = f"{self._part.machine}, {self._part.settings.model}, seed {self._part.settings.seed}: {what}"
        self.durations_s[key] = self.durations_s.get(key, 0.0) + time.monotonic() - start

    def _features(self, run: Run, clips: Sequence[Clip], kind: Kind) -> list[ClipFeatures]:
        return self._cache.features(clips, run.features, run.window_frames, kind=kind)

    def _float_scores(self, run: Run, scorer: _Scores, clips: Sequence[Clip], kind: Kind) -> npt.NDArray[np.float64]:
        self._say(f"{kind} features")
        features = self._features(run, clips, kind)
        return scorer(
            features,
            [clip.name.section for clip in clips],
            progress=lambda done, total: self._say("scoring windows", done, total),
        )

    def _float_thresholds(self, run: Run, scorer: FloatScorer, kind: Kind) -> Mapping[str, float]:
        """Fit thresholds on float scores: a section's quantile, or the published gamma fit of the whole machine.

        Sections that can have none are missing.
        """
        keys = {*run.fit, *run.held_back} if run.faithful else set(run.held_back)
        clips = [clip for clip in self._dataset.select(split="train") if clip.key in keys]
        # The published code fits its thresholds at the hop of training.
        scores = self._float_scores(run, partial(scorer.clip_scores, hop=run.baseline.training_hop), clips, kind)
        if run.faithful:
            try:
                limit = gamma_quantile(scores.tolist(), QUANTILE)
            except DataError as error:
                self.notes.append(f"{run.machine}: no threshold, so no precision, recall and F1. {error}")
                return {}
            return dict.fromkeys(run.sections, limit)
        limits = {}
        for section in run.sections:
            by_domain: dict[str, list[float]] = {domain: [] for domain in DOMAINS}
            for clip, score in zip(clips, scores.tolist(), strict=True):
                if clip.name.section == section:
                    by_domain[clip.name.domain or UNNAMED_DOMAIN].append(score)
            limits[section] = weighted_quantile(by_domain, QUANTILE)
        return limits

    def _shipped(self, run: Run, folder: Path) -> tuple[npt.NDArray[np.float64], Mapping[str, float]]:
        start = time.monotonic()
        path = bundle_path(self._out, self._part)
        done = quantise_run(
            folder, self._data, path, cache=self._cache, progress=lambda what: self._say(f"quantising: {what}")
        )
        self.notes += [f"{run.machine}: {note}" for note in done.notes]
        self._took("quantising", start)
        start = time.monotonic()
        features = self._features(run, self._test, "fixed")
        pairs = [(clip.name.section, found) for clip, found in zip(self._test, features, strict=True)]
        shipped = shipped_scores(done.bundle, pairs, lambda n, all_: self._say("int8 model", n, all_))
        self._took("int8 scoring", start)
        limits = {section: score_value(threshold.score) for section, threshold in done.bundle.thresholds.items()}
        return np.array([score_value(score) for score in shipped.scores]), limits
