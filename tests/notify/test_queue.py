"""The queue's bounds and limits, and its file in the hands of others."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_asd.errors import OutputError
from edge_asd.notify.message import Message
from edge_asd.notify.queue import Queue
from edge_asd.notify.settings import NotifySettings
from edge_asd.notify.store import ASIDE, NAME, open_store
from tests.notify.service import message, numbers

A, B, C = "json://a.example/very-secret", "json://b.example/very-secret", "json://c.example/very-secret"
NOW = 1_800_000_000.0


def opened(folder: Path, notes: list[str], *urls: str, **others: int) -> Queue:
    queue = Queue(open_store(folder, notes.append), NotifySettings(urls or (A, B), **others))  # type: ignore[arg-type]
    queue.set_recipients()
    return queue


def taken(queue: Queue, now: float = NOW) -> Iterator[tuple[str, str, int]]:
    """Deliver all that is due: titles, by which URL's key, and the losses told."""
    while (job := queue.take(now)) is not None:
        queue.delivered(job)
        yield Message.from_json(job.text).title, job.recipient, job.lost


def put(queue: Queue, titles: list[str], now: float = NOW, source: str = "fan1", event: str = "alarm") -> None:
    for title in titles:
        queue.put(message(title, source, event), now)


def test_each_url_is_told_in_order_and_by_itself(tmp_path: Path, notes: list[str]) -> None:
    with closing(opened(tmp_path, notes)) as queue:
        a, b = NotifySettings((A, B)).keys
        put(queue, numbers(3))
        first = queue.take(NOW)
        assert first is not None
        queue.failed(first, NOW)
        other = b if first.recipient == a else a
        assert list(taken(queue)) == [(title, other, 0) for title in numbers(3)]
        assert (queue.waiting(), queue.next_due(NOW)) == (3, 5.0)
        assert list(taken(queue, NOW + 5)) == [(title, first.recipient, 0) for title in numbers(3)]
        assert (queue.waiting(), queue.next_due(NOW)) == (0, None)
    assert not list(tmp_path.glob("*-wal"))


def test_a_clock_that_was_put_back_delays_no_more_than_the_longest_pause(tmp_path: Path, notes: list[str]) -> None:
    with closing(opened(tmp_path, notes, A, max_per_source=1)) as queue:
        put(queue, ["one", "held"])
        job = queue.take(NOW)
        assert job is not None
        queue.failed(job, NOW)
        assert queue.next_due(NOW - 1e6) == 300.0
        put(queue, ["two"], NOW - 1e6)  # the limit counts from now on
        assert [title for title, _, _ in taken(queue, NOW + 1000)] == ["one", "1 more alarm of fan1 until 14:03"]


def test_bytes_are_bounded_too(tmp_path: Path, notes: list[str]) -> None:
    with closing(opened(tmp_path, notes, A, max_queue_bytes=100_000, max_per_source=1000)) as queue:
        for title in numbers(200):
            queue.put(message(title, body="x" * 10_000), NOW)
        arrived = list(taken(queue))
    assert [title for title, _, _ in arrived] == numbers(9, 191)
    assert [lost for _, _, lost in arrived] == [191, *[0] * 8]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_500_000


def test_those_beyond_the_limit_are_summed_up_when_there_is_room(tmp_path: Path, notes: list[str]) -> None:
    with closing(opened(tmp_path, notes, A)) as queue:
        for second in range(22):
            put(queue, [f"alarm {second}"], NOW + second)
        put(queue, ["the end"], NOW + 30, event="cleared")
        put(queue, ["another's"], NOW + 31, source="pump")
        queue.summarise(NOW + 31)
        assert [title for title, _, _ in taken(queue, NOW + 31)] == [*numbers(10), "another's"]
        assert queue.next_summary(NOW + 31) == 600 - 31
        queue.summarise(NOW + 599.9)
        assert queue.waiting() == 0
        queue.summarise(NOW + 600)
        assert queue.next_summary(NOW + 600) is None
        job = queue.take(NOW + 600)
        assert job is not None
        summary = Message.from_json(job.text)
        assert summary.title == "13 more messages of fan1 until 14:03"
        assert summary.body == (
            "At most 10 messages in 10 min are sent for one source; these were beyond that: 12 alarm, 1 cleared.\n"
            "The last, at 2026-11-28 14:03:05 +0000: the end."
        )
        assert (summary.severity, summary.details) == ("warning", {"counts": {"alarm": 12, "cleared": 1}})
        assert [title for title, _, _ in taken(queue, NOW + 600)] == [summary.title]


def test_the_limit_holds_in_any_period_and_every_message_is_sent_or_counted(tmp_path: Path, notes: list[str]) -> None:
    chance = random.Random(5)
    with closing(opened(tmp_path, notes, A, max_per_source=4, period_s=100)) as queue:
        now, sent, counted, singles, put_in = NOW, [], 0, 0, 0
        for _ in range(150):
            now += chance.expovariate(1 / 8)
            queue.summarise(now)
            if chance.random() < 0.7:
                put(queue, ["alarm"], now)
                put_in += 1
            while (job := queue.take(now)) is not None:
                queue.delivered(job)
                sent.append(now)
                one = Message.from_json(job.text)
                counted += sum(one.details.get("counts", {}).values())
                singles += one.event == "alarm"
        queue.summarise(now, at_once=True)
        while (job := queue.take(now)) is not None:
            queue.delivered(job)
            counted += Message.from_json(job.text).details["counts"]["alarm"]
    assert singles + counted == put_in
    assert counted > 0
    assert all(late - early >= 100 for early, late in zip(sent, sent[4:], strict=False))


