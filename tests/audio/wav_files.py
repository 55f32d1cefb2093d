"""WAV files made byte by byte, so that they can be wrong in any way."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def tone(frequency: float, seconds: float, rate: int, amplitude: float = 8000.0) -> NDArray[np.int16]:
    time = np.arange(round(seconds * rate)) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


def chunk(name: bytes, body: bytes, *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) & 1)


def fmt(
    *,
    tag: int = 1,
    channels: int = 1,
    rate: int = 16000,
    bits: int = 16,
    frame_bytes: int | None = None,
    tail: bytes = b"",
) -> bytes:
    frame = channels * bits // 8 if frame_bytes is None else frame_bytes
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame & 0xFFFFFFFF, frame, bits) + tail)


def extensible(
    *, channels: int = 1, rate: int = 16000, bits: int = 16, tag: int = 1, guid_tail: bytes = GUID_TAIL
) -> bytes:
    tail = struct.pack("<HHIH", 22, bits, 0, tag) + guid_tail
    return fmt(tag=0xFFFE, channels=channels, rate=rate, bits=bits, tail=tail)


def riff(*chunks: bytes, length: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body


def pcm16(samples: NDArray[np.int16]) -> bytes:
    return samples.astype("<i2").tobytes()
