"""A service that takes notifications, and what the program had to say, which never holds a secret."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notify.service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    with Service().running() as running:
        yield running


@pytest.fixture
def notes() -> Iterator[list[str]]:
    told: list[str] = []
    yield told
    assert not [note for note in told if "pass-phrase" in note or "secret" in note or "somebody" in note]
