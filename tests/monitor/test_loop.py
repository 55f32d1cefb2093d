"""What the loop tells, and of what: every decision to the sinks, dead and clipped input to people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edge_asd.audio.stream import Break
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import DataError
from edge_asd.monitor.engine import Decision, Engine
from edge_asd.monitor.loop import listen
from tests.data import RATE
from tests.golden.committed import NAMES, made_sound

BUNDLE = Bundle.load(NAMES["ae"])
SOUND = made_sound(1, 200)
ZEROS = np.zeros(2 * RATE, np.int16)


def heard(*parts: npt.NDArray[np.int16], clipping: bool = True) -> tuple[int, list[Decision], list[str]]:
    """Listen to sound in blocks of a tenth of a second; return the anomalies, the decisions and the notes."""
    pcm = np.concatenate(parts)
    decisions: list[Decision] = []
    notes: list[str] = []
    blocks = np.split(pcm, range(RATE // 10, pcm.size, RATE // 10))
    count = listen(Engine(BUNDLE, "00"), BUNDLE, blocks, [decisions.append], notes.append, clipping=clipping)
    return count, decisions, notes


def test_every_decision_is_told_and_anomalies_counted() -> None:
    engine = Engine(BUNDLE, "00")
    expected = engine.push(SOUND) + engine.finish()
    count, decisions, notes = heard(SOUND)
    assert decisions == expected
    assert count == sum(decision.anomaly for decision in expected) > 0
    assert notes == []


def test_a_dead_input_is_told_once_until_it_ends() -> None:
    _, _, notes = heard(SOUND, ZEROS, SOUND, ZEROS - 1, SOUND)
    assert len(notes) == 2
    for note in notes:
        assert note.startswith("The input has stayed within 1 of a constant for 0.5 s: it is probably muted")
        assert "1.5 s of sound" in note


def test_clipping_is_told_once_until_it_ends() -> None:
    loud = np.clip(SOUND.astype(np.int32) * 25, -32768, 32767).astype(np.int16)
    assert 0.001 < (np.abs(loud.astype(int)) >= 32767).mean() < 0.5
    _, _, notes = heard(SOUND, loud, SOUND, loud)
    assert [note[:41] for note in notes] == ["The input clips: over 0.1% of the last 1."] * 2
    assert heard(SOUND, loud, clipping=False)[2] == []


def test_an_input_without_a_decision_is_an_error() -> None:
    for dead in (ZEROS, ZEROS[: RATE // 2], np.concatenate([SOUND[:RATE], ZEROS])):
        with pytest.raises(DataError, match=r"no decision: the sound stays within 1 of .* muted or unplugged"):
            heard(dead)
    with pytest.raises(DataError, match=r"lasts less than the 1\.5 s that one score"):
        heard(SOUND[:RATE])


def test_a_break_is_told_and_nothing_is_mixed_across_it() -> None:
    lost = Break("microphone-lost", 0, 2.1, 1e9, "It is gone.")
    back = Break("microphone-back", 5 * RATE, 5.0, 1e9 + 5, "")
    decisions: list[Decision] = []
    notes: list[str] = []
    told: list[tuple[Break, float]] = []
    listen(
        Engine(BUNDLE, "00"),
        BUNDLE,
        [SOUND[:RATE], lost, back, SOUND[RATE:]],
        [decisions.append],
        notes.append,
        on_break=lambda gap, time_s: told.append((gap, time_s)),
    )
    assert told == [(lost, 1.0), (back, 6.0)]
    assert notes == ["It is gone."]
    alone = Engine(BUNDLE, "00").push(SOUND[RATE:])
    assert [d.score for d in decisions] == [d.score for d in alone] != []
    assert [d.time_s for d in decisions] == pytest.approx([d.time_s + 6.0 for d in alone])
