"""Build the emulated machine: ``python -m tests.pi.build``, as root. A finished one is used again.

It is kept in `FOLDER`: $EDGE_ASD_PI, or ``pi`` in edge-asd's cache folder; about 500 MB. Packages come from the Debian
mirror that this computer's apt uses, or from $EDGE_ASD_PI_MIRROR.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_asd.train.features.cache import cache_folder
from tests.pi.machine import DIES_WITH_US, QEMU, Machine, enter

ROOT = Path(__file__).resolve().parents[2]

SUITE = "bookworm"
"""Debian 12, on which Raspberry Pi OS stands; its Python is 3.11."""

RECIPE = {
    "suite": SUITE,
    "architecture": "arm64",
    "packages": ["gcc", "libc6-dev", "libportaudio2", "python3", "python3-dev", "python3-venv"],
}
"""What is built. A machine of another recipe is built anew."""

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


def missing() -> list[str]:
    """Return what keeps this computer from running the machine, each with what to do about it."""
    found = []
    if os.geteuid() != 0:
        found.append("root's rights, for mounts and chroot: sudo make prove-pi")
    for program, package in (
        ("debootstrap", "debootstrap"),
        (QEMU, "qemu-user-static"),
        ("setpriv", "util-linux"),
        ("unshare", "util-linux"),
    ):
        if shutil.which(program) is None:
            found.append(f"{program}: sudo apt install {package}")
    if not any(line.split()[-1] == "binfmt_misc" for line in Path("/proc/filesystems").read_text().splitlines()):
        found.append("the kernel's binfmt_misc, which runs programs of other processors: sudo modprobe binfmt_misc")
    return found


def complete(root: Path) -> bool:
    """Tell whether a folder holds a whole machine of this recipe."""
    try:
        return bool(json.loads((root / _STAMP).read_text()) == RECIPE)
    except (OSError, ValueError):
        return False


def finished() -> Machine | None:
    """Return the machine where it is built and can run here, or None."""
    root = FOLDER / SUITE
    return Machine(root) if complete(root) and not missing() else None


def build() -> Machine:
    """Return the machine, built where it is not.

    Raises
    ------
    CannotBuild
    """
    if lacking := missing():
        raise CannotBuild("An emulated Raspberry Pi needs\n" + "\n".join(f"  - {line}" for line in lacking))
    if FOLDER.is_relative_to(ROOT):
        raise CannotBuild(f"{FOLDER} is in the repository. Name a folder outside: EDGE_ASD_PI=FOLDER")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _alone():
        part, root = FOLDER / f"{SUITE}.part", FOLDER / SUITE
        if complete(root):
            return Machine(root)
        # Only what is whole gets the final name, so that half a machine is never taken for one.
        for old in (part, root):
            remove(old)
        _bootstrap(part)
        (part / "work").mkdir()
        (part / _STAMP).write_text(json.dumps(RECIPE))
        part.rename(root)
        return Machine(root)


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


def mirror() -> str:
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
    for _, address in sorted(archives, key=lambda archive: archive[0] != SUITE):
        if address.startswith(("http:", "https:", "file:")):
            return address
    raise CannotBuild(f"apt knows no Debian archive here. Run apt-get update, or name one: {_MIRROR_VARIABLE}=ADDRESS")


def _bootstrap(part: Path) -> None:
    log = FOLDER / "build.log"
    log.write_text("")
    packages = ",".join(RECIPE["packages"])
    system = [f"--arch={RECIPE['architecture']}", "--foreign", "--variant=minbase", f"--include={packages}", SUITE]
    _logged(
        "Fetching Debian for aarch64",
        [*DIES_WITH_US, "unshare", "--mount", "debootstrap", *system, str(part), mirror()],
        log,
    )
    _logged(
        "Installing it under emulation, which takes minutes",
        [*enter(part), "/debootstrap/debootstrap", "--second-stage"],
        log,
    )
    # Debian's own packages, which have been installed; they would take a third of the room.
    _logged("Clearing up", [*enter(part), "apt-get", "clean"], log)


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
    print(f"Emulated machine: {machine.root}", file=sys.stderr)


if __name__ == "__main__":
    main()
