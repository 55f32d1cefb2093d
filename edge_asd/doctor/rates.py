"""Which rates each microphone opens at; a program of its own, as sound libraries abort and hang.

    python -m edge_asd.doctor.rates

It prints one JSON object a line and microphone: `name, default_rate, rates, error`. Where PortAudio cannot be used at
all, its only line has `error` alone.
"""

from __future__ import annotations

import json

from edge_asd.audio.devices import import_sounddevice, input_devices
from edge_asd.errors import EdgeAsdError
from edge_asd.quiet import quiet_stderr

RATES = (8000, 16000, 22050, 32000, 44100, 48000, 96000)


def main() -> None:
    """Ask PortAudio."""
    try:
        sd, devices = import_sounddevice(), input_devices()
    except EdgeAsdError as error:
        print(json.dumps({"error": str(error)}))
        return
    for device in devices:
        rates, refusal = [], ""
        for rate in sorted({*RATES, device.default_rate}):
            try:
                with quiet_stderr():
                    sd.check_input_settings(device=device.index, channels=1, dtype="int16", samplerate=rate)
            except (sd.PortAudioError, ValueError) as error:
                refusal = str(error)
            else:
                rates.append(rate)
        line = {"name": device.name, "default_rate": device.default_rate, "rates": rates}
        print(json.dumps({**line, "error": refusal if not rates else None}), flush=True)


if __name__ == "__main__":
    main()
