"""Mutated WAV files: an `AudioFormatError` or a recording, never anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_asd.audio.recording_file import Recording, read_recording
from edge_asd.errors import AudioFormatError
from tests.audio.wav_files import chunk, extensible, fmt, pcm16, riff

SAMPLES = np.random.default_rng(4).integers(-32768, 32768, 200, dtype=np.int16)


@given(
    edits=st.lists(st.tuples(st.integers(0, 79), st.integers(0, 255)), min_size=1, max_size=6),
    base=st.sampled_from(["plain", "extensible", "float"]),
    cut=st.integers(0, 400),
)
@example(edits=[(0, ord("R"))], base="plain", cut=0)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_mutated_headers_give_an_error_or_sound(edits, base: str, cut: int, tmp_path_factory) -> None:
    data = bytearray(
        {
            "plain": riff(fmt(), chunk(b"LIST", b"info"), chunk(b"data", pcm16(SAMPLES))),
            "extensible": riff(extensible(channels=2), chunk(b"data", pcm16(SAMPLES))),
            "float": riff(fmt(tag=3, bits=32), chunk(b"data", (SAMPLES[:100] / np.float32(32768)).tobytes())),
        }[base]
    )
    for offset, value in edits:
        data[offset % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "mutated.wav"
    path.write_bytes(bytes(data[: len(data) - cut] if cut < 100 else data))
    _error_or_sound(path, len(data))


@given(data=st.binary(max_size=200))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_random_chunks_give_an_error_or_sound(data: bytes, tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "random.wav"
    path.write_bytes(riff(fmt(), data))
    _error_or_sound(path, len(data))


def _error_or_sound(path: Path, size: int) -> None:
    try:
        recording = read_recording(path)
    except AudioFormatError:
        return
    assert isinstance(recording, Recording)
    assert recording.pcm.dtype == np.int16
    assert recording.pcm.ndim == 1
    # No sample comes from nowhere: at 1 kHz, the lowest rate, a byte gives at most 8 samples.
    assert 1 <= recording.pcm.size <= 16 * size
