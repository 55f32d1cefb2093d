"""What the header of a WAV file says, and whether the file keeps its word.

libsndfile reads a truncated file without a word, so the chunks are walked here first.
Nothing is read but headers, and nothing is allocated by what they say.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from edge_asd.errors import AudioFormatError

PLAIN_START = 44
"""Where the sound of a `WavHeader.plain` file starts [bytes]."""

MIN_RATE = 1_000
MAX_RATE = 384_000
MAX_SECONDS = 2 * 3600
MAX_CHANNELS = 256
_MAX_CHUNKS = 1000

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_SUBTYPES = {
    (_PCM, 16): "PCM_16",
    (_PCM, 24): "PCM_24",
    (_PCM, 32): "PCM_32",
    (_FLOAT, 32): "FLOAT",
    (_FLOAT, 64): "DOUBLE",
}
# The last 14 bytes of every KSDATAFORMAT_SUBTYPE GUID that wraps a plain format tag.
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


@dataclass(frozen=True, slots=True)
class WavHeader:
    """The format of a WAV file whose data are all there.

    Attributes
    ----------
    sample_rate : int, 1000 to 384000 [Hz]
    channels : int, 1 to 256
    subtype : {"PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"}
        libsndfile's name of the sample format.
    frames : int > 0
        Samples a channel.
    plain : bool
        True where it is the header that nearly all programs write, and can be read in one way only: 16-bit
        samples from byte `PLAIN_START` to the file's end.
    """

    sample_rate: int
    channels: int
    subtype: str
    frames: int
    plain: bool = field(default=False, compare=False)


def read_header(file: BinaryIO, size: int) -> WavHeader:
    """Walk the chunks of a WAV file up to its data.

    Parameters
    ----------
    file : binary file, seekable
    size : int >= 0 [bytes]
        Length of the file.

    Raises
    ------
    AudioFormatError
        If it is no WAV file, of a format that is not read here, or not whole. The message
        starts with a verb: the caller puts the path before it.
    """
    file.seek(0)
    if size == 0:
        raise AudioFormatError("is empty (0 bytes). Record or copy it again.")
    start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
        if start[:4] in (b"RF64", b"RIFX", b"BW64"):
            raise AudioFormatError(f"is a {start[:4].decode()} file. Convert it to a plain RIFF WAV file.")
        raise AudioFormatError("is not a WAV file: it does not start with RIFF....WAVE. Convert it to 16-bit PCM WAV.")
    riff_size = int.from_bytes(start[4:8], "little")
    fmt: tuple[int, int, str, int] | None = None
    offset = 12
    for _ in range(_MAX_CHUNKS):
        file.seek(offset)
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name == b"fmt ":
            if fmt is not None:
                raise AudioFormatError("has two format chunks and could be read in two ways. Save it again.")
            fmt = _parse_format(file.read(min(length, 40)))
        elif name == b"data":
            if fmt is None:
                raise AudioFormatError("has its data before its format. Save it again as a plain WAV file.")
            rate, channels, subtype, frame_bytes = fmt
            present = _data_bytes(length, riff_size, size - offset - 8)
            if present % frame_bytes:
                raise AudioFormatError(
                    f"is truncated or damaged: its {present} bytes of sound are not whole frames of "
                    f"{frame_bytes} bytes. Record or copy it again."
                )
            # The chunks before the data are then a format of 16 bytes and nothing else: of PCM, thus.
            plain = subtype == "PCM_16" and offset + 8 == PLAIN_START and PLAIN_START + length == size == riff_size + 8
            header = WavHeader(rate, channels, subtype, present // frame_bytes, plain)
            if header.frames > MAX_SECONDS * rate:
                raise AudioFormatError(
                    f"lasts {header.frames / rate / 3600:.1f} hours; at most {MAX_SECONDS // 3600} hours are read. "
                    "Cut it into shorter files."
                )
            return header
        offset += 8 + length + (length & 1)
    raise AudioFormatError("is truncated or damaged: it has no data chunk. Record or copy it again.")


def _parse_format(body: bytes) -> tuple[int, int, str, int]:
    """Check a format chunk; return rate, channels, subtype and bytes a frame."""
    if len(body) < 16:
        raise AudioFormatError("is damaged: its format chunk is too short. Record or copy it again.")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE:
        if len(body) < 40 or body[26:40] != _GUID_TAIL:
            raise AudioFormatError("is a WAVE_EXTENSIBLE file of an unknown sub-format. Convert it to 16-bit PCM WAV.")
        tag = int.from_bytes(body[24:26], "little")
    if tag == _PCM and bits == 8:
        raise AudioFormatError(
            "has 8-bit samples. Their noise hides what a detector listens for: record with at least 16 bits."
        )
    subtype = _SUBTYPES.get((tag, bits))
    if subtype is None:
        raise AudioFormatError(
            f"has samples of format {tag:#06x} with {bits} bits. Read are PCM of 16, 24 or 32 bits and float of "
            "32 or 64 bits: convert it."
        )
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioFormatError(
            f"has a sample rate of {rate} Hz, outside {MIN_RATE} to {MAX_RATE}. Its header is probably damaged."
        )
    if not 1 <= channels <= MAX_CHANNELS or frame_bytes != channels * bits // 8:
        raise AudioFormatError(
            f"has a header that contradicts itself: {channels} channels of {bits} bits, {frame_bytes} bytes a frame. "
            "Record or copy it again."
        )
    return rate, channels, subtype, frame_bytes


def _data_bytes(declared: int, riff_size: int, present: int) -> int:
    """Return the bytes of sound, given what the data chunk declares and what the file holds."""
    if (_is_unknown(declared) and _is_unknown(riff_size)) or (declared, riff_size) == _UNCLOSED:
        # The program that wrote it could not go back to fill the length in: the data go to the end.
        length = present
    elif declared > present:
        raise AudioFormatError(
            f"is truncated: its header declares {declared} bytes of sound and {max(present, 0)} are there. "
            "Record or copy it again."
        )
    else:
        length = declared
    if length <= 0:
        if present > 0:
            raise AudioFormatError(
                f"holds zero samples by its header, and {present} bytes follow: the recorder was probably stopped "
                "before it closed the file. Record it again, or repair it: sox --ignore-length FILE REPAIRED."
            )
        raise AudioFormatError("holds no sound: zero samples. Record it again.")
    return length


_UNCLOSED = (0, 8)
"""Data and RIFF length of the one unclosed header with zeros that libsndfile reads to the end."""


def _is_unknown(length: int) -> bool:
    """Tell whether a length is what programs write into a pipe: ffmpeg 2^32 - 1, SoX and arecord about 2^31."""
    return length == 0xFFFFFFFF or 0x7FFFE000 <= length <= 0x80001000
