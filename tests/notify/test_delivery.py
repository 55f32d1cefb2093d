"""Messages arrive once at each service, whatever it, the network and the programs do; nobody waits for them."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from edge_asd.errors import DependencyError, OutputError
from edge_asd.notify.dispatcher import Dispatcher
from tests.notify.service import SECONDS, Service, children_that_deliver, message, numbers, settings
from tests.waiting import until


def send(dispatcher: Dispatcher, titles: list[str]) -> None:
    for title in titles:
        assert dispatcher.send(message(title))


def test_each_alarm_is_delivered_once_by_a_service_that_fails_and_comes_back(tmp_path: Path, notes: list[str]) -> None:
    service = Service()
    with service.running():
        pass  # it has a port now, and is away
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        send(dispatcher, numbers(3))
        until(lambda: notes)
        service.mode = "fail"
        with service.running():
            for mode in ("fail", "close"):
                service.mode, seen = mode, service.requests
                until(lambda before=seen: service.requests >= before + 2)
            service.mode = "take"
            send(dispatcher, numbers(4, 3))
            until(lambda: len(service.taken) == 7)
            until(lambda: not children_that_deliver(), "the child ends when nothing waits")
            assert service.titles == numbers(7)
    assert service.taken[0]["message"] == "Look."
    assert service.taken[0]["type"] == "warning"
    assert "did not take 'alarm 0'" in notes[0]
    assert "(json://127.0.0.1:" in notes[0]
    assert "works again" in notes[1]


def test_sending_waits_for_nobody_and_a_service_that_hangs_does_not_keep_another_waiting(
    service: Service, tmp_path: Path, notes: list[str]
) -> None:
    with Service(mode="hang").running() as stuck:
        with Dispatcher(settings(stuck, service, send_timeout_s=1), tmp_path, notes.append) as dispatcher:
            send(dispatcher, numbers(1))
            until(stuck.hanging.is_set)
            send(dispatcher, numbers(4, 1))  # while the service never answers
            assert stuck.taken == []
            until(lambda: len(service.taken) == 5)
            stuck.mode = "take"
            stuck.release.set()
            until(lambda: len(stuck.taken) == 5)
        assert stuck.titles == service.titles == numbers(5)
    assert "no answer within 1 s" in notes[0]


def test_leftovers_are_delivered_at_the_next_start(service: Service, tmp_path: Path, notes: list[str]) -> None:
    service.mode = "fail"
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        send(dispatcher, numbers(3))
        dispatcher.close(0)
    assert notes[-1] == f"3 notifications wait in {tmp_path}; they are sent at the next start."
    assert not children_that_deliver()
    service.mode = "take"
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        dispatcher.close(SECONDS)  # ends as soon as all is delivered
    assert service.titles == numbers(3)


def test_a_child_that_is_killed_is_started_again(service: Service, tmp_path: Path, notes: list[str]) -> None:
    with Service(mode="hang").running() as stuck:
        with Dispatcher(settings(service, stuck), tmp_path, notes.append) as dispatcher:
            send(dispatcher, numbers(2))
            until(stuck.hanging.is_set)
            (child,) = children_that_deliver()
            stuck.mode = "take"
            os.kill(child, signal.SIGKILL)
            until(lambda: len(stuck.taken) == len(service.taken) == 2)
            dispatcher.close(SECONDS)
        assert stuck.titles == service.titles == numbers(2)
    assert "was ended by signal 9. It is started again after 1 s" in notes[0]


def test_a_child_that_stands_still_is_killed(
    service: Service, tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.mode = "hang"
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        send(dispatcher, numbers(1))
        until(service.hanging.is_set)
        (child,) = children_that_deliver()
        os.kill(child, signal.SIGSTOP)
        service.mode = "take"
        with monkeypatch.context() as patch:  # or it would take a minute and a half
            patch.setattr("edge_asd.notify.child._START_S", -30.0)
            dispatcher._wake()
            until(lambda: child not in children_that_deliver())
        dispatcher.close(SECONDS)
    assert service.titles == numbers(1)
    assert notes[0] == "Sending notifications made no progress; it is started anew."


PARENT = """
import sys
import time
from edge_asd.notify.dispatcher import Dispatcher
from edge_asd.notify.settings import NotifySettings
from tests.notify.service import message
from pathlib import Path

settings = NotifySettings((sys.argv[1],), max_per_source=1000, retry_first_s=0.05, retry_max_s=0.2)
with Dispatcher(settings, Path(sys.argv[2]), lambda text: None) as dispatcher:
    for number in range(100):
        dispatcher.send(message(f"alarm {number}"))
        while dispatcher._inbox:
            time.sleep(0.0005)
        print(number, "apprise" in sys.modules, flush=True)
    sys.stdin.read()
