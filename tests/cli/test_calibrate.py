"""``edge-asd calibrate``: what it writes, what decides afterwards, and what it refuses."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from edge_asd.audio.recording_file import read_recording
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.detectors.scores import span_scores
from edge_asd.files import locked
from edge_asd.frontend import log_mel
from edge_asd.selftest import selftest
from edge_asd.thresholds import false_positive_threshold, quantile_threshold
from tests.cli.command import assert_error, edge_asd, json_decisions
from tests.data import RATE, machine_sound, write_wav

SOUND = machine_sound(np.random.default_rng(7), seconds=4, pitch=260.0, noise=500.0)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """Recordings of a machine in another place: two of 5 s, and one of 40 s."""
    folder, rng = tmp_path_factory.mktemp("healthy"), np.random.default_rng(20)
    for name, seconds in (("a.wav", 5), ("b.WAV", 5), ("long.wav", 40)):
        write_wav(folder / name, machine_sound(rng, seconds=seconds, pitch=260.0, noise=500.0))
    (folder / "notes.txt").touch()
    return folder


def scores_of(bundle, folder):
    """Scores of a folder, by the parts that `edge_asd.calibration` is made of."""
    detector, spec, found = AutoencoderDetector(bundle), bundle.features, []
    for path in sorted(folder.glob("*.[wW]*")):
        windows = detector.window_scores(log_mel(read_recording(path).pcm, spec), "00")
        found += span_scores(windows, bundle.windows_per_score, bundle.span_step)
    return found


def quietest(folder):
    """Level of the quietest block of all score spans, rounded down [dB]: of each of 41 windows, the last second."""
    levels = []
    for path in folder.glob("*.[wW]*"):
        pcm = read_recording(path).pcm.astype(float)
        for start in range(0, pcm.size - (40 * 512 + 5 * 512 + 512) + 1, 41 * 512):
            block = pcm[start + 46 * 512 - 31 * 512 : start + 46 * 512]
            levels.append(10 * np.log10(np.mean(block**2) / 2**30))
    return np.floor(min(levels) * 10) / 10


def test_the_threshold_is_the_quantile_of_the_recordings_and_decides_from_then_on(
    bundle, bundle_path, healthy, tmp_path
):
    new_path = tmp_path / "deep" / "new.easd"
    before = bundle_path.read_bytes()
    done = edge_asd("calibrate", bundle_path, "--section", "0", "--wav-dir", healthy, "--out", new_path, "--json")
    note = f"{healthy}: passed over 1 other file or folder, such as 'notes.txt'."
    assert (done.returncode, done.stderr) == (0, f"scoring recordings ...\nNote: {note}\n")
    new, document = Bundle.load(new_path), json.loads(done.stdout)
    scores = scores_of(bundle, healthy)
    assert len(scores) == 3 + 3 + 30
    expected = quantile_threshold({"source": scores}, 0.9)
    fitted = new.thresholds["00"]
    assert replace(fitted, off_level_db=None) == replace(expected, calibrated=True, previous=bundle.thresholds["00"])
    assert fitted.off_level_db == quietest(healthy) - 6
    assert new.thresholds["01"] == bundle.thresholds["01"]
    assert replace(new, thresholds=bundle.thresholds) == bundle
    assert bundle_path.read_bytes() == before
    assert selftest(new).verdict == "equal"
    assert document == {
        "bundle": str(new_path),
        "machine": "fan",
        "section": "00",
        "domain": None,
        "arithmetic": "litert-ref",
        "files": 3,
        "seconds": pytest.approx(36 * 41 * 512 / RATE, abs=0.001),
        "threshold": expected.score,
        "previous": bundle.thresholds["00"].score,
        "method": "quantile",
        "quantile": 0.9,
        "clips": {"source": 36},
        "false_positives": None,
        "false_alarms_per_day": None,
        "off_level_db": fitted.off_level_db,
        "supported": document["supported"],
        "notes": [note],
    }
    supported = document["supported"]
    assert (supported["spans"], supported["rate"]) == (36, 4 / 37)  # three of the 36 lie above the quantile
    assert supported["lowest_rate"] == pytest.approx(1 - 0.05 ** (1 / 36))

    def monitored(path):
        wanted = {"time_s", "section", "score", "threshold", "anomaly"}
        done = edge_asd("monitor", path, "--section", "00", "--wav", healthy / "long.wav", "--json")
        return [{key: d[key] for key in wanted} for d in json_decisions(done)]

    theirs, ours = monitored(bundle_path), monitored(new_path)
    assert {d["threshold"] for d in ours} == {expected.score} != {d["threshold"] for d in theirs}
    assert ours == [d | {"threshold": expected.score, "anomaly": d["score"] > expected.score} for d in theirs]
    assert 0 < sum(d["anomaly"] for d in ours) < len(ours) == 39
    assert [d["anomaly"] for d in ours] != [d["anomaly"] for d in theirs]


def test_a_domains_own_threshold_in_place(bundle, bundle_path, healthy, tmp_path, command):
    path = tmp_path / "fan.easd"
    shutil.copy(bundle_path, path)
    fit = ("calibrate", path, "--section", "00", "--wav-dir", healthy, "--in-place")
    done = command(*fit, "--domain", "target", "--false-positive-rate", "0.05")
    expected = replace(false_positive_threshold({"target": scores_of(bundle, healthy)}, 0.05), calibrated=True)
    found = expected.false_positives
    assert (found.flagged, found.clips) == (1, 36)
    before_it = bundle.thresholds["00"]
    assert Bundle.load(path).thresholds == {
        "00": replace(before_it, domains={"target": expected}, previous=before_it),
        "01": bundle.thresholds["01"],
    }
    first, before, promise, off, _, after = done.stdout.splitlines()
    assert promise.startswith("Expect 0.001 alarms a day on healthy sound like this: of ")
    assert off == "Machine off: never; sound of every level is judged."
    assert first.startswith("Section 00, target: threshold ")
    assert first.endswith(
        "(false-positive-rate 0.05 of 36 target clips; 1 above it, 2.8%, 95 % interval 0.1% to 14.5%)."
    )
    assert before == "It had none before."
    assert after == f"Next: edge-asd monitor {path} --section 00"

    def thresholds(*arguments):
        done = command("monitor", path, "--wav", healthy / "a.wav", "--json", *arguments)
        return {json.loads(line)["threshold"] for line in done.stdout.splitlines()}, done.stderr

    section = {bundle.thresholds["00"].score}
    assert thresholds("--section", "00") == (section, "")
    assert thresholds("--section", "00", "--domain", "target") == ({expected.score}, "")
    assert thresholds("--section", "00", "--domain", "source") == (
        section,
        "Section 00 has no threshold of its own for the domain source; the section's decides.\n",
    )
    # The section anew: its domain keeps what was fitted for it.
    again = command(*fit, "--json", "--quantile", "0.5")
    assert json.loads(again.stdout)["notes"] == [
        f"{healthy}: passed over 1 other file or folder, such as 'notes.txt'.",
        "Section 00: the threshold of its domain target stayed as before; --domain fits them anew.",
    ]
    found = Bundle.load(path).thresholds["00"]
    assert (found.quantile, found.domains) == (0.5, {"target": expected})


def test_an_autoencoder_takes_a_new_section(bundle, bundle_path, healthy, tmp_path, command):
    new_path = tmp_path / "new.easd"
    done = command("calibrate", bundle_path, "--section", "07", "--wav-dir", healthy, "--out", new_path)
    lines = done.stdout.splitlines()
    assert [lines[1], *lines[4:]] == [
        "It had none before.",
        f"Written: {new_path}",
        f"Next: edge-asd monitor {new_path} --section 07",
    ]
    new = Bundle.load(new_path)
    assert new.threshold("07") == replace(
        quantile_threshold({"source": scores_of(bundle, healthy)}, 0.9),
        calibrated=True,
        off_level_db=quietest(healthy) - 6,
    )
    assert replace(new, thresholds=bundle.thresholds) == bundle
    assert command("monitor", new_path, "--section", "07", "--wav", healthy / "a.wav").returncode in (0, 3)


def test_a_section_classifier_takes_no_section_without_a_class(section_bundle, healthy, tmp_path, command):
    path = tmp_path / "fan.easd"
    section_bundle.save(path)
    fit = ("calibrate", path, "--wav-dir", healthy, "--in-place")
    before = path.read_bytes()
    assert_error(
        command(*fit, "--section", "07"), "tells its sections 00, 01 apart", "no class for section 07", "--model ae"
    )
    assert path.read_bytes() == before
    assert command(*fit, "--section", "01").returncode == 0
    new = Bundle.load(path)
    assert new.thresholds["01"].calibrated
    assert replace(new, thresholds=section_bundle.thresholds) == section_bundle


def test_names_of_clips_tell_section_and_domain(bundle, bundle_path, tiny_data, tmp_path, command):
    new_path = tmp_path / "new.easd"
    folder = tiny_data / "fan/train"
    done = command("calibrate", bundle_path, "--section", "00", "--wav-dir", folder, "--out", new_path, "--json")
    found = Bundle.load(new_path).thresholds["00"]
    assert found.clips == {"source": 6, "target": 2}
    assert json.loads(done.stdout)["notes"] == [
        "4 of 12 files are not of section 00 by their names and were left out.",
        "8 of 8 files are training clips by their names: if the model was fitted on them, the threshold may be too low "
        "for new sound.",
        "Section 00: its threshold rests on 8 score spans; expect it to be rough. More healthy recordings make it "
        "better.",
    ]
    out = tmp_path / "x.easd"
    fit = ("calibrate", bundle_path, "--out", out, "--section")
    assert_error(command(*fit, "00", "--wav-dir", tiny_data / "fan/source_test"), "anomaly_0000.wav is an anomaly")
    assert_error(command(*fit, "07", "--wav-dir", folder), "no recordings of section 07", "names say so")
    assert_error(
        command(*fit, "01", "--wav-dir", folder, "--domain", "target"), "no recordings of section 01, domain target"
    )
    assert_error(
        command(*fit, "00", "--wav-dir", folder, "--domain", "target"),
        "2 score spans of the domain target", "needs 20", "section 00 goes on to decide", "without --domain",
    )  # fmt: skip
    assert_error(
        command(*fit, "07", "--wav-dir", folder, "--domain", "target"), "no section 07", "Calibrate the section first"
    )
    assert not out.exists()


def with_zeros(seconds):
    return np.concatenate([SOUND, np.zeros(round(seconds * RATE), np.int16), SOUND])


def at_full_scale(count):
    loud = SOUND.copy()
    loud[: count // 2], loud[count // 2 : count] = 32767, -32768
    return loud


BAD = {
    "all zeros": (np.zeros_like(SOUND), ("holds only zeros", "muted")),
    "constant": (np.full_like(SOUND, -3), ("is silent", "samples are -3")),
    "muted": (with_zeros(0.5), ("is dead from", "muted")),
    "clipped": (at_full_scale(65), ("is clipped", "0.10% of its samples", "gain")),
    "clipped floats": ((SOUND / 2000).astype(np.float32), ("is clipped", "gain")),
    "short": (SOUND[: 1024 + 44 * 512 - 1], ("lasts 1.47 s", "one score of this bundle spans")),
    "not numbers": (np.append(SOUND / 32768, np.nan).astype(np.float32), ("not numbers",)),
    "infinite": (np.append(SOUND / 32768, np.inf).astype(np.float32), ("not numbers",)),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_recording_that_no_threshold_may_rest_on_is_named(bundle_path, healthy, tmp_path, command, kind):
    samples, words = BAD[kind]
    folder = tmp_path / "wav"
    folder.mkdir()
    shutil.copy(healthy / "a.wav", folder)
    subtype = "PCM_16" if samples.dtype == np.int16 else "FLOAT"
    soundfile.write(folder / "bad.wav", samples, RATE, subtype=subtype)
    before = bundle_path.read_bytes()
    done = command("calibrate", bundle_path, "--section", "00", "--wav-dir", folder, "--in-place")
    assert_error(done, str(folder / "bad.wav"), *words)
    assert bundle_path.read_bytes() == before


@pytest.mark.parametrize("samples", [with_zeros(0.499), at_full_scale(64), SOUND[: 1024 + 44 * 512]])
def test_a_recording_just_good_enough_is_used(bundle_path, tmp_path, command, samples):
    write_wav(tmp_path / "wav/good.wav", samples)
    done = command(
        "calibrate", bundle_path, "--section", "00", "--wav-dir", tmp_path / "wav", "--out", tmp_path / "new.easd"
    )
    assert done.returncode == 0, done.stderr


def test_a_lower_rate_is_told(bundle_path, tmp_path, command):
    write_wav(tmp_path / "wav/low.wav", SOUND, rate=8000)
    out = tmp_path / "new.easd"
    done = command("calibrate", bundle_path, "--section", "00", "--wav-dir", tmp_path / "wav", "--out", out)
    assert "Note: low.wav has 8000 Hz: nothing above 4000 Hz is in it" in done.stderr


def test_what_was_asked_for_is_checked_before_the_work(bundle_path, healthy, tmp_path, command):
    out, empty, file = tmp_path / "new.easd", tmp_path / "empty", tmp_path / "file"
    empty.mkdir()
    file.write_text("in the way")
    fit = ("calibrate", bundle_path, "--section", "00", "--out", out)
    good = (*fit, "--wav-dir", healthy)
    assert_error(command(*fit, "--wav-dir", tmp_path / "none"), "none is not a folder")
    assert_error(command(*fit, "--wav-dir", file), "file is not a folder")
    assert_error(command(*fit, "--wav-dir", empty), "empty holds no sound files")
    assert_error(command(*good, "--quantile", 0), "quantile 0.0 is outside (0, 1]")
    assert_error(command(*good, "--false-positive-rate", 1), "false-positive rate 1 is outside [0, 1)")
    assert_error(command(*good, "--channel", 3), "a.wav", "channel")
    assert_error(command("calibrate", bundle_path, "--section", "x", "--wav-dir", healthy, "--out", out), "'x'")
    assert_error(
        command("calibrate", tmp_path / "no.easd", "--section", "00", "--wav-dir", healthy, "--out", out), "no.easd"
    )
    section = ("calibrate", bundle_path, "--section", "00", "--wav-dir", healthy)
    assert_error(command(*section, "--out", empty), "is a folder", "fan.easd")
    assert_error(command(*section, "--out", file / "new.easd"), "Cannot write")
    for usage in (
        section,
        (*good, "--in-place"),
        (*good, "--quantile", 0.9, "--false-positive-rate", 0.1),
        (*good, "--domain", "both"),
        (*good, "--quantile", 1.1),
    ):
        done = command(*usage)
        assert (done.returncode, done.stdout) == (2, "")
    assert sorted(tmp_path.iterdir()) == [empty, file]
    assert list(empty.iterdir()) == []
    assert file.read_text() == "in the way"


def test_quantize_takes_one_target_and_tells_it(run_folder, tiny_data, tmp_path, command):
    out = tmp_path / "fan.easd"
    quantize = ("quantize", run_folder, "--data", tiny_data, "--out", out, "--score-seconds", 1.5)
    for usage in (("--quantile", 0.9), ("--threshold", "gamma")):
        done = command(*quantize, "--false-positive-rate", 0.1, *usage)
        assert (done.returncode, done.stdout) == (2, "")
    assert_error(command(*quantize, "--false-positive-rate", 1), "false-positive rate 1 is outside [0, 1)")
    assert not out.exists()
    done = command(*quantize, "--false-positive-rate", 0.1, "--domain-thresholds", "--json")
    document, found = json.loads(done.stdout), Bundle.load(out).thresholds
    assert document["false_positives"]["00"] == {
        "flagged": 0, "clips": 3, "low": 0.0, "high": pytest.approx(1 - 0.025 ** (1 / 3)), "rate": 0.0,
    }  # fmt: skip
    assert document["thresholds"] == {section: fitted.score for section, fitted in found.items()}
    assert document["domain_thresholds"] == {"00": {}, "01": {}}
    assert any("fewer than 20, make no threshold of its own" in text for text in document["notes"])


def test_a_file_that_is_no_bundle_is_not_replaced(bundle_path, healthy, tmp_path):
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    done = edge_asd("calibrate", bundle_path, "--section", "00", "--wav-dir", healthy, "--out", mine)
    assert_error(done, f"{mine} exists and is no bundle; it was left as it is")
    assert mine.read_text() == "mine"


def test_two_calibrations_at_once_both_count(bundle_path, healthy, tmp_path):
    path = tmp_path / "fan.easd"
    shutil.copy(bundle_path, path)
    with ThreadPoolExecutor() as pool, locked(path):  # both have loaded the bundle, or will, when the lock is released
        both = [
            pool.submit(edge_asd, "calibrate", path, "--section", section, "--wav-dir", healthy, "--in-place")
            for section in ("00", "01")
        ]
        time.sleep(0.5)
        assert path.read_bytes() == bundle_path.read_bytes()
        shutil.copy(bundle_path, tmp_path / "same.easd")
        (tmp_path / "same.easd").replace(path)  # as a third one would: another file takes the place of the locked one
    assert [done.result().returncode for done in both] == [0, 0]
    assert {section: found.calibrated for section, found in Bundle.load(path).thresholds.items()} == {
        "00": True, "01": True,
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == [path]


def test_quantize_replaces_a_bundle_only_when_told(run_folder, tiny_data, bundle_path, tmp_path, command):
    path = tmp_path / "fan.easd"
    shutil.copy(bundle_path, path)
    done = command("quantize", run_folder, "--data", tiny_data, "--out", path, "--score-seconds", 1)
    assert_error(done, f"{path} exists", "--overwrite")
    assert path.read_bytes() == bundle_path.read_bytes()
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    done = command("quantize", run_folder, "--data", tiny_data, "--out", mine, "--overwrite")
    assert_error(done, "is no bundle")
    assert mine.read_text() == "mine"
