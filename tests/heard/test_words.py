from __future__ import annotations

import pytest

from edge_asd.heard.moved import Moved, Way
from edge_asd.heard.words import heard_text, range_text, way_text


def moved(low: float, high: float, db: float = 0.0, times: float = 1.0, ways: tuple[Way, ...] = ("level",)) -> Moved:
    return Moved(low, high, db, times, 0.5, ways)


def test_the_issues_own_example() -> None:
    found = [moved(2120, 2610, 9.2), moved(292, 312, times=0.5, ways=("unsteadiness",))]
    assert heard_text(found) == "2.1 to 2.6 kHz: 9 dB louder; 300 Hz: 2 times steadier"
    assert heard_text([]) == ""


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (95, 118, "95 to 120 Hz"),
        (820, 1130, "820 Hz to 1.1 kHz"),
        (992, 1240, "990 Hz to 1.2 kHz"),
        (996, 1240, "1 to 1.2 kHz"),
        (2960, 3050, "3 kHz"),
        (2130, 2190, "2.2 kHz"),
        (7600, 8000, "7.8 kHz"),
        (11_700, 23_900, "12 to 24 kHz"),
        (11.7, 35.2, "12 to 35 Hz"),
    ],
)
def test_frequencies_are_told_by_two_digits(low: float, high: float, text: str) -> None:
    assert range_text(low, high) == text


@pytest.mark.parametrize(
    ("db", "times", "ways", "text"),
    [
        (-3.6, 1.0, ("level",), "4 dB quieter"),
        (0.4, 1.0, ("level",), "slightly louder"),
        (28.4, 0.31, ("level", "unsteadiness"), "28 dB louder and 3.2 times steadier"),
        (0.0, 1.1, ("unsteadiness",), "slightly unsteadier"),
        (0.0, 2.0, ("unsteadiness",), "2 times unsteadier"),
        (0.0, 17.3, ("unsteadiness",), "17 times unsteadier"),
        (0.2, 1.0, (), "unlike before"),
    ],
)
def test_what_moved(db: float, times: float, ways: tuple[Way, ...], text: str) -> None:
    assert way_text(moved(300, 400, db, times, ways)) == text
