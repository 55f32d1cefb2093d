"""The ring between the audio callback and the program."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_asd.audio.ring import ByteRing


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_what_goes_in_comes_out_in_order(steps: list[tuple[int, int]]) -> None:
    """Writes of one number of bytes as far as there is room, reads of another as far as there is something."""
    source = np.random.default_rng(1).bytes(500)
    ring, came = ByteRing(12), b""
    for put, get in steps:
        put = min(put, ring.room)
        ring.write(memoryview(source)[ring.written : ring.written + put])
        came += ring.read(min(len(came) + get, ring.written))
        assert ring.room == 12 - (ring.written - len(came))
    came += ring.read(ring.written)
    assert came == source[: ring.written]


def test_what_does_not_fit_is_refused() -> None:
    ring = ByteRing(4)
    ring.write(memoryview(b"abc"))
    with pytest.raises(ValueError, match="2 bytes do not fit into the 1 that are free"):
        ring.write(memoryview(b"de"))
    assert ring.read(3) == b"abc"


def test_the_ring_keeps_order_between_two_threads() -> None:
    ring, sent, heard = ByteRing(1000), bytes(range(256)) * 60, bytearray()

    def write() -> None:
        at = 0
        while at < len(sent):
            piece = memoryview(sent)[at : at + 77]
            if len(piece) <= ring.room:
                ring.write(piece)
                at += 77

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        heard += ring.read(ring.written)
    writer.join()
    heard += ring.read(ring.written)
    assert bytes(heard) == sent
