from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edge_asd import frontend
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.autoencoder import AutoencoderDetector
from edge_asd.errors import BundleError
from edge_asd.interpreter import runtime_name
from edge_asd.selftest import OUTPUT_BOUND, SCORE_BOUND, selftest
from tests.cli.command import assert_error, edge_asd

STAGES = ["features", "model input", "model output", "window scores", "score"]


def with_golden(bundle: Bundle, **arrays: np.ndarray | None) -> Bundle:
    """Change golden vectors; None takes one away."""
    golden = {**bundle.golden_arrays(), **arrays}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: array for name, array in golden.items() if array is not None})
    return replace(bundle, golden=buffer.getvalue())


def changed(bundle: Bundle, name: str, by: int) -> Bundle:
    """Change one golden value, in the stretch of ordinary noise."""
    array = bundle.golden_arrays()[name].copy()
    place = tuple(n // 10 for n in array.shape)
    array[place] += by
    return with_golden(bundle, **{name: array})


def perturbed(bundle: Bundle) -> Bundle:
    """Zero a part of the largest layer's weights, as a faulty kernel or memory would."""
    interpreter = Interpreter(model_content=bundle.model)
    interpreter.allocate_tensors()
    details = [d for d in interpreter.get_tensor_details() if d["dtype"] == np.int8]
    weights = interpreter.get_tensor(max(details, key=lambda d: math.prod(d["shape"]))["index"]).tobytes()
    assert bundle.model.count(weights) == 1
    return replace(bundle, model=bundle.model.replace(weights, bytes(20_000) + weights[20_000:]))


def test_the_maker_is_equal_and_everything_is_compared(bundle):
    done = selftest(bundle)
    golden = bundle.golden_arrays()
    assert (done.verdict, done.advice) == ("equal", None)
    assert [(s.verdict, s.differing, s.largest_difference) for s in done.stages] == [("equal", 0, 0)] * 5
    assert [s.values for s in done.stages] == [
        golden[name].size for name in ("features", "model_input", "model_output", "window_scores", "score")
    ]
    assert [s.bound for s in done.stages] == [0, 0, OUTPUT_BOUND, 0, SCORE_BOUND]
    assert done.made_with == done.runtime == runtime_name()
    assert (done.arithmetic, done.front_end) == ("litert-ref", frontend.describe())


@pytest.mark.parametrize(
    ("name", "by", "wrong"),
    [
        ("pcm", 1, {"features"}),
        ("features", 1 << 20, {"features", "model input", "window scores"}),
        ("model_input", 1, {"model input"}),
        ("model_output", OUTPUT_BOUND, {"window scores"}),
        ("model_output", OUTPUT_BOUND + 1, {"model output", "window scores"}),
        ("window_scores", 1, {"window scores"}),
        ("score", 1, set()),
    ],
)
def test_a_changed_golden_value_is_found_where_it_is(bundle, name, by, wrong):
    done = selftest(changed(bundle, name, by))
    assert {stage.name for stage in done.stages if stage.verdict == "wrong"} == wrong
    assert done.verdict == ("wrong" if wrong else "close")
    assert (done.advice is None) == (not wrong)


@pytest.mark.parametrize(("share", "verdict"), [(SCORE_BOUND * 0.9, "close"), (SCORE_BOUND * 1.1, "wrong")])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_score_is_close_up_to_its_bound(bundle, share, verdict, sign):
    by = sign * round(int(bundle.golden_arrays()["score"]) * share)
    done = selftest(changed(bundle, "score", by))
    assert done.verdict == done.stages[-1].verdict == verdict
    assert done.stages[-1].largest_difference == pytest.approx(share, rel=1e-3)
    assert (done.advice is None) == (verdict == "close")


@pytest.mark.parametrize("arithmetic", ["xnnpack", "litert-builtin"])
def test_another_arithmetic_is_close_with_its_measured_difference(bundle, arithmetic):
    other = replace(bundle, model_arithmetic=arithmetic)
    done = selftest(other)
    golden = bundle.golden_arrays()
    detector = AutoencoderDetector(other)
    difference = np.abs(detector.run(detector.windows(golden["model_input"])).astype(int) - golden["model_output"])
    stage = done.stages[2]
    assert (stage.differing, stage.largest_difference) == ((difference != 0).sum(), difference.max())
    assert done.arithmetic == arithmetic
    assert done.verdict == ("close" if difference.any() else "equal")
    if arithmetic == "litert-builtin":
        assert done.verdict == "close"


def test_a_perturbed_model_is_wrong_and_says_what_to_do(bundle):
    done = selftest(perturbed(bundle))
    assert {stage.name: stage.verdict for stage in done.stages if stage.verdict != "equal"} == {
        "model output": "wrong",
        "score": "wrong",
    }
    assert done.verdict == "wrong"
    assert "pip install --upgrade ai-edge-litert" in done.advice
    assert "--arithmetic" in done.advice


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"score": None}, "lacks 'score'"),
        ({"pcm": np.zeros(32, np.int16)}, "'pcm' is int16"),
        ({"pcm": np.zeros((2, 20480), np.int16)}, r"'pcm' is int16 \(2, 20480\)"),
        ({"features": np.zeros((40, 128))}, "'features' is float64"),
        ({"features": np.zeros((39, 128), np.int32)}, r"'features' is int32 \(39, 128\)"),
        ({"model_input": np.zeros((40, 127), np.int8)}, "'model_input' is int8"),
        ({"model_output": np.zeros((36, 639), np.int8)}, r"'model_output' is int8 \(36, 639\)"),
        ({"model_output": np.zeros((1, 640), np.int8)}, r"'model_output' is int8 \(1, 640\)"),
        ({"window_scores": np.zeros(0, np.int32)}, "'window_scores' is int32"),
        ({"score": np.zeros(1, np.int64)}, "'score' is int64"),
    ],
)
def test_golden_vectors_that_do_not_fit_are_an_error(bundle, arrays, message):
    with pytest.raises(BundleError, match=message):
        selftest(with_golden(bundle, **arrays))


@pytest.mark.parametrize("provenance", [{}, {"versions": 3}, {"versions": {}}])
def test_a_bundle_that_does_not_say_where_it_was_made_is_tested_all_the_same(bundle, provenance):
    done = selftest(replace(bundle, provenance=provenance))
    assert (done.verdict, done.made_with) == ("equal", "")


# --- The command


def test_the_command_says_what_it_saw(bundle_path):
    done = edge_asd("selftest", bundle_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    name = runtime_name()
    assert lines[0] == f"Runtime {name}, arithmetic litert-ref, made with {name}; front end {frontend.describe()}."
    assert lines[2].split() == ["equal", "features", "5,120", "values"]
    assert lines[-1] == "This device is EQUAL."
    document = json.loads(edge_asd("selftest", bundle_path, "--json").stdout)
    assert document["verdict"] == "equal"
    assert (document["runtime"], document["front_end"]) == (name, frontend.describe())
    assert [stage["name"] for stage in document["stages"]] == STAGES


def test_the_command_exits_with_1_where_something_is_wrong(bundle, tmp_path):
    path = tmp_path / "fan.easd"
    perturbed(bundle).save(path)
    done = edge_asd("selftest", path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "bound 8 LSB" in done.stdout
    assert "This device is WRONG. This runtime computes something else" in done.stdout
    done = edge_asd("selftest", path, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["advice"].startswith("This runtime computes something else")


def test_a_file_that_is_no_bundle_is_an_error(tmp_path):
    (tmp_path / "x.easd").write_bytes(b"x")
    assert_error(edge_asd("selftest", tmp_path / "x.easd"), "x.easd")
