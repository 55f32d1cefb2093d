"""The firmware decides as the monitor's engine does, on the same sound and window scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_asd.audio.health import clipped_places
from edge_asd.bundle.bundle import Bundle
from edge_asd.detectors.loading import load_detector
from edge_asd.frontend import log_mel
from edge_asd.frontend.spec import FeatureSpec
from edge_asd.monitor.engine import Engine
from tests.firmware_export.c_library import ffi, lib, samples
from tests.firmware_export.sounds import Pcm, blocks, sound, sounds

Decided = list[tuple[int, int, bool]]


class CDecisions:
    """`Engine`'s decisions by the C; `windows` may be heard before they are scored."""

    def __init__(self, bundle: Bundle, interval: int, windows: int = 1) -> None:
        spec = bundle.features
        self.threshold = bundle.thresholds["00"].score
        hop, span = bundle.window_hop, bundle.score_window_frames
        self.config = ffi.new(
            "edge_asd_decisions_config *",
            (spec.sample_rate, spec.n_fft, spec.hop_length, bundle.window_frames, hop, span, interval),
        )
        self.ring = ffi.new("int32_t[]", lib.windows_per_score(bundle.window_frames, hop, span))
        assert len(self.ring) == bundle.windows_per_score
        self.queue = ffi.new(
            "edge_asd_waiting[]", lib.waiting(spec.sample_rate, spec.hop_length, hop, interval, windows)
        )
        self.state = ffi.new("edge_asd_decisions *")
        for waiting in self.queue:  # what was in the memory before plays no part
            waiting.end, waiting.withheld = ends(bundle, 1)[0], True
        assert self.init(len(self.ring), len(self.queue))
        self.most = 0

    def init(self, ring: int, queue: int) -> bool:
        return bool(lib.edge_asd_decisions_init(self.state, self.config, self.ring, ring, self.queue, queue))

    def hear(self, pcm: Pcm) -> None:
        assert lib.edge_asd_decisions_hear(self.state, samples(pcm), pcm.size) == pcm.size
        self.most = max(self.most, self.state.used)

    def score(self, scores: list[int]) -> None:
        for score in scores:
            assert lib.edge_asd_decisions_score(self.state, score)

    def next(self) -> Decided:
        decision, found = ffi.new("edge_asd_decision *"), []
        while lib.edge_asd_decisions_next(self.state, self.threshold, decision):
            found.append((decision.end, decision.score, decision.anomaly))
        return found

    def finish(self) -> Decided:
        lib.edge_asd_decisions_finish(self.state)
        return self.next()


def decided(bundle: Bundle, decisions: list[Any]) -> Decided:
    return [(round(d.time_s * bundle.features.sample_rate), d.score, d.anomaly) for d in decisions]


def engine_for(bundle: Bundle, interval: int) -> Engine:
    spec = bundle.features
    return Engine(bundle, "00", interval_s=interval * spec.hop_length / spec.sample_rate)


def window_scores(bundle: Bundle, pcm: Pcm) -> list[int]:
    scores: list[int] = load_detector(bundle).window_scores(log_mel(pcm, bundle.features), "00").tolist()
    return scores


def ends(bundle: Bundle, count: int) -> list[int]:
    """Where windows end, in samples."""
    return [bundle.features.sample_count(bundle.window_frames + i * bundle.window_hop) for i in range(count)]


def prove_in_blocks(bundle: Bundle, pcm: Pcm, interval: int, seed: int, usual: int) -> tuple[int, int]:
    """The two agree after every block; return how many decisions were made and withheld."""
    scores = window_scores(bundle, pcm)
    places = ends(bundle, len(scores))
    engine, c = engine_for(bundle, interval), CDecisions(bundle, interval, windows=len(scores))
    heard, scored, found = 0, 0, 0
    for block in blocks(pcm, seed, usual):
        c.hear(block)
        heard += block.size
        complete = int(np.searchsorted(places, heard, side="right"))
        c.score(scores[scored:complete])
        scored = complete
        expected = decided(bundle, engine.push(block))
        assert c.next() == expected
        assert (c.state.withheld, lib.edge_asd_decisions_is_dead(c.state)) == (engine.withheld, engine.dead)
        found += len(expected)
    last = decided(bundle, engine.finish())
    assert c.finish() == last
    assert c.state.withheld == engine.withheld
    assert c.state.clipped == clipped_places(pcm).size
    return found + len(last), engine.withheld


