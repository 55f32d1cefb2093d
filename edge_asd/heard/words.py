"""What was heard, in words: "2.1 to 2.6 kHz: 9 dB louder; 300 Hz: 2 times steadier"."""

from __future__ import annotations

from collections.abc import Sequence

from edge_asd.heard.moved import Moved

_NARROW = 1.1
_SLIGHT = 1.25


def heard_text(moved: Sequence[Moved]) -> str:
    """Say which bands moved, and how; "" if none did."""
    return "; ".join(f"{range_text(one.low_hz, one.high_hz)}: {way_text(one)}" for one in moved)


def range_text(low_hz: float, high_hz: float) -> str:
    """Name a range of frequencies by two digits, and a narrow one by its middle.

    Examples
    --------
    >>> range_text(2120.0, 2590.0), range_text(288.3, 311.7), range_text(820.0, 1130.0)
    ('2.1 to 2.6 kHz', '300 Hz', '820 Hz to 1.1 kHz')
    """
    low, high = _frequency(low_hz), _frequency(high_hz)
    if high_hz <= _NARROW * low_hz or low == high:
        return " ".join(_frequency((low_hz * high_hz) ** 0.5))
    return f"{low[0]} to {' '.join(high)}" if low[1] == high[1] else f"{' '.join(low)} to {' '.join(high)}"


def way_text(moved: Moved) -> str:
    """Say how a range moved.

    Examples
    --------
    >>> way_text(Moved(300.0, 320.0, -4.2, 2.13, 0.5, ("level", "unsteadiness")))
    '4 dB quieter and 2.1 times unsteadier'
    """
    words = {"level": _level_text(moved.level_db), "unsteadiness": _unsteadiness_text(moved.unsteadiness)}
    return " and ".join(words[way] for way in moved.ways) or "unlike before"


def _frequency(hz: float) -> tuple[str, str]:
    """Round to two digits, and give the unit."""
    rounded = float(f"{hz:.2g}")
    return (f"{rounded:.0f}", "Hz") if rounded < 1000 else (f"{rounded / 1000:.1f}".removesuffix(".0"), "kHz")


def _level_text(db: float) -> str:
    word = "louder" if db > 0 else "quieter"
    return f"{abs(db):.0f} dB {word}" if round(abs(db)) else f"slightly {word}"


def _unsteadiness_text(factor: float) -> str:
    word, times = ("unsteadier", factor) if factor > 1 else ("steadier", 1 / factor)
    if times < _SLIGHT:
        return f"slightly {word}"
    return f"{f'{times:.1f}'.removesuffix('.0') if times < 9.5 else f'{times:.2g}'} times {word}"
