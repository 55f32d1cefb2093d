from __future__ import annotations

import pytest

from edge_asd.quantize.evaluation.probe.detection import Hearing
from edge_asd.quantize.evaluation.probe.faults import BANDS
from edge_asd.quantize.evaluation.probe.words import fault_text, level_text, summary


def hearing(fault: str, band: int, half: int | None, most: int | None, *, clips: int = 12, lost: int = 0) -> Hearing:
    ends = (12, -36) if clips else (None, None)
    return Hearing("00", fault, BANDS[band], half, most, *ends, clips, lost)


@pytest.mark.parametrize(
    ("fault", "band", "level", "text"),
    [
        ("tone", 5, -6, "a whine at 2 kHz 6 dB under the machine's level"),
        ("impacts", 1, 3, "impacts that ring at 125 Hz 3 dB over the machine's level"),
        ("noise", 7, 0, "noise around 7 kHz as loud as the machine"),
        ("unsteadiness", 0, -36, "unsteadiness around 63 Hz 36 dB under the machine's level or softer"),
    ],
)
def test_a_fault_and_its_level_in_words(fault, band, level, text):
    assert f"{fault_text(fault, BANDS[band].name)} {level_text(level, -36)}" == text


def test_best_worst_and_what_is_not_heard():
    group = [
        hearing("tone", 5, -24, -18),
        hearing("tone", 0, None, None),
        hearing("tone", 1, None, None, lost=7),
        hearing("impacts", 5, -6, None),
        hearing("noise", 5, -9, -9),
        hearing("unsteadiness", 7, None, None, clips=0),
    ]
    assert summary(group) == (
        "Section 00 hears best a whine at 2 kHz 24 dB under the machine's level (in half of the clips; in nine tenths "
        "-18 dB). Of what it hears, worst impacts that ring at 2 kHz 6 dB under the machine's level (in half of the "
        "clips; never in nine tenths). It does not hear in half of the clips, even 12 dB over the machine's level: a "
        "whine at 63 Hz to 125 Hz. Not tried, for want of such sound or of room in 16 bits: unsteadiness around 7 kHz. "
        "Heard in half of the clips or more, but no longer when loudest: a whine at 125 Hz."
    )


def test_a_detector_that_hears_nothing():
    assert summary([hearing("noise", band, None, None) for band in (0, 1)]) == (
        "Section 00 hears none of the faults in half of the clips at any level that was tried: longer training, more "
        "healthy clips, or another model may."
    )


def test_what_could_not_be_tried_at_all():
    assert summary([hearing("unsteadiness", 7, None, None, clips=0)]) == (
        "Section 00: Not tried, for want of such sound or of room in 16 bits: unsteadiness around 7 kHz."
    )


def test_bands_beside_one_another_are_a_range():
    deaf = [hearing("noise", band, None, None) for band in (0, 1, 2, 4, 6, 7)]
    assert "level: noise around 63 Hz to 250 Hz, 1 kHz, 4 kHz to 7 kHz." in summary([hearing("tone", 0, 0, 0), *deaf])