"""


def kill_the_parent(service: Service, folder: Path, notes: list[str], after: int) -> None:
    """Kill it after so many messages; those on the disk arrive, each once, in their order."""
    service.taken.clear()
    command = [sys.executable, "-c", PARENT, service.url, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        lines = [parent.stdout.readline() for _ in range(after)]
        parent.kill()
        lines += parent.stdout.readlines()
    kept = [line for line in lines if line.endswith("\n")]
    assert all(line.endswith(" False\n") for line in kept), "the parent has loaded Apprise"
    with Dispatcher(settings(service), folder, notes.append) as dispatcher:
        dispatcher.close(SECONDS)
    # The last one may have been written, and not told.
    assert service.titles in (numbers(len(kept)), numbers(len(kept) + 1))
    assert notes == []


def test_a_parent_that_is_killed_loses_and_repeats_nothing(service: Service, tmp_path: Path, notes: list[str]) -> None:
    kill_the_parent(service, tmp_path, notes, after=30)


@pytest.mark.prove
def test_a_parent_that_is_killed_at_any_moment_loses_and_repeats_nothing(
    service: Service, tmp_path: Path, notes: list[str]
) -> None:
    moments = random.Random(13)
    for turn in range(50):
        kill_the_parent(service, tmp_path / str(turn), notes, after=moments.randrange(1, 100))


def kill_the_child(service: Service, folder: Path, notes: list[str], moments: random.Random, times: int) -> None:
    """Kill it again and again: all is delivered, and nothing twice but what was just being sent."""
    service.taken.clear()
    with Dispatcher(settings(service), folder, notes.append) as dispatcher:
        for turn in range(times):
            send(dispatcher, numbers(20, turn * 20))
            moment = turn * 20 + moments.randrange(20)
            until(lambda many=moment: len(set(service.titles)) >= many)
            for child in children_that_deliver():
                os.kill(child, signal.SIGKILL)
            dispatcher._failures = 0  # no longer pauses
        until(lambda: len(set(service.titles)) == 20 * times)
        dispatcher.close(SECONDS)
    assert list(dict.fromkeys(service.titles)) == numbers(20 * times)
    repeats = [i for i, title in enumerate(service.titles) if title in service.titles[:i]]
    assert all(service.titles[i] == service.titles[i - 1] for i in repeats)
    assert len(repeats) <= times


@pytest.mark.prove
def test_a_child_that_is_killed_at_any_moment(service: Service, tmp_path: Path, notes: list[str]) -> None:
    kill_the_child(service, tmp_path, notes, random.Random(2), times=50)


def test_a_disk_that_is_full_still_lets_some_alarms_through(service: Service, tmp_path: Path, notes: list[str]) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        largest = max(path.stat().st_size for path in tmp_path.iterdir())
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))  # also the child's
            send(dispatcher, numbers(40))
            until(lambda: len(service.taken) == 40)
            dispatcher.close(SECONDS)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert service.titles == numbers(40)
    assert notes == []


def test_a_full_disk_keeps_messages_in_memory(service: Service, tmp_path: Path, notes: list[str]) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    service.mode = "fail"
    titles = numbers(30)
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))  # what no file may grow beyond
            for title in titles:
                assert dispatcher.send(message(title, body="x" * 25_000))
            until(lambda: any("is the disk full?" in note for note in notes))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        service.mode = "take"

        def all_are_taken() -> bool:
            for child in children_that_deliver():  # one may have been started under the limit
                with suppress(ProcessLookupError):
                    resource.prlimit(child, resource.RLIMIT_FSIZE, before)
            return len(service.taken) == len(titles)

        until(all_are_taken)
    assert service.titles == titles


def test_a_file_that_is_damaged_while_it_is_used_is_set_aside(
    service: Service, tmp_path: Path, notes: list[str]
) -> None:
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        path = tmp_path / "queue.sqlite"
        path.write_bytes(b"no database " * (path.stat().st_size // 12))
        (tmp_path / "queue.sqlite-wal").write_bytes(b"")
        send(dispatcher, numbers(3))
        dispatcher.close(SECONDS)
    assert service.titles == numbers(3)
    assert len(notes) == 1
    assert f"It was moved to {tmp_path / 'queue.damaged'}, and a new one begun" in notes[0]


def test_a_folder_is_used_by_one_program(service: Service, tmp_path: Path, notes: list[str]) -> None:
    with (
        Dispatcher(settings(service), tmp_path, notes.append),
        pytest.raises(OutputError, match="in use by another edge-asd"),
    ):
        Dispatcher(settings(service), tmp_path, notes.append)


def test_other_events_are_not_sent_and_what_cannot_be_kept_is_told(
    service: Service, tmp_path: Path, notes: list[str]
) -> None:
    with Dispatcher(settings(service), tmp_path, notes.append) as dispatcher:
        assert not dispatcher.send(message("new", event="alive"))
        assert not dispatcher.send(message("huge", body="x" * 40_000))
        assert not children_that_deliver()
    assert notes == ["The notification 'huge' cannot be sent: it takes 40156 bytes, more than 32768."]
    assert service.requests == 0
    assert not any(thread.name == "notifications" for thread in threading.enumerate())


def test_without_apprise_it_says_what_to_install(
    service: Service, tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(DependencyError, match=r"pip install 'edge-asd\[notify\]'"):
        Dispatcher(settings(service), tmp_path, notes.append)
