"""No option takes a number that is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args, get_type_hints

import pytest
import typer.main

from edge_asd.cli import app, data, service

COMMANDS = {
    (*group, info.name): (info.callback, command)
    for group, of in (((), app), (("data",), data.app), (("service",), service.app))
    for info in of.registered_commands
    for command in [typer.main.get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)]
}
"""Functions and parsers by name; the whole program's parser takes as long to build as all of them, at every call."""

FLOATS = [
    (command, f"--{name.replace('_', '-')}")
    for command, (function, _) in COMMANDS.items()
    for name, hint in get_type_hints(function).items()
    if float in (hint, *get_args(hint))
]


def test_the_options_are_found():
    found = {option for _, option in FLOATS}
    assert found >= {"--max-auc-drop", "--interval", "--headroom", "--score-seconds", "--quantile", "--learning-rate"}


def _assert_usage_error(
    capsys: pytest.CaptureFixture[str], run: Callable[[list[str]], object], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(words)
    assert stop.value.code == 2
    assert words[-2] in capsys.readouterr().err


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "NaN", "1e999"])
@pytest.mark.parametrize(("command", "option"), FLOATS)
def test_a_number_that_is_not_finite_is_wrong_usage(capsys, command, option, value):
    parser, needed = COMMANDS[command][1], []  # what is missing would be told first
    for parameter in parser.params:
        if parameter.required:
            needed += ["x"] if parameter.param_type_name == "argument" else [parameter.opts[0], "x"]
    _assert_usage_error(capsys, parser.main, [*needed, option, value])


def test_a_drop_below_zero_is_wrong_usage(capsys):
    words = ["evaluate", "x", "--data", "x", "--out", "x", "--max-auc-drop"]
    for value in ("-0.01", "nan"):
        _assert_usage_error(capsys, app, [*words, value])
