"""The kinds of sound files, told apart by their first bytes and never by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FIRST_BYTES = 12
"""As many bytes as `container_of` needs, if `bytes_needed` does not ask for more."""


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file.

    Attributes
    ----------
    name : str
        With its article: "a FLAC".
    reader : {"riff", "libsndfile"} or None
        What reads it; None where nothing does.
    """

    name: str
    reader: Literal["riff", "libsndfile"] | None = None


_WAV = Container("a WAV", "riff")
_AIFF = Container("an AIFF", "libsndfile")
_MP3 = Container("an MP3")

# (offset, bytes): all of them must be there.
_MAGICS: tuple[tuple[tuple[tuple[int, bytes], ...], Container], ...] = (
    (((0, b"RIFF"), (8, b"WAVE")), _WAV),
    (((0, b"RF64"), (8, b"WAVE")), Container("an RF64", "riff")),
    (((0, b"BW64"), (8, b"WAVE")), Container("a BW64", "riff")),
    (((0, b"fLaC"),), Container("a FLAC", "libsndfile")),
    (((0, b"OggS"),), Container("an OGG", "libsndfile")),
    (((0, b"FORM"), (8, b"AIFF")), _AIFF),
    (((0, b"FORM"), (8, b"AIFC")), _AIFF),
    (((0, b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"),), Container("a W64", "libsndfile")),
    (((0, b"RIFX"),), Container("a RIFX (big-endian WAV)")),
    (((0, b"RIFF"), (8, b"AVI ")), Container("an AVI")),
    (((0, b".snd"),), Container("an AU")),
    (((0, b"dns."),), Container("an AU")),
    (((0, b"caff"),), Container("a CAF")),
    (((0, b".SoX"),), Container("a SoX")),
    (((0, b"XoS."),), Container("a SoX")),
    (((0, b"ID3\x02"),), _MP3),
    (((0, b"ID3\x03"),), _MP3),
    (((0, b"ID3\x04"),), _MP3),
    (((4, b"ftyp"),), Container("an MP4 or M4A")),
    (((0, b"\x1a\x45\xdf\xa3"),), Container("a Matroska or WebM")),
    (((0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),), Container("a WMA")),
    (((0, b"wvpk"),), Container("a WavPack")),
)


def container_of(first: bytes) -> Container | None:
    """Name the kind of file that starts with `first`; None where it is unknown, or samples without a header."""
    for parts, container in _MAGICS:
        if all(first.startswith(magic, at) for at, magic in parts):
            return container
    length = _mp3_frame_bytes(first)
    # One frame's head is no proof: a quiet sample of -1025 is enough for it. Two at the right distance are.
    if length and _mp3_frame_bytes(first[length:]) and first[length : length + 2] == first[:2]:
        return _MP3
    return None


def bytes_needed(first: bytes) -> int:
    """Say how many bytes `container_of` wants to see, given those that are there: rarely more than `FIRST_BYTES`."""
    return max(FIRST_BYTES, _mp3_frame_bytes(first) + 4)


_MP3_KBIT = (
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG 2 and 2.5
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG 1
)
_MP3_RATES = (44100, 48000, 32000)


def _mp3_frame_bytes(head: bytes) -> int:
    """Return the length of the MP3 frame (MPEG layer III) that starts here, or 0."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, bit_rate, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bit_rate in (0, 15) or rate == 3:
        return 0
    first = version == 3
    divided = _MP3_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if first else 72) * _MP3_KBIT[first][bit_rate] * 1000 // divided + (head[2] >> 1 & 1)
