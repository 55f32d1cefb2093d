"""Sound files in pieces: the samples and the errors of the file read whole."""

from __future__ import annotations

import io
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_asd.audio import libsndfile
from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.recording_stream import RecordingStream
from edge_asd.errors import AudioFormatError
from tests.audio.wav_files import chunk, fmt, pcm16, riff

LONG = np.random.default_rng(8).integers(-30000, 30000, (400_000, 2), dtype=np.int16)


def encoded(form: str, subtype: str, sound: np.ndarray = LONG, rate: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound / 32768 if subtype in ("FLOAT", "DOUBLE") else sound, rate, subtype, format=form)
    return file.getvalue()


@pytest.mark.parametrize(
    ("form", "subtype", "rate"),
    [("WAV", "PCM_16", 16000), ("WAV", "PCM_24", 44100), ("WAV", "FLOAT", 48000), ("FLAC", "PCM_16", 48000)],
)
def test_every_pass_gives_what_is_read_whole(form: str, subtype: str, rate: int, tmp_path: Path) -> None:
    path = tmp_path / "sound"
    path.write_bytes(encoded(form, subtype, rate=rate))
    whole = read_recording(path, channel=1)
    with RecordingStream(path, channel=1) as stream:
        assert (stream.header.sample_rate, stream.header.channels) == (rate, 2)
        for _ in range(3):
            blocks = list(stream.blocks())
            assert len(blocks) > 2
            np.testing.assert_array_equal(np.concatenate(blocks), whole.pcm)
            assert (stream.samples, stream.saturated, stream.beyond) == (whole.pcm.size, 0, 0.0)


def test_a_pass_that_was_left_does_not_mix_with_the_next(tmp_path: Path) -> None:
    for form in ("WAV", "FLAC"):
        path = tmp_path / "sound"
        path.write_bytes(encoded(form, "PCM_16", rate=48000))
        with RecordingStream(path) as stream:
            next(stream.blocks())
            np.testing.assert_array_equal(np.concatenate(list(stream.blocks())), read_recording(path).pcm)


def test_other_channels_are_looked_at_between_passes(tmp_path: Path) -> None:
    sound = np.stack([np.zeros(9000, np.int16), LONG[:9000, 0], np.zeros(9000, np.int16), LONG[:9000, 1]], axis=1)
    for form in ("WAV", "FLAC"):
        path = tmp_path / "sound"
        path.write_bytes(encoded(form, "PCM_16", sound))
        with RecordingStream(path) as stream:
            list(stream.blocks())
            assert stream.sounding_channels() == (1, 3)
            assert not np.concatenate(list(stream.blocks())).any()


def test_samples_beyond_full_scale_are_counted_in_each_pass(tmp_path: Path) -> None:
    sound = LONG[:, 0] / 32768
    sound[::2000] = 3.5
    path = tmp_path / "float.wav"
    soundfile.write(path, sound, 16000, subtype="FLOAT")
    whole = read_recording(path)
    with RecordingStream(path) as stream:
        for _ in range(2):
            list(stream.blocks())
            assert (stream.saturated, stream.largest, stream.beyond) == (200, 3.5, whole.beyond)


def test_errors_come_at_the_end_of_a_pass_as_they_do_for_the_whole() -> None:
    wrong_scale = encoded("WAV", "DOUBLE", np.asarray(LONG, np.float64) * 32768)
    truncated = encoded("FLAC", "PCM_16")[:-1000]
    for contents in (wrong_scale, truncated):
        with pytest.raises(AudioFormatError) as expected:
            read_recording("clip", contents=contents)
        heard = []
        with RecordingStream("clip", contents=contents) as stream, pytest.raises(AudioFormatError) as caught:
            heard.extend(stream.blocks())
        assert str(caught.value) == str(expected.value)
        assert heard


def test_a_file_that_is_another_one_in_the_second_pass_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.flac"
    path.write_bytes(encoded("FLAC", "PCM_16", LONG[:100_000]))
    with RecordingStream(path) as stream:
        list(stream.blocks())
        path.write_bytes(encoded("FLAC", "PCM_16", LONG))  # the same file, written anew
        with pytest.raises(AudioFormatError, match=r"sound\.flac was changed while it was read"):
            next(stream.blocks())


def test_a_file_that_grows_between_passes_stays_what_it_was(tmp_path: Path) -> None:
    """As its recorder goes on, which will tell the length in the end."""
    path = tmp_path / "sound.wav"
    path.write_bytes(riff(fmt(), chunk(b"data", pcm16(LONG[:, 0]), length=0), length=8))
    with RecordingStream(path) as stream:
        list(stream.blocks())
        with open(path, "ab") as file:
            file.write(pcm16(LONG[:, 1]))
        np.testing.assert_array_equal(np.concatenate(list(stream.blocks())), LONG[:, 0])


def test_what_cannot_be_opened_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")
    before = len(os.listdir("/proc/self/fd"))
    for path, channel in ((tmp_path / "none.wav", 0), (tmp_path, 0), (tmp_path / "text.wav", 0)):
        with pytest.raises(AudioFormatError, match=str(path)):
            RecordingStream(path, channel=channel).__enter__()
    assert len(os.listdir("/proc/self/fd")) == before


# --- the child's time -------------------------------------------------------------------------------------------------


def test_a_reader_may_take_its_time(monkeypatch, tmp_path: Path) -> None:
    """What passes between two blocks is not the child's."""
    path = tmp_path / "sound.flac"
    path.write_bytes(encoded("FLAC", "PCM_16"))
    now = time.monotonic
    passed = 0.0
    monkeypatch.setattr(libsndfile.time, "monotonic", lambda: now() + passed)
    heard = []
    with RecordingStream(path) as stream:
        for block in stream.blocks():
            heard.append(block)
            passed += 3600
    assert len(heard) > 2
    np.testing.assert_array_equal(np.concatenate(heard), LONG[:, 0])


def test_a_child_that_hangs_after_hours_of_sound_is_noticed_at_once(monkeypatch, tmp_path: Path) -> None:
    """However much it has given before."""
    header = struct.pack("<cIIq8s16s200s", b"H", 16000, 1, 1000, b"FLAC", b"PCM_16", b"")
    block = struct.pack("<cI200s", b"B", 900, b"") + bytes(1800)
    (tmp_path / "libsndfile_worker.py").write_text(
        "import socket, time\nsock = socket.socket(fileno=0)\nsock.sendall(b'R')\n"
        f"socket.recv_fds(sock, 9, 1)\nsock.sendall({header!r})\n"
        f"sock.recv(9)\nsock.sendall({block!r})\nsock.recv(9)\ntime.sleep(600)\n"
    )
    libsndfile._end_idle()
    monkeypatch.setattr(libsndfile, "__file__", str(tmp_path / "libsndfile.py"))
    monkeypatch.setattr(libsndfile, "_FILE_SECONDS", 2.0)
    monkeypatch.setattr(libsndfile, "_SAMPLES_PER_SECOND", 1)
    start = time.monotonic()
    with RecordingStream("clip", contents=encoded("FLAC", "PCM_16", LONG[:1000])) as stream:
        blocks = stream.blocks()
        assert next(blocks).size == 900
        with pytest.raises(AudioFormatError, match="take more time"):
            next(blocks)
    assert time.monotonic() - start < 300  # not the 900 s that its samples would have earned
    libsndfile._end_idle()
