"""Raw sound from pipes as a source."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from edge_asd.audio.raw import from_raw
from edge_asd.audio.stream import Waiting
from edge_asd.errors import AudioFormatError
from edge_asd.monitor.sources.raw import RawSource
from edge_asd.monitor.sources.source import Delivery

SOUND = np.random.default_rng(4).integers(-9000, 9000, (70_000, 2), dtype=np.int16)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_file_on_standard_input_is_heard_to_its_end(rate: int, tmp_path: Path) -> None:
    path = tmp_path / "sound.raw"
    path.write_bytes(SOUND.tobytes())
    notes: list[str] = []
    delivery = Delivery(channel=1, gain=lambda pcm: pcm // 3, note=notes.append, narrow=lambda rate: f"{rate} Hz.")
    with open(path, "rb") as file, RawSource("stdin", delivery, file, rate=rate, channels=2) as source:
        assert not source.live
        heard = np.concatenate([part for part in source.sound() if not isinstance(part, Waiting)])
    whole = from_raw(io.BytesIO(SOUND.tobytes()), source_rate=rate, channels=2, channel=1)
    np.testing.assert_array_equal(heard, np.concatenate(list(whole)) // 3)
    assert notes == [f"{rate} Hz."]


def test_a_pipe_is_heard_as_it_comes_and_waited_for() -> None:
    inner, outer = os.pipe()
    with os.fdopen(inner, "rb") as file, RawSource("stdin", Delivery(), file, rate=16000) as source:
        sound = source.sound()
        with os.fdopen(outer, "wb", buffering=0) as pipe:
            pipe.write(SOUND[:100].tobytes())
            assert next(sound).size == 200
            assert isinstance(next(sound), Waiting)
            assert isinstance(next(sound), Waiting)
            pipe.write(SOUND[100:].tobytes()[:61])
            assert next(sound).size == 30
        with pytest.raises(AudioFormatError, match=r"middle of a frame: 1 byte"):
            next(sound)


@pytest.mark.parametrize("blocking", [True, False])
def test_leaving_in_another_thread_ends_a_reader_that_waits(blocking: bool) -> None:
    inner, outer = os.pipe()
    os.set_blocking(inner, blocking)
    with os.fdopen(inner, "rb") as file, os.fdopen(outer, "wb", buffering=0) as pipe:
        pipe.write(bytes(2000))
        source = RawSource("stdin", Delivery(), file, rate=16000).__enter__()
        heard, begun = [], threading.Event()

        def read() -> None:
            for part in source.sound():
                heard.append(part)
                begun.set()

        thread = threading.Thread(target=read)
        thread.start()
        assert begun.wait(60)
        source.__exit__()
        thread.join(60)
        assert not thread.is_alive()
        assert np.concatenate([part for part in heard if not isinstance(part, Waiting)]).size == 1000


def test_what_is_wrong_is_told() -> None:
    inner, outer = os.pipe()
    os.close(outer)
    with os.fdopen(inner, "rb") as file:
        with (
            RawSource("stdin", Delivery(), file, rate=16000) as source,
            pytest.raises(AudioFormatError, match="No sound came in"),
        ):
            list(source.sound())
        with pytest.raises(AudioFormatError, match="no channel 2"):
            RawSource("stdin", Delivery(channel=2), file, rate=16000, channels=2)
    with (
        RawSource("stdin", Delivery(), file, rate=16000) as source,  # closed by now
        pytest.raises(AudioFormatError, match="raw sound of stdin cannot be read"),
    ):
        list(source.sound())
