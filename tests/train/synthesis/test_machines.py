"""Five machines: their faults change the sound, their domains differ as Table 1 says."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asd.errors import DataError
from edge_asd.train.data.table1 import MACHINES, table1
from edge_asd.train.synthesis import SEVERITIES, ClipPlan
from edge_asd.train.synthesis.factory import FACTORIES, factory_noise, factory_of
from edge_asd.train.synthesis.machines import MODELS, NO_FAULT, machine_of
from edge_asd.train.synthesis.signals import normalised, tone

N = 160_000
FAULTS = [(machine, fault) for machine in MACHINES for fault in MODELS[machine].FAULTS]


def bands(x: np.ndarray) -> np.ndarray:
    """Level of bands about a third of an octave wide, 60 Hz to 8 kHz [dB]."""
    power = np.abs(np.fft.rfft(x)) ** 2
    edges = np.geomspace(60, 8000, 24) * x.size / 16_000
    return 10 * np.log10(np.add.reduceat(power, edges.astype(int))[:-1])


def states(machine: str, section: str, fault: str, severity: float, count: int = 2) -> np.ndarray:
    model = machine_of(machine, section)
    result = []
    for i in range(count):
        rng = np.random.default_rng([7, i])
        condition = model.condition("source", rng)
        result.append(bands(normalised(model.sound(condition, N // 4, rng, fault, severity))))
    return np.array(result)


@pytest.mark.parametrize(("machine", "fault"), FAULTS)
def test_a_fault_changes_the_spectrum_the_more_the_severer(machine: str, fault: str) -> None:
    healthy = states(machine, "00", NO_FAULT, 0.0)
    # Whatever the fault, severity 0 is the healthy machine.
    np.testing.assert_array_equal(states(machine, "00", fault, 0.0), healthy)
    change = [float(np.abs((states(machine, "00", fault, s) - healthy).mean(0)).max()) for s in (0.45, 1.0)]
    assert change[1] > 1.0
    assert change[1] > change[0]


def test_table_2s_faults() -> None:
    assert {machine: MODELS[machine].FAULTS for machine in MACHINES} == {
        "fan": ("wing damage", "unbalance", "clogging", "over voltage"),
        "gearbox": ("gear damage", "overload", "over voltage"),
        "pump": ("contamination", "clogging", "leakage", "dry run"),
        "slider": ("rail damage", "loose belt", "no grease"),
        "valve": ("contamination",),
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_faulty_clips_take_every_fault_at_every_severity(machine: str) -> None:
    faults = MODELS[machine].FAULTS
    plans = [ClipPlan(machine, "00", "source", "test", "anomaly", i) for i in range(3 * len(faults))]
    assert sorted(p.fault for p in plans) == sorted((f, s) for f in faults for s in SEVERITIES)
    assert ClipPlan(machine, "00", "source", "test", "normal", 5).fault == (NO_FAULT, 0.0)


def drawn(machine: str, section: str, domain: str, name: str) -> set:
    model = machine_of(machine, section)
    rng = np.random.default_rng(3)
    return {getattr(model.condition(domain, rng), name) for _ in range(60)}


# What Table 1 says of a section, and the part of the condition that has to differ.
SHIFTS = {
    ("fan", "wind strength"): "strength",
    ("fan", "wind temperature"): "celsius",
    ("fan", "two products"): "second",
    ("gearbox", "voltage"): "volts",
    ("gearbox", "arm length"): "arm_mm",
    ("gearbox", "weight"): "weight_g",
    ("pump", "viscosity"): "viscosity",
    ("pump", "several pumps"): "pumps",
    ("slider", "velocity"): "velocity",
    ("slider", "operation mode"): "mode",
    ("slider", "belt material"): "material",
    ("valve", "timing"): "pattern",
    ("valve", "no pump"): "pump",
    ("valve", "flowing water"): "water",
    ("valve", "two valves"): "valves",
}


@pytest.mark.parametrize("row", sorted(table1()))
def test_the_domains_differ_in_what_table_1_says_and_in_nothing_else(row: tuple[str, str]) -> None:
    machine, section = row
    text = table1()[row].description
    said = {name for (of, word), name in SHIFTS.items() if of == machine and word in text}
    if "factory noise" in text:
        assert factory_of(*row, "target") != factory_of(*row, "source")
    else:
        assert factory_of(*row, "target") == factory_of(*row, "source") == "assembly hall"
    names = {name for (of, _), name in SHIFTS.items() if of == machine}
    for name in names:
        source, target = drawn(machine, section, "source", name), drawn(machine, section, "target", name)
        low, high = min(source), max(source)
        overlap = [value for value in target if low <= value <= high]
        assert (not overlap) if name in said else (min(target) >= low * 0.97 and max(target) <= high * 1.03), name
    noise_or_snr = "factory noise" in text or "SNR" in text
    assert said or noise_or_snr


def test_three_factories_sound_different() -> None:
    spectra = [
        np.mean([bands(factory_noise(f, N // 4, np.random.default_rng(i))) for i in range(6)], 0) for f in FACTORIES
    ]
    for i in range(3):
        for j in range(i):
            assert np.abs(spectra[i] - spectra[j]).max() > 3
    assert (
        len({factory_of("fan", "02", "target"), factory_of("pump", "04", "target"), factory_of("fan", "00", "source")})
        == 3
    )


def test_unknown_machines_and_sections_are_refused() -> None:
    with pytest.raises(DataError, match="no synthetic 'toaster'"):
        machine_of("toaster", "00")
    with pytest.raises(DataError, match="no synthetic section '06' of fan"):
        machine_of("fan", "06")


@pytest.mark.parametrize("n", [1, 399, 400, 16_001])
def test_a_tone_is_a_cosine(n: int) -> None:
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi)
    expected = np.cos(2 * np.pi * 100.3 * np.arange(n) / 16_000 + phase)
    np.testing.assert_allclose(tone(100.3, n, np.random.default_rng(0)), expected, atol=1e-9)
