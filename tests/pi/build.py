"""Build machines: ``python -m tests.pi.build``, as root, the emulated Raspberry Pi; a finished one is used again.

They are kept in `FOLDER`: $EDGE_ASD_PI, or ``pi`` in edge-asd's cache folder; about 500 MB each. Packages come from the
Debian mirror that this computer's apt uses, or from $EDGE_ASD_PI_MIRROR.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_asd.train.features.cache import cache_folder
from tests.pi.machine import DIES_WITH_US, QEMU, Machine, enter

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is built. A machine of another recipe is built anew.

    Attributes
    ----------
    name : str
        That of its folder.
    suite : str
        Debian's name of the release.
    architecture : str
        Debian's name of the processor.
    packages : tuple of str
        Added to the smallest system there is.
    glibc : int
        It has glibc 2.this; wheels for any older one run there.
    python : str
        The version of Python in it.
    """

    name: str
    suite: str
    architecture: str
    packages: tuple[str, ...]
    glibc: int
    python: str

    @property
    def stamp(self) -> dict[str, object]:
        """What a finished machine bears."""
        return {"suite": self.suite, "architecture": self.architecture, "packages": [*self.packages]}

    @property
    def emulated(self) -> bool:
        """Whether it is of another processor than this computer's."""
        return _DEBIANS.get(platform.machine()) != self.architecture


_DEBIANS = {"x86_64": "amd64", "aarch64": "arm64"}

PI = Recipe(
    name="bookworm",
    suite="bookworm",
    architecture="arm64",
    packages=("gcc", "libc6-dev", "libportaudio2", "python3", "python3-dev", "python3-venv"),
    glibc=36,
    python="3.11",
)
"""Debian 12, on which Raspberry Pi OS stands."""

_STAMP = "edge-asd-machine.json"
_MIRROR_VARIABLE = "EDGE_ASD_PI_MIRROR"


def _folder() -> Path:
    if chosen := os.environ.get("EDGE_ASD_PI"):
        return Path(chosen).resolve()
    cache = cache_folder()
    if cache is None:
        raise SystemExit("There is no home folder to keep the emulated machine in. Name one: EDGE_ASD_PI=FOLDER")
    return cache / "pi"


# Found when this is imported: the tests' own cache folder, set later, does not last.
FOLDER = _folder()


class CannotBuild(Exception):
    """Says what is wrong and what to do."""


def missing(recipe: Recipe = PI) -> list[str]:
    """Return what keeps this computer from running the machine, each with what to do about it."""
    found = []
    if os.geteuid() != 0:
        found.append("root's rights, for mounts and chroot: begin with sudo")
    needs = {"debootstrap": "debootstrap", "setpriv": "util-linux", "unshare": "util-linux"}
    if recipe.emulated:
        needs[QEMU] = "qemu-user-static"
        if recipe.architecture != "arm64":
            found.append(f"a computer of {recipe.architecture}: only arm64 is emulated")
    for program, package in needs.items():
        if shutil.which(program) is None:
            found.append(f"{program}: sudo apt install {package}")
    if recipe.emulated and not any(
        line.split()[-1] == "binfmt_misc" for line in Path("/proc/filesystems").read_text().splitlines()
    ):
        found.append("the kernel's binfmt_misc, which runs programs of other processors: sudo modprobe binfmt_misc")
    return found


def complete(root: Path, recipe: Recipe = PI) -> bool:
    """Tell whether a folder holds a whole machine of this recipe."""
    try:
        return bool(json.loads((root / _STAMP).read_text()) == recipe.stamp)
    except (OSError, ValueError):
        return False


def finished(recipe: Recipe = PI) -> Machine | None:
    """Return the machine where it is built and can run here, or None."""
    root = FOLDER / recipe.name
    return Machine(root, recipe.emulated) if complete(root, recipe) and not missing(recipe) else None


