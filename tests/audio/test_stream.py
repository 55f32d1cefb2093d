"""Blocks from arrays, pipes and other rates."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_asd.audio.raw import from_raw
from edge_asd.audio.stream import Resampler, from_recording, resample
from edge_asd.errors import AudioFormatError
from tests.audio.wav_files import chunk, fmt, pcm16, riff, tone

NOISE = np.random.default_rng(3).integers(-8000, 8000, 50_000, dtype=np.int16)


def batch(pcm: NDArray[np.int16], source_rate: int, sample_rate: int) -> NDArray[np.float32]:
    return soxr.resample(pcm.astype(np.float32), source_rate, sample_rate, quality="HQ")


@pytest.mark.parametrize("block", [1, 999, 1000, 50_000, 60_000])
def test_recordings_are_cut_without_loss(block: int) -> None:
    blocks = list(from_recording(NOISE[:5000], block))
    assert [b.size for b in blocks[:-1]] == [block] * (len(blocks) - 1)
    np.testing.assert_array_equal(np.concatenate(blocks), NOISE[:5000])


def test_recordings_of_another_kind_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="block must be at least 1"):
        from_recording(NOISE, 0)
    with pytest.raises(ValueError, match="pcm must be int16 with one axis, not float64 with 1"):
        from_recording(np.zeros(3), 1)


@pytest.mark.parametrize(("source", "target"), [(48000, 16000), (44100, 16000), (8000, 16000), (11025, 48000)])
@pytest.mark.parametrize("block", [37, 800, 100_000])
def test_a_resampled_stream_equals_the_whole_resampled(source: int, target: int, block: int) -> None:
    out = np.concatenate(list(resample(from_recording(NOISE, block), source, target)))
    whole = batch(NOISE, source, target)
    assert out.dtype == np.int16
    assert out.size == whole.size
    assert np.abs(out - whole).max() <= 1


def test_resampling_saturates_instead_of_wrapping() -> None:
    square = np.repeat(np.tile(np.array([32767, -32768], np.int16), 100), 50)
    resampler = Resampler(48000, 16000)
    out = np.concatenate([resampler.process(square), resampler.flush()])
    assert np.abs(batch(square, 48000, 16000)).max() > 33_000, (
        "the filter must overshoot for this test to mean something"
    )
    assert (out.min(), out.max()) == (-32768, 32767)


def test_equal_rates_pass_untouched_and_without_soxr() -> None:
    blocks = [NOISE[:10], NOISE[10:30]]
    assert all(a is b for a, b in zip(resample(blocks, 16000, 16000), blocks, strict=True))
    code = (
        "import io, sys, edge_asd.audio.recording_file, edge_asd.audio.microphone\n"
        "from edge_asd.audio.raw import from_raw\n"
        "list(from_raw(io.BytesIO(bytes(100)), source_rate=16000))\n"
        "print(sorted({'soxr', 'soundfile', 'sounddevice', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("rates", [(999, 16000), (16000, 0), (400_000, 16000)])
def test_rates_out_of_range_are_refused(rates: tuple[int, int]) -> None:
    with pytest.raises(AudioFormatError, match="cannot be used"):
        Resampler(*rates)
    with pytest.raises(AudioFormatError, match="cannot be used"):
        from_raw(io.BytesIO(), source_rate=rates[0], sample_rate=rates[1])


# --- raw bytes --------------------------------------------------------------------------------------------------------


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time, whole frames or not."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes, self._at, self._turn = data, sizes, 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = min(self._sizes[self._turn % len(self._sizes)], len(buffer))
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        self._turn += 1
        buffer[: len(piece)] = piece
        return len(piece)


@given(
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=9), channels=st.integers(1, 8), frames=st.integers(1, 300)
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_raw_bytes_in_any_pieces(sizes: list[int], channels: int, frames: int) -> None:
    sound = NOISE[: frames * channels].reshape(frames, channels)
    for file in (
        Trickle(pcm16(sound), sizes),
        io.BufferedReader(Trickle(pcm16(sound), sizes)),
        io.BytesIO(pcm16(sound)),
    ):
        blocks = list(from_raw(file, source_rate=16000, channels=channels, channel=channels - 1))
        np.testing.assert_array_equal(np.concatenate(blocks), sound[:, -1])
        assert all(block.dtype == np.int16 and block.size for block in blocks)


def test_raw_bytes_are_resampled() -> None:
    pcm = tone(440, 3, 44100)
    out = np.concatenate(list(from_raw(io.BytesIO(pcm16(pcm)), source_rate=44100)))
    assert np.abs(out - batch(pcm, 44100, 16000)).max() <= 1


@pytest.mark.parametrize(("channels", "extra", "whole"), [(1, 1, 100), (2, 1, 50), (2, 3, 50), (8, 15, 12)])
def test_a_frame_cut_in_half_is_told_after_all_the_sound(channels: int, extra: int, whole: int) -> None:
    heard: list[NDArray[np.int16]] = []
    data = pcm16(NOISE[: whole * channels]) + bytes(extra)
    with pytest.raises(AudioFormatError, match=rf"middle of a frame: {extra} byte\(s\) left over of {2 * channels}"):
        heard.extend(from_raw(io.BytesIO(data), source_rate=16000, channels=channels))
    assert np.concatenate(heard).size == whole


def test_a_stream_that_is_no_raw_sound_is_refused() -> None:
    wav = riff(fmt(), chunk(b"data", pcm16(NOISE)))
    for sizes in ([5], [1000]):
        with pytest.raises(AudioFormatError, match="starts with a WAV header"):
            list(from_raw(Trickle(wav, sizes), source_rate=16000))
    with pytest.raises(AudioFormatError, match="No sound came in"):
        list(from_raw(io.BytesIO(), source_rate=16000))
    with pytest.raises(AudioFormatError, match="middle of a frame"):
        list(from_raw(io.BytesIO(b"x"), source_rate=16000))
    assert [b.tolist() for b in from_raw(io.BytesIO(b"\1\0\2\0"), source_rate=16000)] == [[1, 2]]


def _mp3_frames(count: int) -> bytes:
    """Frames of MPEG-1 layer III, 128 kbit/s at 44.1 kHz: 417 bytes each."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * count


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"RF64\xff\xff\xff\xffWAVE", "an RF64"),
        (b"BW64\xff\xff\xff\xffWAVE", "a BW64"),
        (b"RIFX\0\0\1\0WAVE", "a RIFX"),
        (b"FORM\0\0\1\0AIFF", "an AIFF"),
        (b"FORM\0\0\1\0AIFC", "an AIFF"),
        (b".snd\0\0\0\x18", "an AU"),
        (b"caff\0\1\0\0", "a CAF"),
        (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", "a W64"),
        (b"fLaC\0\0\0\x22", "a FLAC"),
        (b"OggS\0\2", "an OGG"),
        (b"ID3\4\0\0\0\0\0\0", "an MP3"),
        (_mp3_frames(2)[:-4], "an MP3"),
        (b".SoX\0\0\0\x20", "a SoX"),
        (b"XoS.\x20\0\0\0", "a SoX"),
        (b"\0\0\0\x20ftypM4A ", "an MP4"),
        (b"\x1a\x45\xdf\xa3", "a Matroska"),
    ],
)
def test_a_stream_that_is_a_file_is_refused_by_its_name(first: bytes, name: str) -> None:
    """At once, before a sample is given, in whatever pieces it comes."""
    for sizes in ([1], [3, 500], [5000]):
        source = from_raw(Trickle(first + pcm16(NOISE[:1000]), sizes), source_rate=16000)
        with pytest.raises(AudioFormatError, match=f"starts with {name} .*Send samples only"):
            next(source)


