"""What an AIFF, W64 or OGG file says of its length, and W64 of its samples, that libsndfile passes over.

It reads a file that was cut off, or has holes, without a word, and takes the floats of some W64 files for integers.
"""

from __future__ import annotations

import os

from edge_asd.audio.riff import is_pipe_length
from edge_asd.audio.sound_header import SoundHeader
from edge_asd.errors import AudioFormatError

_LONGEST_PAGE = 27 + 255 + 255 * 255
_OPUS_RATE = 48_000
_W64_CHUNKS = 1_000
_W64_GUID_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_EXTENSIBLE_PCM = bytes.fromhex("0100000000001000800000aa00389b71")


def check_whole(descriptor: int, form: str, header: SoundHeader) -> None:
    """Refuse a file that holds less than it says, or other samples; FLAC files need no such check.

    Parameters
    ----------
    descriptor : int
        An open file; its position stays, since another process is about to read on from there.
    form : str
        libsndfile's name of the container.
    header : SoundHeader
        What libsndfile found.

    Raises
    ------
    AudioFormatError
        The message starts with a verb.
    """
    size = os.fstat(descriptor).st_size
    first = os.pread(descriptor, 64, 0)
    if form == "AIFF":
        padding = int(header.subtype == "PCM_24")  # May be counted and missing.
        _check_size(8 + int.from_bytes(first[4:8], "big") - padding, size)
        _check_frames(first, header)
    elif form == "W64":
        _check_size(int.from_bytes(first[16:24], "little"), size)
        _check_extensible(descriptor)
    elif form == "OGG":
        _check_last_page(descriptor, size, first, header)


def _check_size(declared: int, size: int) -> None:
    # Programs that write into pipes leave a length that says nothing.
    if declared > size and not is_pipe_length(declared - 8) and not declared >> 62:
        raise AudioFormatError(
            f"is truncated: its header declares a file of {declared} bytes and {size} are there. Copy it again."
        )


def _check_extensible(descriptor: int) -> None:
    """Refuse a W64 file of an extensible format other than PCM, as ffmpeg writes floats: libsndfile sees integers."""
    at = 40
    for _ in range(_W64_CHUNKS):
        head = os.pread(descriptor, 64, at)  # A name of 16 bytes, a length that counts itself, and the format.
        length = int.from_bytes(head[16:24], "little")
        if head[4:16] != _W64_GUID_TAIL or length < 24 or head[:4] == b"data":
            return
        if head[:4] == b"fmt ":
            if head[24:26] == b"\xfe\xff" and head[48:64] != _EXTENSIBLE_PCM:
                raise AudioFormatError(
                    "has samples of an extensible format that is not read in W64 files. Convert it to WAV, for "
                    "example: ffmpeg -i FILE FILE.wav"
                )
            return
        at += (length + 7) // 8 * 8


def _check_frames(first: bytes, header: SoundHeader) -> None:
    """Compare the number of samples in an AIFF file's common chunk, which is the first or second, with its sound."""
    at = first.find(b"COMM", 12)
    frames = int.from_bytes(first[at + 10 : at + 14], "big")
    if at in (12, 24) and frames and not is_pipe_length(frames) and frames != header.frames:
        raise AudioFormatError(
            f"declares {frames} samples and holds {header.frames}: it is truncated or damaged. Copy it again, or "
            "convert it to WAV."
        )


def _check_last_page(descriptor: int, size: int, first: bytes, header: SoundHeader) -> None:
    """Compare the number of samples that stands in the last page with those that were found."""
    tail = os.pread(descriptor, _LONGEST_PAGE, max(0, size - _LONGEST_PAGE))
    page = tail[max(0, tail.rfind(b"OggS")) :]
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    if len(page) < 27 + len(segments) + sum(segments) or len(page) < 27 or not page[5] & 4:
        raise AudioFormatError("is truncated: its last page is not there. Copy it again, or convert it to WAV.")
    if page[14:18] != first[14:18]:
        raise AudioFormatError(
            "holds several streams, one after another, of which only the first would be read. Split it, or convert "
            "it to WAV."
        )
    frames = int.from_bytes(page[6:14], "little")
    if header.subtype == "OPUS":
        frames = (frames - int.from_bytes(first[38:40], "little")) * header.sample_rate // _OPUS_RATE
    if header.frames is None or abs(frames - header.frames) > 1:
        raise AudioFormatError(
            f"is damaged, or starts in the middle: {header.frames} samples of the {frames} by its last page can be "
            "decoded. Copy it again, or convert it to WAV."
        )
