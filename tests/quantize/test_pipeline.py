from __future__ import annotations

import math
import shutil
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from edge_asd.audio.health import level_db
from edge_asd.audio.recording_file import read_recording
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.errors import DataError, ModelError, OutputError
from edge_asd.frontend import log_mel
from edge_asd.interpreter import Model
from edge_asd.quantize.golden import golden_pcm
from edge_asd.quantize.int8.levelling import Levelling
from edge_asd.quantize.int8.methods import DEFAULT, Conversion
from edge_asd.quantize.int8.representative import representative_windows
from edge_asd.quantize.model_making import processor_notes
from edge_asd.quantize.pipeline import quantise_run
from edge_asd.selftest import selftest
from edge_asd.thresholds import Target, false_positive_threshold, quantile_threshold
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.splits import split_training
from edge_asd.train.runs.run import Run
from tests.conftest import SCORE_SECONDS
from tests.data import MACHINE
from tests.quantize.int8.graphs import check_same


@pytest.fixture
def copied_run(run_folder, tmp_path):
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


@pytest.fixture
def copied_data(tiny_data, tmp_path):
    return Path(shutil.copytree(tiny_data, tmp_path / "data"))


def test_golden_vectors_recompute_equal(bundle):
    golden = bundle.golden_arrays()
    detector = AutoencoderDetector(bundle)
    features = log_mel(golden["pcm"], bundle.features)
    inputs = detector.quantise(features)
    outputs = detector.run(detector.windows(inputs))
    scores = detector.window_scores(features, "00")
    assert np.array_equal(golden["features"], features)
    assert np.array_equal(golden["model_input"], inputs)
    assert np.array_equal(golden["model_output"], outputs)
    assert np.array_equal(golden["window_scores"], scores)
    assert golden["score"] == mean_score(scores)


@pytest.mark.parametrize("arithmetic", [pytest.param("xnnpack", marks=pytest.mark.prove), "litert-builtin"])
def test_a_bundle_is_made_and_run_in_its_arithmetic_of_record(bundle, run_folder, tiny_data, tmp_path, arithmetic):
    path = tmp_path / "fan.easd"
    quantise_run(run_folder, tiny_data, path, score_seconds=1.5, arithmetic=arithmetic)
    other = Bundle.load(path)
    assert (bundle.model_arithmetic, other.model_arithmetic) == ("litert-ref", arithmetic)
    assert other.model == bundle.model
    golden, detector = other.golden_arrays(), AutoencoderDetector(other)
    windows = detector.windows(golden["model_input"])
    assert np.array_equal(golden["model_output"], Model(other.model, arithmetic=arithmetic).run(windows))
    assert np.array_equal(golden["model_output"], detector.run(windows))
    if arithmetic == "litert-builtin":  # XNNPACK's differences are too rare to show in every threshold
        assert not np.array_equal(golden["model_output"], AutoencoderDetector(bundle).run(windows))
        assert {s: t.score for s, t in other.thresholds.items()} != {s: t.score for s, t in bundle.thresholds.items()}


@pytest.mark.prove
def test_convolutions_in_built_in_kernels_depend_on_the_processor_and_a_note_says_so(bundle, section_bundle):
    for one, arithmetic, notes in (
        (section_bundle, "litert-builtin", 1),
        (section_bundle, "litert-ref", 0),
        (section_bundle, "xnnpack", 0),
        (bundle, "litert-builtin", 0),
    ):
        assert len(processor_notes(Conversion(one.model, one.float_model), arithmetic)) == notes, (
            one.detector,
            arithmetic,
        )
    levelled = Conversion(section_bundle.model, b"", Levelling(b"", {}, {}, {}))
    assert processor_notes(levelled, "litert-builtin") == []


@pytest.mark.prove  # it is no quick network
def test_quantising_a_classifier_for_built_in_kernels_tells_that_note(section_run, section_data, tmp_path):
    done = quantise_run(
        section_run, section_data, tmp_path / "fan.easd", score_seconds=2.5, quantisation="plain",
        arithmetic="litert-builtin",
    )  # fmt: skip
    assert set(processor_notes(Conversion(done.bundle.model, done.bundle.float_model), "litert-builtin")) < set(
        done.notes
    )


