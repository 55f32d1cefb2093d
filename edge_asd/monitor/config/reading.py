"""Reading a configuration: a TOML file, under what the environment says, under what the flags say."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_asd.errors import ConfigError
from edge_asd.files import open_without_waiting, printable
from edge_asd.monitor.config.kinds import keys_of
from edge_asd.monitor.config.layers import Layer, Values, from_document, from_environment, from_flags
from edge_asd.monitor.config.settings import (
    INPUTS,
    ConfigFile,
    EvidenceConfig,
    NotifyConfig,
    PolicyConfig,
    RecordsConfig,
    SourceConfig,
)

DEFAULT_DEVICE = "default"
"""The device that stands for the system's default microphone."""

CONFIG_VARIABLE = "EDGE_ASD_CONFIG"
"""The environment variable that names the file where no flag does."""

MAX_BYTES = 1 << 20
"""Of a file."""

_MOST_PROBLEMS = 8  # told at once


def load_config(
    path: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    name: str = "microphone",
) -> ConfigFile:
    """Read a configuration: flags go before the environment, and that before the file.

    Parameters
    ----------
    path : Path, optional
        A TOML file; by default the one that EDGE_ASD_CONFIG names, if it does. Relative paths in it are relative to
        its folder, those of the environment and flags to the working directory.
    environment : mapping, optional
        By default this process's.
    flags : mapping, optional
        Values by the keys that they set: "device", "records.folder", "policy.cooldown_s"; None says nothing. Those of
        a source need a file of one source, or none: they make one then.
    name : str
        Of the source that the environment or flags make.

    Returns
    -------
    config : ConfigFile

    Raises
    ------
    ConfigError
        Telling all that is wrong with values; or else that the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    if path is None and (named := environment.get(CONFIG_VARIABLE)):
        path = Path(named)
    here = Path.cwd()
    path = None if path is None else here / path
    file = Layer() if path is None else from_document(_parse(path), path.parent)
    above = {"the environment": from_environment(environment, here), "the command line": from_flags(flags or {}, here)}
    problems = [*file.problems, *(text for layer in above.values() for text in layer.problems)]
    sources = {source: {**file.shared, **own} for source, own in file.sources.items()}
    for whose, layer in above.items():
        if not layer.one:
            continue
        sources = sources or {name: dict(file.shared)}
        if len(sources) > 1:
            problems.append(
                f"{whose} gives {', '.join(layer.one)}, which is for one source, and there are {len(sources)}: "
                f"{', '.join(map(printable, sources))}"
            )
            continue
        (only,) = sources.values()
        if layer.inputs:
            for one in INPUTS:
                only.pop(one, None)
        only.update(layer.one)
    if not sources and not problems:
        problems.append("there is no source. Add a table such as [sources.fan1] with a device")
    layers = [file, *above.values()]
    if not problems:
        problems += _between_keys(sources, path)
    if problems:
        raise _error(path, problems)
    return _build(path, layers, sources)


def load_default_config(path: Path | None, *, flags: Mapping[str, object], name: str) -> ConfigFile:
    """Read a configuration as `load_config` does; where nothing names an input, it is the default microphone."""
    named = path is not None or CONFIG_VARIABLE in os.environ
    environment = from_environment(os.environ, Path.cwd())
    if (
        not named
        and not environment.inputs
        and not environment.problems
        and all(flags.get(one) is None for one in INPUTS)
    ):
        flags = {**flags, "device": DEFAULT_DEVICE}
    return load_config(path, flags=flags, name=name)


def _parse(path: Path) -> dict[str, Any]:
    where = printable(str(path))
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(f"The configuration {where} is not a file. Name a TOML file.")
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"Cannot read the configuration {where}: {reason}. Check its name and who may read it."
        ) from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"The configuration {where} is larger than {MAX_BYTES >> 20} MiB. Name the right file.")
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{where} is not TOML: {error}. Mend that place; https://toml.io explains the format."
        ) from None


def _between_keys(sources: Mapping[str, Values], path: Path | None) -> list[str]:
    if path is None and any("bundle" not in values for values in sources.values()):
        return ["there is no bundle. Give one as the first argument, or a file that names it with --config"]
    problems = [
        f"bundle is missing for the source {name}: give it above all tables or in [sources.{name}]"
        for name, values in sources.items()
        if "bundle" not in values
    ]
    for name, values in sources.items():
        if not any(key in values for key in INPUTS):
            problems.append(f"the source {name} has none of {', '.join(INPUTS)}")
        elif len(given := [key for key in INPUTS if key in values]) > 1:
            problems.append(f"the source {name} has {' and '.join(given)}, of which it can have one")
    if len(readers := [name for name, values in sources.items() if values.get("stdin")]) > 1:
        problems.append(f"there is one standard input, and {' and '.join(readers)} want it")
    return problems


def _build(path: Path | None, layers: list[Layer], sources: Mapping[str, Values]) -> ConfigFile:
    tables = {name: _merged(layer.tables[name] for layer in layers) for name in layers[0].tables}
    general = PolicyConfig(**layers[0].tables["policy"])
    above = PolicyConfig(**_merged(layer.tables["policy"] for layer in layers[1:]))
    return ConfigFile(
        path=path,
        sources=tuple(_build_source(name, values, general, above) for name, values in sources.items()),
        records=RecordsConfig(**tables["records"]),
        evidence=EvidenceConfig(**tables["evidence"]),
        notify=_notify(tables["notify"]),
        **_merged(layer.file for layer in layers),
    )


def _build_source(name: str, values: Values, general: PolicyConfig, above: PolicyConfig) -> SourceConfig:
    own = PolicyConfig(**values.get("policy", {}))
    rest = {key: value for key, value in values.items() if key != "policy"}
    if "section" in rest:
        rest["section"] = rest["section"].zfill(2)
    return SourceConfig(name=name, policy=above.over(own.over(general)), **rest)


def _merged(tables: Any) -> Values:
    return {key: value for table in tables for key, value in table.items()}


def _notify(values: Values) -> NotifyConfig:
    if (path := values.get("urls_file")) is None:
        return NotifyConfig(**values)
    where = printable(str(path))
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            lines = file.read(MAX_BYTES).decode().splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"Cannot read the notification URLs in {where}: {reason}.") from None
    further = [text for line in lines if (text := line.strip()) and not text.startswith("#")]
    urls = list(dict.fromkeys([*values.get("urls", ()), *further]))
    kind = keys_of(NotifyConfig)["urls"][0].kind
    try:
        return NotifyConfig(**{**values, "urls": kind.read(urls)})
    except ValueError:
        raise ConfigError(f"The notification URLs, with those of {where}, should be {kind.expected}.") from None


def _error(path: Path | None, problems: list[str]) -> ConfigError:
    where = "The configuration" if path is None else printable(str(path))
    more = len(problems) - _MOST_PROBLEMS
    told = [*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
    help_ = "monitor --help` explains the options" if path is None else "service schema` prints all keys"
    return ConfigError(f"{where} cannot be used: {'; '.join(told)}. `edge-asd {help_}.")