def build(recipe: Recipe = PI) -> Machine:
    """Return the machine, built where it is not.

    Raises
    ------
    CannotBuild
    """
    if lacking := missing(recipe):
        raise CannotBuild("This machine needs\n" + "\n".join(f"  - {line}" for line in lacking))
    if FOLDER.is_relative_to(ROOT):
        raise CannotBuild(f"{FOLDER} is in the repository. Name a folder outside: EDGE_ASD_PI=FOLDER")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _alone():
        part, root = FOLDER / f"{recipe.name}.part", FOLDER / recipe.name
        if complete(root, recipe):
            return Machine(root, recipe.emulated)
        # Only what is whole gets the final name, so that half a machine is never taken for one.
        for old in (part, root):
            remove(old)
        _bootstrap(part, recipe)
        (part / "work").mkdir()
        (part / _STAMP).write_text(json.dumps(recipe.stamp))
        part.rename(root)
        return Machine(root, recipe.emulated)


@contextmanager
def _alone() -> Iterator[None]:
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove(folder: Path) -> None:
    """Delete a system's folder, but nothing of another file system.

    Raises
    ------
    CannotBuild
        If something is mounted in it.
    """
    if not folder.exists():
        return
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    if inside := [mount for mount in mounts if Path(mount).is_relative_to(folder)]:
        raise CannotBuild(f"{', '.join(inside)} is mounted. Unmount it, and start again: sudo umount {inside[-1]}")
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)


def mirror(suite: str = PI.suite) -> str:
    """Return the address of a Debian archive.

    Raises
    ------
    CannotBuild
        If apt names none.
    """
    if chosen := os.environ.get(_MIRROR_VARIABLE):
        return chosen
    words = [
        "apt-get",
        "indextargets",
        "--format",
        "$(CODENAME) $(REPO_URI) $(ORIGIN) $(LABEL)",
        "Created-By: Packages",
    ]
    try:
        lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        lines = []
    archives = [fields[:2] for line in lines if (fields := line.split())[2:] == ["Debian", "Debian"]]
    # Any archive of Debian holds every suite that is still looked after; the suite's own comes first.
    for _, address in sorted(archives, key=lambda archive: archive[0] != suite):
        if address.startswith(("http:", "https:", "file:")):
            return address
    raise CannotBuild(f"apt knows no Debian archive here. Run apt-get update, or name one: {_MIRROR_VARIABLE}=ADDRESS")


def _bootstrap(part: Path, recipe: Recipe) -> None:
    log = FOLDER / f"{recipe.name}.log"
    log.write_text("")
    packages = ",".join(recipe.packages)
    system = [f"--arch={recipe.architecture}", "--foreign", "--variant=minbase", f"--include={packages}", recipe.suite]
    words = enter(part, recipe.emulated)
    _logged(
        f"Fetching Debian {recipe.suite} for {recipe.architecture}",
        [*DIES_WITH_US, "unshare", "--mount", "debootstrap", *system, str(part), mirror(recipe.suite)],
        log,
    )
    _logged(
        "Installing it, which takes minutes under emulation",
        [*words, "/debootstrap/debootstrap", "--second-stage"],
        log,
    )
    # Debian's own packages, which have been installed; they would take a third of the room.
    _logged("Clearing up", [*words, "apt-get", "clean"], log)


def _logged(what: str, words: list[str], log: Path) -> None:
    print(f"{what} (log: {log}) ...", file=sys.stderr, flush=True)
    start = time.monotonic()
    with log.open("a") as file:
        code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT).returncode
    if code:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
        raise CannotBuild(f"{words[0]} failed (exit code {code}). The end of {log}:\n{end}")
    print(f"  {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def main() -> None:
    """Build it, or say why not."""
    try:
        machine = build()
    except CannotBuild as error:
        sys.exit(f"Error: {error}")
    print(f"Machine: {machine.root}", file=sys.stderr)


if __name__ == "__main__":
    main()