def test_golden_sound_passes_every_branch_and_is_nobodys_recording(bundle, tiny_data):
    pcm = bundle.golden_arrays()["pcm"]
    assert {-32768, 32767} <= set(pcm.tolist())  # it clips
    assert not pcm[-4096:].any()  # and falls silent
    _, held_back = split_training(Dataset(tiny_data, MACHINE).select(split="train"))
    levels = [level_db(read_recording(clip.path).pcm) for clip in held_back]
    assert min(levels) - 2 < level_db(pcm[: len(pcm) // 5]) < max(levels) + 2
    assert np.array_equal(pcm, golden_pcm(bundle.features, bundle.window_frames, float(np.median(levels))))


def test_thresholds_are_quantiles_of_the_shipped_scores_of_held_back_clips_alone(bundle, run_folder, tiny_data):
    run, detector = Run.load(run_folder), AutoencoderDetector(bundle)

    def scores(keys: list[str], section: str) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {"source": [], "target": []}
        for clip in Dataset(tiny_data, MACHINE).clips:
            if clip.key in keys and clip.name.section == section:
                frames = log_mel(read_recording(clip.path).pcm, bundle.features)
                # Two seconds hold one span of a score, 41 windows; what is left over counts in none.
                found[clip.name.domain].append(mean_score(detector.window_scores(frames, "00")[:41]))
        return found

    for section, counts in (("00", {"source": 2, "target": 1}), ("01", {"source": 1})):
        threshold = bundle.thresholds[section]
        assert threshold == quantile_threshold(scores(run.held_back, section), 0.9)
        assert threshold.clips == counts
        assert type(threshold.score) is int
        assert threshold.score != quantile_threshold(scores(run.fit, section), 0.9).score


def test_a_classifier_judges_each_section_by_its_class(section_bundle, section_run, section_data):
    run, detector = Run.load(section_run), load_detector(section_bundle)
    assert section_bundle.classes == tuple(run.classes) == ("00", "01")
    assert (section_bundle.window_frames, section_bundle.window_hop, section_bundle.windows_per_score) == (64, 8, 3)
    assert selftest(section_bundle).verdict == "equal"
    for section, counts in (("00", {"source": 2, "target": 1}), ("01", {"source": 1})):
        scores: dict[str, list[int]] = {"source": [], "target": []}
        for clip in Dataset(section_data, MACHINE).clips:
            if clip.key in run.held_back and clip.name.section == section:
                frames = log_mel(read_recording(clip.path).pcm, section_bundle.features)
                scores[clip.name.domain].append(mean_score(detector.window_scores(frames, section)[:3]))
        assert section_bundle.thresholds[section] == quantile_threshold(scores, 0.9)
        assert section_bundle.thresholds[section].clips == counts


def test_domains_with_enough_held_back_clips_get_thresholds_of_their_own(
    bundle, run_folder, tiny_data, tmp_path, monkeypatch
):
    monkeypatch.setattr("edge_asd.quantize.healthy_scores.FEW_CLIPS", 2)
    monkeypatch.setattr("edge_asd.quantize.threshold_fitting.FEW_CLIPS", 2)
    path = tmp_path / "fan.easd"
    options = {"target": Target("false-positive-rate", 0.6), "domain_thresholds": True, "score_seconds": 1.5}
    done = quantise_run(run_folder, tiny_data, path, **options)
    run, detector = Run.load(run_folder), AutoencoderDetector(bundle)
    scores: dict[str, list[int]] = {"source": [], "target": []}
    for clip in Dataset(tiny_data, MACHINE).clips:
        if clip.key in run.held_back and clip.name.section == "00":
            frames = log_mel(read_recording(clip.path).pcm, bundle.features)
            scores[clip.name.domain].append(mean_score(detector.window_scores(frames, "00")[:41]))
    found = Bundle.load(path).thresholds["00"]
    own = false_positive_threshold({"source": scores["source"]}, 0.6)
    assert found == replace(false_positive_threshold(scores, 0.6), domains={"source": own})
    assert found.false_positives.clips == 3
    assert found.score != own.score
    assert Bundle.load(path).thresholds["01"].domains == {}
    told = "held-back clip{}, fewer than 2, make no threshold of its own; the section's decides there."
    assert [note for note in done.notes if "no threshold of its own" in note] == [
        f"Section 00, target: 1 {told.format('')}",
        f"Section 01, source: 1 {told.format('')}",
        f"Section 01, target: 0 {told.format('s')}",
    ]


def test_the_manifest_describes_the_model(bundle, run_folder):
    run, model = Run.load(run_folder), Model(bundle.model, arithmetic="litert-ref")
    assert (bundle.input.scale, bundle.input.zero_point) == (model.input_scale, model.input_zero_point)
    assert bundle.input.multiplier == round(2**16 / Fraction(model.input_scale))
    assert bundle.output.multiplier == round(2**24 * Fraction(model.output_scale))
    assert (bundle.window_frames, bundle.window_hop, bundle.score_window_frames) == (5, 1, 45)
    assert bundle.provenance["data_sha256"] == run.data_hash
    assert bundle.provenance["epochs"] == 3
    assert bundle.provenance["loss"] == run.loss[-1]


def test_the_float_model_is_the_trained_one(bundle, run_folder):
    windows = np.random.default_rng(0).normal(-40, 15, (20, 640)).astype(np.float32)
    outputs = Model(bundle.float_model, arithmetic="xnnpack").run(windows)
    expected = np.asarray(Run.load(run_folder).load_model(run_folder)(windows))
    assert np.abs(outputs - expected).max() < 1e-4 * np.abs(expected).max()


def test_the_manifest_tells_how_the_model_became_int8(bundle, run_folder, tiny_data):
    run = Run.load(run_folder)
    clips = [clip for clip in Dataset(tiny_data, MACHINE).clips if clip.key in run.fit]
    told = bundle.provenance["quantisation"]
    assert set(told) == {"method", "converter", "representative", "saturation"}
    assert told["method"] == DEFAULT
    assert told["representative"] == representative_windows(clips, bundle.features, (640,)).record
    assert list(told["saturation"]) == [
        *("train 00 source", "train 00 target", "train 01 source"),
        *("test 00 source", "test 00 target", "test 01 source"),
    ]


def test_litert_makes_the_same_detector(litert, bundle, run_folder, tiny_data, tmp_path):
    other = quantise_run(
        run_folder, tiny_data, tmp_path / "x.easd", score_seconds=SCORE_SECONDS, converter="litert"
    ).bundle
    check_same(bundle.float_model, other.float_model)
    check_same(bundle.model, other.model)
    assert other.thresholds == bundle.thresholds
    assert other.golden == bundle.golden
    assert [one.provenance["quantisation"]["converter"] for one in (bundle, other)] == ["tensorflow", "litert"]
    added = {"litert-converter": version("litert-converter"), "litert-quantizer": version("litert-quantizer")}
    assert other.provenance["versions"] == bundle.provenance["versions"] | added


def test_an_unknown_converter_is_refused(run_folder, tiny_data, tmp_path):
    message = "There is no converter 'toco'; use one of: tensorflow, litert"
    refused(ModelError, message, run_folder, tiny_data, tmp_path / "x.easd", converter="toco")


def test_an_unknown_method_of_quantisation_is_refused(run_folder, tiny_data, tmp_path):
    message = "There is no quantisation method 'int4'; use one of: plain, "
    refused(ModelError, message, run_folder, tiny_data, tmp_path / "x.easd", quantisation="int4")


# --- What is refused, before the long work and with nothing written


def refused(kind, message, run, data, out, **options):
    with pytest.raises(kind, match=message):
        quantise_run(run, data, out, **options)
    assert not out.exists()


def test_changed_data_is_refused(run_folder, copied_data, tmp_path):
    clip = next((copied_data / MACHINE / "train").glob("section_01_*"))
    content = bytearray(clip.read_bytes())
    content[-1] ^= 1
    clip.write_bytes(content)
    refused(DataError, "have changed since the run was trained", run_folder, copied_data, tmp_path / "x.easd")
    clip.unlink()
    refused(
        DataError, f"lacks train/{clip.name}, which .*1 missing in all", run_folder, copied_data, tmp_path / "x.easd"
    )


def test_changed_test_clips_do_not_matter_to_the_run(run_folder, copied_data, tmp_path):
    shutil.rmtree(copied_data / MACHINE / "source_test")
    with pytest.raises(DataError, match="too short"):  # the check of the data was passed
        quantise_run(run_folder, copied_data, tmp_path / "x.easd", score_seconds=0.1)


def test_weights_that_are_not_numbers_are_refused(copied_run, tiny_data, tmp_path):
    run = Run.load(copied_run)
    model = run.load_model(copied_run)
    weights = model.get_weights()
    weights[6][3, 5] = np.nan
    model.set_weights(weights)
    model.save(copied_run / run.checkpoint)
    refused(ModelError, "holds NaN or infinity; its training failed", copied_run, tiny_data, tmp_path / "x.easd")


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.19, 3601.0, math.inf, math.nan])
def test_a_score_of_an_impossible_span_is_refused(run_folder, tiny_data, tmp_path, seconds):
    refused(
        DataError,
        "[Uu]se for example 10",
        run_folder,
        tiny_data,
        tmp_path / "x.easd",
        score_seconds=seconds,
    )


