"""What an exported project looks like: every file of it, by the ecosystem that it is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from edge_asd import __version__
from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export import library as kinds
from edge_asd.firmware_export.board_support import BOARD, board_facts, board_files
from edge_asd.firmware_export.library import Library
from edge_asd.firmware_export.readme import readme_facts

_TEMPLATES = Path(__file__).parent / "templates" / "project"

_ARDUINO = ("mbed", "mbed_giga", "mbed_nano", "mbed_nicla", "mbed_opta", "mbed_portenta", "mbed_rp2040", "esp32",
            "nrf52", "renesas_portenta", "renesas_uno", "rp2040", "sam", "samd", "stm32", "zephyr")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things go.

    Attributes
    ----------
    headers : str
        Folder of the public headers; all other C files go to ``src``.
    parts : dict of str to str
        Destination of each folder of templates. Where there is a folder of the library's kind in it, that one.
    host : str
        Folder of the programs for a computer.
    """

    headers: str
    parts: Mapping[str, str]
    host: str


_LAYOUTS = {
    "cmake": _Layout(
        "include", {"cmake": "", "host": "examples", "board": "examples", "sketch": "examples"}, "examples"
    ),
    "arduino": _Layout("src", {"arduino": "", "sketch": "examples", "host": "extras"}, "extras"),
    "platformio": _Layout("include", {"platformio": "", "sketch": "examples", "host": "extras"}, "extras"),
    "zephyr": _Layout("include", {"zephyr": "", "sample": "samples", "host": "extras"}, "extras"),
}

TARGETS = tuple(_LAYOUTS)
"""Ecosystems that a project can be for."""

_HAVE_KINDS = ("host", "board", "sketch", "sample")


def laid_out(library: Library, target: str, report: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Lay out a project.

    Parameters
    ----------
    library : Library
    target : str, one of `TARGETS`
    report : mapping, optional
        What was proven and measured, for README: a `edge_asd.firmware_export.proof.verification.Verification`
        as a mapping, all the way down.

    Returns
    -------
    files : dict of str to str
        Contents by path, sorted: the same library and report give the same bytes.

    Raises
    ------
    EdgeAsdError
        If there is no such target.
    """
    if target not in _LAYOUTS:
        raise EdgeAsdError(f"There is no target {target!r}; choose one of {', '.join(TARGETS)}.")
    layout = _LAYOUTS[target]
    files = {f"{_folder(layout, library, name)}/{name}": text for name, text in library.files.items()}
    facts = _facts(library, target, layout, report)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for part, destination in layout.parts.items():
        folder = _TEMPLATES / part / library.kind if part in _HAVE_KINDS else _TEMPLATES / part
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                place = Path(destination) / path.relative_to(folder)
                text = path.read_text(encoding="utf-8")
                if path.suffix == ".j2":
                    place, text = place.with_suffix(""), environment.from_string(text).render(facts)
                files[place.as_posix()] = text
    if "board" in layout.parts and library.kind == kinds.DETECTOR:
        files |= {f"examples/qemu/{name}": text for name, text in board_files(BOARD).items()}
    readme = environment.get_template("readme/README.md.j2").render(facts)
    files["README.md"] = re.sub(r"\n{3,}", "\n\n", readme).rstrip() + "\n"  # parts that are left out leave blank lines
    files["LICENSE"] = (_TEMPLATES / "LICENSE").read_text(encoding="utf-8")
    return dict(sorted(files.items()))


def _folder(layout: _Layout, library: Library, name: str) -> str:
    return layout.headers if name in library.public else "src"


def _facts(library: Library, target: str, layout: _Layout, report: Mapping[str, Any] | None) -> dict[str, Any]:
    """Gather what templates may say."""
    return {
        "target": target,
        "kind": library.kind,
        "version": __version__,
        "sources": [name for name in library.files if name.endswith(".c")],
        "roots": list(kinds.ROOTS[library.kind]),
        "architectures": _ARDUINO,
        "headers": layout.headers,
        "host": layout.host,
        "board": board_facts(BOARD),
        **readme_facts(library, report),
    }
