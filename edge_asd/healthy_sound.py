"""Recordings that a threshold may rest on: nothing muted, clipped or too short."""

from __future__ import annotations

from pathlib import Path

from edge_asd.audio.gain import Gain
from edge_asd.audio.health import clipped_share, clipping_text, dead_text
from edge_asd.audio.recording_file import read_recording
from edge_asd.audio.stream import Pcm
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DataError


def read_healthy(path: Path, bundle: Bundle, channel: int, notes: list[str], gain_db: float = 0.0) -> Pcm:
    """Read a recording for calibration.

    Parameters
    ----------
    path : Path
    bundle : Bundle
        Whose sample rate and score span it must suit.
    channel : int
    notes : list of str
        Gets what the user should know about the recording.
    gain_db : float, -60 to 60 [dB]
        Digital gain (`edge_asd.audio.gain`), as the monitor's.

    Returns
    -------
    pcm : int16 [shape=(n,)]
        At least as long as one score spans.

    Raises
    ------
    DataError
        If it cannot be read, is silent, dead somewhere or clipped (`edge_asd.audio.health`), or shorter
        than one score.
    """
    rate = bundle.features.sample_rate
    recording = read_recording(path, sample_rate=rate, channel=channel)
    notes += [f"{path.name} {note}" for note in recording.notes]
    pcm = Gain(gain_db).apply(recording.pcm)
    if pcm.size < bundle.score_samples:
        raise DataError(
            f"{path} lasts {recording.seconds:.2f} s, less than the {bundle.score_seconds:.2f} s that one score of "
            "this bundle spans. Take it out of the folder, or record longer."
        )
    text = dead_text(pcm, rate, channel=channel, sounding=recording.sounding_channels)
    if text := text or clipping_text(clipped_share(pcm, recording.beyond)):
        raise DataError(f"{path} {text}")
    if recording.file_rate < rate and not bundle.trained_at(recording.file_rate):
        notes.append(
            f"{path.name} has {recording.file_rate} Hz: nothing above {recording.file_rate // 2} Hz is in it, and the "
            "threshold holds only for sound recorded in the same way."
        )
    return pcm