@pytest.mark.parametrize("form", ["WAV", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"])
def test_what_libsndfile_writes_is_refused_as_a_stream(form: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, NOISE, 16000, format=form)
    with pytest.raises(AudioFormatError, match="Send samples only"):
        next(from_raw(io.BytesIO(file.getvalue()), source_rate=16000))


def test_quiet_samples_are_no_mp3() -> None:
    """-1025 begins an MP3 frame, and -1 nearly: without a second frame where it must be, they are sound."""
    for value in (-1, -1025, -1281, -3073, -7169):
        for second in (0, 144, 0x1090, 0x44A0):
            sound = np.full(3000, second, np.int16)
            sound[0] = value
            heard = np.concatenate(list(from_raw(Trickle(pcm16(sound), [7, 100]), source_rate=16000)))
            np.testing.assert_array_equal(heard, sound)
    short = _mp3_frames(1)[:40]
    heard = np.concatenate(list(from_raw(io.BytesIO(short), source_rate=16000)))
    assert pcm16(heard) == short


@pytest.mark.parametrize(("channels", "channel"), [(0, 0), (257, 0), (2, 2), (1, -1)])
def test_channels_out_of_range_are_refused_at_once(channels: int, channel: int) -> None:
    with pytest.raises(AudioFormatError, match="channel"):
        from_raw(io.BytesIO(bytes(10)), source_rate=16000, channels=channels, channel=channel)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_pipe_gives_sound_as_it_comes(blocking: bool) -> None:
    """Sound is handed on before the pipe is full or closed, also where a sibling left it non-blocking."""
    read, write = os.pipe()
    os.set_blocking(read, blocking)
    with os.fdopen(read, "rb") as file, os.fdopen(write, "wb", buffering=0) as pipe:
        source = from_raw(file, source_rate=16000)
        pipe.write(pcm16(NOISE[:100]))
        assert next(source).tolist() == NOISE[:100].tolist()
        later = threading.Timer(0.1, lambda: pipe.write(pcm16(NOISE[100:150])))
        later.start()
        assert next(source).tolist() == NOISE[100:150].tolist()
        later.join()
        pipe.close()
        assert list(source) == []
