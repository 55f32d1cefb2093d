"""Random WAV files that are wrong in a known way: what was put in, and what may be said of it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.audio.wav_files import extensible, fmt

PIPE_LENGTHS = [(0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF000, 0x7FFFF024), (0x7FFFEFFF, 0x7FFFF048), (1 << 31, (1 << 31) + 36)]
METADATA = [b"LIST", b"cue ", b"fact", b"smpl", b"acid", b"bext", b"JUNK", b"id3 ", b"PEAK", b"\0\0\0\0", b"x:y "]


@dataclass
class Case:
    """A file, and what is right.

    Attributes
    ----------
    samples : int16 [shape=(n, channels)]
        What it must be read as, if it is read.
    reasons : tuple of str
        What it may be refused for; empty where it must be read.
    note : str
        What must be in the note if it is read; "" where there must be none.
    """

    kind: str
    data: bytes
    rate: int
    samples: NDArray[np.int16]
    reasons: tuple[str, ...] = ()
    note: str = ""


def make(seed: int) -> Case:
    """Make the file of a seed."""
    rng = np.random.default_rng(seed)
    return KINDS[seed % len(KINDS)](rng)


@dataclass
class Parts:
    """A file before its lengths are filled in."""

    rate: int
    fmt: bytes
    before: bytes
    sound: bytes
    after: bytes
    samples: NDArray[np.int16]
    frame: int

    @property
    def start(self) -> int:
        return 12 + len(self.before) + 8

    @property
    def pad(self) -> bytes:
        return b"\0" * (len(self.sound) & 1)

    def build(self, data_length: int | None = None, riff_length: int | None = None, name: bytes = b"RIFF") -> bytes:
        length = len(self.sound) if data_length is None else data_length
        body = b"WAVE" + self.before + b"data" + struct.pack("<I", length) + self.sound + self.pad + self.after
        return name + struct.pack("<I", len(body) if riff_length is None else riff_length) + body

    @property
    def riff_length(self) -> int:
        return self.start - 8 + len(self.sound) + len(self.pad) + len(self.after)


def parts(rng: np.random.Generator, *, after: bool = True) -> Parts:
    rate = int(rng.choice([8000, 16000, 44100]))
    channels = int(rng.choice([1, 1, 2, 3, 5, 7, 8]))
    samples = rng.integers(-32768, 32768, (int(rng.integers(20, 400)), channels), dtype=np.int16)
    if rng.random() < 0.3:
        samples //= 2000
    bits, tag = [(16, 1), (24, 1), (32, 1), (32, 3), (64, 3)][rng.integers(5)]
    make_fmt = extensible if rng.random() < 0.3 else fmt
    head = make_fmt(tag=tag, channels=channels, rate=rate, bits=bits)
    before = metadata(rng) + head + metadata(rng)
    return Parts(
        rate, head, before, encode(samples, bits, tag), metadata(rng) if after else b"", samples, channels * bits // 8
    )


def encode(samples: NDArray[np.int16], bits: int, tag: int) -> bytes:
    if tag == 3:
        return (samples / 32768).astype(f"<f{bits // 8}").tobytes()
    if bits == 24:
        wide = np.zeros((*samples.shape, 3), np.uint8)
        wide[..., 1:] = samples.astype("<i2")[..., None].view(np.uint8)
        return wide.tobytes()
    return (samples.astype(f"<i{bits // 8}") << (bits - 16)).tobytes()


def metadata(rng: np.random.Generator) -> bytes:
    """Chunks whose own lengths are right and whose bodies are anything: mostly what leads other readers astray."""
    out = b""
    for _ in range(int(rng.choice([0, 0, 1, 2, 5, 60]))):
        name = METADATA[rng.integers(len(METADATA))]
        body = [
            lambda: b"INFOXXXX" + struct.pack("<I", 0xFFFFFFF8) + bytes(24),
            lambda: b"adtlXXXX" + struct.pack("<I", 0xFFFFFFF4) + bytes(25),
            lambda: struct.pack("<I", 0xFFFFFFFF),
            lambda: rng.bytes(int(rng.integers(1, 40))),
            lambda: bytes(int(rng.integers(1, 40))),
            lambda: b"data" + struct.pack("<I", 4) + b"abcd",
            lambda: b"fmt " + rng.bytes(9),
        ][rng.integers(7)]()
        padding = b"\0" * (len(body) & 1)
        out += name + struct.pack("<I", len(body)) + body + padding
    return out


# --- the kinds --------------------------------------------------------------------------------------------------------


def intact(rng: np.random.Generator) -> Case:
    p = parts(rng)
    return Case("intact", p.build(), p.rate, p.samples)


def no_padding(rng: np.random.Generator) -> Case:
    """Odd chunks without their padding byte, before and behind the sound."""
    p = parts(rng, after=False)
    body = rng.bytes(int(rng.integers(0, 20)) * 2 + 1)
    # A name that starts with a zero byte would be padding as well.
    p.before = p.fmt if p.before[0] == 0 else p.before
    p.before = b"LIST" + struct.pack("<I", len(body)) + body + p.before
    data = p.build()
    if p.pad:
        data = data[:-1]
    after = b"cue " + struct.pack("<I", len(body)) + body
    data = data[:4] + struct.pack("<I", len(data + after) - 8) + data[8:] + after
    return Case("no padding", data, p.rate, p.samples)


def wide(rng: np.random.Generator) -> Case:
    """RF64 and BW64; also without their lengths, as a pipe leaves them."""
    known = rng.random() < 0.6
    p = parts(rng, after=known)
    lengths = (
        (p.riff_length + 36, len(p.sound), len(p.samples))
        if known
        else [(0, 0, 0), ((1 << 64) - 1,) * 3][rng.integers(2)]
    )
    p.before = b"ds64" + struct.pack("<IQQQI", 28, *lengths, 0) + p.before
    data_length = 0xFFFFFFFF if not known or rng.random() < 0.7 else len(p.sound)
    name = [b"RF64", b"BW64"][rng.integers(2)]
    return Case("RF64", p.build(data_length, 0xFFFFFFFF, name), p.rate, p.samples)


def piped(rng: np.random.Generator) -> Case:
    p = parts(rng, after=False)
    declared, riff = [*PIPE_LENGTHS, (0, 8), (0, p.start - 8), (0xFFFFFFFF, p.riff_length)][rng.integers(7)]
    return Case("piped", p.build(declared, riff), p.rate, p.samples)


def counts_too_many(rng: np.random.Generator) -> Case:
    """The data length counts the header, or more; the RIFF length is right."""
    p = parts(rng, after=False)
    more = int(rng.choice([8, 16, 28, 36, 44, p.start, int(rng.integers(2, 100_000))]))
    return Case("counts too many", p.build(len(p.sound) + more), p.rate, p.samples, note="bytes of sound too many")


def counts_too_many_before_metadata(rng: np.random.Generator) -> Case:
    """The same with a chunk behind the sound, which must not become sound."""
    p = parts(rng, after=False)
    body = rng.bytes(2 * int(rng.integers(1, 60)))
    p.after = b"LIST" + struct.pack("<I", len(body)) + body
    more = int(rng.integers(2, 300))
    if more - len(p.pad) - len(p.after) in (-1, 0):
        more += 2  # A length that covers the chunk wholly agrees with all else: nobody can tell.
    reasons = ("where the sound ends cannot be told", "lengths contradict each other", "not whole frames")
    return Case("too many and metadata", p.build(len(p.sound) + more), p.rate, p.samples, reasons)


def counts_a_part(rng: np.random.Generator) -> Case:
    """The data length covers a part of the sound; no chunk follows there."""
    p = parts(rng, after=rng.random() < 0.5)
    kept = int(rng.integers(1, len(p.samples) - 9))
    reasons = ("lengths contradict each other. Save it again, or take all that follows as sound: sox --ignore-length",)
    return Case("a part", p.build(kept * p.frame), p.rate, p.samples[:0], reasons)


def zero_length(rng: np.random.Generator) -> Case:
    p = parts(rng, after=False)
    riff = int(rng.choice([0, p.riff_length]))
    return Case("zero", p.build(0, riff), p.rate, p.samples, ("zero samples by its header, and",))


def truncated(rng: np.random.Generator) -> Case:
    """Cut off within the sound."""
    p = parts(rng)
    data = p.build()[: int(rng.integers(p.start, p.start + len(p.sound)))]
    return Case(
        "truncated",
        data,
        p.rate,
        p.samples[:0],
        (f"declares {len(p.sound)} bytes of sound and {len(data) - p.start} are",),
    )


def truncated_header(rng: np.random.Generator) -> Case:
    p = parts(rng)
    cut = int(rng.integers(13, p.start))
    reasons = ("no data chunk", "format chunk is too short", "data before its format")
    return Case("truncated header", p.build()[:cut], p.rate, p.samples[:0], reasons)


def truncated_pipe(rng: np.random.Generator) -> Case:
    """A pipe that ended within a frame: more than one byte left over is damage, one is not."""
    p = parts(rng, after=False)
    left = int(rng.integers(1, p.frame))
    p.sound = p.sound[: (len(p.samples) - 1) * p.frame + left]
    p.samples = p.samples[:-1]
    data = p.build(0xFFFFFFFF, 0xFFFFFFFF)
    data = data[: len(data) - len(p.pad)]
    if left > 1:
        return Case("cut pipe", data, p.rate, p.samples, ("are not whole frames",))
    return Case("cut pipe", data, p.rate, p.samples, note="" if (len(p.sound) - 1) % 2 else "one byte behind")


def huge_chunk(rng: np.random.Generator) -> Case:
    """A chunk that claims more than there is, before the sound: it cannot be found; behind it, it is passed over."""
    p = parts(rng, after=False)
    huge = [b"LIST", b"junk", b"bext"][rng.integers(3)] + struct.pack("<I", int(rng.integers(1 << 20, 1 << 32)) & ~1)
    if rng.random() < 0.5:
        p.before = huge + p.before
        return Case("huge chunk", p.build(), p.rate, p.samples[:0], ("no data chunk (its chunk",))
    p.after = huge + rng.bytes(10)
    return Case("huge chunk behind", p.build(), p.rate, p.samples, note="no whole chunk")


def appended(rng: np.random.Generator) -> Case:
    """Bytes behind the end that the RIFF length gives."""
    p = parts(rng, after=False)
    more = b"TAG\xff" + rng.bytes(124)
    return Case("appended", p.build() + more, p.rate, p.samples, note="128 bytes behind its sound")


def two_ways(rng: np.random.Generator) -> Case:
    p = parts(rng, after=False)
    if rng.random() < 0.5:
        p.before += p.fmt
        return Case("two formats", p.build(), p.rate, p.samples[:0], ("two format chunks",))
    p.after = b"data" + struct.pack("<I", 8) + rng.bytes(8)
    return Case("two data", p.build(), p.rate, p.samples[:0], ("second 'data' chunk",))


def bad_format(rng: np.random.Generator) -> Case:
    p = parts(rng)
    head, reason = [
        (fmt(bits=8), "8-bit samples"),
        (fmt(tag=int(rng.integers(4, 0xFFFE))), "has samples of format"),
        (fmt(bits=int(rng.choice([0, 12, 20, 64])), frame_bytes=2), "has samples of format"),
        (fmt(rate=int(rng.choice([0, 999, 384_001, 0xFFFFFFFF]))), "has a sample rate of"),
        (fmt(channels=int(rng.choice([0, 257, 32000])), frame_bytes=2), "contradicts itself"),
        (fmt(frame_bytes=int(rng.choice([0, 1, 3, 4, 65535]))), "contradicts itself"),
        (extensible(guid_tail=rng.bytes(14)), "unknown sub-format"),
    ][rng.integers(7)]
    p.before = metadata(rng) + head
    return Case("format", p.build(), p.rate, p.samples[:0], (reason,))


def data_first(rng: np.random.Generator) -> Case:
    p = parts(rng)
    p.before, p.after = metadata(rng), p.fmt
    return Case("data first", p.build(), p.rate, p.samples[:0], ("data before its format",))


def unfilled_riff(rng: np.random.Generator) -> Case:
    """The data length is right; the RIFF length was never filled in."""
    p = parts(rng)
    return Case(
        "unfilled RIFF", p.build(riff_length=int(rng.choice([0, 8, 0xFFFFFFFF, p.start - 8]))), p.rate, p.samples
    )


KINDS: list[Callable[[np.random.Generator], Case]] = [
    intact, no_padding, wide, piped, counts_too_many, counts_too_many_before_metadata, counts_a_part, zero_length,
    truncated, truncated_header, truncated_pipe, huge_chunk, appended, two_ways, bad_format, data_first, unfilled_riff,
]  # fmt: skip
