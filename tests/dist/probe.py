"""Run in another environment, as a file of its own: what edge-asd is there, and what its front end makes of a sound.

``python probe.py SOUND.npy`` prints one JSON document.
"""

import hashlib
import json
import platform
import sys

import numpy as np

from edge_asd import __version__, frontend


def main() -> None:
    """Print it."""
    document = {
        "version": __version__,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "glibc": platform.libc_ver()[1],
        "why_not_native": frontend.why_not_native(),
        "place": frontend.__file__,
        "log_mel": {},
    }
    if document["why_not_native"] is None:
        from edge_asd.frontend.native import INSTRUCTIONS, log_mel

        pcm = np.load(sys.argv[1])
        frames = {instructions: log_mel(pcm, instructions=instructions) for instructions in INSTRUCTIONS}
        stream = frontend.Stream()
        frames["stream"] = np.concatenate([stream.push(part) for part in np.array_split(pcm, 7)])
        for name, values in frames.items():
            document["log_mel"][name] = hashlib.sha256(values.astype("<i4").tobytes()).hexdigest()
    print(json.dumps(document))


if __name__ == "__main__":
    main()