def by_windows(bundle: Bundle, pcm: Pcm, interval: int, windows: int) -> tuple[Decided, int, CDecisions]:
    """Decide as firmware does, so many windows together; return decisions, the number withheld and the state."""
    scores = window_scores(bundle, pcm)
    c, found, heard = CDecisions(bundle, interval, windows), [], 0
    for i, end in enumerate(ends(bundle, len(scores))):
        c.hear(pcm[heard:end])
        heard = end
        found += c.next()
        if (i + 1) % windows == 0 or i == len(scores) - 1:
            c.score(scores[i - i % windows : i + 1])
            found += c.next()
    c.hear(pcm[heard:])
    return found + c.next() + c.finish(), c.state.withheld, c


def prove_by_windows(bundle: Bundle, pcm: Pcm, interval: int, windows: int) -> None:
    engine = engine_for(bundle, interval)
    expected = decided(bundle, engine.push(pcm)) + decided(bundle, engine.finish())
    assert by_windows(bundle, pcm, interval, windows)[:2] == (expected, engine.withheld)


def variants(draw: Callable[..., Any], bundle: Bundle) -> Bundle:
    """The committed bundle with other frames and windows, which its detector scores all the same."""
    rate, n_fft, hop = draw(
        st.sampled_from([(16_000, 1024, 512)] * 3 + [(8000, 2048, 2048), (11025, 512, 333), (48_000, 512, 512)])
    )
    return replace(
        bundle,
        features=replace(bundle.features, sample_rate=rate, n_fft=n_fft, hop_length=hop),
        window_hop=draw(st.sampled_from([1, 1, 2, 3, 5])),
        score_window_frames=draw(st.sampled_from([5, 6, 12, 24])),
    )


