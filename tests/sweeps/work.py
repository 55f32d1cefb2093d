"""Small parts, for processes and workers that find them by this module's name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from edge_asd.errors import DataError
from edge_asd.sweeps.parts import Voice
from edge_asd.threads import available

STEPS = 4


def square(item: tuple[Path, int], voice: Voice) -> int:
    """Leave a file for each time that it is begun."""
    folder, number = item
    (folder / f"{number}.{os.getpid()}").touch()
    for step in range(1, STEPS + 1):
        voice.step("squaring", step, STEPS)
    voice.note(f"squared {number}")
    return number * number


def killed_once(item: tuple[Path, int], voice: Voice) -> int:
    """Like `square`; part 1 is killed in the middle of its first time, while others are at work."""
    folder, number = item
    result = square(item, voice)
    if number == 1 and len(list(folder.glob("1.*"))) == 1:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.6)
    return result


def killed_always(item: tuple[Path, int], voice: Voice) -> int:
    """Like `square`; part 1 never comes to its end."""
    result = square(item, voice)
    if item[1] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return result


def failing(item: tuple[Path, int], voice: Voice) -> int:
    """Like `square`; part 1 has no clips, and part 2 a defect."""
    if item[1] == 1:
        raise DataError("There are no clips. Record some.")
    if item[1] == 2:
        raise KeyError("gone")
    return square(item, voice)


def bounds(item: tuple[Path, int], voice: Voice) -> dict[str, Any]:
    """Return how many threads may be used."""
    import numpy  # noqa: F401  (its linear algebra)

    return {
        "own": available(),
        "blas": {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"},
        "tensorflow": [os.environ.get(f"TF_NUM_{kind}_THREADS") for kind in ("INTRAOP", "INTEROP")],
    }


def waiting(item: tuple[Path, int], voice: Voice) -> None:
    """Never end."""
    while True:
        voice.step("waiting")
        (item[0] / f"{item[1]}.{os.getpid()}").touch()
        time.sleep(0.05)


def held(item: tuple[Path, int], voice: Voice) -> int:
    """Like `square`; none is done before there is a file `go`."""
    result = square(item, voice)
    while not (item[0] / "go").exists():
        time.sleep(0.05)
    return result
