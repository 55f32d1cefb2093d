"""A recording of a machine that turns faulty while it is listened to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_asd.clips import parse_section
from edge_asd.errors import DataError
from edge_asd.train.data.table1 import MACHINES, table1
from edge_asd.train.synthesis.factory import factory_noise, factory_of
from edge_asd.train.synthesis.machines import NO_FAULT, machine_of
from edge_asd.train.synthesis.presets import PRESETS
from edge_asd.train.synthesis.recipe import section_scale, to_pcm, tuned
from edge_asd.train.synthesis.signals import SAMPLE_RATE, normalised
from edge_asd.train.synthesis.writing import cannot_write
from edge_asd.wav_writing import write_wav


def make_turning_file(
    path: Path,
    *,
    section: str,
    seed: int,
    healthy_seconds: float = 40.0,
    faulty_seconds: float = 30.0,
    fault: str = "wing damage",
) -> float:
    """Write a recording of a section's fan, in the source domain and the preset tiny's noise, that breaks on the way.

    Parameters
    ----------
    path : Path
        WAV file to write, 16 kHz mono int16.
    section : str
        The fan, as in `make_dataset`.
    seed : int >= 0
        Seed; the recording has no clip in common with the data set.
    healthy_seconds, faulty_seconds : float >= 0
        Length before and after the change.
    fault : str
        A fault of the fan that leaves its speed alone.

    Returns
    -------
    change : float
        Second at which the fault begins; it is complete one second later.

    Raises
    ------
    DataError
        If there is no such section or fault.
    OutputError
        If `path` cannot be written.
    """
    section = parse_section(section)
    fan = machine_of("fan", section)
    if fault not in fan.FAULTS or fault == "over voltage":
        raise DataError(f"{fault!r} is not a fault into which a fan can turn smoothly.")
    n = round(SAMPLE_RATE * (healthy_seconds + faulty_seconds))
    entropy = [seed, MACHINES.index("fan"), int(section), 8]
    rng = np.random.default_rng(entropy)
    condition = fan.condition("source", rng)
    # One generator's numbers for both: the same fan in the same flow, in two states.
    healthy, faulty = (
        normalised(fan.sound(condition, n, np.random.default_rng([*entropy, 1]), name, severity))
        for name, severity in ((NO_FAULT, 0.0), (fault, 1.0))
    )
    fade = np.clip(np.arange(n) / SAMPLE_RATE - healthy_seconds, 0, 1)
    machine = healthy + fade * (faulty - healthy)
    row, easier_db = table1()["fan", section], PRESETS["tiny"].easier_db
    noise = tuned(factory_noise(factory_of("fan", section, "source"), n, rng), 1.0, row.source.snr_db + easier_db)
    try:
        write_wav(path, to_pcm(machine + noise, section_scale(row, 1.0, easier_db), rng), SAMPLE_RATE)
    except OSError as error:
        raise cannot_write(path, error) from error
    return healthy_seconds
