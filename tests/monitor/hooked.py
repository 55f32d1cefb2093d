"""``edge-asd monitor`` whose scoring is held up while a file is there: ``python -m tests.monitor.hooked FILE SECONDS``.

Other threads go on meanwhile. Short spans make it decide quickly whether this computer keeps up.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from edge_asd.audio import microphone
from edge_asd.cli import main
from edge_asd.detectors.windowed import WindowDetector
from edge_asd.monitor import load, loop

RING_S, SPAN_S, CALM_S = 1, 1.0, 1.5


def hold_up(held: Path, seconds: float) -> None:
    """Let each call of the detector take longer while there is the file; another beside it grows all the time."""
    whole = WindowDetector.window_scores

    def window_scores(self: WindowDetector, *arguments: Any) -> Any:
        if held.exists():
            time.sleep(seconds)
        return whole(self, *arguments)

    def go_on() -> None:
        with held.with_suffix(".alive").open("w") as file:
            while True:
                file.write("x")
                file.flush()
                time.sleep(0.02)

    WindowDetector.window_scores = window_scores  # type: ignore[method-assign]
    threading.Thread(target=go_on, daemon=True).start()


if __name__ == "__main__":
    microphone._RING_SECONDS, load.SPAN_S, loop._CALM_S = RING_S, SPAN_S, CALM_S
    hold_up(Path(sys.argv[1]), float(sys.argv[2]))
    sys.argv[1:3] = ["monitor"]
    main()
