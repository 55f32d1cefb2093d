"""Another program's output as a source: whatever ends it, it is started again."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from edge_asd.audio.raw import RawDecoder
from edge_asd.audio.stream import Break, Pcm, Waiting, clock_of
from edge_asd.errors import AudioFormatError
from edge_asd.monitor.sources.program import Program
from edge_asd.monitor.sources.source import WAITING_SECONDS, Delivery, Source
from edge_asd.monitor.sources.waiting import Waiter, until

SILENT_S = 10.0
"""A program that sends nothing for so long [s] is taken to hang."""

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
_GOOD_SECONDS = 10.0  # A run that gave so much sound was a good one.


class CommandSource(Source):
    """Raw little-endian int16 from a program's standard output, for good, such as ffmpeg's on a camera's stream.

    The command is split as a shell does and run without one: ``sh -c '...'`` is there for pipelines. All that it starts
    is one group of processes, which ends together. A program that ends, however it does, or hangs is started again,
    after half a second at first and ten seconds at last. Who cannot keep up makes the program wait: nothing is skipped
    here, though a program that reads from a network may then lose sound without a word.

    Parameters
    ----------
    name : str
    delivery : Delivery
    command : str
    rate : int, 1000 to 384000 [Hz]
        Rate of what it writes.
    channels : int, 1 to 256
        Interleaved channels of it.
    silent_s : float > 0 [s]
        A program that sends nothing for so long is taken to hang.

    Raises
    ------
    AudioFormatError
        At once if a number is out of range or the command cannot be split. Before its first sound: if it cannot be
        started, or writes a sound file.
    """

    live = True

    def __init__(
        self,
        name: str,
        delivery: Delivery,
        command: str,
        *,
        rate: int,
        channels: int = 1,
        silent_s: float = SILENT_S,
    ) -> None:
        super().__init__(name, delivery)
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise AudioFormatError(f"The command of {name} cannot be split into words: {error}.") from error
        if not self._arguments:
            raise AudioFormatError(f"The command of {name} is empty. Give a program that writes raw sound.")
        self._rate, self._channels, self._silent_s = rate, channels, silent_s
        self._decoder = self._new_decoder()
        # Not its arguments, which may hold a camera's password.
        self._program_name = Path(self._arguments[0]).name
        self.description = f"the program {self._program_name} ({rate} Hz, channel {delivery.channel} of {channels})"
        self._waiter = Waiter()
        self._lock = threading.Lock()  # of the two above and below, while they are used or closed
        self._program: Program | None = None
        self._away = self._heard = False
        self._heard_until = 0.0

    def __exit__(self, *_: object) -> None:
        """End the program and all that it started, within a second."""
        self._stopped.set()
        self._waiter.wake()
        with self._lock:
            self._end()
            self._waiter.close()

    def sound(self) -> Iterator[Pcm | Break | Waiting]:
        """Give the sound; see `Source.sound`."""
        if narrow := self._delivery.narrow(self._rate):
            self._delivery.note(narrow)
        self._heard_until = time.monotonic()
        pause, first, told = _FIRST_PAUSE_SECONDS, True, False
        try:
            while not self._stopped.is_set():
                self._decoder = self._new_decoder()
                if not (fault := self._start()):
                    yield from self._run()
                elif first:
                    raise AudioFormatError(
                        f"{fault} Give an installed program or its full path; a pipeline needs sh -c '...' around it."
                    )
                elif not told:
                    self._delivery.note(f"{fault} It is tried again.")
                first, told = False, bool(fault)
                if self._decoder.samples >= _GOOD_SECONDS * self._delivery.sample_rate:
                    pause = _FIRST_PAUSE_SECONDS
                yield from self._wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        finally:
            with self._lock:
                self._end()

    def _wait(self, seconds: float) -> Iterator[Waiting]:
        moment = time.monotonic() + seconds
        while left := until(moment):
            if self._stopped.wait(min(left, WAITING_SECONDS)):
                return
            yield Waiting()

    def _new_decoder(self) -> RawDecoder:
        # For each run: half a frame of the one before must not shift the channels of the next.
        return RawDecoder(
            source_rate=self._rate,
            sample_rate=self._delivery.sample_rate,
            channels=self._channels,
            channel=self._delivery.channel,
        )

    def _start(self) -> str:
        """Start the program; say what is wrong if that fails."""
        with self._lock:
            if not self._stopped.is_set():
                try:
                    self._program = Program(self._arguments)
                except (OSError, ValueError) as error:  # ValueError: a null byte.
                    why = getattr(error, "strerror", None) or error
                    return f"The program {self._program_name} of {self.name} cannot be started: {why}."
        return ""

    def _run(self) -> Iterator[Pcm | Break | Waiting]:
        """Give the sound of one run, and the break at its end."""
        idle, what = 0.0, "ended"
        try:
            while idle < self._silent_s:
                start = time.monotonic()
                data = self._read(min(WAITING_SECONDS, self._silent_s - idle))
                if self._stopped.is_set():
                    return
                if data is None:
                    # A long turn says that this computer was asleep or busy, not the program.
                    idle += min(time.monotonic() - start, 4 * WAITING_SECONDS)
                    yield Waiting()
                elif data:
                    idle = 0.0
                    yield from self._given(self._decoder.push(data))
                else:
                    break
            else:
                what = f"sent nothing for {self._silent_s:g} s"
            yield from self._given(self._decoder.finish())
        except AudioFormatError as error:
            if not self._heard:
                raise
            what = f"sent no sound ({str(error).rstrip('.')})"
        with self._lock:
            outcome = self._end()
        if not self._away:
            self._away = True
            seconds = time.monotonic() - self._heard_until
            text = f"The program {self._program_name} {what} {outcome.rstrip('.')}. It is started again."
            yield Break("signal-lost", 0, seconds, clock_of(self._heard_until), text)

    def _read(self, seconds: float) -> bytes | None:
        with self._lock:
            return None if self._program is None else self._program.read(self._waiter, seconds)

    def _given(self, pcm: Pcm) -> Iterator[Pcm | Break]:
        if not pcm.size:
            return
        now = time.monotonic()
        if self._away:
            # A live program took as long to send this as it lasts.
            began = max(self._heard_until, now - pcm.size / self._delivery.sample_rate)
            seconds = began - self._heard_until
            # Before the first sound there is nothing that it could be back from.
            text = (
                f"The program {self._program_name} is back after {seconds:.1f} s without sound." if self._heard else ""
            )
            self._away = False
            yield Break("signal-back", round(seconds * self._delivery.sample_rate), seconds, clock_of(began), text)
        self._heard, self._heard_until = True, now
        yield self._delivery.give(pcm)

    def _end(self) -> str:
        program, self._program = self._program, None
        return "" if program is None else program.end()
