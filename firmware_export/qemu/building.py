"""From C files to a program for a target."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge_asd.firmware_export.qemu.targets import Target
from edge_asd.firmware_export.qemu.tools import call

TEMPLATES = Path(__file__).parents[1] / "templates" / "qemu"

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")
"""Flags that all our C compiles with; C++ and Arduino builds are more lenient."""

SUPPORT = ("semihosting.c", "counting.c", "stack.c")
"""What every board runs on, in the folder of templates, besides its processor and its counter."""

SECTIONS = ("-ffunction-sections", "-fdata-sections")
"""A section for every function and variable, so that the linker can drop and list each."""


def build(
    target: Target,
    sources: Sequence[Path],
    program: Path,
    *,
    include: Sequence[Path] = (),
    flags: Sequence[str] = ("-O2",),
    defines: Sequence[str] = (),
    flags_of: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Compile and link `sources` with ``hostio`` for `target` as `program`.

    The objects stay in ``{program}.objects``, under the names of their sources.

    Parameters
    ----------
    include : sequence of Path
        Folders of headers.
    flags : sequence of str
        For compiling all `sources`, and for linking.
    defines : sequence of str
        Macros for all `sources`: ``NAME`` or ``NAME=value``.
    flags_of : mapping of str to sequence of str, optional
        More flags for single sources, by file name; they come last.

    Returns
    -------
    Path
        `program`

    Raises
    ------
    DependencyError
        If the compiler is not installed.
    EdgeAsdError
        If the C does not compile or link; the message holds what the compiler said.
    ValueError
        If two sources have the same file name, or `flags_of` names none of them.
    """
    target.require()
    names = [source.name for source in sources]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two sources named {', '.join(sorted(doubles))}")
    flags_of = flags_of or {}
    if strangers := flags_of.keys() - set(names):
        raise ValueError(f"flags for {', '.join(sorted(strangers))}, which is no source of {program}")
    objects = objects_of(program)
    shutil.rmtree(objects, ignore_errors=True)
    (objects / "support").mkdir(parents=True)
    shared = [f"-I{TEMPLATES}", *(f"-I{path}" for path in include), *flags, *(f"-D{name}" for name in defines)]
    jobs = [(source, objects, [*shared, *flags_of.get(source.name, ())]) for source in sources]
    if target.machine is None:
        jobs.append((TEMPLATES / "stdio.c", objects / "support", list(flags)))
    else:
        parts = (*SUPPORT, target.machine.processor, target.machine.counter)
        own = ["-O2", *(f"-D{name}" for name in target.machine.defines)]
        jobs += [(TEMPLATES / part, objects / "support", own) for part in parts]

    def compiled(job: tuple[Path, Path, list[str]]) -> Path:
        source, folder, arguments = job
        output = folder / f"{source.name}.o"
        call([target.compiler, *WARNINGS, *target.flags, *SECTIONS, *arguments, "-c", str(source), "-o", str(output)])
        return output

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outputs = list(pool.map(compiled, jobs))
    link(target, outputs, program, flags)
    return program


def link(target: Target, objects: Sequence[Path], program: Path, flags: Sequence[str]) -> None:
    """Link `objects` as `program`, without what nothing needs; on a board with the map of all sections beside it."""
    command = [target.compiler, *target.flags, *flags]
    if target.machine is not None:
        command += ["-nostartfiles", f"-L{TEMPLATES}", "-T", str(TEMPLATES / target.machine.script)]
        command += ["-Wl,--gc-sections", f"-Wl,-Map={program}.map"]
    call([*command, *map(str, objects), "-o", str(program)])


def objects_of(program: Path) -> Path:
    """Return the folder with the objects that `build` made for `program`."""
    return program.with_name(f"{program.name}.objects")


def compile_object(target: Target, source: Path, output: Path, *, include: Sequence[Path] = ()) -> dict[str, int]:
    """Compile one file at -O2 and return its section sizes ``text``, ``data``, ``bss`` [bytes]."""
    target.require()
    flags = [*WARNINGS, *target.flags, "-O2", "-fstack-usage", *(f"-I{path}" for path in include)]
    call([target.compiler, *flags, "-c", str(source), "-o", str(output)])
    row = call([target.compiler.removesuffix("gcc") + "size", str(output)]).splitlines()[1].split()
    return {"text": int(row[0]), "data": int(row[1]), "bss": int(row[2])}