def test_what_waits_for_a_url_that_is_gone_goes_to_the_new_one(tmp_path: Path, notes: list[str]) -> None:
    with closing(opened(tmp_path, notes, A, B, max_queue=3)) as queue:
        put(queue, numbers(5))
    with closing(opened(tmp_path, notes, B, C, max_queue=3)) as queue:
        b, c = NotifySettings((B, C)).keys
        arrived = list(taken(queue))
    for key in (b, c):
        assert [(title, lost) for title, to, lost in arrived if to == key] == [
            ("alarm 2", 2), ("alarm 3", 0), ("alarm 4", 0),
        ]  # fmt: skip
    with closing(opened(tmp_path, notes, B)) as queue:
        put(queue, numbers(2))
    with closing(Queue(open_store(tmp_path, notes.append), NotifySettings((B, A)))) as queue:
        assert queue.set_recipients() == 0
        list(taken(queue))
        put(queue, numbers(2))
    with closing(Queue(open_store(tmp_path, notes.append), NotifySettings((B,)))) as queue:
        assert queue.set_recipients() == 0  # they still wait for the other one
        assert len(list(taken(queue))) == 2


def test_the_folder_is_its_owners_and_holds_no_url(tmp_path: Path, notes: list[str]) -> None:
    folder = tmp_path / "state/queue"
    before = os.umask(0)
    try:
        with closing(opened(folder, notes)) as queue:
            put(queue, numbers(3))
            files = list(folder.iterdir())
            assert NAME in [path.name for path in files]
            for path in files:
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
                assert b"secret" not in path.read_bytes()
                assert b"example" not in path.read_bytes()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TABLE message (id, text)")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA user_version = 2")


def _changed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TRIGGER evil AFTER INSERT ON message BEGIN DELETE FROM message; END")


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b"not a database " * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(8192) + path.read_bytes()[12288:]),
        lambda path: (path.unlink(), _foreign(path)),
        _newer,
        _changed,
        lambda path: (path.unlink(), path.mkdir(), (path / "file").touch()),
    ],
    ids=["text", "torn", "zeros inside", "another's", "newer", "trigger", "folder"],
)
def test_a_damaged_or_foreign_file_is_set_aside(tmp_path: Path, notes: list[str], harm) -> None:  # type: ignore[no-untyped-def]
    with closing(opened(tmp_path, notes)) as queue:
        put(queue, numbers(3))
    harm(tmp_path / NAME)
    content = (tmp_path / NAME).is_file() and (tmp_path / NAME).read_bytes()
    with closing(opened(tmp_path, notes)) as queue:
        put(queue, ["new"])
        assert {title for title, _, _ in taken(queue)} == {"new"}
    assert len(notes) == 1
    assert f"{tmp_path / NAME} is damaged or of another program" in notes[0]
    assert f"It was moved to {tmp_path / ASIDE}" in notes[0]
    assert ((tmp_path / ASIDE).is_file() and (tmp_path / ASIDE).read_bytes()) == content


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, notes: list[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be opened or made: Not a directory\. Choose another folder"):
        open_store(tmp_path / "file/queue", notes.append)


WRITER = """
import sys
from pathlib import Path
from edge_asd.notify.queue import Queue
from edge_asd.notify.settings import NotifySettings
from edge_asd.notify.store import open_store
from tests.notify.service import message

queue = Queue(open_store(Path(sys.argv[1]), print), NotifySettings(("json://a", "json://b"), max_per_source=1000))
queue.set_recipients()
for number in range(400):
    queue.put(message(f"alarm {number}"), 1_800_000_000.0)
    print(number, flush=True)
    if number % 3 == 2:
        queue.delivered(queue.take(1_800_000_000.0))
"""


def kill_the_writer(folder: Path, notes: list[str], after: int) -> None:
    """Kill it after so many messages: what it had put is there, whole, and what was marked is not."""
    with subprocess.Popen([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(after)]
        writer.kill()
        lines += writer.stdout.readlines()
    kept = sum(line.endswith("\n") for line in lines)
    with closing(opened(folder, notes, "json://a", "json://b", max_per_source=1000)) as queue:
        arrived = list(taken(queue))
    one, other = (
        [title for title, to, _ in arrived if to == key] for key in NotifySettings(("json://a", "json://b")).keys
    )
    both = set(one) | set(other)
    marked = 2 * len(both) - len(arrived)
    assert notes == []
    for titles in (one, other):
        assert titles == sorted(titles, key=lambda title: int(title.split()[1]))
        assert titles[-1] in (f"alarm {kept - 1}", f"alarm {kept}")
    # Messages that were delivered to both are gone; of the others, all are there.
    assert both >= set(numbers(kept - kept // 6, kept // 6))
    assert marked <= kept // 3 + 1


def test_a_writer_that_is_killed_loses_nothing(tmp_path: Path, notes: list[str]) -> None:
    kill_the_writer(tmp_path, notes, after=50)


@pytest.mark.prove
def test_a_writer_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path, notes: list[str]) -> None:
    moments = random.Random(7)
    for turn in range(50):
        kill_the_writer(tmp_path / str(turn), notes, after=moments.randrange(7, 400))
