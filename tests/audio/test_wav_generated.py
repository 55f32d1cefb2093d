"""Generated WAV files: the samples that were put in, or a refusal that says what is true."""

from __future__ import annotations

from collections import Counter
from time import perf_counter

import numpy as np
import pytest

from edge_asd.audio.recording_file import read_recording
from edge_asd.errors import AudioFormatError
from tests.audio.wav_generator import KINDS, make


def check(seed: int) -> str:
    case = make(seed)
    channel = seed % max(1, case.samples.shape[1])
    about = f"seed {seed}: {case.kind}"
    refusal = ""
    try:
        recording = read_recording("clip.wav", sample_rate=case.rate, channel=channel, contents=case.data)
    except AudioFormatError as error:
        refusal = str(error)
    if refusal or case.reasons:
        assert any(reason in refusal for reason in case.reasons), f"{about}: {refusal or 'was read'}"
        return "refused"
    np.testing.assert_array_equal(recording.pcm, case.samples[:, channel], err_msg=about)
    notes = " ".join(recording.notes)
    assert case.note in notes if case.note else not notes, f"{about}: {notes!r}"
    return "read"


def test_generated_files_give_their_samples_or_a_true_reason() -> None:
    outcomes = Counter(check(seed) for seed in range(20 * len(KINDS)))
    assert min(outcomes["read"], outcomes["refused"]) > 100, outcomes


@pytest.mark.prove
def test_thousands_of_generated_files_give_their_samples_or_a_true_reason_within_a_second() -> None:
    slowest, outcomes = 0.0, Counter[str]()
    for seed in range(10_000, 15_100):
        start = perf_counter()
        outcomes[check(seed)] += 1
        slowest = max(slowest, perf_counter() - start)
    print(f"\n{outcomes['read']} read, {outcomes['refused']} refused, {slowest:.3f} s at most")
    assert slowest < 1
