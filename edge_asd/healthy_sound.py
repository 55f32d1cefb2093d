"""Recordings that a threshold may rest on: nothing muted, clipped or too short."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_asd.audio.recording_file import Recording, read_recording
from edge_asd.audio.stream import Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DataError
from edge_asd.monitor.engine import SILENCE_SECONDS

MAX_CLIPPED_SHARE = 0.001
"""Share of samples at full scale above which a recording is refused as clipped."""


def read_healthy(path: Path, bundle: Bundle, channel: int, notes: list[str]) -> Pcm:
    """Read a recording for calibration.

    Parameters
    ----------
    path : Path
    bundle : Bundle
        Whose sample rate and score span it must suit.
    channel : int
    notes : list of str
        Gets what the user should know about the recording.

    Returns
    -------
    pcm : int16 [shape=(n,)]
        At least as long as one score spans.

    Raises
    ------
    DataError
        If it cannot be read, is muted (constant, or zero for `SILENCE_SECONDS`), clipped, or shorter
        than one score.
    """
    rate = bundle.features.sample_rate
    recording = read_recording(path, sample_rate=rate, channel=channel)
    notes += [f"{path.name} {note}" for note in recording.notes]
    pcm = recording.pcm
    span = bundle.features.sample_count(bundle.score_window_frames)
    if pcm.size < span:
        raise DataError(
            f"{path} lasts {recording.seconds:.2f} s, less than the {span / rate:.2f} s that one score of this bundle "
            "spans. Take it out of the folder, or record longer."
        )
    if pcm.min() == pcm.max():
        raise DataError(f"{path} is silent: all its samples are {pcm[0]}. Take it out, and check the microphone.")
    if (zeros := longest_silence(pcm)) >= SILENCE_SECONDS * rate:
        raise DataError(
            f"{path} holds only zeros for {zeros / rate:.1f} s. A muted or unplugged input sounds like this; the "
            "monitor makes no decision there. Take it out, or record it again."
        )
    if (clipped := clipped_share(recording)) > MAX_CLIPPED_SHARE:
        raise DataError(
            f"{path} is clipped: {clipped:.2%} of its samples are at full scale, over {MAX_CLIPPED_SHARE:.1%}. Turn "
            "the input's gain down and record it again."
        )
    if recording.file_rate < rate:
        notes.append(
            f"{path.name} has {recording.file_rate} Hz: nothing above {recording.file_rate // 2} Hz is in it, and the "
            "threshold holds only for sound recorded in the same way."
        )
    return pcm


def longest_silence(pcm: Pcm) -> int:
    """Count the samples of the longest stretch of zeros."""
    sounds = np.flatnonzero(pcm)
    return int(np.diff(sounds, prepend=-1, append=pcm.size).max()) - 1


def clipped_share(recording: Recording) -> float:
    """Share of samples at int16's ends, or beyond them in the file."""
    pcm = recording.pcm
    at_the_ends = np.count_nonzero((pcm == 32767) | (pcm == -32768)) / pcm.size
    return max(at_the_ends, recording.saturated * recording.sample_rate / (pcm.size * recording.file_rate))
