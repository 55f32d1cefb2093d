"""The command ``edge-asd``: one module a command, heavy imports inside the command's function."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from edge_asd.cli import (
    bench,
    calibrate,
    data,
    demo,
    devices,
    doctor,
    evaluate,
    events,
    export,
    metrics,
    monitor,
    notify,
    quantize,
    reproduce,
    score,
    selftest,
    service,
    train,
)
from edge_asd.cli.common import State
from edge_asd.errors import in_words

app = typer.Typer(
    name="edge-asd",
    help="Hear that a machine is failing: train, quantise, evaluate and monitor, on the smallest computer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut the names of long options on narrow terminals
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: edge-asd demo",
)

app.command("demo")(demo.command)
app.add_typer(data.app, name="data")
app.command("train")(train.command)
app.command("quantize")(quantize.command)
app.command("evaluate")(evaluate.command)
app.command("metrics")(metrics.command)
app.command("reproduce")(reproduce.command)
app.command("calibrate")(calibrate.command)
app.command("monitor")(monitor.command)
app.command("score")(score.command)
app.add_typer(service.app, name="service")
app.command("events")(events.command)
app.command("notify")(notify.command)
app.command("export")(export.command)
app.command("selftest")(selftest.command)
app.command("bench")(bench.command)
app.command("devices")(devices.command)
app.command("doctor")(doctor.command)


def _version(wanted: bool) -> None:
    if wanted:
        from edge_asd import __version__

        typer.echo(f"edge-asd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    State.debug = debug


def main() -> None:
    """Run the command line; errors meant for people end it with exit code 1 and one paragraph.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C was pressed and no command has answered it.
    """
    _mend_streams()
    try:
        app()
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except SystemExit as stop:
        # Typer ends without a word where no command has answered a Ctrl-C.
        if isinstance(getattr(stop.__context__, "__cause__", None), KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    except Exception as error:
        _stop(error)


def _mend_streams() -> None:
    """Replace closed standard streams, and print '?' where the terminal lacks a character."""
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _stop(error: Exception) -> None:
    if State.debug:
        raise error
    print(f"Error: {in_words(error)}", file=sys.stderr)
    sys.exit(1)
