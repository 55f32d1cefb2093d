"""Words for people, messages as they are kept, settings, and what may be shown of a URL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from edge_asd.errors import DataError
from edge_asd.notify.addresses import key_of, label, masked, scrubbed
from edge_asd.notify.message import Message, Severity
from edge_asd.notify.settings import EVENTS, NotifySettings, urls_from_environment
from edge_asd.notify.wording import event_message, span, with_losses
from tests.notify.service import WHEN, message


def test_an_alarm_in_words() -> None:
    told = event_message(
        event="alarm",
        source="fan1",
        time=WHEN,
        machine="fan",
        section="00",
        score=132.456,
        threshold=98.1,
        unit="dB^2",
        duration_s=45,
        clip="/var/lib/edge-asd/clips/1.flac",
        details={"state": "alarm"},
    )
    assert (told.title, told.severity, told.event) == ("fan1 sounds wrong", Severity.warning, "alarm")
    assert told.body == (
        "It no longer sounds as it did when it was healthy. Have a look at it.\n"
        "Time: 2026-11-28 14:03:05 +0000\n"
        "Machine: fan, section 00\n"
        "Source: fan1\n"
        "Score: 132.5 dB^2 (threshold 98.1 dB^2)\n"
        "It began 45 s before.\n"
        "Recording: /var/lib/edge-asd/clips/1.flac"
    )
    assert told.details == {
        "machine": "fan",
        "section": "00",
        "score": 132.456,
        "threshold": 98.1,
        "unit": "dB^2",
        "duration_s": 45,
        "clip": "/var/lib/edge-asd/clips/1.flac",
        "state": "alarm",
    }
    assert Message.from_json(told.to_json()) == told


def test_every_event_has_words_and_unknown_ones_plain_words() -> None:
    titles = {event: event_message(event=event, source="fan1", time=WHEN).title for event in EVENTS}
    assert titles == {
        "alarm": "fan1 sounds wrong",
        "escalated": "fan1 still sounds wrong",
        "cleared": "fan1 sounds healthy again",
        "signal-lost": "fan1 is not being heard",
        "dead": "fan1 has a dead microphone",
    }
    told = event_message(event="machine-off", source="fan1", time=WHEN, duration_s=7300)
    assert (told.title, told.severity) == ("fan1: machine off", Severity.info)
    assert told.body == "Time: 2026-11-28 14:03:05 +0000\nSource: fan1\nIt began 2 h 1 min before."
    assert "It lasted 2 min." in event_message(event="cleared", source="fan1", time=WHEN, duration_s=120).body


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (86399, "23 h 59 min"),
     (86400, "1 d"), (200_000, "2 d 7 h")],
)  # fmt: skip
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_losses_in_words() -> None:
    assert with_losses(message("x"), 0) == "Look."
    assert with_losses(message("x"), 1).startswith("Look.\n\n1 message before this one was dropped")
    assert with_losses(message("x"), 2).startswith("Look.\n\n2 messages before this one were dropped")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"details": {"x": float("nan")}}, "not JSON compliant"),
        ({"details": {"x": object()}}, "nothing for JSON"),
        ({"time": datetime(2026, 1, 1)}, "no zone"),
        ({"source": "s" * 501}, "more than 500"),
        ({"body": "b" * 33_000}, "more than 32768"),
    ],
)
def test_what_cannot_be_kept(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(message("x"), **change).to_json()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"warning"', '"loud"'),
        ("+00:00", ""),
        ("2026-11", "2026-13"),
        ('"title": "x"', '"title": 1'),
        ('"title": "x"', '"title": "x", "title": "y"'),
        ('"title": "x"', '"title": "x", "other": 1'),
        ('"title": "x", ', ""),
        ('{"score": 1.5}', "[]"),
        ('{"score": 1.5}', "NaN"),
        ("}}", "}"),
    ],
)
def test_what_is_no_message(old: str, new: str) -> None:
    text = message("x").to_json()
    assert old in text
    with pytest.raises(DataError, match=r"^Message 7"):
        Message.from_json(text.replace(old, new, 1), "Message 7")


SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def test_urls_are_never_shown() -> None:
    assert masked(SLACK) == "slack://..."
    assert masked("json://user:pass@pi.local:8080/token?x=y") == "json://pi.local:8080/..."
    assert masked("jsons://pass@host") == "jsons://host/..."
    assert masked("json://pass@wo rd@x") == "json://..."
    assert masked("no url") == "..."
    assert label(2, "mailtos://me:secret@example.com") == "notification URL 2 (mailtos://...)"
    assert scrubbed("POST http://h/p%20q failed for p q and Hooked", ["json://h/p%20q/Hooked"]) == (
        "POST http://*** failed for *** and ***"
    )
    assert "T1JJ" not in repr(NotifySettings((SLACK,)))
    assert "T1JJ" not in key_of(SLACK)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"urls": ()}, "there are 0 notification URLs; use 1 to 16"),
        ({"urls": (SLACK, "secret")}, "notification URL 2 is no Apprise URL"),
        ({"urls": ("json:// secret",)}, "notification URL 1 is no Apprise URL"),
        ({"urls": ("json://secret\n",)}, "notification URL 1 is no Apprise URL"),
        ({"urls": (SLACK, SLACK)}, "notification URL 2 is there twice"),
        ({"urls": ("json://" + "x" * 2000,)}, "longer than 2000"),
        ({"events": ("Alarm",)}, "'Alarm' is no event's name"),
        ({"max_per_source": 0}, "max_per_source cannot be 0; use 1 to 1000"),
        ({"period_s": float("nan")}, "period_s cannot be nan"),
        ({"max_queue_bytes": 1000}, "use 65536 to 1073741824"),
        ({"retry_first_s": 400.0}, "cannot be more than retry_max_s"),
    ],
)
def test_settings_out_of_range(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        NotifySettings(**{"urls": (SLACK,), **values})
    assert "secret" not in str(error.value)
    assert "T1JJ" not in str(error.value)


def test_urls_of_the_environment() -> None:
    assert urls_from_environment({"EDGE_ASD_NOTIFY_URLS": f" {SLACK}\n json://a {SLACK}"}) == (SLACK, "json://a")
    assert urls_from_environment({}) == ()