def prove(bundle: Bundle, examples: int, most: int) -> None:
    total = np.zeros(2, np.int64)

    @settings(max_examples=examples)
    @given(st.data())
    def prove_one(data: st.DataObject) -> None:
        variant = variants(data.draw, bundle)
        rate, interval = variant.features.sample_rate, data.draw(st.sampled_from([1, 1, 2, 3, 4, 7, 31]))
        pcm = data.draw(sounds(rate, most=most))
        pcm = np.concatenate([pcm, np.arange(variant.features.n_fft, dtype=np.int16)])
        usual = data.draw(st.sampled_from([200, rate // 2, 9 * rate]))
        total[:] += prove_in_blocks(variant, pcm, interval, data.draw(st.integers(0, 999)), usual)
        prove_by_windows(variant, pcm, interval, data.draw(st.sampled_from([1, 1, 2, 4])))

    prove_one()
    print(f"\n{total[0]} decisions, {total[1]} withheld")
    assert (total > 8 * examples).all()


def test_decisions_are_the_engines(bundle: Bundle) -> None:
    prove(bundle, 20, most=20)


@pytest.mark.prove
def test_decisions_are_the_engines_on_hours_of_sound(bundle: Bundle) -> None:
    prove(bundle, 1000, most=40)


def test_a_line_that_ends_alive_is_not_taken_for_the_dead_one_after_it(bundle: Bundle) -> None:
    """A decision waits for the first of two lines, and both end before the next decision comes up."""
    bundle = replace(bundle, score_window_frames=5)
    pcm = np.random.default_rng(2).integers(-2000, 2000, 20_000).astype(np.int16)
    end = bundle.score_samples
    pcm[end - 400 : end + 200], pcm[end + 200 : end + 9000] = 0, 1000
    for usual in (pcm.size, 100):
        assert prove_in_blocks(bundle, pcm, 31, 1, usual) == (2, 0)


def test_decisions_on_a_section_classifier_are_the_engines(section_bundle: Bundle) -> None:
    noise = np.random.default_rng(4).integers(-2000, 2000, 60_000).astype(np.int16)
    line = np.zeros(16_000, np.int16)
    pcm = np.concatenate([noise, line[:7000], noise[:20_000], line, noise])
    made, withheld = prove_in_blocks(section_bundle, pcm, 5, 1, 8000)
    assert min(made, withheld) > 5
    prove_by_windows(section_bundle, pcm, 5, 1)


@pytest.mark.parametrize("hop_length", [100, 512])
def test_the_queue_is_as_long_as_a_line_makes_decisions_wait(bundle: Bundle, hop_length: int) -> None:
    """The longest line that is not dead, clicks and all, wherever it starts: it fills the queue."""
    bundle = replace(bundle, features=replace(bundle.features, hop_length=hop_length), score_window_frames=5)
    noise = np.random.default_rng(1).integers(-2000, 2000, 60_000).astype(np.int16)
    most = []
    for start in range(20_000, 20_000 + hop_length, 3):
        pcm = noise.copy()
        pcm[start : start + 7999] = 0
        c = CDecisions(bundle, 1)
        step, place = hop_length, ends(bundle, 1)[0]
        c.hear(pcm[:place])
        while place + step < 32_000:
            c.score([0])
            c.next()
            c.hear(pcm[place : place + step])
            place += step
        most.append(c.most)
        assert c.state.withheld == 0
    assert max(most) == len(c.queue)


def test_a_full_queue_takes_no_more_sound_and_loses_nothing(bundle: Bundle) -> None:
    pcm = sound(np.random.default_rng(11), 16_000, 60, ("noise", "noise", "constant", "dither", "click"))
    engine, scores = engine_for(bundle, 1), window_scores(bundle, pcm)
    expected = decided(bundle, engine.push(pcm)) + decided(bundle, engine.finish())
    c, places = CDecisions(bundle, 1), ends(bundle, len(scores))
    heard, scored, found = 0, 0, []
    while heard < pcm.size:
        rest = np.ascontiguousarray(pcm[heard:])
        heard += (used := lib.edge_asd_decisions_hear(c.state, samples(rest), rest.size))
        assert used > 0
        while scored < len(scores) and places[scored] <= heard:
            c.score([scores[scored]])
            scored += 1
        found += c.next()
    assert found + c.finish() == expected
    assert c.state.withheld == engine.withheld


def test_only_a_score_above_the_threshold_is_anomalous(bundle: Bundle) -> None:
    c = CDecisions(replace(bundle, score_window_frames=5), 1, windows=3)
    scores = [c.threshold - 1, c.threshold, c.threshold + 1]
    pcm = np.random.default_rng(2).integers(-2000, 2000, ends(bundle, 3)[-1]).astype(np.int16)
    c.hear(pcm)
    c.score(scores)
    assert [(score, anomaly) for _, score, anomaly in c.next()] == list(zip(scores, [False, False, True], strict=True))


def test_a_score_before_its_sound_is_refused(bundle: Bundle) -> None:
    c = CDecisions(bundle, 1)
    c.hear(np.zeros(ends(bundle, 1)[0] - 1, np.int16))
    assert not lib.edge_asd_decisions_score(c.state, 0)
    c.hear(np.zeros(1, np.int16))
    assert lib.edge_asd_decisions_score(c.state, 0)
    assert not lib.edge_asd_decisions_score(c.state, 0)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("sample_rate", [0, 7999, 48001]),
        ("n_fft", [0, 511, 2049]),
        ("hop_length", [0, 1025]),
        ("window_frames", [0, 32769]),
        ("window_hop", [0, 6]),
        ("score_window_frames", [4, 1_000_001]),
        ("interval_frames", [0, 2**31 + 1]),
    ],
)
def test_a_configuration_out_of_range_is_refused(bundle: Bundle, field: str, values: list[int]) -> None:
    c = CDecisions(bundle, 1)
    good = getattr(c.config, field)
    for value in values:
        setattr(c.config, field, value)
        assert not c.init(2**40, 99)
    setattr(c.config, field, good)
    assert c.init(len(c.ring), 1)
    assert not c.init(len(c.ring) - 1, 1)
    assert not c.init(len(c.ring), 0)


def test_the_longest_interval(bundle: Bundle) -> None:
    c = CDecisions(bundle, 2**31)
    first = bundle.features.sample_count(bundle.window_frames + bundle.windows_per_score - 1)
    assert c.state.next_end == first
    c.hear(np.ones(first, np.int16))
    assert c.state.next_end == first + 2**31 * bundle.features.hop_length


def test_after_weeks_decisions_are_as_at_first(bundle: Bundle) -> None:
    """Places beyond 32 bits: the same decisions as many samples earlier, moved."""
    pcm = sound(np.random.default_rng(8), 16_000, 60, ("noise", "noise", "constant", "dither", "click"))
    scores, places = window_scores(bundle, pcm), ends(bundle, 10**6)
    results = []
    for start in (0, 2**32 - 60_000):
        c, found, heard = CDecisions(bundle, 3), [], 0
        for name in ("next_end", "window_end"):
            setattr(c.state, name, getattr(c.state, name) + start)
        c.state.line.count += start
        for end, score in zip(places, scores, strict=False):
            c.hear(pcm[heard:end])
            c.score([score])
            found += [(end - start, score, anomaly) for end, score, anomaly in c.next()]
            heard = end
        results.append((found, c.state.withheld))
    assert results[0] == results[1]
    assert len(results[0][0]) > 20
    assert results[0][1] > 20


def test_sizes_of_the_spec() -> None:
    """`FeatureSpec` allows what the C takes as valid, no more: one window and click fit a frame."""
    spec = FeatureSpec(48_000, 512, 512)
    assert spec.sample_rate // 100 + spec.sample_rate // 2000 <= spec.n_fft
