"""Every command and every option explains itself."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from edge_asd.cli import app

README = Path(__file__).resolve().parents[2] / "README.md"


def test_commands_and_options_have_help_and_the_readme_names_them() -> None:
    group = typer.main.get_command(app)
    readme = README.read_text()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert command.help, name
        assert f"edge-asd {name}" in readme, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)


def test_the_readme_invents_no_command() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    blocks = "".join(README.read_text().split("```")[1::2])
    used = set(re.findall(r"^(?:.*\| )?edge-asd (\w+)", blocks, re.MULTILINE))
    assert {"train", "monitor"} <= used <= known
