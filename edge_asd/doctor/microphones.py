"""PortAudio, the microphones that it sees and their rates, and who may record."""

from __future__ import annotations

import os
from pathlib import Path

from edge_asd.doctor.check import Check, bad, good
from edge_asd.doctor.child import SECONDS, Child, run_child

DETECTORS_RATE = 16000
"""Of sound, at the default front end."""


def checks() -> list[Check]:
    """Look at all of them."""
    return [*microphones(run_child("edge_asd.doctor.rates")), may_record()]


def microphones(told: Child) -> list[Check]:
    """Judge what `edge_asd.doctor.rates` told."""
    name = "microphones"
    if told.code is None:
        advice = (
            "A slow computer that is busy may need longer: stop other programs and try again. If it is idle, plug the "
            "microphones in again; where it has a sound server (PulseAudio, PipeWire), restart that."
        )
        return [bad(name, f"PortAudio gave no answer in {SECONDS} s", advice)]
    if told.code < 0:
        advice = "Install it anew: sudo apt reinstall libportaudio2 libasound2"
        return [bad(name, f"PortAudio crashes (signal {-told.code})", advice)]
    failed = next((line["error"] for line in told.documents if "name" not in line and line.get("error")), None)
    if told.code or failed:
        return [bad(name, "PortAudio cannot be used", str(failed or told.error).removeprefix("Error: "))]
    if not told.documents:
        return [bad(name, "none", "Plug one in; `arecord -l` shows what Linux sees. Files need none.")]
    names = ", ".join(str(line["name"]) for line in told.documents)
    return [good(name, f"{len(told.documents)} ({names})"), *map(_rates, told.documents)]


def _rates(line: dict[str, object]) -> Check:
    rates = [rate for rate in line["rates"] if isinstance(rate, int)] if isinstance(line["rates"], list) else []
    name, own = f"rates of {line['name']}", line["default_rate"]
    if not rates:
        return bad(
            name,
            f"it opens at none ({line['error']})",
            "Close other programs that record from it, or plug it in again.",
        )
    found = ", ".join(f"{rate / 1000:g}" for rate in rates) + " kHz"
    if DETECTORS_RATE in rates:
        return good(name, f"{found}; recorded at 16 kHz")
    if max(rates) < DETECTORS_RATE:
        return bad(
            name,
            f"{found}; no sound above {max(rates) / 2000:g} kHz",
            "Use another microphone: this one's sound lacks what the detector listens to.",
        )
    return good(name, f"{found}; recorded at its own {own} Hz and resampled to 16 kHz")


def may_record(dev: Path = Path("/dev/snd")) -> Check:
    """Whether this user may open the sound cards."""
    name = "permission"
    nodes = sorted(dev.glob("pcmC*D*c"))
    if not nodes:
        return good(name, f"no sound card that records in {dev}", "A sound server, if there is one, needs none.")
    closed = [node.name for node in nodes if not os.access(node, os.R_OK | os.W_OK)]
    if not closed:
        return good(name, f"this user may open {', '.join(node.name for node in nodes)}")
    return bad(
        name,
        f"this user may not open {', '.join(closed)}",
        "Join the group audio, then log in again: sudo usermod -aG audio $USER",
    )
