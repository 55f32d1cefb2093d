"""One part of a reproduction, trained, scored and kept."""

from __future__ import annotations

import datetime
import json
import platform
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
from edge_asd.files import write_atomically
from edge_asd.quantize.evaluation.scoring import shipped_scores
from edge_asd.quantize.jobs.part import Part, bundle_path, part_rows, results_path
from edge_asd.quantize.pipeline import quantise_run
from edge_asd.quantize.threshold_fitting import gamma_quantile
from edge_asd.quantize.versions import versions
from edge_asd.sweeps.parts import Voice
from edge_asd.thresholds import weighted_quantile
from edge_asd.train.data.dataset import Clip, Dataset
from edge_asd.train.distance.fit import Fitted
from edge_asd.train.distance.fit_file import load_fit
from edge_asd.train.features.cache import FeatureCache
from edge_asd.train.features.extraction import Kind
from edge_asd.train.features.store import ClipFeatures
from edge_asd.train.features.windows import frames_db
from edge_asd.train.figures.measures import measures_of, missing_domains
from edge_asd.train.report.describe import describe_data
from edge_asd.train.report.results import Cell, Reproduction
from edge_asd.train.report.results_json import write_results
from edge_asd.train.runs.fitting import train
from edge_asd.train.runs.run import Run
from edge_asd.train.runs.scoring import FloatScorer

QUANTILE = 0.9
"""Share of healthy clips below a threshold, as published."""

Step = Callable[..., None]
"""Called with a stage and, where they are known, (steps done, steps, detail)."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a reproduction find and leave things: paths that hold in any process, and on any worker.

    Attributes
    ----------
    data : Path
        Data set in the layout of MIMII DUE.
    out : Path
        Folder of the reproduction: ``parts/`` gets the results, ``runs/`` the model and how long it took,
        ``bundles/`` the int8 one.
    ground_truth : Path, optional
    cache : Path, optional
        Of features; the user's by default.
    """

    data: Path
    out: Path
    ground_truth: Path | None = None
    cache: Path | None = None


def run_part(part: Part, voice: Voice, *, places: Places) -> None:
    """Train and score a part, and keep what comes of it.

    Raises
    ------
    EdgeAsdError
        If the data cannot be used, or `places.out` cannot be written.
    """
    dataset = Dataset(
        places.data, part.machine, part.sections, ground_truth=places.ground_truth, channel=part.settings.channel
    )
    described = describe_data(places.data, {part.machine: dataset.clips})
    found = _Work(part, places, dataset, FeatureCache(places.cache, note=voice.note), voice.step)
    cells = found.cells()
    write_results(
        results_path(places.out, part),
        Reproduction(
            data=described,
            arguments=part.arguments,
            cells=tuple(cells),
            versions=versions(),
            notes=tuple(found.notes),
        ),
    )
    found.write_times()


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

    def __init__(self, part: Part, places: Places, dataset: Dataset, cache: FeatureCache, step: Step) -> None:
        self._part, self._data, self._out, self._cache, self._say = part, places.data, places.out, cache, step
        self._folder = places.out / "runs" / part.name
        self._dataset = dataset
        self._test = dataset.select(split="test")
        self._durations_s: dict[str, float] = {}
        self.notes: list[str] = []

    def cells(self) -> list[Cell]:
        part = self._part
        folder = self._folder
        start = time.monotonic()
        run = train(
            self._data,
            part.machine,
            folder,
            part.settings,
            sections=part.sections,
            resume=Run.exists(folder),
            cache=self._cache,
            progress=lambda what, *how_far: self._say(f"training: {what}", *how_far),
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
        for section, rows in part_rows(self._test, part).items():
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

    def write_times(self) -> None:
        """Write how long the steps took, and where: apart from the results, which are the same however that was."""
        finished = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        times = {"seconds": self._durations_s, "computer": platform.node(), "finished": finished}
        write_atomically(self._folder / "times.json", (json.dumps(times, indent=1) + "\n").encode())

    def _took(self, what: str, start: float) -> None:
        self._durations_s[what] = round(self._durations_s.get(what, 0.0) + time.monotonic() - start, 3)

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
