"""``edge-asd service``: the monitor as a service of systemd, and what it is configured by."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_asd.cli.common import JsonOption, finite, note, print_json, table
from edge_asd.monitor.service.unit import UNITS

if TYPE_CHECKING:
    from edge_asd.monitor.config.settings import ConfigFile
    from edge_asd.monitor.service.unit import Unit

app = typer.Typer(
    help="Run the monitor for good: a systemd service, its configuration and its health.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ConfigOption = Annotated[
    Path,
    typer.Option("--config", metavar="FILE", envvar="EDGE_ASD_CONFIG", help="Configuration of the monitor, in TOML."),
]
DEFAULT_CONFIG = Path("/etc/edge-asd/edge-asd.toml")
UserOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Run as this user instead of one that systemd makes for it.")
]
SecretsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="File of notification URLs, one a line, that only root can read: systemd hands it on."
    ),
]
OutOption = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the units.")]

_CHECK_SECONDS = 120
_ANY_UID = 61184  # the first that systemd gives to users that it makes


@app.command("install")
def install(
    config: ConfigOption = DEFAULT_CONFIG,
    user: UserOption = None,
    secrets: SecretsOption = None,
    out: OutOption = UNITS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, and write nothing.")] = False,
) -> None:
    """Write the systemd unit that runs edge-asd monitor with a configuration.

    Refuses where the configuration is bad, or where the service's user would not get at something that it
    needs, and says how to mend it. Nothing is copied, enabled or started.
    """
    from edge_asd.errors import ConfigError, OutputError
    from edge_asd.files import write_atomically
    from edge_asd.monitor.service.plan import obstacles

    found, unit = _plan(config, user, secrets)
    problems = obstacles(found, unit)
    if not problems:
        _check_bundles(found)
    if not problems and os.geteuid() == 0 and (text := _refused_as(unit, found)):
        problems.append(text)
    if problems:
        raise ConfigError(
            f"The service would not run: {'; '.join(problems)}. Then run edge-asd service install again; "
            "docs/service.md shows a layout that works."
        )
    path = out / unit.file
    if not _is_ours(path):
        raise OutputError(f"{path} was not written by edge-asd. Move it away, or rename the configuration.")
    if dry_run:
        note(f"Nothing is in the way. {path} would be written; edge-asd service show prints it.")
        return
    write_atomically(path, unit.text().encode())
    note(
        f"Wrote {path}. What comes next:\n"
        f"  sudo systemctl daemon-reload\n"
        f"  sudo systemctl enable --now {unit.name}     # starts now and at every boot\n"
        f"  systemctl status {unit.name}                # how it is\n"
        f"  journalctl -u {unit.name} -f                # what it says\n"
        f"  sudo systemctl reload {unit.name}           # after a change of {found.path}"
    )
    if os.geteuid() != 0:
        note("Not run as root, so that only modes were checked; root tries everything as the service's user.")


@app.command("show")
def show(config: ConfigOption = DEFAULT_CONFIG, user: UserOption = None, secrets: SecretsOption = None) -> None:
    """Print the unit that install would write, and on the standard error what is in its way."""
    from edge_asd.monitor.service.plan import obstacles

    found, unit = _plan(config, user, secrets)
    for text in obstacles(found, unit):
        note(f"In the way: {text}.")
    print(unit.text(), end="")


@app.command("uninstall")
def uninstall(config: ConfigOption = DEFAULT_CONFIG, out: OutOption = UNITS) -> None:
    """Remove the unit again; the configuration and all records stay."""
    from edge_asd.errors import OutputError
    from edge_asd.monitor.service.unit import unit_name

    name = unit_name(config)
    path = out / f"{name}.service"
    if not path.exists():
        raise OutputError(f"There is no {path}. The unit's name comes from that of --config.")
    if not _is_ours(path):
        raise OutputError(f"{path} was not written by edge-asd, and stays. Remove it by hand if it is to go.")
    path.unlink()
    note(
        f"Removed {path}. What comes next:\n"
        f"  sudo systemctl disable --now {name}    # it may still run\n"
        f"  sudo systemctl daemon-reload\n"
        f"{config} and what was recorded in /var/lib/{name} are still there."
    )


@app.command("check")
def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Check a configuration, with the bundles and sections that it names, and print its sources."""
    from edge_asd.monitor.config.reading import load_config

    found = load_config(config)
    rows = _check_bundles(found)
    if json:
        print_json({"config": str(found.path), "sources": rows})
        return
    header = ["source", "input", "bundle", "section"]
    print(table(header, [[row["source"], row["input"], row["bundle"], row["section"]] for row in rows]))


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the configuration, by which editors check and complete it."""
    from edge_asd.monitor.config.schema import schema_text

    print(schema_text(), end="")


@app.command("health")
def health(
    heartbeat: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="EDGE_ASD_HEARTBEAT",
            help="File that the monitor renews; by default the one that the configuration names.",
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    max_age: Annotated[
        float, typer.Option(min=10, max=86400, callback=finite, help="Oldest heartbeat of a healthy monitor [s].")
    ] = 30.0,
    json: JsonOption = False,
) -> None:
    """Tell whether the monitor's loop goes on: for the health check of a container.

    The loop itself renews the file, in each turn in which it scored sound or knew that there was none.
    Exits with 1 where it has not for too long.
    """
    from edge_asd.errors import ConfigError
    from edge_asd.monitor.service.heartbeat import last_beat

    if heartbeat is None:
        from edge_asd.monitor.config.reading import load_config

        heartbeat = load_config(config).heartbeat
        if heartbeat is None:
            raise ConfigError(
                f'{config} names no heartbeat. Add, above all tables: heartbeat = "/run/edge-asd/heartbeat"'
            )
    beat = last_beat(heartbeat)
    healthy = beat is not None and beat.age_s <= max_age
    if json:
        print_json(
            {
                "healthy": healthy,
                "age_s": None if beat is None else beat.age_s,
                "status": None if beat is None else beat.status,
            }
        )
    elif beat is None:
        print(f"No heartbeat in {heartbeat}: the monitor has not run since the computer started.")
    else:
        print(f"{'Healthy' if healthy else 'Not healthy'}: {beat.age_s:.0f} s ago the monitor said: {beat.status}")
    if not healthy:
        raise typer.Exit(1)


def _plan(config: Path, user: str | None, secrets: Path | None) -> tuple[ConfigFile, Unit]:
    from edge_asd.errors import ConfigError
    from edge_asd.monitor.config.reading import load_config
    from edge_asd.monitor.service.plan import planned

    # What the environment says here it does not say to the service.
    found = load_config(config, environment={})
    if any(source.stdin for source in found.sources):
        raise ConfigError(f"{config}: a service has no standard input to listen to. Use command instead of stdin.")
    if secrets is not None and not secrets.is_file():
        raise ConfigError(f"There is no file {secrets}. Write one notification URL a line into it, and chmod 600 it.")
    return found, planned(found, user=user, secrets=None if secrets is None else secrets.absolute())


def _check_bundles(config: ConfigFile) -> list[dict[str, Any]]:
    """Load every bundle, and return what is listened to and judged by what.

    Raises
    ------
    EdgeAsdError
        If a bundle cannot be used, or lacks the section.
    """
    from edge_asd.bundle.sections import choose_section
    from edge_asd.monitor.config.settings import INPUTS
    from edge_asd.monitor.session import load_bundles
    from edge_asd.notify.dispatcher import check_apprise

    if config.notify.urls:
        check_apprise()
    bundles = load_bundles(config.sources)
    rows = []
    for source in config.sources:
        (kind,) = (name for name in INPUTS if getattr(source, name))
        value = "" if kind == "stdin" else f" {getattr(source, kind)}"
        section = choose_section(bundles[source.bundle], source.section)
        rows.append(
            {"source": source.name, "input": f"{kind}{value}", "bundle": str(source.bundle), "section": section}
        )
    return rows


def _refused_as(unit: Unit, config: ConfigFile) -> str | None:
    """Check the configuration in a process of the service's user; return what it says is wrong."""
    from edge_asd.monitor.service.access import Person
    from edge_asd.monitor.service.plan import this_program

    who = Person.named(unit.user)
    if who.uid == os.geteuid():
        return None  # that was this process
    uid = _ANY_UID if who.uid is None else who.uid
    command = [*this_program(), "service", "check", "--config", str(config.path)]
    try:
        done = subprocess.run(
            command,
            user=uid,
            group=uid if who.uid is None else None,
            extra_groups=sorted(who.groups),
            cwd="/",
            # Without the secrets, which systemd hands on where the configuration's own file is not to be read.
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": "/",
                **({"EDGE_ASD_NOTIFY_URLS_FILE": os.devnull} if unit.secrets else {}),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CHECK_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"as the service's user, {command[0]} cannot be run: {error}"
    if done.returncode:
        said = done.stderr.strip().splitlines()
        text = said[-1].removeprefix("Error: ").rstrip(".") if said else f"exit code {done.returncode}"
        return f"as the service's user, edge-asd said: {text}"
    return None


def _is_ours(path: Path) -> bool:
    """Tell whether a unit may be written over: it is ours, or not there."""
    from edge_asd.monitor.service.unit import MARK

    try:
        with open(path, "rb") as file:
            return file.read(len(MARK)) == MARK.encode()
    except FileNotFoundError:
        return True
