"""C that is the same is compiled once in a run of the tests: proofs build the same kernels dozens of times."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_asd.firmware_export.qemu import building

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)


def _read(source: Path, folders: list[Path]) -> dict[str, bytes]:
    """Read a source and what it includes, whatever the conditions; headers of the compiler's own are left out."""
    read: dict[str, bytes] = {}
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if path.name not in read:
            read[path.name] = path.read_bytes()
            for name in _INCLUDE.findall(read[path.name]):
                found = [folder / name.decode() for folder in (path.parent, *folders)]
                waiting += [file for file in found if file.is_file()][:1]
    return read


def _key(command: list[str]) -> str:
    """Hash what an object depends on: the compiler, its flags, and what is read; folders count by what is in them."""
    source, folders = Path(command[command.index("-c") + 1]), [Path(word[2:]) for word in command if word[:2] == "-I"]
    flags = [word for word in command if not word.startswith(("-I", "/"))]
    return hashlib.sha256(repr((flags, source.name, sorted(_read(source, folders).items()))).encode()).hexdigest()


@pytest.fixture(scope="session", autouse=True)
def compiled_once(shared_folder: Path) -> Iterator[None]:
    """Copy the object where any process of this run has compiled the same with the same flags."""
    kept, compile_or_link = shared_folder / "objects", building.call
    kept.mkdir(exist_ok=True)

    def call(command: list[str]) -> str:
        if "-c" not in command or "-fstack-usage" in command:  # that one writes a second file
            return compile_or_link(command)
        found, output = kept / _key(command), Path(command[command.index("-o") + 1])
        if found.exists():
            shutil.copy(found, output)
            return ""
        said = compile_or_link(command)
        handle, part = tempfile.mkstemp(dir=kept)
        os.close(handle)
        shutil.copy(output, part)
        os.replace(part, found)
        return said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "call", call)
        yield
