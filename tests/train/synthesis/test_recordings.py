"""The recipe on a user's own recordings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_asd.clips import ClipName
from edge_asd.errors import DataError
from edge_asd.train.data.dataset import Dataset
from edge_asd.train.data.marker import MARKER
from edge_asd.train.synthesis import mix_recordings, recorded_noise
from tests.data import write_wav

SECONDS = 1.0


def sound(seconds: float, level: float, seed: int) -> np.ndarray:
    return np.rint(np.random.default_rng(seed).normal(0, level, round(seconds * 16_000))).astype(np.int16)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    machine, noise = tmp_path / "machine", tmp_path / "noise"
    for number in range(3):
        write_wav(machine / "normal" / f"long {number}.wav", sound(3.5, 500, number))
        write_wav(machine / "anomaly" / f"{number}.wav", sound(1.2, 700, 10 + number))
    write_wav(noise / "hall.wav", sound(4.0, 2000, 20))
    return machine, noise


def test_pieces_are_mixed_by_the_recipe(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    machine, noise = folders
    made = mix_recordings(
        tmp_path / "out", machine="pump", machine_clips=machine, noise_clips=noise, section="01", seconds=SECONDS
    )
    # 9 healthy seconds: a third for tests; 3 faulty ones, one a file; no target folder, no target domain.
    assert [(r.section, r.domain, r.train, r.normal, r.anomaly) for r in made.rows] == [("01", "source", 6, 3, 3)]
    marker = json.loads((made.folder / MARKER).read_text())
    assert (marker["recordings"], marker["table1_counts"]) == (True, False)
    from edge_asd.audio.recording_file import read_recording

    a = (9 * 500**2 + 3 * 700**2) / 12
    for clip in Dataset(tmp_path / "out", "pump").clips:
        pcm = read_recording(clip.path).pcm / 32768.0
        own = {"normal": 500**2, "anomaly": 700**2}[ClipName.parse(clip.path.name).label or ""]
        expected = 0.05**2 / (1 + 10**1.8) * (own / a + 10**1.2)  # target has -18 dB, source -12 dB
        assert np.mean(pcm**2) == pytest.approx(expected, rel=0.06)


def test_seeded_whatever_the_workers_and_target_domain(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    machine, noise = folders
    for kind in ("normal", "anomaly"):
        write_wav(machine / "target" / kind / "t.wav", sound(4.0, 600, 30 + len(kind)))
    write_wav(noise / "target" / "other.wav", sound(2.0, 100, 40))
    results = []
    for name, workers in (("a", 1), ("b", 3)):
        made = mix_recordings(
            tmp_path / name, machine="fan", machine_clips=machine, noise_clips=noise, seconds=SECONDS, workers=workers
        )
        results.append({p.name: p.read_bytes() for p in made.folder.rglob("*.wav")})
    assert results[0] == results[1]
    assert len(set(results[0].values())) == len(results[0]) == 12 + 8
    # Without own noise the synthetic factories are used.
    made = mix_recordings(tmp_path / "c", machine="fan", machine_clips=machine, seconds=SECONDS)
    assert {r.domain for r in made.rows} == {"source", "target"}


def test_what_cannot_be_used_is_said_and_nothing_is_left(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    machine, noise = folders

    def refused(words: str, **changes: object) -> None:
        arguments = {"machine": "fan", "machine_clips": machine, "noise_clips": noise, "seconds": SECONDS, **changes}
        with pytest.raises(DataError, match=words):
            mix_recordings(tmp_path / "out", **arguments)  # type: ignore[arg-type]
        assert not (tmp_path / "out").exists()

    refused("is not a folder", machine_clips=tmp_path / "absent")
    refused("holds no sound files", noise_clips=tmp_path / "absent")
    refused("no section 07", section="07")
    refused("no section 00 of 'toaster'", machine="toaster")
    refused("shorter than a clip", seconds=2.0)
    write_wav(machine / "normal" / "silent.wav", np.concatenate([sound(1.0, 500, 3), np.zeros(16_000, np.int16)]))
    refused("only zeros from 1 s to 2 s")
    (machine / "normal" / "silent.wav").write_bytes(b"<html>404</html>")
    refused("is not a WAV file")
    (machine / "normal" / "silent.wav").unlink()
    (machine / "target").mkdir()
    refused("target/normal holds no sound files")
    (machine / "target").rmdir()
    for path in list((machine / "normal").iterdir())[1:]:
        path.unlink()
    write_wav(machine / "normal" / next((machine / "normal").iterdir()).name, sound(2.5, 500, 0))
    refused("enough for 2 clips")
    for path in (machine / "anomaly").iterdir():
        path.unlink()
    refused("anomaly holds no sound files")


def test_recorded_noise_is_a_piece_of_a_recording(folders: tuple[Path, Path]) -> None:
    noise = recorded_noise(folders[1], notes=[], seconds=SECONDS)(16_000, np.random.default_rng(0))
    whole = sound(4.0, 2000, 20) / 32768.0
    assert any(np.array_equal(noise, whole[start : start + 16_000]) for start in range(0, 64_000, 16_000))
