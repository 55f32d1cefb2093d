"""``--on-alarm``: the user's command gets the event, and nothing that it does harms or delays."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge_asd.notify.command import OnAlarm
from tests.notify.service import SECONDS, message
from tests.waiting import until


@contextmanager
def all_run(on_alarm: OnAlarm) -> Iterator[OnAlarm]:
    """Close it when all has been run."""
    yield on_alarm
    on_alarm.close(SECONDS)


def run(command: str, notes: list[str], *titles: str, timeout_s: float = SECONDS) -> None:
    with all_run(OnAlarm(command, notes.append, timeout_s=timeout_s)) as on_alarm:
        for title in titles or ("fan1 sounds wrong",):
            assert on_alarm.send(message(title))


def test_the_command_gets_the_event_as_json_and_in_the_environment(
    tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_ASD_NOTIFY_URLS", "json://very-secret")
    monkeypatch.setenv("EDGE_ASD_SECTION", "an old one")
    event = replace(
        message("fan1 sounds wrong", source='a "$(touch evil)"; b'),
        details={"score": 12.5, "threshold": 10, "clip": "/clips/1.flac", "machine": "fan", "more": [1]},
    )
    command = f"cd {tmp_path} && cat > in.json; env > env; printf '%s' \"$EDGE_ASD_SOURCE\" > source"
    with all_run(OnAlarm(command, notes.append)) as on_alarm:
        assert on_alarm.send(event)
    assert notes == []
    assert json.loads((tmp_path / "in.json").read_text()) == {
        "event": "alarm",
        "source": 'a "$(touch evil)"; b',
        "time": "2026-11-28T14:03:05.000+00:00",
        "title": "fan1 sounds wrong",
        "body": "Look.",
        "severity": "warning",
        "score": 12.5,
        "threshold": 10,
        "clip": "/clips/1.flac",
        "machine": "fan",
        "more": [1],
    }
    environment = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert {name: value for name, value in environment.items() if name.startswith("EDGE_ASD_")} == {
        "EDGE_ASD_CACHE": os.environ["EDGE_ASD_CACHE"],
        "EDGE_ASD_EVENT": "alarm",
        "EDGE_ASD_SOURCE": 'a "$(touch evil)"; b',
        "EDGE_ASD_TIME": "2026-11-28T14:03:05.000+00:00",
        "EDGE_ASD_TITLE": "fan1 sounds wrong",
        "EDGE_ASD_BODY": "Look.",
        "EDGE_ASD_SEVERITY": "warning",
        "EDGE_ASD_SCORE": "12.5",
        "EDGE_ASD_THRESHOLD": "10",
        "EDGE_ASD_CLIP": "/clips/1.flac",
        "EDGE_ASD_MACHINE": "fan",
    }
    assert (tmp_path / "source").read_text() == 'a "$(touch evil)"; b'
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo no siren; exit 7", "failed with exit code 7. Its last words: no siren"),
        ("kill -9 $$", "was ended by signal 9."),
        ("there-is-no-such-command", "failed with exit code 127. Its last words: "),
        ("yes | head -c 100000000 >&2; exit 1", "failed with exit code 1. Its last words: y y y"),
    ],
)
def test_a_failure_is_told(notes: list[str], command: str, words: str) -> None:
    run(command, notes)
    assert len(notes) == 1
    assert notes[0].startswith(f"The command {command!r}, run for 'fan1 sounds wrong', {words}")
    assert len(notes[0]) < 500


@pytest.mark.parametrize("command", ["exit 0", "exec <&-; exec >&- 2>&-; exit 0", "cat", "sleep 100 & exit 0"])
def test_success_says_nothing(notes: list[str], command: str) -> None:
    run(command, notes)
    assert notes == []


def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path, notes: list[str]) -> None:
    run(f"echo waiting; sleep 1000 & echo $! > {tmp_path / 'pid'}; wait", notes, timeout_s=1)
    assert notes[0].endswith("took longer than 1 s and was killed. Its last words: waiting")
    child = Path("/proc") / (tmp_path / "pid").read_text().strip() / "stat"
    until(lambda: not child.exists() or ") Z " in child.read_text())


def test_alarms_wait_for_those_before_and_no_more_than_a_hundred(tmp_path: Path, notes: list[str]) -> None:
    (tmp_path / "go").mkdir()
    command = f"echo x >> {tmp_path / 'started'}; while test -e {tmp_path / 'go'}; do sleep 0.05; done"
    started = tmp_path / "started"
    on_alarm = OnAlarm(command, notes.append, at_once=2)
    assert [on_alarm.send(message("first")) for _ in range(2)] == [True] * 2
    until(lambda: started.exists() and len(started.read_text()) == 4)
    # None of these waits for the two that run on and on.
    assert [on_alarm.send(message("more")) for _ in range(105)] == [True] * 100 + [False] * 5
    assert len(started.read_text()) == 4
    assert len(notes) == 1
    assert "is too slow: 100 alarms wait for it" in notes[0]
    on_alarm.close(0)
    assert notes[-1].endswith("was not run for 100 alarms, as edge-asd ended.")
    until(lambda: "on-alarm" not in [thread.name for thread in threading.enumerate()])
    assert not on_alarm.send(message("late"))


def test_it_runs_for_alarms_only(tmp_path: Path, notes: list[str]) -> None:
    with all_run(OnAlarm(f"echo $EDGE_ASD_EVENT >> {tmp_path / 'events'}", notes.append)) as on_alarm:
        sent = {}
        for event in ("alarm", "cleared", "dead", "escalated"):
            sent[event] = on_alarm.send(message("something", event=event))
    assert sent == {"alarm": True, "cleared": False, "dead": False, "escalated": True}
    assert sorted((tmp_path / "events").read_text().split()) == ["alarm", "escalated"]


def test_an_empty_command_is_refused(notes: list[str]) -> None:
    with pytest.raises(ValueError, match="is empty"):
        OnAlarm("  ", notes.append)
