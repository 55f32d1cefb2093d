"""A program that listens to a microphone and tells, line by line, what a test should know.

``python -m tests.audio.listener JSON``: a process of its own, since the environment that names the microphone is read
when PortAudio is loaded. An interrupt ends it, and the whole stream is kept in a file.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge_asd.audio import capture, devices, microphone
from edge_asd.audio.stream import Break, Pcm, Waiting
from edge_asd.bundle.bundle import Bundle
from edge_asd.errors import EdgeAsdError
from edge_asd.monitor import listener as monitor_listener
from edge_asd.monitor.alarms import Alarms, Policy
from edge_asd.monitor.decisions import Decision
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.loop import Ear, Loop
from edge_asd.monitor.reports import Report, Sink
from tests.golden.committed import NAMES
from tests.pulse import PulseMicrophone

Part = Pcm | Break


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def only_rate(rate: int) -> None:
    """No device here refuses 16 kHz as USB microphones do: PortAudio's answers to two questions are replaced."""
    sd = microphone.import_sounddevice()
    ask = sd.check_input_settings

    def check_input_settings(**settings: Any) -> None:
        if settings["samplerate"] != rate:
            raise sd.PortAudioError("Invalid sample rate")
        ask(**settings)

    sd.check_input_settings = check_input_settings
    listed = microphone.input_devices
    capture.input_devices = lambda: [dataclasses.replace(d, default_rate=rate) for d in listed()]


def overflow_at(number: int) -> None:
    """No sound card here overflows when it should: PortAudio's word that one did comes with callback `number`.

    By the clock nothing was lost, as after the shortest overflows.
    """
    sd = microphone.import_sounddevice()
    real = sd.RawInputStream

    def opened(*, callback: Any, **settings: Any) -> Any:
        def called(data: Any, frames: int, moment: Any, status: Any) -> None:
            mic = callback.__self__
            if mic.callbacks == number:
                mic.last_heard = time.monotonic() + 10
                status = sd.CallbackFlags(sd._lib.paInputOverflow)
            callback(data, frames, moment, status)

        return real(callback=called, **settings)

    sd.RawInputStream = opened


def main(options: dict[str, Any]) -> None:
    microphone._RING_SECONDS = options.pop("ring_seconds", microphone._RING_SECONDS)
    capture._GONE_SECONDS = options.pop("gone_seconds", capture._GONE_SECONDS)
    capture._ANSWER_SECONDS = options.pop("answer_seconds", capture._ANSWER_SECONDS)
    if rate := options.pop("only_rate", 0):
        only_rate(rate)
    if number := options.pop("overflow_at", 0):
        overflow_at(number)
    if tree := options.pop("tree", ""):
        devices.input_devices.__defaults__ = (Path(tree),)
    sleep, folder = options.pop("sleep", 0), Path(options.pop("folder"))
    native: list[Pcm] = []
    take = microphone.Microphone.take

    def observed(self: microphone.Microphone) -> list[Pcm | microphone.Loss]:
        taken = take(self)
        native.extend(part for part in taken if isinstance(part, np.ndarray))
        return taken

    microphone.Microphone.take = observed  # type: ignore[method-assign]
    parts: list[Part] = []
    count = 0
    broken = False

    def heard(source: capture.Capture) -> Iterator[Part]:
        nonlocal count, sleep, broken
        for part in source.sound():
            if isinstance(part, Waiting):
                continue
            parts.append(part)
            if isinstance(part, np.ndarray):
                assert part.dtype == np.int16
                assert part.ndim == 1
                assert part.size
                if not count:
                    say(ready=True, description=source.description, caution=source.caution)
                    time.sleep(sleep)
                count += part.size
                if broken:
                    say(sound_again=True)
            broken = not isinstance(part, np.ndarray)
            yield part

    bundle = Bundle.load(NAMES["ae"])
    alarms = Alarms(Policy(), "00", bundle.features.sample_rate)
    ear = Ear(Breaks("microphone", Engine(bundle, "00"), alarms))
    try:
        with capture.Capture(**options) as source:
            counted = source
            loop = Loop({"microphone": ear}, [Decisions()], lambda text: say(note=text))
            loop.run(("microphone", part) for part in heard(source))
    except EdgeAsdError as error:
        say(error=type(error).__name__, message=str(error))
    except KeyboardInterrupt:
        say(overflows=counted.overflows, lost_seconds=counted.lost_seconds)
        np.savez(folder / "heard.npz", *[p if isinstance(p, np.ndarray) else np.int64(p.samples) for p in parts])
        np.save(folder / "native.npy", np.concatenate([np.zeros(0, np.int16), *native]))
        say(interrupted=True)


class Breaks(monitor_listener.Listener):
    """Says each break of the stream."""

    def broken(self, gap: Break) -> list[Report]:
        """Say it."""
        reports = super().broken(gap)
        say(**dataclasses.asdict(gap), time_s=self.engine.time_s)
        return reports


class Decisions(Sink):
    """Says decisions."""

    def report(self, report: Report, /) -> None:
        """Say it."""
        if isinstance(report.what, Decision):
            say(**dataclasses.asdict(report.what))


class Listener:
    """The program, seen from a test.

    Attributes
    ----------
    lines : list of dict
        All that it has said.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self._folder = process, folder
        self.lines: list[dict[str, Any]] = []

    def wait_for(self, key: str, value: Any = None) -> dict[str, Any]:
        """Read on to the first line with `key`, of this value where one is given."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if key in self.lines[-1] and value in (None, self.lines[-1][key]):
                return self.lines[-1]
        raise AssertionError(f"it ended without {key}: {self.lines} {self.process.stderr.read()}")

    def stop(self) -> None:
        """Interrupt it, and wait for its end."""
        self.process.send_signal(signal.SIGINT)
        self.wait_for("interrupted")
        assert self.process.wait(timeout=60) == 0
        assert self.process.stderr is not None
        assert self.process.stderr.read() == ""

    def spans(self) -> list[tuple[int, Pcm]]:
        """What was heard without a break: where it starts, in samples, and the samples."""
        spans: list[tuple[int, list[Pcm]]] = [(0, [])]
        with np.load(self._folder / "heard.npz") as file:
            for name in file.files:
                part = file[name]
                if part.ndim:
                    spans[-1][1].append(part)
                else:
                    start, parts = spans[-1]
                    spans.append((start + sum(p.size for p in parts) + int(part), []))
        return [(start, np.concatenate([np.zeros(0, np.int16), *parts])) for start, parts in spans]

    def native(self) -> Pcm:
        """What was heard at the device's rate, breaks left out."""
        samples: Pcm = np.load(self._folder / "native.npy")
        return samples


@contextmanager
def listening(source: PulseMicrophone, folder: Path, **options: Any) -> Iterator[Listener]:
    """Listen with a `Capture` of these options."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.audio.listener", json.dumps({"folder": str(folder), **options})],
        env={**source.env, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Listener(process, folder)
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
