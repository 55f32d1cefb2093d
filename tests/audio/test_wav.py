"""WAV files, honest and hostile."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.riff import read_header
from edge_asd.errors import AudioFormatError
from tests.audio.wav_files import chunk, extensible, fmt, pcm16, riff, tone

SAMPLES = np.random.default_rng(1).integers(-32768, 32768, 1000, dtype=np.int16)
GOOD = riff(fmt(), chunk(b"data", pcm16(SAMPLES)))


@pytest.fixture
def wav(tmp_path: Path):
    """Write bytes as a WAV file and return its path."""

    def write(data: bytes) -> Path:
        path = tmp_path / "clip.wav"
        path.write_bytes(data)
        return path

    return write


def refused(path: Path, words: str, **options: int) -> None:
    """Expect an error that names the path and says `words`, in one paragraph."""
    with pytest.raises(AudioFormatError, match=words) as caught:
        read_recording(path, **options)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param(riff(extensible(), chunk(b"data", pcm16(SAMPLES))), id="extensible"),
        pytest.param(
            riff(chunk(b"LIST", b"abc"), fmt(), chunk(b"junk", b""), chunk(b"data", pcm16(SAMPLES))), id="chunks"
        ),
        pytest.param(riff(fmt(), chunk(b"data", pcm16(SAMPLES)), chunk(b"LIST", b"x" * 30)), id="chunk after data"),
        pytest.param(
            riff(fmt(), chunk(b"data", pcm16(SAMPLES), length=0xFFFFFFFF), length=0xFFFFFFFF), id="ffmpeg pipe"
        ),
        pytest.param(riff(fmt(), chunk(b"data", pcm16(SAMPLES), length=0), length=8), id="unclosed recorder"),
        pytest.param(riff(fmt(), chunk(b"data", pcm16(SAMPLES), length=0x7FFFF000), length=0x7FFFF024), id="sox pipe"),
        pytest.param(
            riff(fmt(), chunk(b"data", pcm16(SAMPLES), length=1 << 31), length=(1 << 31) + 36), id="arecord pipe"
        ),
    ],
)
def test_16_bit_files_come_back_bit_for_bit(wav, data: bytes) -> None:
    recording = read_recording(wav(data))
    assert recording.pcm.dtype == np.int16
    np.testing.assert_array_equal(recording.pcm, SAMPLES)
    assert (recording.file_rate, recording.file_channels, recording.subtype) == (16000, 1, "PCM_16")
    assert (recording.sample_rate, recording.channel, recording.saturated) == (16000, 0, 0)
    assert recording.seconds == 1000 / 16000


def test_no_header_that_is_read_means_anything_else_to_libsndfile(wav) -> None:
    """Each byte of the header changed to values of all kinds: what is read without a note, libsndfile reads alike."""
    same = 0
    for at in range(44):
        for value in {0, 1, 2, 3, 4, 8, 16, 24, 32, 40, 127, 128, 254, 255, GOOD[at] ^ 1, GOOD[at] ^ 16}:
            data = bytearray(GOOD)
            data[at] = value
            path = wav(bytes(data))
            try:
                recording = read_recording(path, sample_rate=16000)
            except AudioFormatError:
                continue
            if recording.notes:
                continue
            theirs, rate = soundfile.read(path, dtype="int16", always_2d=True)
            assert (recording.file_rate, recording.file_channels) == (rate, theirs.shape[1])
            if rate == 16000:
                np.testing.assert_array_equal(recording.pcm, theirs[:, 0])
                same += 1
    assert same > 100


def test_a_file_that_shrinks_while_it_is_read_is_refused(wav, monkeypatch) -> None:
    path = wav(riff(fmt(), chunk(b"data", pcm16(np.tile(SAMPLES, 50)))))

    def read_and_truncate(file, *bounds):  # type: ignore[no-untyped-def]
        header = read_header(file, *bounds)
        assert header.frames == 50_000
        os.truncate(path, 60_000)
        return header

    monkeypatch.setattr("edge_asd.audio.recording_stream.read_header", read_and_truncate)
    refused(path, "ended at sample 29978 of 50000 while it was read")


def test_a_channel_of_eight(tmp_path: Path) -> None:
    data = np.random.default_rng(2).integers(-32768, 32768, (40_000, 8), dtype=np.int16)
    path = tmp_path / "eight.wav"
    soundfile.write(path, data, 16000, subtype="PCM_16")
    for channel in (0, 7):
        recording = read_recording(path, channel=channel)
        np.testing.assert_array_equal(recording.pcm, data[:, channel])
        assert recording.pcm.flags.c_contiguous
        assert (recording.file_channels, recording.channel) == (8, channel)
    refused(path, "8 channels, 0 to 7; there is no channel 8", channel=8)
    refused(path, "there is no channel -1", channel=-1)


INT32_EDGES = [
    (0, 0),
    (0x7FFF, 0),
    (0x8000, 1),
    (-0x8000, 0),
    (-0x8001, -1),
    (0x7FFF_7FFF, 32767),
    (0x7FFF_8000, 32767),
    (-0x8000_0000, -32768),
]


def test_32_bit_integers_are_rounded_and_saturate(wav) -> None:
    values, expected = zip(*INT32_EDGES, strict=True)
    recording = read_recording(wav(riff(fmt(bits=32), chunk(b"data", struct.pack(f"<{len(values)}i", *values)))))
    np.testing.assert_array_equal(recording.pcm, expected)
    assert (recording.subtype, recording.saturated) == ("PCM_32", 1)


def test_24_bit_integers_are_rounded_and_saturate(wav) -> None:
    values = [0, 127, 128, -128, -129, 0x7FFF7F, 0x7FFF80, -0x800000]
    body = b"".join(value.to_bytes(3, "little", signed=True) for value in values)
    recording = read_recording(wav(riff(extensible(bits=24), chunk(b"data", body))))
    np.testing.assert_array_equal(recording.pcm, [0, 0, 1, 0, -1, 32767, 32767, -32768])
    assert (recording.subtype, recording.saturated) == ("PCM_24", 1)


@pytest.mark.parametrize(("bits", "code", "subtype"), [(32, "f", "FLOAT"), (64, "d", "DOUBLE")])
def test_floats_are_rounded_and_saturate(wav, bits: int, code: str, subtype: str) -> None:
    values = [0.0, 1.5 / 32768, 2.5 / 32768, -1.0, 1.0, 3.5, -3.5, 0.5]
    data = riff(fmt(tag=3, bits=bits), chunk(b"data", struct.pack(f"<8{code}", *values)))
    recording = read_recording(wav(data))
    np.testing.assert_array_equal(recording.pcm, [0, 2, 2, -32768, 32767, 32767, -32768, 16384])
    assert (recording.subtype, recording.saturated, recording.largest) == (subtype, 3, 3.5)


@pytest.mark.parametrize(("bits", "code"), [(32, "f"), (64, "d")])
def test_a_rare_huge_float_saturates(wav, bits: int, code: str) -> None:
    values = [1e30] + [0.25] * 999
    data = riff(fmt(tag=3, bits=bits), chunk(b"data", struct.pack(f"<1000{code}", *values)))
    recording = read_recording(wav(data))
    assert recording.pcm.tolist() == [32767] + [8192] * 999
    assert recording.beyond == 0.001


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize(("bits", "code"), [(32, "f"), (64, "d")])
@pytest.mark.parametrize(("scale", "advice"), [(600, "Divide them by 32768"), (1e7, "Scale them")])
def test_floats_of_another_scale_are_refused(wav, rate: int, bits: int, code: str, scale: float, advice: str) -> None:
    values = np.rint(np.random.default_rng(10).normal(size=20_000) * scale)
    data = riff(fmt(tag=3, bits=bits, rate=rate), chunk(b"data", struct.pack(f"<20000{code}", *values)))
    share, largest = f"{(np.abs(values) > 1).mean():.1%}", f"{np.float32(np.abs(values).max()):.6g}"
    with pytest.raises(AudioFormatError, match=rf"{share} .* full scale \(largest {re.escape(largest)}\).* {advice}"):
        read_recording(wav(data))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64"])
def test_samples_are_decoded_as_libsndfile_decodes_them(wav, form: str, subtype: str) -> None:
    """All bits of the samples at random, so that each rounding is met; several blocks of them."""
    rng = np.random.default_rng(7)
    bits = rng.integers(-(1 << 31), 1 << 31, (100_000, 3), dtype=np.int32)
    file = io.BytesIO()
    soundfile.write(file, bits / 2**30 if subtype in ("FLOAT", "DOUBLE") else bits, 16000, subtype, format=form)
    path = wav(file.getvalue())
    for channel in (0, 2):
        recording = read_recording(path, channel=channel)
        if subtype in ("FLOAT", "DOUBLE"):
            theirs = np.rint(soundfile.read(path, dtype="float64")[0][:, channel] * 32768).astype(np.int64)
        else:
            theirs = soundfile.read(path, dtype="int32")[0][:, channel].astype(np.int64) + 32768 >> 16
        np.testing.assert_array_equal(recording.pcm, np.clip(theirs, -32768, 32767))
        assert recording.saturated == np.count_nonzero(np.abs(theirs + 0.5) > 32768)
        assert (recording.subtype, recording.notes) == (subtype, ())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_floats_that_are_no_numbers_are_refused(wav, value: float) -> None:
    refused(wav(riff(fmt(tag=3, bits=32), chunk(b"data", struct.pack("<2f", 0.1, value)))), "NaN or infinite")


@pytest.mark.parametrize("behind", [b"", chunk(b"LIST", b"INFO")])
def test_files_joined_end_to_end_are_refused(wav, behind: bytes) -> None:
    one = riff(fmt(), chunk(b"data", pcm16(tone(440, 1, 16000))), behind)
    refused(wav(one + one), "second 'RIFF' chunk")
    refused(wav(one + one + one), "second 'RIFF' chunk")


@pytest.mark.filterwarnings("error")
def test_a_signalling_nan_is_refused_without_a_warning(wav) -> None:
    refused(wav(riff(fmt(tag=3, bits=32), chunk(b"data", struct.pack("<fI", 0.1, 0x7FA00001)))), "NaN or infinite")


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
def test_other_rates_are_resampled(wav, rate: int) -> None:
    pcm = tone(440, 10, rate)
    recording = read_recording(wav(riff(fmt(rate=rate), chunk(b"data", pcm16(pcm)))))
    assert (recording.sample_rate, recording.file_rate) == (16000, rate)
    batch = soxr.resample(pcm.astype(np.float32), rate, 16000, quality="HQ")
    assert recording.pcm.size == batch.size == 160_000
    assert np.abs(recording.pcm - batch).max() <= 1
    ideal = tone(440, 10, 16000)
    assert np.abs(recording.pcm[1000:-1000].astype(int) - ideal[1000:-1000]).max() <= 2


def test_silence_is_told(wav) -> None:
    zeros = np.zeros(44100, np.int16)
    for rate in (16000, 44100):
        recording = read_recording(wav(riff(fmt(rate=rate), chunk(b"data", pcm16(zeros)))))
        assert not recording.pcm.any(), "resampling must not add dither"


@pytest.mark.parametrize("form", ["WAV", "FLAC", "AIFF"])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_other_channels_with_sound_are_known_where_one_has_none(wav, form: str, channel: int) -> None:
    sound = np.random.default_rng(8).normal(scale=0.05, size=(16_000, 3))
    file = io.BytesIO()
    sound[:, [0, 2]] = 0
    soundfile.write(file, sound, 16000, "PCM_24", format=form)
    assert read_recording(wav(file.getvalue()), channel=channel).sounding_channels == (() if channel == 1 else (1,))


def test_one_sample_is_enough(wav) -> None:
    assert read_recording(wav(riff(fmt(), chunk(b"data", b"\1\0")))).pcm.tolist() == [1]


# --- what is refused --------------------------------------------------------------------------------------------------

DATA = chunk(b"data", pcm16(SAMPLES))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"RIFF", "is not a WAV file"),
        (b"ID3\3" + bytes(3000), "is an MP3 file, which is not read. Convert it"),
        (b"fLaC" + bytes(100), "cannot be read as a FLAC file"),
        (GOOD.replace(b"WAVE", b"AVI "), "is an AVI file, which is not read"),
        (GOOD.replace(b"WAVE", b"EVAW"), "is not a WAV file"),
        (b"RIFX" + GOOD[4:], r"is a RIFX \(big-endian WAV\) file, which is not read"),
        (GOOD[:12], "no data chunk"),
        (GOOD[:30], "format chunk is too short|no data chunk"),
        (GOOD[:-1], "truncated: its header declares 2000 bytes of sound and 1999 are there"),
        (GOOD[:1044], "declares 2000 bytes of sound and 1000 are there"),
        (GOOD[:44], "declares 2000 bytes of sound and 0 are there"),
        (riff(fmt(), chunk(b"data", b"")), "zero samples"),
        (riff(fmt(), chunk(b"data", b""), length=0), "zero samples"),
        (riff(fmt(), chunk(b"data", pcm16(SAMPLES), length=0)), "zero samples by its header, and 2000 bytes follow"),
        (riff(fmt(), chunk(b"data", pcm16(SAMPLES), length=0), length=0), "zero samples by its header"),
        (
            riff(fmt(channels=2), chunk(b"data", pcm16(SAMPLES) + b"xyz", length=0xFFFFFFFF), length=0xFFFFFFFF)[:-1],
            "2003 bytes of sound are not whole frames of 4",
        ),
        (riff(fmt(), chunk(b"data", pcm16(SAMPLES), length=0xFFFFFFFF))[:-1], "2000 bytes of sound and 1999 are there"),
        (riff(fmt(channels=3), chunk(b"data", bytes(16))), "not whole frames of 6 bytes"),
        (riff(DATA, fmt()), "data before its format"),
        (riff(fmt(), fmt(rate=8000), DATA), "two format chunks"),
        (riff(chunk(b"fmt ", b"\1\0\1\0"), DATA), "format chunk is too short"),
        (riff(fmt(bits=8), DATA), "8-bit samples"),
        (riff(extensible(bits=8), DATA), "8-bit samples"),
        (riff(fmt(tag=7, bits=8), DATA), "samples of format 0x0007 with 8 bits"),
        (riff(fmt(tag=2, bits=4), DATA), "samples of format 0x0002 with 4 bits"),
        (riff(fmt(bits=0), DATA), "with 0 bits"),
        (riff(extensible(guid_tail=bytes(14)), DATA), "unknown sub-format"),
        (riff(fmt(tag=0xFFFE), DATA), "unknown sub-format"),
        (riff(fmt(rate=0), DATA), "sample rate of 0 Hz"),
        (riff(fmt(rate=999), DATA), "sample rate of 999 Hz"),
        (riff(fmt(rate=384_001), DATA), "sample rate of 384001 Hz"),
        (riff(fmt(rate=0xFFFFFFFF), DATA), "sample rate of 4294967295 Hz"),
        (riff(fmt(channels=0, frame_bytes=2), DATA), "0 channels"),
        (riff(fmt(channels=32767, frame_bytes=65534), DATA), "32767 channels"),
        (riff(fmt(frame_bytes=4), DATA), "contradicts itself"),
    ],
)
def test_hostile_files_are_refused(wav, data: bytes, words: str) -> None:
    refused(wav(data), words)


def test_things_that_are_no_file_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.wav", "does not exist")
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.wav")
    refused(tmp_path / "pipe.wav", "is not a regular file")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    refused(tmp_path / "loop.wav", "cannot be read")
    with pytest.raises(AudioFormatError, match="cannot be read"):
        read_recording("null\0byte.wav")
    with pytest.raises(AudioFormatError, match="sample rate of 0 Hz"):
        read_recording(tmp_path / "absent.wav", sample_rate=0)


def test_names_of_any_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff n\xc3\xa4h.raw")
    path.write_bytes(GOOD)
    np.testing.assert_array_equal(read_recording(path).pcm, SAMPLES)


def test_more_than_two_hours_are_refused_unread(wav) -> None:
    length = 2 * 1000 * 7200
    header = read_header(io.BytesIO(riff(fmt(rate=1000), b"data" + struct.pack("<I", length))), 44 + length)
    assert header.frames == 1000 * 7200
    path = wav(riff(fmt(rate=1000), b"data" + struct.pack("<I", length + 2), length=length + 38))
    os.truncate(path, 44 + length + 2)  # Sparse: no disk is used.
    refused(path, "lasts 2.0 hours; at most 2 hours are read")


def test_a_wide_file_needs_little_memory(tmp_path: Path) -> None:
    """A hundred channels of 64-bit floats, 160 MB sparse: the process may use 20 MB more than before."""
    frames = 200_000
    header = riff(
        fmt(tag=3, bits=64, channels=100), b"data" + struct.pack("<I", frames * 800), length=frames * 800 + 36
    )
    path = tmp_path / "wide.wav"
    path.write_bytes(header)
    os.truncate(path, len(header) + frames * 800)
    code = (
        "import resource, sys\nfrom edge_asd.audio.recording_file import read_recording\nimport soundfile\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\nbefore = peak()\n"
        "print(read_recording(sys.argv[1], channel=99).pcm.size, peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    size, more = map(int, done.stdout.split())
    assert size == frames
    assert more < 20_000, f"{more} kB more"


def test_real_clips_are_the_samples_on_disk() -> None:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "mimii_mini"
    if not folder.is_dir():
        pytest.skip(f"the real clips are not there: {folder}")
    paths = sorted(folder.rglob("*.wav"))[::200]
    assert paths
    for path in paths:
        data = path.read_bytes()
        at = data.index(b"data")
        (length,) = struct.unpack_from("<I", data, at + 4)
        np.testing.assert_array_equal(read_recording(path).pcm, np.frombuffer(data, "<i2", length // 2, at + 8))
