"""Alarms through the command line, on files and a pipe."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from edge_asd.bundle.bundle import Bundle
from tests.cli.command import Command, edge_asd
from tests.data import RATE, write_wav
from tests.golden.committed import NAMES, made_sound

LIMIT = 10 << 16
"""Between the scores of the sound's healthy half and of its faulty one: 7.6 to 9.5 and over 10.7 dB²."""

HALF = 3 * RATE
OPTIONS = ("--section", "00", "--alarm-after", "3/5")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    loaded = Bundle.load(NAMES["ae"])
    path = tmp_path_factory.mktemp("bundle") / "fan.easd"
    thresholds = {**loaded.thresholds, "00": replace(loaded.thresholds["00"], score=LIMIT)}
    replace(loaded, thresholds=thresholds).save(path)
    return path


def sound(kinds: str) -> np.ndarray:
    """Three seconds for each letter: healthy, faulty, dead."""
    parts = []
    for seed, kind in enumerate(kinds, 1):
        made = made_sound(seed, 200)
        parts.append({"h": made[:HALF], "f": made[HALF:], "d": np.zeros(HALF, np.int16)}[kind])
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Healthy for 12 s, faulty for 9 s, healthy for 9 s, dead for 3 s, healthy for 6 s, faulty for 9 s."""
    path = tmp_path_factory.mktemp("sound") / "machine.wav"
    write_wav(path, sound("hhhhfffhhhdhhfff"))
    return path


def lines_of(text: str) -> tuple[list[dict], list[dict]]:
    """Split JSON lines into decisions and events."""
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if "event" not in line], [line for line in lines if "event" in line]


def test_json_lines_tell_decisions_and_events(bundle: Path, wav: Path, command: Command) -> None:
    start = datetime.now().astimezone()
    done = command("monitor", bundle, *OPTIONS, "--cooldown", 5, "--wav", wav, "--json")
    assert done.returncode == 3
    decisions, events = lines_of(done.stdout)
    for line in decisions:
        assert list(line) == ["time_s", "section", "score", "threshold", "anomaly", "time", "source", "state"]
    for line in events:
        assert list(line) == [
            "event", "time_s", "section", "score", "threshold", "duration_s", "heard", "time", "source", "state",
        ]  # fmt: skip
    for line in decisions + events:
        assert line["source"] == str(wav)
        assert (datetime.fromisoformat(line["time"]) - start).total_seconds() > -0.01  # told to the millisecond
    assert [event["event"] for event in events] == ["alarm", "cleared", "dead", "alive", "alarm"]
    alarm, cleared, dead, alive, again = events
    over = [decision["time_s"] for decision in decisions if decision["anomaly"]]
    assert over[0] < 14
    # The third over the threshold; nothing else does it sooner.
    assert (alarm["time_s"], alarm["duration_s"]) == (over[2], over[2] - over[0])
    assert (alarm["threshold"], alarm["state"]) == (LIMIT, "alarm")
    calm = [d["time_s"] for d in decisions if d["time_s"] > 21 and d["score"] <= LIMIT]
    assert cleared["time_s"] == calm[2]
    assert cleared["duration_s"] == pytest.approx(calm[2] - over[2])
    assert (dead["time_s"], dead["state"], dead["score"]) == (30.5, "dead", None)
    assert (alive["time_s"], alive["state"], alive["duration_s"]) == (33.0, "starting", 2.5)
    assert again["time_s"] == [t for t in over if t > 38][2]
    states = [(line["state"]) for line in decisions]
    assert [state for i, state in enumerate(states) if i == 0 or states[i - 1] != state] == [
        "healthy", "suspect", "alarm", "healthy", "suspect", "alarm",
    ]  # fmt: skip


def test_the_cooldown_holds_and_exit_codes_keep_their_meaning(bundle: Path, wav: Path, command: Command) -> None:
    cooled = command("monitor", bundle, *OPTIONS, "--wav", wav, "--json")
    assert cooled.returncode == 3
    assert [event["event"] for event in lines_of(cooled.stdout)[1]] == ["alarm", "cleared", "dead", "alive"]
    # By the default policy, nine seconds are no alarm; a decision over the threshold was there all the same.
    default = command("monitor", bundle, "--section", "00", "--wav", wav, "--json")
    assert default.returncode == 3
    assert [event["event"] for event in lines_of(default.stdout)[1]] == ["dead", "alive"]


def test_healthy_sound_raises_none(bundle: Path, tmp_path: Path, command: Command) -> None:
    write_wav(tmp_path / "healthy.wav", sound("hhhh"))
    done = command("monitor", bundle, "--section", "00", "--alarm-after", "1/1", "--wav", tmp_path / "healthy.wav")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 11
    assert all(line.endswith("  healthy") for line in done.stdout.splitlines())


def test_a_file_shows_every_decision_and_events_between_them(bundle: Path, wav: Path, command: Command) -> None:
    done = command("monitor", bundle, *OPTIONS, "--wav", wav)
    lines = done.stdout.splitlines()
    decisions = [line for line in lines if line.endswith(("  healthy", "  ANOMALY"))]
    assert len(decisions) == len(lines) - 3 > 35
    raised, cleared, alive = [line[13:] for line in lines if line not in decisions]
    assert re.fullmatch(r"section 00  ALARM raised: score \d+\.\d\d dB², threshold 10.00; began 2.0 s before", raised)
    assert re.fullmatch(r"section 00  alarm over after 8.9 s: score \d\.\d\d dB², threshold 10.00", cleared)
    assert alive == "section 00  input alive again after 2.5 s"
    assert done.stderr.count("The input has stayed within 1 of a constant") == 1


def test_quiet_is_a_summary_a_minute_and_events(bundle: Path, tmp_path: Path, command: Command) -> None:
    """The same for a file, with places, and for a pipe, with the time of day."""
    pcm = sound("hhhhfffhhh" + 18 * "h")
    write_wav(tmp_path / "long.wav", pcm)
    full = command("monitor", bundle, *OPTIONS, "--wav", tmp_path / "long.wav", "--json")
    decisions, (alarm, cleared) = lines_of(full.stdout)
    of_file = command("monitor", bundle, *OPTIONS, "--wav", tmp_path / "long.wav", "--quiet").stdout.splitlines()
    piped = edge_asd("monitor", bundle, *OPTIONS, "--stdin", "--quiet", data=pcm.tobytes())
    assert piped.returncode == 3
    of_pipe = piped.stdout.splitlines()
    for line in of_pipe:
        assert datetime.fromisoformat(line[:19]).year >= 2024
    assert [line[21:] for line in of_pipe] == [line[13:] for line in of_file]
    first, raised, ended, minute, rest = [line[13:] for line in of_file]
    assert first.startswith("section 00  HEALTHY  score ")
    assert [float(line[:9]) for line in of_file] == [
        round(time_s, 1)
        for time_s in (
            decisions[0]["time_s"], alarm["time_s"], cleared["time_s"],
            [d["time_s"] for d in decisions if d["time_s"] < 60][-1], decisions[-1]["time_s"],
        )
    ]  # fmt: skip
    assert raised.startswith("section 00  ALARM raised: score")
    assert ended.startswith("section 00  alarm over after")
    for text, part in (
        (minute, [d for d in decisions if d["time_s"] < 60]),
        (rest, [d for d in decisions if d["time_s"] >= 60]),
    ):
        scores = [d["score"] / 65536 for d in part]
        assert text == (
            f"section 00  HEALTHY  scores {min(scores):.2f} to {max(scores):.2f} dB², mean {np.mean(scores):.2f}  "
            f"threshold 10.00  over it: {sum(d['anomaly'] for d in part)} of {len(part)}"
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--alarm-after", "3"), "two numbers such as 45/60"),
        (("--alarm-after", "6/5"), "need 6 of 5 decisions"),
        (("--alarm-after", "0/5"), "need 0 of 5 decisions"),
        (("--cooldown", "-1"), "--cooldown"),
        (("--cooldown", "inf"), "finite"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(arguments, words, bundle, wav, command: Command) -> None:
    done = command("monitor", bundle, "--section", "00", "--wav", wav, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
