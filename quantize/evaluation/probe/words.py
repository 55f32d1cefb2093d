"""What a detector would hear, in words."""

from __future__ import annotations

from collections.abc import Sequence

from edge_asd.quantize.evaluation.probe.detection import Hearing
from edge_asd.quantize.evaluation.probe.faults import BANDS

_SOUNDS = {
    "tone": "a whine at {}",
    "impacts": "impacts that ring at {}",
    "noise": "noise around {}",
    "unsteadiness": "unsteadiness around {}",
}


def fault_text(fault: str, band: str) -> str:
    """Name a fault in a band, as in "a whine at 2 kHz"."""
    return _SOUNDS[fault].format(band)


def level_text(level_db: int, softest_db: int | None = None) -> str:
    """Say how loud a fault is, as in "6 dB under the machine's level"; softer than the softest was not tried."""
    if level_db == 0:
        text = "as loud as the machine"
    else:
        text = f"{abs(level_db)} dB {'under' if level_db < 0 else 'over'} the machine's level"
    return f"{text} or softer" if softest_db is not None and level_db <= softest_db else text


def summary(group: Sequence[Hearing]) -> str:
    """Say what one section hears best and worst, and what it does not hear.

    Parameters
    ----------
    group : sequence of Hearing [length n >= 1]
        Of one section.
    """
    # By their level first; the order of faults and bands decides among equals.
    found = sorted((h.level_half_db, i) for i, h in enumerate(group) if h.level_half_db is not None)
    deaf = [h for h in group if h.clips and h.level_half_db is None]
    silent = [h for h in group if not h.clips]
    lost = [h for h in deaf if 2 * h.lost >= h.clips]
    section = f"Section {group[0].section}"
    if found:
        texts = [f"{section} hears best {_heard(group[found[0][1]])}."]
    elif deaf:
        texts = [
            f"{section} hears none of the faults in half of the clips at any level that was tried: longer training, "
            "more healthy clips, or another model may."
        ]
    else:
        texts = [f"{section}:"]
    if len(found) > 1:
        texts.append(f"Of what it hears, worst {_heard(group[found[-1][1]])}.")
    if found and deaf:
        loudest = min(h.loudest_db for h in deaf if h.loudest_db is not None)
        texts.append(f"It does not hear in half of the clips, even {level_text(loudest)}: {_listed(deaf)}.")
    if silent:
        texts.append(f"Not tried, for want of such sound or of room in 16 bits: {_listed(silent)}.")
    if lost:
        texts.append(f"Heard in half of the clips or more, but no longer when loudest: {_listed(lost)}.")
    return " ".join(texts)


def _heard(hearing: Hearing) -> str:
    assert hearing.level_half_db is not None
    text = f"{fault_text(hearing.fault, hearing.band.name)} {level_text(hearing.level_half_db, hearing.softest_db)}"
    if hearing.level_90_db is None:
        return f"{text} (in half of the clips; never in nine tenths)"
    if hearing.level_90_db == hearing.level_half_db:
        return f"{text} (in nine tenths of the clips)"
    return f"{text} (in half of the clips; in nine tenths {hearing.level_90_db:+d} dB)"


def _listed(group: Sequence[Hearing]) -> str:
    """Name faults, each with all of its bands: those beside one another as a range."""
    places: dict[str, list[int]] = {}
    for hearing in group:
        places.setdefault(hearing.fault, []).append(BANDS.index(hearing.band))
    return "; ".join(fault_text(fault, ", ".join(_ranges(found))) for fault, found in places.items())


def _ranges(places: Sequence[int]) -> list[str]:
    texts, first = [], 0
    for i, place in enumerate(places):
        if i + 1 == len(places) or places[i + 1] != place + 1:
            low, high = BANDS[places[first]].name, BANDS[place].name
            texts.append(low if first == i else f"{low} to {high}")
            first = i + 1
    return texts
