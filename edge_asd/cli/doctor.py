"""``edge-asd doctor``: what this installation has, and what is wrong here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from edge_asd.cli.common import JsonOption, print_json
from edge_asd.errors import EdgeAsdError
from edge_asd.stages import missing_modules


def command(json: JsonOption = False) -> None:
    """Tell which parts are in use here, what is missing, and how to mend it."""
    checks = [_front_end(), _runtime(), _microphones(), _sound_files(), _training()]
    if json:
        print_json({"python": platform.python_version(), "machine": platform.machine(), "checks": checks})
        return
    print(f"edge-asd {_version('edge-asd')}, Python {platform.python_version()} on {platform.machine()}\n")
    for check in checks:
        print(f"{'ok  ' if check['ok'] else 'look'}  {check['name']:12}  {check['found']}")
        if check["advice"]:
            print(f"      {'':12}  {check['advice']}")


def _check(name: str, found: str, advice: str | None = None) -> dict[str, Any]:
    return {"name": name, "ok": advice is None, "found": found, "advice": advice}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(not installed)"


def _front_end() -> dict[str, Any]:
    from edge_asd import frontend

    found = f"{frontend.describe()}, specification {frontend.FRONTEND_NUMBER}"
    return _check("front end", found, frontend.why_not_native())


def _runtime() -> dict[str, Any]:
    from edge_asd.interpreter import runtime_name

    try:
        return _check("TFLite", runtime_name())
    except EdgeAsdError as error:
        return _check("TFLite", "none", str(error))


def _microphones() -> dict[str, Any]:
    from edge_asd.audio.microphone import input_devices

    try:
        devices = input_devices()
    except EdgeAsdError as error:
        return _check("microphones", "PortAudio cannot be used", str(error))
    if not devices:
        return _check("microphones", "none", "Plug one in; `arecord -l` shows what Linux sees. Files need none.")
    return _check("microphones", f"{len(devices)} ({', '.join(device.name for device in devices)})")


def _sound_files() -> dict[str, Any]:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        return _check("sound files", "none can be read", f"{error}. Install libsndfile: sudo apt install libsndfile1")
    return _check("sound files", f"libsndfile {soundfile.__libsndfile_version__}, soxr {_version('soxr')}")


def _training() -> dict[str, Any]:
    if missing := missing_modules("train"):
        advice = "Needed only to train, quantise and evaluate: pip install 'edge-asd[train]'"
        return {**_check("training", f"without {', '.join(missing)}", advice), "ok": True}  # a device needs none
    return _check("training", f"TensorFlow {_version('tensorflow')}")
