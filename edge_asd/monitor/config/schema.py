"""The configuration described: as JSON Schema for editors, and as the reference in docs/service.md.

Run as a program, it prints the reference; ``edge-asd service schema`` prints the schema.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from edge_asd.monitor.config.kinds import Key, keys_of
from edge_asd.monitor.config.layers import FILE_KEYS, SHARED_KEYS, SOURCE_KEYS, Keys
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

_TITLES = {
    "policy": "When an alarm is raised and when it ends; a source's own `policy` table goes before it",
    "records": "What is kept of what happened, and how much",
    "evidence": "The sound that is kept of each alarm",
    "notify": "Who is told, and how often",
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file that needs nothing from the environment or flags."""
    source = _table("A source of sound; the table's name is what reports call it.", SOURCE_KEYS)
    source["properties"]["policy"] = _table("What differs from [policy] for this source.", keys_of(PolicyConfig))
    source["oneOf"] = [{"required": [name]} for name in INPUTS]
    raw = {"anyOf": [{"required": ["command"]}, {"required": ["stdin"]}]}
    source["dependentSchemas"] = dict.fromkeys(RAW, raw)
    document = _table("Configuration of edge-asd monitor.", {**FILE_KEYS, **SHARED_KEYS})
    for name, table in TABLES.items():
        document["properties"][name] = _table(f"{_TITLES[name]}.", keys_of(table))
    document["properties"]["sources"] = {
        "description": "The sources of sound, a table each.",
        "type": "object",
        "patternProperties": {NAME: source},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": MAX_SOURCES,
    }
    document["required"] = ["sources"]
    each = {"patternProperties": {NAME: {"required": ["bundle"]}}}
    document["anyOf"] = [{"required": ["bundle"]}, {"properties": {"sources": each}}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "edge-asd", **document}


def schema_text() -> str:
    """Return `schema` as the file that is published."""
    return json.dumps(schema(), indent=2) + "\n"


def reference() -> str:
    """Return all keys as Markdown."""
    shared = ", ".join(f"`{name}`" for name in SHARED_KEYS)
    parts = [
        _section("`[sources.NAME]`: a source of sound. NAME is what reports call it", SOURCE_KEYS),
        f"\nAbove all tables, {shared} hold for all sources that do not say otherwise. There, too:\n\n"
        + _rows(FILE_KEYS),
        *(_section(f"`[{name}]`: {_lower(_TITLES[name])}", keys_of(table)) for name, table in TABLES.items()),
    ]
    return "\n".join(parts)


def variables() -> dict[str, str]:
    """Return what the environment may set: the key by the variable."""
    tables: list[tuple[str, type]] = [("", SourceConfig), ("", ConfigFile), *((f"{n}.", t) for n, t in TABLES.items())]
    return {
        key.variable: f"{prefix}{name}"
        for prefix, table in tables
        for name, (key, _) in keys_of(table).items()
        if key.variable is not None
    }


def _table(description: str, keys: Keys) -> dict[str, Any]:
    properties = {name: _property(key, default) for name, (key, default) in keys.items()}
    return {"description": description, "type": "object", "additionalProperties": False, "properties": properties}


def _property(key: Key, default: Any) -> dict[str, Any]:
    described = {"description": f"{key.text}.", **key.kind.schema()}
    if _has_default(key, default):
        described["default"] = key.kind.write(default)
    return described


def _has_default(key: Key, default: Any) -> bool:
    if default is dataclasses.MISSING or default is None:
        return False
    try:
        key.kind.read(key.kind.write(default))
    except ValueError:  # `stdin` may only be true
        return False
    return True


def _section(title: str, keys: Keys) -> str:
    return f"\n### {title}\n\n{_rows(keys)}"


def _rows(keys: Keys) -> str:
    lines = ["| key | takes | default | what it is |", "|---|---|---|---|"]
    for name, (key, default) in keys.items():
        shown = f"`{json.dumps(key.kind.write(default))}`" if _has_default(key, default) else ""
        text = f"{key.text}. In the environment: `{key.variable}`." if key.variable else f"{key.text}."
        lines.append(f"| `{name}` | {key.kind.expected} | {shown} | {text} |")
    return "\n".join(lines) + "\n"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


if __name__ == "__main__":
    print(reference(), end="")
