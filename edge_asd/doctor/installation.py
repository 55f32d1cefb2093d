"""Packages: front end, TFLite runtime with its kernels, sound files, and what is optional."""

from __future__ import annotations

import importlib.util
from importlib.metadata import PackageNotFoundError, version

from edge_asd.doctor.check import Check, bad, good
from edge_asd.doctor.child import run_child
from edge_asd.errors import EdgeAsdError
from edge_asd.interpreter import ARITHMETICS
from edge_asd.stages import load_stage, missing_modules


def checks() -> list[Check]:
    """Look at all of them."""
    return [front_end(), runtime(), kernels(), sound_files(), *optional(), training(), firmware()]


def version_of(distribution: str) -> str:
    """Return a package's version."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(not installed)"


def front_end() -> Check:
    """The front end: C, or NumPy."""
    from edge_asd import frontend

    found = f"{frontend.describe()}, specification {frontend.FRONTEND_NUMBER}"
    why_not = frontend.why_not_native()
    return good("front end", found) if why_not is None else bad("front end", found, why_not)


def runtime() -> Check:
    """The TFLite runtime."""
    from edge_asd.interpreter import runtime_name

    try:
        return good("TFLite", runtime_name())
    except EdgeAsdError as error:
        return bad("TFLite", "none", str(error))


def kernels() -> Check:
    """The arithmetics that the runtime executes: tried on a model of one layer, in a process that may crash."""
    told = [*run_child("edge_asd.doctor.tiny_model").documents]
    works = {str(line.get("arithmetic")): line.get("why_not") for line in told}
    failed = {name: why_not for name in ARITHMETICS if (why_not := works.get(name, "it crashes, or hangs")) is not None}
    working = ", ".join(name for name in ARITHMETICS if name not in failed) or "none"
    if not failed:
        return good("kernels", working)
    first = next(iter(failed))
    return bad(
        "kernels",
        f"{working}; not {', '.join(failed)}",
        f"Bundles of these arithmetics cannot be used here ({first}: {failed[first]}). Install the runtime anew: "
        "pip install --force-reinstall ai-edge-litert",
    )


def sound_files() -> Check:
    """What reads sound files and resamples."""
    try:
        import soundfile
    except (ImportError, OSError) as error:
        return bad("sound files", "none can be read", f"{error}. Install libsndfile: sudo apt install libsndfile1")
    return good("sound files", f"libsndfile {soundfile.__libsndfile_version__}, soxr {version_of('soxr')}")


def optional() -> list[Check]:
    """Return what notifications, archives of recordings and clusters need."""
    extras = {
        "notify": ("apprise", "Apprise", "be told of alarms by mail, ntfy and the like"),
        "archive": ("pyarrow", "pyarrow", "score recordings"),
        "cluster": ("distributed", "distributed", "use a Dask cluster"),
    }
    found = []
    for extra, (package, called, use) in extras.items():
        if importlib.util.find_spec(package) is None:
            advice = f"Needed only to {use}: pip install 'edge-asd[{extra}]'"
            found.append(good(extra, f"without {package}", advice))
        else:
            found.append(good(extra, f"{called} {version_of(package)}"))
    return found


def training() -> Check:
    """What training needs."""
    if missing := missing_modules("train"):
        advice = "Needed only to train, quantise and evaluate: pip install 'edge-asd[train]'"
        return good("training", f"without {', '.join(missing)}", advice)  # a device needs none
    return good("training", f"TensorFlow {version_of('tensorflow')}")


def firmware() -> Check:
    """What firmware export needs, and the boards that prove it."""
    if missing := missing_modules("firmware_export"):
        advice = "Needed only to export firmware: pip install 'edge-asd[firmware]'"
        return good("firmware", f"without {', '.join(missing)}", advice)
    qemu = load_stage("firmware_export.qemu")
    ready = [name for name, board in qemu.BOARDS.items() if not board.missing()]
    found = f"boards to prove it on: {', '.join(ready) or 'none'}"
    try:
        qemu.require(qemu.BOARDS.values())
    except EdgeAsdError as error:
        return good("firmware", found, f"Needed only for export --verify qemu. {error}")
    return good("firmware", found)
