"""Running commands in the emulated machine, and here, with the time and the memory that they take."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ENTER = Path(__file__).with_name("enter.sh")
QEMU = "qemu-aarch64-static"

DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""The words before a command that end it when this process ends, be it killed."""

SECONDS = 3600
"""Most that any command may take: emulation on a busy machine is slow."""

_HANDLERS = itertools.count()

# In a process of its own: a child's peak starts from the memory of the parent that forked it.
_MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[2:]).returncode
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
figures = {
    "code": code, "seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024
}
json.dump(figures, open(sys.argv[1], "w"))
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended.

    Attributes
    ----------
    code : int
        Its exit code.
    stdout, stderr : str
    seconds : float [s]
        Wall time.
    cpu_seconds : float [s]
        Processor time.
    peak_bytes : int
        Peak resident memory; in the emulated machine with QEMU's own.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def enter(root: Path, emulated: bool = True) -> list[str]:
    """Return the words before a command that run it in the system in `root`, as its root.

    Mounts are made in a namespace that the command has to itself, and go with it, as it goes with us, however we end.
    The kernel's entry for aarch64 programs goes, too; before Linux 6.7, one of a command that was killed stays,
    harmless, until the computer starts anew.
    """
    handler = f"edge-asd-aarch64-{os.getpid()}-{next(_HANDLERS)}" if emulated else ""
    qemu = shutil.which(QEMU) or QEMU
    namespaces = [*DIES_WITH_US, "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*namespaces, "sh", str(ENTER), str(root), handler, qemu]


@dataclass(frozen=True, slots=True)
class Machine:
    """A system in a folder.

    Attributes
    ----------
    root : Path
        The folder that is its root.
    emulated : bool
        Whether it is of aarch64, and this computer is not.
    """

    root: Path
    emulated: bool = True

    @property
    def work(self) -> Path:
        """The folder that is ``/work`` in it, where files are handed over."""
        return self.root / "work"

    def run(self, *command: object) -> Finished:
        """Run a command in it, its current folder being ``/``."""
        with tempfile.TemporaryDirectory(dir=self.root / "tmp") as folder:
            measured = Path(folder) / "measured"
            inside = "/" + str(measured.relative_to(self.root))
            return _run(
                [*enter(self.root, self.emulated), "python3", "-c", _MEASURE, inside, *map(str, command)], measured
            )


def run_here(*command: object, cwd: Path) -> Finished:
    """Run a command on this computer, for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        measured = Path(folder) / "measured"
        return _run([sys.executable, "-c", _MEASURE, str(measured), *map(str, command)], measured, cwd)


def _run(words: list[str], measured: Path, cwd: Path | None = None) -> Finished:
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS, cwd=cwd
    )
    if not measured.exists():
        raise RuntimeError(f"{' '.join(words)} did not run: {done.stderr}")
    return Finished(stdout=done.stdout, stderr=done.stderr, **json.loads(measured.read_text()))
