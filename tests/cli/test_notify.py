"""``edge-asd notify``: which URLs work, and what is wrong with those that do not, without their secrets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Command, assert_error
from tests.notify.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    with Service().running() as running:
        yield running


def test_it_sends_a_message_to_each_and_tells_what_failed(command: Command, service: Service) -> None:
    with Service(mode="fail").running() as broken:
        done = command("notify", service.url, broken.url, "nonsense://very-secret", "--json")
        assert done.returncode == 1
        results = json.loads(done.stdout)["urls"]
        assert results == [
            {"number": 1, "url": f"json://127.0.0.1:{service.port}/...", "delivered": True, "reason": None},
            {
                "number": 2,
                "url": f"json://127.0.0.1:{broken.port}/...",
                "delivered": False,
                "reason": "Failed to send JSON POST notification: Internal server error., error=500.",
            },
            {
                "number": 3,
                "url": "nonsense://...",
                "delivered": False,
                "reason": "Apprise does not understand this URL. Unparseable URL nonsense://***",
            },
        ]
    assert done.stderr.startswith("Test messages that failed: 2 of 3. Check the URL against https://")
    assert "secret" not in done.stdout + done.stderr
    assert service.titles == ["edge-asd: this is a test"]


def test_urls_may_come_from_the_environment(
    command: Command, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_ASD_NOTIFY_URLS", service.url)
    done = command("notify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2].split() == ["1", f"json://127.0.0.1:{service.port}/...", "delivered"]
    assert len(service.taken) == 1


def test_a_service_that_hangs_ends_the_test(command: Command) -> None:
    with Service(mode="hang").running() as stuck:
        done = command("notify", stuck.url, "--timeout", "1")
    assert done.returncode == 1
    assert "FAILED: no answer within 1 s" in done.stdout


@pytest.mark.parametrize(
    ("urls", "words"), [((), "set EDGE_ASD_NOTIFY_URLS"), (("very-secret",), "notification URL 1 is no Apprise URL")]
)
def test_what_is_no_url_is_misuse(command: Command, urls: tuple[str, ...], words: str) -> None:
    done = command("notify", *urls)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "secret" not in done.stderr


def test_without_apprise_it_says_what_to_install(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert_error(command("notify", "json://very-secret"), "pip install 'edge-asd[notify]'")


def test_urls_may_come_from_the_monitors_configuration(command: Command, service: Service, tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(f'bundle = "fan.easd"\n[sources.fan]\ndevice = "USB"\n[notify]\nurls = ["{service.url}"]\n')
    done = command("notify", "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(service.taken) == 1
    config.write_text('bundle = "fan.easd"\n[sources.fan]\ndevice = "USB"\n')
    assert_error(command("notify", "--config", config), "names no notification URLs", "[notify]")
