"""``edge-asd`` in the process of the tests, where a process of its own adds nothing but its start."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator

import pytest
import typer.main

from edge_asd.cli import main
from tests.cli.command import Command


@pytest.fixture(scope="session", autouse=True)
def parser_once() -> Iterator[None]:
    """Build the program's parser once in a process; it holds no state, and takes a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run ``edge-asd`` like `tests.cli.command.edge_asd`: TensorFlow is loaded once for all such tests."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = ["edge-asd", *map(str, arguments)]
        capfd.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr("sys.argv", words)
            with pytest.raises(SystemExit) as stop:
                main()
        out, err = capfd.readouterr()
        code = stop.value.code
        assert code is None or isinstance(code, int), code
        return subprocess.CompletedProcess(words, code or 0, out, err)

    return run
