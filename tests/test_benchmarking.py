"""``edge-asd bench``: what it measures, and what it says of that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge_asd.benchmarking import ArithmeticBench, Bench, Timing, advice, disturbance
from edge_asd.bundle.bundle import Bundle
from edge_asd.cli.bench import _print
from edge_asd.interpreter import ARITHMETICS
from tests.cli.command import Command, assert_error
from tests.golden.committed import NAMES


def timing(headroom: float) -> Timing:
    return Timing(call_us=1.0, best_us=1.0, load=1 / headroom)


def found(record: float, xnnpack: float | None = None, front_end: str = "C (avx2)") -> Bench:
    one = timing(100)
    arithmetics = {"litert-ref": ArithmeticBench(True, one, timing(record))}
    if xnnpack is not None:
        arithmetics["xnnpack"] = ArithmeticBench(False, one, timing(xnnpack))
    arithmetics["litert-builtin"] = ArithmeticBench(False, None, None, "cannot run")
    return Bench("LiteRT", front_end, one, one, one, arithmetics, 1.0, 10**8)


def test_the_figures(command: Command) -> None:
    """Of the autoencoder: the whole takes at least what its parts take, in every arithmetic."""
    done = command("bench", NAMES["ae"], "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["machine"], document["detector"], document["arithmetic"]) == ("fan", "ae", "litert-ref")
    assert set(document["arithmetics"]) == set(ARITHMETICS)
    assert [name for name, one in document["arithmetics"].items() if one["of_record"]] == ["litert-ref"]
    hops = 16000 / 512
    for one in (
        *document["stages"].values(),
        *(a[k] for a in document["arithmetics"].values() for k in ("model", "whole")),
    ):
        assert 0 < one["best_us"] <= one["call_us"]
        assert one["load"] == pytest.approx(one["call_us"] * 1e-6 * hops)
        assert one["headroom"] == pytest.approx(1 / one["load"])
    for one in document["arithmetics"].values():
        assert one["why_not"] is None
        assert one["model"]["best_us"] < one["whole"]["best_us"]
    whole = document["arithmetics"]["litert-ref"]["whole"]
    assert document["headroom"] == whole["headroom"]
    assert document["keeps_up"] is (whole["headroom"] > 1)
    assert document["start_s"] > 0
    assert 30e6 < document["peak_bytes"] < 200e6


@pytest.mark.parametrize(
    ("headroom", "words"),
    [
        (12.3, "It keeps up here, 12 times faster than the sound (8.1% of a core), scoring every 8 hops in litert-ref"),
        (1.5, "It hardly keeps up here, with a headroom of 1.5 where 2 are wanted, scoring every 8 hops"),
        (0.25, "It does NOT keep up here: a second of sound takes 4.0 s, scoring every 8 hops"),
    ],
)
def test_in_words(section_bundle: Bundle, capsys: pytest.CaptureFixture[str], headroom: float, words: str) -> None:
    measured = found(headroom, xnnpack=20)
    _print(section_bundle, measured, advice(measured, section_bundle))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fan, MobileNetV2: LiteRT, front end C (avx2)"
    assert "Start: 1.00 s from the first import to the first window's score, 100 MB at its peak." in lines
    verdict = [i for i, line in enumerate(lines) if line.startswith(words)]
    assert len(verdict) == 1
    assert lines[verdict[0]].endswith("the arithmetic of record.")
    assert len(lines[verdict[0] + 1 :]) == (headroom < 2)
    assert sum("of record" in line for line in lines) == 3
    assert sum("cannot run" in line for line in lines) == 1


def test_a_bundle_that_cannot_be_read(command: Command, tmp_path: Path) -> None:
    assert_error(command("bench", tmp_path / "no.easd"), "no.easd", "there is no such bundle")


def test_what_to_do(bundle: Bundle, section_bundle: Bundle) -> None:
    assert advice(found(2.0), bundle) is None
    assert found(1.01).keeps_up
    assert not found(0.99).keeps_up
    last = "Stop other programs, or use a faster computer."
    assert advice(found(1.9), bundle) == last
    assert advice(found(1.9, xnnpack=2), bundle) == last  # hardly faster
    text = advice(found(0.5, xnnpack=9), section_bundle)
    assert text is not None
    assert text.startswith("Quantise anew with --arithmetic xnnpack, which has a headroom of 9.0 here")
    assert "--model ae" in text
    text = advice(found(0.5, xnnpack=9, front_end="NumPy"), bundle)
    assert text is not None
    assert text.startswith("Build the C front end, which `edge-asd doctor` explains; or quantise anew")
    assert "--model ae" not in text
    assert replace(found(3), start_s=None).headroom == pytest.approx(3)


@pytest.mark.parametrize(("busy", "cores", "told"), [(0.3, 1, False), (1.0, 1, True), (1.2, 2, False), (1.5, 2, True)])
def test_other_programs_that_take_the_processor_are_told(busy: float, cores: int, told: bool) -> None:
    text = disturbance(busy, cores)
    assert (text is not None) == told
    assert text is None or f"({busy:.1f} of {cores} core{'s' * (cores > 1)})" in text
