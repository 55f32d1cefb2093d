"""The whole ``edge-asd monitor`` as a process of its own, on live sound, with a bundle that decides quickly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_asd.bundle.bundle import Bundle
from tests.cli.command import EDGE_ASD
from tests.data import RATE
from tests.golden.committed import NAMES, made_sound
from tests.waiting import until

SECONDS = 120.0
"""Longest wait for what takes a moment where nothing else runs; a busy machine needs half a minute to start it."""

THRESHOLD = 10 << 16
"""Between the scores of a `made_sound`'s healthy half and of its faulty one."""

PACED = """
import sys, time
pcm = open(sys.argv[1], "rb").read()
begun, place = time.monotonic(), 0
while place < len(pcm) or len(sys.argv) == 2:
    start = place % len(pcm)
    sys.stdout.buffer.write(pcm[start : start + 1600])
    sys.stdout.buffer.flush()
    place += 1600
    time.sleep(max(0, begun + place / 32000 - time.monotonic()))
"""
"""A program that plays a file of int16 at the clock's pace, over and over; once, with a second argument."""


def quick_bundle(path: Path, *, threshold: int = THRESHOLD, frames: int = 25) -> Bundle:
    """Save the committed autoencoder with a score that spans but 0.8 s; return it."""
    bundle = Bundle.load(NAMES["ae"])
    thresholds = {**bundle.thresholds, "00": replace(bundle.thresholds["00"], score=threshold)}
    made = replace(bundle, thresholds=thresholds, score_window_frames=frames)
    made.save(path)
    return made


def healthy(seconds: float, seed: int = 1) -> npt.NDArray[np.int16]:
    """Make sound of a healthy machine, of 3 s at most."""
    return made_sound(seed, 200)[: round(seconds * RATE)]


def faulty(seconds: float, seed: int = 5) -> npt.NDArray[np.int16]:
    """Make sound of a faulty machine, of 3 s at most."""
    return made_sound(seed, 200)[3 * RATE :][: round(seconds * RATE)]


@dataclass(frozen=True)
class Line:
    """A JSON line that was printed, and when it was read, by `time.monotonic`."""

    at: float
    values: dict[str, Any]


class Monitor:
    """``edge-asd monitor --json``, killed at the end of a ``with`` statement.

    Parameters
    ----------
    arguments : str or Path
    env : mapping, optional
        Beside this process's environment.
    program : sequence of str, optional
        What is started instead of ``edge-asd monitor``.
    """

    def __init__(
        self,
        *arguments: object,
        env: Mapping[str, str] | None = None,
        program: Sequence[object] = (EDGE_ASD, "monitor"),
    ) -> None:
        self.process = subprocess.Popen(
            [*map(str, program), "--json", *map(str, arguments)],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[Line] = []
        self.said: list[str] = []
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_lines, self._read_said)]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(SECONDS)
        for file in (self.process.stdout, self.process.stderr):
            assert file is not None
            file.close()

    def decisions(self, source: str | None = None) -> list[dict[str, Any]]:
        """Those that were printed so far."""
        return [v for v in self._values(source) if "event" not in v]

    def events(self, *names: str, source: str | None = None) -> list[dict[str, Any]]:
        """Those of these names that were printed so far; of all names, without any."""
        return [v for v in self._values(source) if "event" in v and (not names or v["event"] in names)]

    def wait_for(self, true: Callable[[], Any], what: str, seconds: float = SECONDS) -> None:
        """Wait for something that it will surely print."""

        def checked() -> Any:
            done = true()
            assert done or self.process.poll() is None, (self.process.returncode, self.said)
            return done

        try:
            until(checked, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.said[-10:]}, {[line.values for line in self.lines[-5:]]}") from None

    def wait_for_event(self, name: str, count: int = 1, source: str | None = None) -> Line:
        """Wait for the event of this name that is the `count`-th."""

        def found() -> list[Line]:
            return [
                line
                for line in list(self.lines)
                if line.values.get("event") == name and source in (None, line.values["source"])
            ]

        self.wait_for(lambda: len(found()) >= count, f"{name} {count}")
        return found()[count - 1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end, and see that it does so well; return how long that took [s]."""
        self.process.send_signal(number)
        asked = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(SECONDS)
        took = time.monotonic() - asked
        for reader in self._readers:
            reader.join(SECONDS)
        assert self.process.returncode == 0, self.said
        assert not any("Traceback" in line for line in self.said), self.said
        return took

    def _values(self, source: str | None) -> list[dict[str, Any]]:
        return [line.values for line in list(self.lines) if source in (None, line.values["source"])]

    def _read_lines(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):  # a killed one may have torn its last
                self.lines.append(Line(time.monotonic(), json.loads(line)))

    def _read_said(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))


def paced(folder: Path, name: str, pcm: npt.NDArray[np.int16], *, once: bool = False) -> str:
    """Return a command that plays sound at the clock's pace."""
    program, data = folder / "paced.py", folder / f"{name}.pcm"
    program.write_text(PACED)
    data.write_bytes(pcm.astype("<i2").tobytes())
    return f"{sys.executable} {program} {data}{' once' if once else ''}"
