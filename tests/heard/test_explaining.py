from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.audio.stream import Break
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.healthy_file import Healthy, write_healthy
from edge_asd.bundle.policy import Policy
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.loading import load_detector
from edge_asd.detectors.scores import mean_score
from edge_asd.distance.blocks import Blocks
from edge_asd.distance.features import clip_features
from edge_asd.frontend import log_mel
from edge_asd.heard.explaining import Explainer
from edge_asd.heard.words import heard_text
from edge_asd.monitor.alarms import Alarms, Event
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.listener import Listener
from edge_asd.monitor.reports import Report
from tests.golden.committed import NAMES, PITCHES, made_sound

Pcm = npt.NDArray[np.int16]


def with_spectrum() -> Bundle:
    """The committed autoencoder, with the spectrum of the healthy half of sounds of its section."""
    bundle = Bundle.load(NAMES["ae"])
    detector = load_detector(bundle)
    assert isinstance(detector, AutoencoderDetector)
    spectra = [log_mel(made_sound(seed, PITCHES[0])[:40_000], bundle.features) for seed in range(30, 36)]
    features = np.mean([clip_features(x, Blocks.of_span(len(x)))[0] for x in spectra], axis=0)
    errors = np.mean([detector.band_errors(x) for x in spectra], axis=0)
    return replace(
        bundle,
        healthy=write_healthy({"00": Healthy(np.rint(features).astype(np.int16), np.rint(errors).astype(np.int32))}),
    )


@pytest.fixture(scope="module", params=["ae", "distance"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return with_spectrum() if request.param == "ae" else Bundle.load(NAMES["distance"])


@pytest.fixture(scope="module")
def sound() -> Pcm:
    """It begins to whine at 4.1 kHz after three seconds of six."""
    return made_sound(77, PITCHES[0])


def listener(bundle: Bundle, threshold: int) -> Listener:
    low = replace(bundle, thresholds={**bundle.thresholds, "00": replace(bundle.thresholds["00"], score=threshold)})
    engine = Engine(low, "00", interval_s=0.1)
    return Listener("here", engine, Alarms(Policy(needed=1, of=1), "00", engine.sample_rate))


def events(reports: list[Report]) -> list[Event]:
    return [report.what for report in reports if isinstance(report.what, Event)]


def test_the_errors_of_bands_are_the_score(sound: Pcm) -> None:
    bundle = with_spectrum()
    detector = load_detector(bundle)
    assert isinstance(detector, AutoencoderDetector)
    frames = log_mel(sound, bundle.features)
    errors = detector.band_errors(frames)
    assert abs(int(errors.sum(dtype=np.int64)) // len(errors) - mean_score(detector.window_scores(frames, "00"))) <= 2


def test_an_alarm_tells_what_began_to_whine(bundle: Bundle, sound: Pcm) -> None:
    scores = [
        what.score for report in listener(bundle, 2**31 - 1).hear(sound) if isinstance(what := report.what, Decision)
    ]
    alarm, *_ = events(listener(bundle, max(scores) - 1).hear(sound))
    assert alarm.heard
    first = alarm.heard[0]
    assert first.low_hz < 4100 < first.high_hz <= 2.001 * first.low_hz
    assert first.level_db > 3
    assert alarm.text == heard_text(alarm.heard)
    assert "louder" in alarm.text


def test_what_is_told_is_of_the_decision_however_the_sound_came(bundle: Bundle, sound: Pcm) -> None:
    explainer = Explainer(bundle)
    long = np.concatenate([sound[:48_000]] * 3 + [sound[48_000:]] * 3)  # longer than what is scored at once
    threshold = sorted(
        what.score for report in listener(bundle, 2**31 - 1).hear(long) if isinstance(what := report.what, Decision)
    )[-20]
    rng = np.random.default_rng(1)
    found = []
    for cut in ([], sorted(rng.integers(0, len(long), 40).tolist())):
        ear = listener(bundle, threshold)
        reports = [report for part in np.split(long, cut) for report in ear.hear(part)]
        found.append(events(reports + ear.finish())[0])
    assert found[0] == found[1]
    end = round(found[0].time_s * bundle.features.sample_rate)
    frames = log_mel(long[end - bundle.score_samples : end], bundle.features)
    # Front-end frames begin where the stream's do: the span's are the same.
    assert found[0].heard == tuple(explainer.explain(frames, "00").moved)


def test_it_is_told_before_a_gap_of_what_was_before_it(bundle: Bundle, sound: Pcm) -> None:
    ear = listener(bundle, -(2**31) if bundle.kind.signed else 0)
    reports = ear.hear(sound)
    reports += ear.broken(Break("samples-lost", 1600, 0.1, 0.0, ""))
    assert all(event.heard is not None for event in events(reports) if event.event == "alarm")
    assert ear.engine.heard(ear.time_s) is None


def test_an_event_is_one_json_object_with_what_was_heard(bundle: Bundle, sound: Pcm) -> None:
    report, *_ = [
        one for one in listener(bundle, 0).hear(sound) if isinstance(one.what, Event) and one.what.event == "alarm"
    ]
    values = json.loads(json.dumps(report.for_programs(), allow_nan=False))
    for one in values["heard"]:
        assert set(one) == {"low_hz", "high_hz", "level_db", "unsteadiness", "share", "ways"}
        assert 0 <= one["share"] <= 1
        assert one["unsteadiness"] > 0
    decision = next(one for one in listener(bundle, 0).hear(sound) if isinstance(one.what, Decision))
    assert "heard" not in decision.for_programs()


@pytest.mark.parametrize("gain", [20.0, 0.02])
def test_a_change_of_the_whole_level_is_not_told_as_more_than_it_is(gain: float, distance_bundle: Bundle) -> None:
    pcm = made_sound(1, PITCHES[0])[:40_000]
    changed = np.clip(np.rint(pcm * gain), -32768, 32767).astype(np.int16)
    frames = log_mel(changed, distance_bundle.features)
    found = Explainer(distance_bundle).explain(frames, "00")
    assert found is not None
    assert found.moved
    most_db = float(np.abs(found.level).max())
    assert most_db > 15
    for moved in found.moved:
        assert abs(moved.level_db) <= most_db + 3
