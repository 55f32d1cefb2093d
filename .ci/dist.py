"""Builds the packages of the last commit into dist/, and checks them: what `make dist` runs (docs/releasing.md).

A source distribution; from that alone, a wheel for each of `PROCESSORS`, by the compiler that Debian names after it;
and SHA256SUMS. The same commit gives the same bytes with the same Python, compilers and tools.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "dist"

PROCESSORS = ("x86_64", "aarch64")

GLIBC = 31
"""Wheels must run with glibc 2.31, that of Debian 11."""

EXTENSION = "edge_asd/frontend/_native.abi3.so"


def main() -> None:
    """Build, check, and only then replace what lies in dist/."""
    os.umask(0o022)  # files' rights are in the packages
    commit, date = run("git", "log", "-1", "--format=%h %ct", cwd=ROOT).split()
    os.environ.setdefault("SOURCE_DATE_EPOCH", date)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # the tools are there
    if changed := run("git", "diff", "--name-only", "HEAD", cwd=ROOT).splitlines():
        print(f"Not in the packages, as it is not committed: {', '.join(changed)}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        made = work / "dist"
        print(f"Packages of commit {commit}", flush=True)
        source = build_source(work, made)
        wheels = [build_wheel(processor, source, work, made) for processor in PROCESSORS]
        run("twine", "check", "--strict", source, *wheels)
        run("abi3audit", "--strict", *wheels)
        sums = "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(made.iterdir())
        )
        (made / "SHA256SUMS").write_text(sums)
        shutil.rmtree(OUT, ignore_errors=True)
        shutil.copytree(made, OUT)
    print(f"Checked by twine, auditwheel and abi3audit; in {OUT.name}/:\n{sums}", end="")


def build_source(work: Path, made: Path) -> Path:
    """Build the source distribution of what is committed."""
    run("git", "archive", "--output", work / "tree.tar", "HEAD", cwd=ROOT)
    tree = unpack(work / "tree.tar", work / "tree")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", made, tree)
    (source,) = made.glob("*.tar.gz")
    count = normalise(source)
    print(f"  {source.name}: {count} files, {source.stat().st_size:,} bytes", flush=True)
    return source


def normalise(source: Path) -> int:
    """Take out of the archive who packed it and when, which setuptools puts in. Return the number of its files."""
    date = int(os.environ["SOURCE_DATE_EPOCH"])
    packed = io.BytesIO()
    with tarfile.open(source) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        files = sorted((member for member in old.getmembers() if member.isfile()), key=lambda member: member.name)
        for file in files:
            plain = tarfile.TarInfo(file.name)
            plain.size, plain.mtime, plain.mode = file.size, date, 0o755 if file.mode & 0o100 else 0o644
            new.addfile(plain, old.extractfile(file))
    source.write_bytes(gzip.compress(packed.getvalue(), mtime=date))
    return len(files)


def build_wheel(processor: str, source: Path, work: Path, made: Path) -> Path:
    """Build a wheel from the source distribution, and give it the tag of the oldest glibc that it runs with."""
    (tree,) = unpack(source, work / processor).iterdir()
    raw = work / f"{processor}-raw"
    compiler = f"{processor}-linux-gnu-gcc"
    if shutil.which(compiler) is None:
        sys.exit(
            f"Error: there is no {compiler}. Install it: sudo apt install gcc-{processor.replace('_', '-')}-linux-gnu"
        )
    # These take the place of what this computer's Python was built with: no paths of its own, no debugging symbols.
    environment = {
        "CC": compiler,
        "CFLAGS": f"-g0 -DNDEBUG -I{headers(processor, work)}",
        "CPPFLAGS": "",
        "LDFLAGS": "-Wl,-s",
        "LDSHARED": f"{compiler} -shared",
    }
    tag = f"-C--build-option=--plat-name=linux_{processor}"
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", tag, "--outdir", raw, tree, env=environment)
    (wheel,) = raw.iterdir()
    glibc = check_extension(wheel)
    # Nothing is to be patched: no other library than glibc's is needed.
    run("auditwheel", "repair", "--patcher", "none", "--wheel-dir", made, wheel)
    (wheel,) = made.glob(f"*_{processor}.whl")
    oldest = min(int(minor) for minor in re.findall(r"manylinux_2_(\d+)", wheel.name))
    if oldest > GLIBC:
        sys.exit(f"Error: {wheel.name} needs a newer glibc than 2.{GLIBC}. Build on an older system.")
    print(f"  {wheel.name}: {wheel.stat().st_size:,} bytes, needs {', '.join(glibc)}", flush=True)
    return wheel


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive, which we made, into a new folder. Return that."""
    folder.mkdir()
    run("tar", "-xf", archive, "-C", folder)
    return folder


def headers(processor: str, work: Path) -> Path:
    """Return a folder of headers to look in first.

    Debian's pyconfig.h includes another one by the processor. Only this computer's is there; the stable ABI's part of
    it is the same on all that have 64 bits.
    """
    folder = work / "include"
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = Path(f"/usr/include/{platform.machine()}-linux-gnu/{python}/pyconfig.h")
    if processor != platform.machine() and ours.exists() and sysconfig.get_path("include") == f"/usr/include/{python}":
        theirs = folder / f"{processor}-linux-gnu" / python
        theirs.mkdir(parents=True)
        shutil.copy(ours, theirs)
    return folder


def check_extension(wheel: Path) -> list[str]:
    """Find the front end in a wheel, with no symbol that nobody defines. Return the versions of glibc it asks for.

    Python's own symbols are abi3audit's business.
    """
    with zipfile.ZipFile(wheel) as archive:
        if EXTENSION not in archive.namelist():  # setuptools goes on without
            sys.exit(f"Error: the C front end was not compiled into {wheel.name}.")
        elf = ELFFile(io.BytesIO(archive.read(EXTENSION)))
    tables: list[Any] = [elf.get_section_by_name(name) for name in (".dynsym", ".gnu.version", ".gnu.version_r")]
    symbols, versions, needs = tables
    found: set[str] = set()
    lost = []
    for number, symbol in enumerate(symbols.iter_symbols()):
        if symbol["st_shndx"] != "SHN_UNDEF" or symbol["st_info"]["bind"] == "STB_WEAK" or not symbol.name:
            continue
        version = versions.get_symbol(number)["ndx"]
        if isinstance(version, int) and version > 1:
            found.add(needs.get_version(version)[1].name)
        elif not symbol.name.startswith(("Py", "_Py")):
            lost.append(symbol.name)
    if lost:
        sys.exit(f"Error: nobody defines {', '.join(lost)} in {wheel.name}.")
    return sorted(found)


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed; end with that where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **(env or {})}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nError: {' '.join(words)} failed (exit code {done.returncode}).")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
