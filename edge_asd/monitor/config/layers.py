"""One layer of a configuration: what a file, the environment or the command line's flags say, each value checked."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_asd.monitor.config.kinds import FilePath, Key, Several, keys_of
from edge_asd.monitor.config.settings import (
    INPUTS,
    MAX_SOURCES,
    NAME,
    RAW,
    TABLES,
    ConfigFile,
    PolicyConfig,
    SourceConfig,
)

Values = dict[str, Any]
Keys = Mapping[str, tuple[Key, Any]]

SOURCE_KEYS = keys_of(SourceConfig)
FILE_KEYS = keys_of(ConfigFile)
SHARED_KEYS = {name: one for name, one in SOURCE_KEYS.items() if one[0].shared}


@dataclass(slots=True)
class Layer:
    """What one place says; absent is what it does not mention.

    Attributes
    ----------
    file : dict
        Keys of `ConfigFile`.
    shared : dict
        Keys of a source that stand for all sources.
    sources : dict of dict
        Each source's own keys; "policy" is a dict in its turn.
    one : dict
        Keys of the one source, from where sources have no names.
    tables : dict of dict
    problems : list of str
        What cannot be used.
    """

    file: Values = field(default_factory=dict)
    shared: Values = field(default_factory=dict)
    sources: dict[str, Values] = field(default_factory=dict)
    one: Values = field(default_factory=dict)
    tables: dict[str, Values] = field(default_factory=lambda: {name: {} for name in TABLES})
    problems: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[str]:
        """The inputs that `one` names."""
        return [name for name in INPUTS if name in self.one]


def from_document(document: Mapping[str, Any], base: Path) -> Layer:
    """Read a file's document; relative paths are relative to the folder `base`."""
    layer = Layer()
    rest = dict(document)
    for name, table in TABLES.items():
        if name in rest:
            layer.tables[name] = _table(rest.pop(name), keys_of(table), f"[{name}]", base, layer.problems)
    sources = rest.pop("sources", {})
    values = _table(rest, {**SHARED_KEYS, **FILE_KEYS}, "", base, layer.problems, [*TABLES, "sources"])
    for name, value in values.items():
        (layer.shared if name in SHARED_KEYS else layer.file)[name] = value
    if not isinstance(sources, dict):
        layer.problems.append(f"sources should be tables such as [sources.fan1], not {shown(sources)}")
        return layer
    if len(sources) > MAX_SOURCES:
        layer.problems.append(f"there are {len(sources)} sources; use up to {MAX_SOURCES}")
        return layer
    for name, table in sources.items():
        layer.sources[name] = _source(name, table, base, layer.problems)
    return layer


def from_environment(environment: Mapping[str, str], base: Path) -> Layer:
    """Read the variables that keys have; empty ones say nothing."""
    given: dict[str, tuple[str, object]] = {}
    for table, keys in _all_keys():
        for name, (key, _) in keys.items():
            if key.variable is not None and (text := environment.get(key.variable, "").strip()):
                value = text.split() if isinstance(key.kind, Several) else text
                given[f"{table}.{name}" if table else name] = (key.variable, value)
    return _from_flat(given, base)


def from_flags(flags: Mapping[str, object], base: Path) -> Layer:
    """Read values of flags by the keys that they set, such as "device" or "policy.cooldown_s"; None says nothing.

    Raises
    ------
    KeyError
        If there is no such key.
    """
    return _from_flat(
        {name: (f"the option for {name}", value) for name, value in flags.items() if value is not None}, base
    )


def shown(value: object) -> str:
    """Write a value for people, nearly as TOML does, and not at length."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _all_keys() -> Iterable[tuple[str, Keys]]:
    yield "", {**SOURCE_KEYS, **FILE_KEYS}
    for name, table in TABLES.items():
        yield name, keys_of(table)


def _from_flat(given: Mapping[str, tuple[str, object]], base: Path) -> Layer:
    layer = Layer()
    known = dict(_all_keys())
    for full, (place, value) in given.items():
        table, _, name = full.rpartition(".")
        key = known[table][name][0]
        values = layer.tables[table] if table else layer.file if name in FILE_KEYS else layer.one
        _take(values, name, str(value) if isinstance(value, Path) else value, key, place, base, layer.problems)
    return layer


def _source(name: str, table: object, base: Path, problems: list[str]) -> Values:
    place = f"[sources.{name}]" if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f"[sources.{shown(name)}]"
    if not re.fullmatch(NAME, name):
        problems.append(
            f"{place}: a source's name has up to 64 letters, digits, spaces, dots, hyphens and underscores, "
            "and begins with a letter or digit"
        )
    if not isinstance(table, dict):
        problems.append(f"{place} should be a table, not {shown(table)}")
        return {}
    own = dict(table)
    policy = own.pop("policy", {})
    values = _table(own, SOURCE_KEYS, place, base, problems, ["policy"])
    values["policy"] = _table(policy, keys_of(PolicyConfig), f"{place} policy", base, problems)
    inputs = [key for key in INPUTS if key in own]
    if len(inputs) != 1:
        found = f"not {' and '.join(inputs)}" if inputs else "and there is none"
        problems.append(f"{place} takes exactly one of {', '.join(INPUTS)}, {found}")
    elif inputs[0] not in ("command", "stdin") and (raw := [key for key in RAW if key in own]):
        problems.append(f"{place} {raw[0]} is for the raw PCM of command and stdin; {inputs[0]} has its own")
    return values


def _table(raw: object, keys: Keys, place: str, base: Path, problems: list[str], others: Iterable[str] = ()) -> Values:
    values: Values = {}
    if not isinstance(raw, dict):
        problems.append(f"{place} should be a table, not {shown(raw)}")
        return values
    for name, value in raw.items():
        if name in keys:
            _take(values, name, value, keys[name][0], f"{place} {name}".strip(), base, problems)
        else:
            problems.append(_unknown(name, place, [*keys, *others]))
    return values


def _take(values: Values, name: str, value: object, key: Key, place: str, base: Path, problems: list[str]) -> None:
    try:
        read = key.kind.read(value)
    except ValueError:
        found = "" if key.secret else f", not {shown(value)}"
        problems.append(f"{place} should be {key.kind.expected}{found}")
        return
    values[name] = base / read if isinstance(key.kind, FilePath) else read


def _unknown(name: str, place: str, known: list[str]) -> str:
    text = f"{place} {shown(name)} is no known key".strip()
    homes = [f"[{table}]" for table, keys in _all_keys() if table and name in keys]
    if name in SOURCE_KEYS:
        homes.append("[sources.NAME]")
    if name in SHARED_KEYS or name in FILE_KEYS:
        homes.append("the part above all tables")
    if homes:
        return f"{text} there; it belongs to {' or '.join(homes)}"
    if near := difflib.get_close_matches(name, known, 1):
        return f"{text}; did you mean {shown(near[0])}?"
    return f"{text}; known are {', '.join(sorted(known))}"
