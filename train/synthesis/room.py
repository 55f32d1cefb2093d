"""A room for machines that were recorded in an anechoic chamber: a response of RT60 0.3 s by Pyroomacoustics."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import signal

from edge_asd.train.data.table1 import MACHINES
from edge_asd.train.synthesis.signals import SAMPLE_RATE, Float64

RT60 = 0.3
"""Reverberation time of the paper's section 2.2 [s]."""

_DISTANCE = 0.6  # from the microphone, m (Table 3)
_ORDER = 25  # reflections of the image source method: those left out arrive after 0.3 s


@cache
def room_response(machine: str, section: str) -> Float64:
    """Return the impulse response of a section's room, the direct sound included [shape=(n,)].

    Sabine's formula overestimates how fast a small, deaf room falls silent, so the wall's absorption is
    corrected until the response itself, by Schroeder's backward integration, has the wanted time.
    """
    import pyroomacoustics as pra

    rng = np.random.default_rng([0x600, MACHINES.index(machine), int(section)])
    size = rng.uniform((4.5, 3.8, 2.6), (6.0, 4.8, 3.2))
    microphone = size * rng.uniform(0.4, 0.6, 3)
    direction = rng.normal(size=3)
    source = microphone + _DISTANCE * direction / np.linalg.norm(direction)
    wanted = RT60
    for _ in range(6):
        absorption, _ = pra.inverse_sabine(wanted, size)
        room = pra.ShoeBox(size, fs=SAMPLE_RATE, materials=pra.Material(absorption), max_order=_ORDER)
        room.add_source(source)
        room.add_microphone(microphone)
        room.compute_rir()
        response = np.asarray(room.rir[0][0], dtype=np.float64)[: round(2 * RT60 * SAMPLE_RATE)]
        measured = rt60(response)
        if abs(measured / RT60 - 1) < 0.02:
            break
        wanted *= RT60 / measured
    return response


def rt60(response: Float64) -> float:
    """Measure a reverberation time [s]: twice the time in which the energy left falls from -5 to -35 dB (ISO 3382)."""
    left = np.cumsum(response[::-1] ** 2)[::-1]
    level = 10 * np.log10(left / left[0] + 1e-300)
    first, last = (int(np.argmax(level < db)) for db in (-5, -35))
    slope = np.polyfit(np.arange(first, last) / SAMPLE_RATE, level[first:last], 1)[0]
    return float(-60 / slope)


def in_room(dry: Float64, response: Float64) -> Float64:
    """Convolve with a room's response; without the first ``response.size - 1`` samples, in which the room fills."""
    return np.asarray(signal.oaconvolve(dry, response, mode="valid"))
