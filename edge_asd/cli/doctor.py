"""``edge-asd doctor``: what this installation has, and what is wrong here."""

from __future__ import annotations

import json as json_module
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from edge_asd.cli.common import JsonOption, print_json
from edge_asd.errors import EdgeAsdError
from edge_asd.stages import load_stage, missing_modules

_SECONDS = 20


def command(json: JsonOption = False) -> None:
    """Tell which parts are in use here, what is missing, and how to mend it."""
    checks = [_front_end(), _runtime(), _microphones(), _sound_files(), _training(), _firmware()]
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
    # In a process of its own: a sound library that aborts takes the whole process with it, and some hang.
    command = [sys.executable, "-m", "edge_asd", "devices", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return _check("microphones", f"PortAudio gave no answer in {_SECONDS} s", "Restart the sound server.")
    if done.returncode < 0:
        return _check(
            "microphones", "PortAudio crashes", "Install it anew: sudo apt reinstall libportaudio2 libasound2"
        )
    if done.returncode:
        return _check("microphones", "PortAudio cannot be used", done.stderr.strip().removeprefix("Error: "))
    devices = json_module.loads(done.stdout)["devices"]
    if not devices:
        return _check("microphones", "none", "Plug one in; `arecord -l` shows what Linux sees. Files need none.")
    return _check("microphones", f"{len(devices)} ({', '.join(device['name'] for device in devices)})")


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


def _firmware() -> dict[str, Any]:
    if missing := missing_modules("firmware_export"):
        advice = "Needed only to export firmware: pip install 'edge-asd[firmware]'"
        return {**_check("firmware", f"without {', '.join(missing)}", advice), "ok": True}
    qemu = load_stage("firmware_export.qemu")
    ready = [name for name, board in qemu.BOARDS.items() if not board.missing()]
    found = f"boards to prove it on: {', '.join(ready) or 'none'}"
    try:
        qemu.require(qemu.BOARDS.values())
    except EdgeAsdError as error:
        return {**_check("firmware", found, f"Needed only for export --verify qemu. {error}"), "ok": True}
    return _check("firmware", found)
