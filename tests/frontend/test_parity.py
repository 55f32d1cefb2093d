"""NumPy and C on this machine: the same bits, whole clips and streams, for any sound and specification."""

from __future__ import annotations

import copy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_asd.errors import EdgeAsdError
from edge_asd.frontend import fixed_point, numpy_stream
from edge_asd.frontend.spec import FeatureSpec
from tests.frontend.signals import Pcm, cases, pcm, real_clips

native = pytest.importorskip("edge_asd.frontend.native", reason="the C front end is not built", exc_type=ImportError)

SPECS = st.builds(
    lambda rate, n_fft, hop, mels: FeatureSpec(rate, n_fft, max(1, round(hop * n_fft)), mels),
    st.integers(8000, 48000),
    st.sampled_from([512, 1024, 2048]),
    st.floats(0.05, 1.0),
    st.integers(16, 128),
)


@st.composite
def sounds(draw: st.DrawFn) -> Pcm:
    """Any samples at all; noise with sudden level changes; or loud tones over faint noise."""
    size = draw(st.integers(0, 9000))
    kind = draw(st.sampled_from(["any", "levels", "tones"]))
    if kind == "any":
        largest = 2 ** draw(st.integers(0, 15))
        pattern = draw(hnp.arrays(np.int16, st.integers(1, 64), elements=st.integers(-largest, largest - 1)))
        return np.resize(pattern, size)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if kind == "levels":
        levels = draw(st.lists(st.integers(-2, 16), min_size=1, max_size=6))
        return pcm(rng.normal(size=size) * np.repeat(2.0 ** np.array(levels), -(-size // len(levels)))[:size])
    i = np.arange(size)
    x = rng.normal(scale=draw(st.floats(0, 10)), size=size)
    for _ in range(draw(st.integers(1, 3))):
        x += draw(st.floats(0, 40000)) * np.sin(i * draw(st.floats(0, np.pi)) + 1)
    return pcm(x)


def assert_equal_everywhere(x: Pcm, spec: FeatureSpec) -> None:
    expected = fixed_point.log_mel(x, spec)
    for instructions in native.INSTRUCTIONS:
        np.testing.assert_array_equal(native.log_mel(x, spec, instructions=instructions), expected, instructions)


@given(sounds(), SPECS)
@settings(max_examples=80, deadline=None)
def test_any_sound_and_specification(x: Pcm, spec: FeatureSpec) -> None:
    assert_equal_everywhere(x, spec)


@given(sounds(), SPECS, st.lists(st.integers(0, 3000), min_size=1, max_size=20), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_pieces(x: Pcm, spec: FeatureSpec, sizes: list[int], reset: bool) -> None:
    expected = fixed_point.log_mel(x, spec)
    pieces = np.split(x, np.minimum(np.cumsum(sizes), x.size))
    for stream in (native.Stream(spec), numpy_stream.Stream(spec)):
        if reset:
            stream.push(np.arange(5000, dtype=np.int16))
            stream.reset()
        frames = np.concatenate([stream.push(piece) for piece in pieces])
        np.testing.assert_array_equal(frames, expected)


@pytest.mark.parametrize("n_fft", [512, 1024, 2048])
def test_every_kind_of_signal(n_fft: int) -> None:
    spec = FeatureSpec(n_fft=n_fft)
    x = np.concatenate(list(cases(spec).values()))
    assert spec.frame_count(x.size) > 400
    assert_equal_everywhere(x, spec)


def test_real_clips() -> None:
    for x in list(real_clips().values())[::16]:
        assert_equal_everywhere(x, FeatureSpec())


@pytest.mark.prove
def test_all_real_clips_and_all_kinds_of_signals() -> None:
    spec = FeatureSpec()
    frames = 0
    for seed in range(60):
        x = np.concatenate(list(cases(spec, seed=seed).values()))
        assert_equal_everywhere(x, spec)
        frames += spec.frame_count(x.size)
    for x in real_clips().values():
        assert_equal_everywhere(x, spec)
        frames += spec.frame_count(x.size)
    print(f"\n{frames} frames, NumPy = C ({', '.join(native.INSTRUCTIONS)}) on this machine")
    assert frames >= 20000


@pytest.mark.parametrize("frames", range(19))
def test_every_remainder_of_a_block(frames: int) -> None:
    spec = FeatureSpec(hop_length=100, n_mels=37)
    x = np.random.default_rng(frames).integers(-32768, 32768, spec.sample_count(frames) + 99).astype(np.int16)
    assert native.log_mel(x, spec).shape == (frames, 37)
    assert_equal_everywhere(x, spec)


def test_strided_and_read_only_samples() -> None:
    x = np.random.default_rng(0).integers(-32768, 32768, 6000).astype(np.int16)
    every_other = x[::2]
    x.setflags(write=False)
    np.testing.assert_array_equal(native.log_mel(every_other), fixed_point.log_mel(every_other))
    np.testing.assert_array_equal(native.log_mel(x), fixed_point.log_mel(x))
    np.testing.assert_array_equal(native.Stream().push(every_other), fixed_point.log_mel(every_other))


@pytest.mark.parametrize("wrong", [np.zeros(2000), np.zeros((2, 2000), np.int16), np.zeros(2000, ">i2")])
def test_other_samples_are_refused(wrong: np.ndarray) -> None:
    for take in (native.log_mel, fixed_point.log_mel, native.Stream().push, numpy_stream.Stream().push):
        with pytest.raises(EdgeAsdError, match="takes mono int16 samples"):
            take(wrong)


def test_unknown_instructions_are_refused() -> None:
    with pytest.raises(EdgeAsdError, match=r"has no .mmx.; it has .*plain"):
        native.log_mel(np.zeros(2000, np.int16), instructions="mmx")


def test_history_is_never_longer_than_a_frame() -> None:
    stream = numpy_stream.Stream()
    for size in (0, 1, 1023, 5000, 160_000, 511):
        stream.push(np.ones(size, np.int16))
        assert stream._history.size < 1024
    assert native.ffi.sizeof(native.Stream()._memory) == 24 + 6 * 1024  # the transform and one frame


def test_an_interrupted_stream_starts_anew() -> None:
    program = (
        "import threading, _thread, numpy as np\n"
        "from edge_asd.frontend.native import Stream, log_mel\n"
        "stream, x = Stream(), np.ones(20_000_000, np.int16)\n"
        "threading.Timer(0.05, _thread.interrupt_main).start()\n"
        "try: stream.push(x); print('not interrupted')\n"
        "except KeyboardInterrupt: pass\n"
        "got = np.concatenate([stream.push(x[:n]) for n in range(1, 1024, 50)])\n"
        "print(np.array_equal(got, log_mel(x[: sum(range(1, 1024, 50))])))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_a_stream_is_not_copied_and_may_be_shared_by_threads() -> None:
    stream = native.Stream()
    with pytest.raises(EdgeAsdError, match="cannot be copied"):
        copy.copy(stream)
    x = np.random.default_rng(0).integers(-9000, 9000, 1_600_000, dtype=np.int16)
    with ThreadPoolExecutor(4) as pool:
        pushed = [pool.submit(stream.push, part) for part in np.array_split(x, 50)]
    # In which order the parts went in is nobody's promise; that none was lost is.
    assert sum(len(future.result()) for future in pushed) == FeatureSpec().frame_count(x.size)
