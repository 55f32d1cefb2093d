"""A data set of Table 1's exact size: valid headers, sparse ten-second clips, a sound of their own each."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

from edge_asd.clips import DOMAINS
from edge_asd.train.data.table1 import Section, table1

SOUND_BYTES = 2 * 16000 * 10

NOISE = random.Random(0).randbytes(4096 - 44 - 8)
"""Fills the first block of the disk, so that it sounds."""


def wav_header(size: int, *, rate: int = 16000, channels: int = 1, bits: int = 16) -> bytes:
    """Return the 44 bytes before the sound."""
    frame = channels * bits // 8
    chunks = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * frame, frame, bits)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + chunks + struct.pack("<4sI", b"data", size)


def write_clip(path: str | Path, number: int, size: int = SOUND_BYTES, **header: int) -> None:
    """Write a clip of `number`, noise, and zeros for the rest of it, of zeros alone for 0: one block on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(handle, (wav_header(size, **header) + number.to_bytes(8, "little") + NOISE * (number > 0))[: 44 + size])
    os.truncate(handle, 44 + size)
    os.close(handle)


def names(row: Section) -> list[str]:
    """Return folder and name of every clip of a section; those of evaluation data do not tell their label."""
    result = []
    for domain in DOMAINS:
        counts, start = row.domain(domain), f"section_{row.section}_{domain}"
        result += [f"train/{start}_train_normal_{i:04d}_vel_6.wav" for i in range(counts.train)]
        if counts.normal is None or counts.anomaly is None:
            result += [f"{domain}_test/{start}_test_{i:04d}.wav" for i in range(counts.test)]
        else:
            for label, count in (("normal", counts.normal), ("anomaly", counts.anomaly)):
                result += [f"{domain}_test/{start}_test_{label}_{i:04d}.wav" for i in range(count)]
    return result


def make_table1_tree(root: Path) -> int:
    """Write every clip of Table 1; return how many."""
    number = 0
    for (machine, _), row in table1().items():
        for folder in ("train", "source_test", "target_test"):
            (root / machine / folder).mkdir(parents=True, exist_ok=True)
        for name in names(row):
            number += 1
            write_clip(f"{root}/{machine}/{name}", number)
    return number
