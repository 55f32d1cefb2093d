"""A server, and ``edge-asd data download`` that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import typer

from edge_asd.cli import data_download
from edge_asd.train.data import download
from tests.cli.command import Command
from tests.train.data.download.http_server import Server, serving
from tests.train.data.download.impatient import IMPATIENT

Fetch = Callable[..., CompletedProcess[str]]
"""Runs ``edge-asd data download --out DATA`` with further arguments."""


# Typer reads the options of all commands whenever one runs; the whole of it runs in the tests of processes.
alone, group = typer.Typer(), typer.Typer()
group.command("download")(data_download.command)
alone.add_typer(group, name="data")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def fetch(server: Server, data: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    monkeypatch.setattr(download, "Patience", lambda: IMPATIENT)
    monkeypatch.setattr("edge_asd.cli.app", alone)

    def run(*arguments: object) -> CompletedProcess[str]:
        return command("data", "download", "--out", data, "--base-url", server.url, *arguments)

    return run