def test_a_folder_without_a_run_or_a_finished_epoch_is_refused(copied_run, tiny_data, tmp_path):
    refused(ModelError, "is not a training run", tmp_path, tiny_data, tmp_path / "x.easd")
    run = Run.load(copied_run)
    run.checkpoint, run.loss, run.validation_loss = "", [], []
    run.save(copied_run)
    refused(ModelError, "has no finished epoch yet", copied_run, tiny_data, tmp_path / "x.easd")


def test_an_unwritable_place_is_refused_before_the_work(run_folder, tiny_data, tmp_path):
    (tmp_path / "file").touch()
    steps: list[str] = []
    with pytest.raises(OutputError, match="Cannot write into"):
        quantise_run(run_folder, tiny_data, tmp_path / "file" / "x.easd", progress=steps.append)
    assert steps == []


def test_a_file_that_is_no_bundle_is_not_replaced(run_folder, tiny_data, tmp_path):
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    with pytest.raises(OutputError, match="exists and is no bundle; it was left as it is"):
        quantise_run(run_folder, tiny_data, mine)
    assert mine.read_text() == "mine"


def test_ranges_never_take_the_bundles_place(run_folder, tiny_data, tmp_path):
    out = tmp_path / "x.easd"
    with pytest.raises(OutputError, match=r"a name that ends in \.csv, not x\.easd"):
        quantise_run(run_folder, tiny_data, out, ranges=out)
    assert not out.exists()
