"""What the child does, in this process: Apprise is loaded once for all of these tests."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from edge_asd.notify.delivery import deliver
from edge_asd.notify.queue import Queue
from edge_asd.notify.sender import Sender
from edge_asd.notify.settings import NotifySettings
from edge_asd.notify.store import open_store
from tests.notify.service import WHEN, Service, message, numbers, settings


class Side:
    """Both sides of a queue."""

    def __init__(self, folder: Path, chosen: NotifySettings, notes: list[str]) -> None:
        self.settings, self.notes = chosen, notes
        self.queue = Queue(open_store(folder, notes.append), chosen)
        self.queue.set_recipients()
        self.senders = {
            key: Sender(url, chosen.send_timeout_s) for key, url in zip(chosen.keys, chosen.urls, strict=True)
        }

    def put(self, titles: list[str]) -> None:
        for title in titles:
            self.queue.put(message(title), WHEN.timestamp())

    def deliver(self) -> None:
        """Deliver until nothing is due."""
        turns = 0

        def stopped(seconds: float = 0.0) -> bool:
            nonlocal turns
            turns += 1
            assert turns < 100, self.notes
            return False

        deliver(self.queue, self.settings, self.senders, self.tell, stopped)

    def tell(self, text: str | None = None) -> None:
        if text is not None:
            self.notes.append(text)


def test_what_is_dropped_is_told_by_the_next_message_only(service: Service, tmp_path: Path, notes: list[str]) -> None:
    side = Side(tmp_path, settings(service, max_queue=3), notes)
    side.put(numbers(8))
    side.deliver()
    side.put(["later"])
    side.deliver()
    assert service.titles == [*numbers(3, 5), "later"]
    losses = [one["message"].partition("\n\n")[2] for one in service.taken]
    assert losses == [
        "5 messages before this one were dropped, as too many waited to be sent or their file was damaged.",
        "",
        "",
        "",
    ]


def test_a_loss_is_told_where_it_was_one(service: Service, tmp_path: Path, notes: list[str]) -> None:
    with Service(mode="fail").running() as other:
        side = Side(tmp_path, settings(service, other, max_queue=2, retry_first_s=20, retry_max_s=20), notes)
        side.put(numbers(2))
        side.deliver()  # here at once; there only later
        side.put(numbers(2, 2))
        side.deliver()
        assert service.titles == numbers(4)
        assert not [one for one in service.taken if "dropped" in one["message"]]
        other.mode = "take"
        side.queue._store.execute("UPDATE recipient SET next_try = 0")
        side.deliver()
        assert other.titles == numbers(2, 2)
        assert "2 messages before this one were dropped" in other.taken[0]["message"]


def test_a_message_dropped_while_it_is_sent_is_not_lost(service: Service, tmp_path: Path, notes: list[str]) -> None:
    side = Side(tmp_path, settings(service, max_queue=1), notes)
    side.put(["first"])
    job = side.queue.take(WHEN.timestamp())
    assert job is not None
    side.put(["second"])  # which drops the first
    side.queue.delivered(job)
    side.deliver()
    assert service.titles == ["second"]
    assert service.taken[0]["message"] == "Look."


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"title": 3}', "\0", '{"severity": "loud"}', "[" * 10_000],
)
def test_a_message_that_cannot_be_read_stops_none(
    service: Service, tmp_path: Path, notes: list[str], text: str
) -> None:
    side = Side(tmp_path, settings(service), notes)
    side.put(numbers(3))
    side.queue._store.execute("UPDATE message SET text = ? WHERE id = (SELECT min(id) FROM message)", (text,))
    side.deliver()
    assert service.titles == numbers(2, 1)
    assert "1 message before this one was dropped" in service.taken[0]["message"]
    assert len(notes) == 1
    assert re.match("Message [0-9]+ of the queue", notes[0])
    assert notes[0].endswith("It is not sent, and counts as lost.")


def test_a_url_that_apprise_does_not_know_stops_no_other(service: Service, tmp_path: Path, notes: list[str]) -> None:
    both = NotifySettings(("nonsense://very-secret/pass-phrase", service.url), retry_first_s=20, retry_max_s=20)
    side = Side(tmp_path, both, notes)
    side.put(numbers(2))
    side.deliver()
    assert service.titles == numbers(2)
    assert notes == [
        "The notification URL 1 (nonsense://...) did not take 'alarm 0': Apprise does not understand this URL. "
        "Unparseable URL nonsense://***. It is tried again, first after 20 s, at last every 20 s; "
        "`edge-asd notify` tests it."
    ]


def test_pauses_double_and_failures_are_told_once(service: Service, tmp_path: Path, notes: list[str]) -> None:
    service.mode = "fail"
    side = Side(tmp_path, settings(service, retry_first_s=20, retry_max_s=100), notes)
    side.put(numbers(1))
    pauses = []
    for _ in range(5):
        side.deliver()
        pause = side.queue.next_due(time.time())
        assert pause is not None
        pauses.append(round(pause / 20))
        side.queue._store.execute("UPDATE recipient SET next_try = 0")
    assert pauses == [1, 2, 4, 5, 5]
    assert service.requests == 5
    assert len(notes) == 1
    assert "error=500" in notes[0]
    service.mode = "take"
    side.deliver()
    assert notes[1:] == [
        f"The notification URL 1 (json://127.0.0.1:{service.port}/...) works again; what waited for it is being sent."
    ]


def test_words_of_all_kinds_arrive(service: Service, tmp_path: Path, notes: list[str]) -> None:
    side = Side(tmp_path, settings(service), notes)
    side.queue.put(message("Lüfter\n<b>1</b>\udcff", body="€ 5 & more\nsecond line"), WHEN.timestamp())
    side.deliver()
    assert service.titles == ["Lüfter <b>1</b>\\udcff"]
    assert service.taken[0]["message"] == "€ 5 & more\nsecond line"
