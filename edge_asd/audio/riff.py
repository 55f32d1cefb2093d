"""What the header of a WAV file says, and whether the file keeps its word.

RIFF, RF64 and BW64 are walked chunk by chunk, and only the chunks of format, data and 64-bit lengths are looked
into: what another holds can neither change the sound nor keep the program. Nothing is allocated by what a header says.

Lengths are wrong in many files that are whole, and right in many that are not. The rule: as many bytes as the data
chunk declares are the sound, and what follows must be chunks. Where fewer are there, the sound goes to the file's end
if the length is one that programs write into pipes, or if the RIFF length shows that nothing is missing (with a note
then). All else is refused, with the repair.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from edge_asd.audio.sound_header import (
    MAX_CHANNELS,
    MAX_SECONDS,
    SoundHeader,
    check_file_rate,
    check_length,
    refuse_8_bits,
)
from edge_asd.errors import AudioFormatError

_MAX_CHUNKS = 10_000
_TAIL = 1 << 20  # As far from the end as a closing chunk is looked for [bytes].

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
# Chunks that are known to follow sound: one of them may be cut off.
_METADATA = frozenset(b"LIST JUNK junk FLLR fact plst smpl inst acid PEAK bext iXML axml chna _PMX".split()) | {
    b"PAD ",
    b"cue ",
    b"id3 ",
    b"ID3 ",
}
_REPAIR = "sox --ignore-length FILE REPAIRED"


def read_header(file: BinaryIO, size: int, longest: int = MAX_SECONDS) -> SoundHeader:
    """Walk the chunks of a WAV file up to its data, and behind them where more follows.

    Parameters
    ----------
    file : binary file, seekable
    size : int >= 0 [bytes]
        Length of the file.
    longest : int [s]
        Sound that lasts longer is refused.

    Returns
    -------
    SoundHeader
        With `frames` and `start`.

    Raises
    ------
    AudioFormatError
        If it is no WAV file, of a format that is not read here, or not whole. The message
        starts with a verb: the caller puts the path before it.
    """
    file.seek(0)
    start = file.read(12)
    if len(start) < 12 or start[:4] not in (b"RIFF", b"RF64", b"BW64") or start[8:] != b"WAVE":
        raise AudioFormatError("is not a WAV file: it does not start with RIFF....WAVE. Convert it to 16-bit PCM WAV.")
    wide = start[:4] != b"RIFF"
    riff_length = int.from_bytes(start[4:8], "little")
    data_length: int | None = None
    fmt: tuple[int, int, str, int] | None = None
    name, length, body = b"", 0, 12
    for name, length, body in _chunks(file, 12):
        if name == b"fmt ":
            if fmt is not None:
                raise AudioFormatError("has two format chunks and could be read in two ways. Save it again.")
            fmt = _parse_format(file.read(min(length, 40)), min(length, 40))
        elif name == b"ds64" and wide and data_length is None:
            lengths = file.read(16)
            if len(lengths) == 16 <= length:
                riff_64, data_length = struct.unpack("<QQ", lengths)
                riff_length = riff_64 if riff_length == 0xFFFFFFFF else riff_length
        elif name == b"data":
            if fmt is None:
                raise AudioFormatError("has its data before its format. Save it again as a plain WAV file.")
            if wide and length == 0xFFFFFFFF and data_length:
                length = data_length
            header = _header(file, size, fmt, body, length, riff_length)
            check_length(header.frames or 0, header.sample_rate, longest)
            return header
    raise AudioFormatError(
        "is truncated or damaged: it has no data chunk"
        + (f" (its chunk {_printed(name)} claims {length} bytes; {size - body} follow)" if body + length > size else "")
        + ". Record or copy it again."
    )


def _chunks(file: BinaryIO, offset: int) -> Iterator[tuple[bytes, int, int]]:
    """Give the name of each chunk, its length, and where its body starts; the file then stands there."""
    for _ in range(_MAX_CHUNKS):
        file.seek(offset)
        head = file.read(8)
        if len(head) < 8:
            return
        name, length = head[:4], int.from_bytes(head[4:], "little")
        yield name, length, offset + 8
        offset += 8 + length
        if length & 1:
            offset += _padding(file, offset)
    raise AudioFormatError(f"has more than {_MAX_CHUNKS} chunks. Save it again as a plain WAV file.")


def _padding(file: BinaryIO, offset: int) -> int:
    """Tell whether a chunk of odd length is followed by its padding (1), or by none (0) as some programs have it."""
    file.seek(offset)
    ahead = file.read(5)
    if not ahead or ahead[0] == 0 or ahead[1:] in (b"fmt ", b"data"):
        return 1
    return int(not _is_name(ahead[:4]))


def _is_name(name: bytes) -> bool:
    """Tell whether four bytes may name a chunk; those of sound hardly ever do."""
    return len(name) == 4 and all(0x20 <= byte <= 0x7E for byte in name)


def _printed(name: bytes) -> str:
    return repr(name.decode("ascii", "replace")) if _is_name(name) else f"0x{name.hex()}"


def _parse_format(body: bytes, length: int) -> tuple[int, int, str, int]:
    """Check a format chunk of a length; return rate, channels, subtype and bytes a frame."""
    if len(body) < max(16, length):
        raise AudioFormatError("is damaged: its format chunk is too short. Record or copy it again.")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE:
        if len(body) < 40 or body[26:40] != _GUID_TAIL:
            raise AudioFormatError("is a WAVE_EXTENSIBLE file of an unknown sub-format. Convert it to 16-bit PCM WAV.")
        tag = int.from_bytes(body[24:26], "little")
    if tag == _PCM and bits == 8:
        raise refuse_8_bits()
    subtype = _SUBTYPES.get((tag, bits))
    if subtype is None:
        raise AudioFormatError(
            f"has samples of format {tag:#06x} with {bits} bits. Read are PCM of 16, 24 or 32 bits and float of "
            "32 or 64 bits: convert it."
        )
    check_file_rate(rate)
    if not 1 <= channels <= MAX_CHANNELS or frame_bytes != channels * bits // 8:
        raise AudioFormatError(
            f"has a header that contradicts itself: {channels} channels of {bits} bits, {frame_bytes} bytes a frame. "
            "Record or copy it again."
        )
    return rate, channels, subtype, frame_bytes


def _header(
    file: BinaryIO, size: int, fmt: tuple[int, int, str, int], start: int, declared: int, riff_length: int
) -> SoundHeader:
    """Find out how many frames there are, given where they start and what lengths are declared."""
    rate, channels, subtype, frame_bytes = fmt
    length, notes = _length(file, size, start, declared, riff_length, rate * frame_bytes)
    frames, left = divmod(length, frame_bytes)
    if left > 1:
        raise AudioFormatError(
            f"is truncated or damaged: its {length} bytes of sound are not whole frames of {frame_bytes} bytes. "
            "Record or copy it again."
        )
    if left and (length - left) % 2 == 0:  # Otherwise it is what makes the chunk's length even.
        notes = (*notes, "has one byte behind its last whole sample, which is left out.")
    return SoundHeader(rate, channels, subtype, frames, start, notes)


def _length(
    file: BinaryIO, size: int, start: int, declared: int, riff_length: int, byte_rate: int
) -> tuple[int, tuple[str, ...]]:
    """Return the bytes of sound, and notes."""
    there = size - start
    # A RIFF length that ends before the sound was never filled in, and says nothing; nor does a pipe's.
    filled = not is_pipe_length(riff_length) and 8 + riff_length > start
    missing = 8 + riff_length - size if filled else 0
    piped = (is_pipe_length(declared) and declared > there) or (declared, riff_length) in ((0, 8), (0, start - 8))
    if piped and missing <= 0:
        _refuse_closing_chunk(file, start, size)
        return there, ()
    if declared <= there:
        return declared, _behind(
            file, start, declared, size, riff_end=8 + riff_length if filled else None, byte_rate=byte_rate
        )
    if missing > 0 and (piped or missing >= declared - there - 1):
        raise AudioFormatError(
            f"is truncated: its header declares {min(declared, there + missing)} bytes of sound and {there} are there. "
            "Record or copy it again."
        )
    if not filled or missing not in (0, -1):
        raise AudioFormatError(
            f"has a header that declares {declared} bytes of sound where {there} are there, and no other length that "
            "tells which is right: it was cut off, or its header never filled in. Record or copy it again, or take "
            f"all that is there as sound: {_REPAIR}."
        )
    _refuse_closing_chunk(file, start, size)
    return there, (f"has a header that counts {declared - there} bytes of sound too many; nothing is missing.",)


def is_pipe_length(length: int) -> bool:
    """Tell whether a length is what programs write into a pipe: ffmpeg 2^32 - 1, SoX and arecord about 2^31.

    libsndfile writes a data length of 0 and a RIFF length of 8, GStreamer the lengths of an empty file.
    """
    return length in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) or 0x7FFFE000 <= length <= 0x80001000


def _behind(
    file: BinaryIO, start: int, declared: int, size: int, *, riff_end: int | None, byte_rate: int
) -> tuple[str, ...]:
    """Look at what follows the sound that is declared; return notes.

    `riff_end` is where the file ends by its RIFF length, None where that says nothing.
    """
    end = start + declared
    rest = size - end
    padded = end + (declared & 1)
    if rest <= 1 or _are_chunks(file, padded, size) or (padded > end and _are_chunks(file, end, size)):
        return ()
    if declared == 0:
        raise AudioFormatError(
            f"holds zero samples by its header, and {rest} bytes follow: the recorder was probably stopped "
            f"before it closed the file. Record it again, or repair it: {_REPAIR}."
        )
    if rest < 8:  # Too little for a chunk of its own; it may be the end of one that the length reaches into.
        _refuse_closing_chunk(file, start, size)
    file.seek(padded)
    seconds = f"{rest / byte_rate:.3g} s if they are sound"
    if riff_end is None or riff_end < padded + 8 or file.read(4) in _METADATA:
        return (
            f"has {size - padded} bytes behind its sound that are no whole chunk ({seconds}); they are passed over.",
        )
    raise AudioFormatError(
        f"declares {declared / byte_rate:.4g} s of sound, and {rest} bytes follow that are no chunk ({seconds}): its "
        f"lengths contradict each other. Save it again, or take all that follows as sound: {_REPAIR}."
    )


def _are_chunks(file: BinaryIO, offset: int, size: int) -> bool:
    """Tell whether there are whole chunks, and nothing else, from an offset to the file's end."""
    end, names = offset, set()
    for name, length, body in _chunks(file, offset):
        # Four zero bytes are a name that some programs write; with a length of zero they may be silence.
        if not (_is_name(name) or (name == bytes(4) and length)):
            return False
        names.add(name)
        end = body + length
    if size - end not in (0, 1):
        return False
    # Files that were joined end to end, such as by cat, are a chunk RIFF of the first.
    if again := names & {b"fmt ", b"data", b"RIFF"}:
        raise AudioFormatError(
            f"has a second {_printed(again.pop())} chunk and could be read in two ways. Save it again."
        )
    return True


def _refuse_closing_chunk(file: BinaryIO, start: int, size: int) -> None:
    """Make sure that the sound goes to the file's end: no chunk may end there."""
    first = max(start, size - _TAIL)
    file.seek(first)
    tail = np.frombuffer(file.read(size - first), np.uint8)
    if tail.size < 8:
        return
    # For every place, how long a chunk's body would be that starts there and ends with the file.
    body = np.arange(tail.size - 8, -1, -1, dtype=np.uint32)
    length = sum(tail[4 + i : tail.size - 3 + i].astype(np.uint32) << (8 * i) for i in range(4))
    for at in np.flatnonzero((length == body) | ((length + 1 == body) & (length % 2 == 1))):
        name = tail[at : at + 4].tobytes()
        if _is_name(name):
            raise AudioFormatError(
                f"does not say how long its sound is, and its last {tail.size - at} bytes look like a chunk named "
                f"{_printed(name)}: where the sound ends cannot be told. Save it again, or take all of it as sound: "
                f"{_REPAIR}."
            )
