"""Live sound cut into clips: which samples are in them, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from edge_asd.audio.clip_recording import ClipRecorder, record_clips
from edge_asd.audio.gain import Gain
from edge_asd.audio.stream import SETTLE_SECONDS, Break, Pcm, Waiting
from edge_asd.errors import OutputError
from tests.data import RATE, machine_sound

Item = Pcm | Break | Waiting

SETTLE = round(SETTLE_SECONDS * RATE)
SOUND = machine_sound(np.random.default_rng(3), seconds=40.0)
LOST = Break("samples-lost", 4000, 0.25, 0.0, "0.25 s of sound were lost.")
GONE = Break("signal-lost", 0, 2.0, 0.0, "It is gone.")
BACK = Break("signal-back", 32000, 2.0, 0.0, "It is back.")


def blocks(pcm: Pcm, size: int = 800) -> Iterator[Item]:
    for start in range(0, pcm.size, size):
        yield pcm[start : start + size]


class Kept:
    """A recorder of clips of 2 s, and all that it wrote and said."""

    def __init__(self, wanted: int = 5, gain_db: float = 0.0) -> None:
        self.clips: list[Pcm] = []
        self.notes: list[str] = []
        self.recorder = ClipRecorder(
            self.clips.append, wanted, seconds=2.0, rate=RATE, gain_db=gain_db, note=self.notes.append
        )

    def record(self, *sounds: Iterable[Item]) -> Kept:
        """Record them one after the other."""
        record_clips(self.recorder, (item for sound in sounds for item in sound))
        return self

    @property
    def faults(self) -> list[tuple[str, float]]:
        """Kind and length of what was refused."""
        return [(one.fault, one.seconds) for one in self.recorder.recorded.refusals]


@pytest.mark.parametrize("size", [7, 800, 12345, SOUND.size])
def test_clips_are_the_sound_without_a_gap(size: int) -> None:
    """But for the first second, in which a microphone settles; whatever the blocks."""
    sound = SOUND[: SETTLE + 12 * RATE]
    kept = Kept().record(blocks(sound, size))
    assert np.array_equal(np.concatenate(kept.clips), sound[SETTLE : SETTLE + 10 * RATE])
    assert [clip.size for clip in kept.clips] == [2 * RATE] * 5
    assert (kept.recorder.recorded.clips, kept.recorder.done, kept.notes) == (5, True, [])
    assert kept.recorder.recorded.levels_db == pytest.approx([-32.1] * 5, abs=0.2)
    assert kept.recorder.seconds == 10


def test_no_clip_holds_a_gap() -> None:
    kept = Kept().record(
        blocks(SOUND[: SETTLE + 5 * RATE]),
        [LOST],
        blocks(SOUND[10 * RATE : 15 * RATE]),
        [GONE, *[Waiting()] * 30, BACK],
        blocks(SOUND[20 * RATE : 30 * RATE]),
    )
    # After lost samples the microphone need not settle.
    starts = [SETTLE, SETTLE + 2 * RATE, 10 * RATE, 12 * RATE, 20 * RATE + SETTLE]
    assert len(kept.clips) == 5
    for clip, start in zip(kept.clips, starts, strict=True):
        assert np.array_equal(clip, SOUND[start : start + 2 * RATE])
    assert kept.faults == [("broken", 1.0), ("broken", 1.0)]
    assert kept.notes == [
        "0.25 s of sound were lost. Not written: 1.0 s of a clip before it.",
        "It is gone. Not written: 1.0 s of a clip before it.",
        "It is back.",
    ]


def test_a_pause_is_a_gap() -> None:
    kept = Kept(2)
    asked: list[bool] = []

    def sound() -> Iterator[Item]:
        for pause, start, stop in ((False, 0, 4), (True, 4, 9), (False, 9, 15)):
            asked[:] = [pause]
            yield from blocks(SOUND[start * RATE : stop * RATE])

    record_clips(kept.recorder, sound(), paused=lambda: asked[0])
    assert np.array_equal(kept.clips[0], SOUND[SETTLE : 3 * RATE])
    assert np.array_equal(kept.clips[1], SOUND[9 * RATE + SETTLE : 12 * RATE])
    assert kept.notes == ["Paused. Not written: 1.0 s of a clip before it.", "Going on."]
    assert kept.faults == [("paused", 1.0)]


def changed(start: float, stop: float, values: Pcm | int) -> Pcm:
    pcm = SOUND.copy()
    pcm[round(start * RATE) : round(stop * RATE)] = values
    return pcm


LOUD = Gain(30.0).apply(SOUND)
DITHER = np.random.default_rng(1).integers(-1, 2, SOUND.size).astype(np.int16)
NOISE = np.random.default_rng(1).integers(-2, 3, SOUND.size).astype(np.int16)

REFUSED = {
    "zeros": (changed(3, 5, 0), "dead", "holds only zeros"),
    "muted for half a second": (changed(3.5, 4, 0), "dead", "is dead from 0.50 s to 1.00 s"),
    "an open converter": (changed(3, 5, DITHER[: 2 * RATE]), "dead", "is silent: all its samples lie between -1 and 1"),
    "a converter's noise": (changed(3, 5, NOISE[: 2 * RATE]), "dead", "is silent: no second of it is louder than -80"),
    "clipped": (changed(3, 5, LOUD[: 2 * RATE]), "clipped", "of its samples are at full scale, over 0.1%"),
    "clipped for a moment": (changed(4, 4.05, 32767), "clipped", "is clipped: 2.50% of its samples are at full scale"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_only_the_clip_that_is_of_no_use_is_refused(kind: str) -> None:
    pcm, fault, words = REFUSED[kind]
    before = time.time()
    kept = Kept().record(blocks(pcm))
    assert np.array_equal(
        np.concatenate(kept.clips), np.concatenate([pcm[SETTLE : 3 * RATE], pcm[5 * RATE :]])[: 10 * RATE]
    )
    (refusal,) = kept.recorder.recorded.refusals
    assert (refusal.fault, refusal.seconds) == (fault, 2.0)
    assert words in refusal.text
    assert before - 2 <= refusal.clock <= time.time() - 2
    (note,) = kept.notes
    when = time.strftime("%H:%M:%S", time.localtime(refusal.clock))
    assert note == f"Not written: the clip from {when} {refusal.text}."


def test_what_is_at_full_scale_for_a_moment_is_no_clipping() -> None:
    kept = Kept().record(blocks(changed(4, 4.002, 32767)))  # 32 samples of 32,000
    assert (len(kept.clips), kept.notes) == (5, [])
    assert kept.recorder.recorded.peak_db == pytest.approx(0.0, abs=1e-3)


def test_what_to_do_is_told_after_three_in_a_row_and_then_ever_more_seldom() -> None:
    kept = Kept(1).record(blocks(np.tile(LOUD, 2)[: SETTLE + 60 * RATE]), blocks(SOUND[: 4 * RATE]))
    assert (len(kept.clips), len(kept.faults)) == (1, 30)
    told = [note.partition(" That makes ")[2] for note in kept.notes]
    assert [text[: text.find(" in a row")] for text in told if text] == ["3", "6", "12", "24"]
    assert [bool(text) for text in told] == [False, False, True, True, True, True]
    assert kept.notes[2].endswith(
        "That makes 3 in a row. Turn the microphone's own gain down (alsamixer, F4), or move it further away, until "
        "the peak stays below -6 dB. Recording goes on; Ctrl-C ends it."
    )
    dead = Kept(1).record(blocks(np.zeros(SETTLE + 6 * RATE, np.int16)))
    assert "A muted or unplugged input sounds like this: plug it in, unmute it" in dead.notes[-1]
    breaking = Kept(1).record([item for _ in range(3) for item in (SOUND[: 3 * RATE // 2], LOST)])
    assert "That makes 3 in a row. Mend that first: another cable" in breaking.notes[-1]


def test_a_gain_is_in_the_clips_and_hides_nothing() -> None:
    kept = Kept(1, gain_db=12.0).record(blocks(SOUND))
    assert np.array_equal(kept.clips[0], Gain(12.0).apply(SOUND[SETTLE : 3 * RATE]))
    assert kept.recorder.meter.level_db == pytest.approx(-20.1, abs=0.3)
    for gain_db, pcm, fault in ((-20.0, LOUD, "clipped"), (30.0, SOUND, "clipped"), (40.0, DITHER, "dead")):
        refused = Kept(1, gain_db=gain_db).record(blocks(pcm[: 4 * RATE]))
        assert refused.faults == [(fault, 2.0)], gain_db


def test_it_ends_when_asked_with_whole_clips_alone() -> None:
    kept = Kept()
    record_clips(kept.recorder, blocks(SOUND), ended=lambda: kept.recorder.seconds >= 5)
    assert np.array_equal(np.concatenate(kept.clips), SOUND[SETTLE : 5 * RATE])
    assert (kept.recorder.done, kept.recorder.seconds, kept.faults) == (False, 4.0, [])


def test_a_clip_that_cannot_be_written_ends_it() -> None:
    def refuse(_: Pcm) -> None:
        raise OutputError("It is full.")

    recorder = ClipRecorder(refuse, 5, seconds=2.0, rate=RATE, note=lambda _: None)
    with pytest.raises(OutputError, match="It is full"):
        record_clips(recorder, blocks(SOUND))
    assert recorder.recorded.clips == 0
