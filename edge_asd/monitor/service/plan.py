"""From a configuration to the unit that runs it, and all that would keep it from running."""

from __future__ import annotations

import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import edge_asd
from edge_asd.files import printable
from edge_asd.monitor.config.settings import ConfigFile
from edge_asd.monitor.service.access import ENTER, READ, WRITE, Person, obstacle
from edge_asd.monitor.service.unit import GROUP, Unit, unit_name

_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_INSTALL = (
    "Install it where every user can read it: sudo python3 -m venv /opt/edge-asd && "
    "sudo /opt/edge-asd/bin/pip install ./edge-asd (the folder you cloned, or a wheel)"
)
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"  # where systemd looks for programs


def this_program() -> tuple[str, ...]:
    """Return the command that runs this edge-asd, by its absolute path."""
    script = Path(sys.executable).with_name("edge-asd")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "edge_asd")


def this_installation() -> tuple[Path, ...]:
    """Return what a user has to read and run so as to run this edge-asd."""
    found = [this_program()[0], sys.executable, sysconfig.get_path("stdlib"), str(Path(edge_asd.__file__).parent)]
    return tuple(map(Path, found))


def planned(config: ConfigFile, *, user: str | None = None, secrets: Path | None = None) -> Unit:
    """Return the unit for a configuration that was read from a file."""
    assert config.path is not None
    unit = Unit(
        name=unit_name(config.path),
        command=(*this_program(), "monitor", "--config", str(config.path)),
        sources=len(config.sources),
        devices=any(source.device is not None for source in config.sources),
        user=user,
        secrets=secrets,
    )
    records = config.records.folder
    if user is not None and records is not None and not _is_own(unit, records):
        unit = replace(unit, writable=records)
    if any(map(_below_home, (*this_installation(), *_needed(config, unit)))):
        unit = replace(unit, home_visible=True)
    return unit


def obstacles(config: ConfigFile, unit: Unit, installation: tuple[Path, ...] | None = None) -> list[str]:
    """Return what would keep the unit from running, each with how to mend it.

    Parameters
    ----------
    config : ConfigFile
        Read from a file.
    unit : Unit
    installation : tuple of Path, optional
        `this_installation`.

    Raises
    ------
    ConfigError
        If the unit's user, or the group of sound cards, does not exist.
    """
    who = Person.named(unit.user, [GROUP] if unit.devices else [])
    problems: list[str] = []
    for path in this_installation() if installation is None else installation:
        if (found := obstacle(path, who, unit.hidden, READ if path.is_dir() else READ | ENTER)) and not problems:
            problems.append(f"edge-asd itself: {found.what}. {_INSTALL}")
    for path in dict.fromkeys(_needed(config, unit)):
        if found := obstacle(path, who, unit.hidden):
            problems.append(str(found))
    for key, folder in (("records.folder", config.records.folder), ("heartbeat", config.heartbeat)):
        if folder is None or _is_own(unit, folder):
            continue
        if folder == unit.writable:
            if found := obstacle(folder, who, unit.hidden, READ | WRITE):
                problems.append(str(found))
        else:
            problems.append(
                f"{key} is {printable(str(folder))}, where the service cannot write. Choose a place in "
                f"{unit.state if key != 'heartbeat' else unit.runtime}"
            )
    for key, command in _commands(config):
        try:
            program = shlex.split(command)[0]
        except (ValueError, IndexError):
            problems.append(f"{key} is no command: {printable(command)}. Mend its quotes")
            continue
        place = shutil.which(program, path=_SYSTEM_PATH)
        if place is None:
            problems.append(f"{key}: there is no program {printable(program)}. Install it, or give its whole path")
        elif found := obstacle(Path(place).absolute(), who, unit.hidden, ENTER):
            problems.append(f"{key}: {found}")
    return problems


def _commands(config: ConfigFile) -> Iterator[tuple[str, str]]:
    for source in config.sources:
        if source.command is not None:
            yield f"command of {source.name}", source.command
    if config.notify.on_alarm is not None:
        yield "notify.on_alarm", config.notify.on_alarm


def _needed(config: ConfigFile, unit: Unit) -> Iterator[Path]:
    """Yield what has to be read, beside edge-asd itself."""
    assert config.path is not None
    yield config.path
    for source in config.sources:
        for path in (source.bundle, source.wav, source.folder):
            if path is not None:
                yield path
    # With secrets of the unit's own, systemd reads them for the service, and the variable goes before this key.
    if config.notify.urls_file is not None and unit.secrets is None:
        yield config.notify.urls_file


def _is_own(unit: Unit, path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in (unit.state, unit.runtime))


def _below_home(path: Path) -> bool:
    return any(one.is_relative_to(home) for one in (path, path.resolve()) for home in _HOMES)
