"""Every command and every option explains itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from edge_asd.cli import app
from edge_asd.cli.common import counted
from tests.cli.command import Command

README = Path(__file__).resolve().parents[2] / "README.md"


def test_commands_and_options_have_help_and_the_readme_names_them() -> None:
    group = typer.main.get_command(app)
    readme = README.read_text()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert command.help, name
        assert f"edge-asd {name}" in readme, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)


def leaves(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


def test_help_at_80_columns_cuts_no_options_name(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    for words, one in leaves(typer.main.get_command(app)):
        text = command(*words, "--help").stdout
        assert max(map(len, text.splitlines())) <= 80, words
        assert "default: (" not in text, words
        for parameter in one.params:
            for name in parameter.opts if parameter.param_type_name == "option" else ():
                assert re.search(rf"(?<![\w-]){name}(?![\w-])", text), (words, name)


def test_the_readme_invents_no_command() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    blocks = "".join(README.read_text().split("```")[1::2])
    used = set(re.findall(r"^(?:.*\| )?edge-asd (\w+)", blocks, re.MULTILINE))
    assert {"train", "monitor"} <= used <= known


def test_one_is_not_told_in_the_plural() -> None:
    told = [counted(1, "minute"), counted(1.0, "minute"), counted(0.5, "minute"), counted(0, "clip")]
    assert [*told, counted(1200, "clip")] == ["1 minute", "1 minute", "0.5 minutes", "0 clips", "1,200 clips"]
