"""What a library takes of a microcontroller's memory, read from the linker's map."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_asd.errors import EdgeAsdError
from edge_asd.firmware_export.qemu.building import link, objects_of
from edge_asd.firmware_export.qemu.targets import Target
from edge_asd.firmware_export.qemu.tools import call

KINDS = {".text": "code", ".rodata": "constants", ".data": "data", ".bss": "zeroed"}
FILL = "*fill*"


@dataclass(frozen=True, slots=True)
class Part:
    """A function, a variable, or what a library brings.

    Attributes
    ----------
    kind : str
        ``code``, ``constants``, ``data`` (variables that begin with a value) or ``zeroed`` (all others).
    section : str
        As the compiler named it, mostly by the symbol: ``.text.edge_asd_init``; ``*fill*`` is for alignment.
    source : str
        File name of the C source; of what comes from the compiler's libraries, ``libgcc.a(_udivmoddi4.o)``.
    size : int [bytes]
    """

    kind: str
    section: str
    source: str
    size: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """Memory that a library takes, all parts of it.

    Attributes
    ----------
    parts : tuple of Part
        In the order of the linker's map.
    """

    parts: tuple[Part, ...]

    def total(self, kind: str, *, source: str | None = None) -> int:
        """Return the bytes of a kind: all of them, or those from the source of that file name."""
        return sum(part.size for part in self.parts if part.kind == kind and source in (None, part.source))

    @property
    def flash(self) -> int:
        """Code, constants and the first values of variables [bytes]."""
        return self.total("code") + self.total("constants") + self.total("data")

    @property
    def ram(self) -> int:
        """Variables [bytes]; the stack is not among them."""
        return self.total("data") + self.total("zeroed")


def footprint(
    target: Target,
    program: Path,
    library: Sequence[str],
    *,
    entries: Sequence[str] | None = None,
    flags: Sequence[str] = ("-O2",),
) -> Footprint:
    """Measure the part of a built program that is the library, without its ``main`` and the board's support.

    The objects of the library are linked alone: what nothing needs is dropped, and what they
    need of the compiler's libraries counts, whether or not the rest of the program needs it as well.

    Parameters
    ----------
    target : Target
        A microcontroller.
    program : Path
        Built for it by `build`.
    library : sequence of str
        File names of its sources that are the library.
    entries : sequence of str, optional
        Functions of the library that firmware calls, and variables that it reads; without it, all
        that the rest of the program refers to.
    flags : sequence of str
        That the program was built with.

    Raises
    ------
    EdgeAsdError
        If the objects do not link, or the linker's map is not as we know it.
    ValueError
        If `target` is not a microcontroller, `program` was not built from these sources, or nothing is an entry.
    """
    if not target.is_microcontroller:
        raise ValueError("sizes are those of microcontrollers")
    every = sorted(objects_of(program).rglob("*.o"))
    ours = [path for path in every if path.parent == objects_of(program) and path.name.removesuffix(".o") in library]
    if len(ours) != len(set(library)):
        raise ValueError(f"{program} has no such sources: {set(library) - {path.stem for path in ours}}")
    rest = [path for path in every if path not in ours]
    ours_defined, rest_needed = _symbols(target, ours, "--defined-only"), _symbols(target, rest, "--undefined-only")
    entries = sorted(ours_defined & rest_needed) if entries is None else entries
    if not entries:
        raise ValueError(f"nothing in {program} uses the library")
    # What the program gives to the library is not the library's.
    given = _symbols(target, ours, "--undefined-only") & _symbols(target, rest, "--defined-only")
    alone = program.with_name(f"{program.name}.library")
    options = [f"-Wl,--entry={entries[0]}", *(f"-Wl,--undefined={name}" for name in entries)]
    options += [f"-Wl,--defsym={name}=0" for name in sorted(given)]
    link(target, ours, alone, [*flags, *options])
    return Footprint(tuple(_parts(Path(f"{alone}.map").read_text())))


def _symbols(target: Target, objects: Sequence[Path], which: str) -> set[str]:
    command = [target.compiler.removesuffix("gcc") + "nm", "--extern-only", "--format=posix", which]
    rows = (row.split() for row in call([*command, *map(str, objects)]).splitlines())
    return {row[0] for row in rows if len(row) > 1}  # a row of one word names the object


def _parts(text: str) -> list[Part]:
    """Read the parts from a linker's map; raise if they do not add up."""
    text = text.partition("\nLinker script and memory map\n")[2]
    text = re.sub(
        r"^( ?[^ \n]+)\n {10,}(0x)", r"\1 \2", text, flags=re.MULTILINE
    )  # long names have a line of their own
    parts: list[Part] = []
    sizes: dict[str, int] = {}
    kind = None
    for line in text.splitlines():
        if found := re.match(r"(\.\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)", line):
            if kind := KINDS.get(found[1]):
                sizes[kind] = int(found[2], 16)
        elif line and not line[0].isspace():
            kind = None
        elif kind and (found := re.match(r" (\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?:\s+(\S.*)|\s*)$", line)):
            section, size, origin = found[1], int(found[2], 16), found[3] or ""
            if size:
                parts.append(Part(kind, section, "" if section == FILL else Path(origin).name.removesuffix(".o"), size))
    read = Footprint(tuple(parts))
    if not sizes or any(read.total(kind) != sizes.get(kind, 0) for kind in KINDS.values()):
        raise EdgeAsdError("The linker's map is not as binutils 2.40 writes it; sizes cannot be read from it.")
    return parts
