"""Writing sound: one channel of int16 as a WAV file."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt


def write_wav(path: Path, pcm: npt.NDArray[np.int16], rate: int) -> None:
    """Write one channel of 16 bits.

    Parameters
    ----------
    path : Path
    pcm : ndarray, int16 [shape=(n,)]
    rate : int [Hz]

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # Opened here: wave leaves a broken object behind when it cannot open a path itself.
    with path.open("wb") as raw:
        write_wav_to(raw, pcm, rate)


def write_wav_to(raw: BinaryIO, pcm: npt.NDArray[np.int16], rate: int) -> None:
    """Write one channel of 16 bits into an open file; see `write_wav`."""
    with wave.open(raw, "wb") as file:
        file.setparams((1, 2, rate, pcm.size, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
