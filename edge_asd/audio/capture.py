"""Sound from a microphone for good: whenever it is lost it is looked for, found again and opened."""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np

from edge_asd.audio.devices import import_sounddevice, input_devices
from edge_asd.audio.finder import DeviceFinder
from edge_asd.audio.gain import Gain
from edge_asd.audio.microphone import Loss, Microphone
from edge_asd.audio.shared import PORTAUDIO
from edge_asd.audio.stream import Break, Pcm, Resampler, Waiting, check_rate, clock_of
from edge_asd.errors import AudioDeviceError, NoSuchDeviceError, UnavailableDeviceError
from edge_asd.quiet import quiet_libraries

_GONE_SECONDS = 2.0  # A microphone that sends nothing for so long is gone.
_TURN_SECONDS = 0.1
_WAITING_SECONDS = 0.25
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 4.0  # so that it is open again within 5 s, however long it was away
_END_SECONDS = 0.5
_ANSWER_SECONDS = 10.0  # A sound system that has not answered for so long hangs; many cards take it a few.


class Capture:
    """A microphone's sound, inside a ``with`` statement, however often it is unplugged.

    A thread of its own makes all calls of PortAudio, which may hang for half a minute: whoever reads is never held up
    by them. PortAudio lists the devices once, when it starts: it is started anew before a search, with regard to other
    captures of this process (see `edge_asd.audio.shared`).

    Parameters
    ----------
    device : str or int or None
        What `edge_asd.audio.selectors.choose_device` takes: a USB port or number, a name, a unique part of one, an
        index; None for the default. Once it was opened, the device is found again by what it is (see
        `edge_asd.audio.finder.DeviceFinder`), never by its index.
    sample_rate : int, 1000 to 384000 [Hz]
        Rate of the sound that is given. A device that refuses it is recorded at its own rate, and resampled.
    channel : int >= 0
        The device's channel to use.
    gain_db : float, -60 to 60 [dB]
        Digital gain; see `edge_asd.audio.gain`.
    there : bool
        It must be there when the capture begins: somebody is beside it, and a mistyped name would be waited for in
        vain. Without, as for a service, it may come later. Once it was found it is waited for in either case.

    Attributes
    ----------
    description : str or None
        The device's name and rates, for people; None until the first sound has come.
    caution : str
        What the user should know of how the device was chosen; empty where that is nothing, and before the first sound.
    native_rate : int [Hz]
        That the device is recorded at; `sample_rate` before the first sound.
    overflows : int >= 0
        How often so far the sound card had more than PortAudio took in time: each is told as a break, although it may
        be too short to measure.
    lost_seconds : float [s]
        Sound that was lost so far while the microphone was there.

    Examples
    --------
    >>> with Capture("USB") as capture:  # doctest: +SKIP
    ...     for item in capture.sound():
    ...         print(item.text if isinstance(item, Break) else item.size)
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        sample_rate: int = 16000,
        channel: int = 0,
        gain_db: float = 0.0,
        there: bool = False,
    ) -> None:
        check_rate(sample_rate)
        self.description: str | None = None
        self.caution = ""
        self.native_rate = sample_rate
        self.overflows = 0
        self.lost_seconds = 0.0
        self._finder, self._there = DeviceFinder(device), there
        self._rate, self._channel, self._gain = sample_rate, channel, Gain(gain_db)
        self._news: queue.SimpleQueue[Microphone | str | Exception] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._worker = threading.Thread(target=self._work, name="capture", daemon=True)
        self._quiet = ExitStack()
        self._away = False
        self._heard_until = 0.0

    def __enter__(self) -> Capture:
        """Begin to look for the microphone, and to record."""
        # ALSA and PortAudio print whatever they meet, when they open and as long as they run.
        self._quiet.enter_context(quiet_libraries())
        self._heard_until = time.monotonic()
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop recording, within a second even where the sound server hangs."""
        self._stop.set()
        self._worker.join(_END_SECONDS)
        self._quiet.close()

    def sound(self) -> Iterator[Pcm | Break | Waiting]:
        """Give the sound as it comes in, until the capture is closed, and each place where it broke.

        `KeyboardInterrupt` passes through at any time; nothing needs to be closed but the capture.

        Yields
        ------
        int16 [shape=(n,), n >= 1] or Break or Waiting
            What has come, at the wanted rate. The samples of all blocks and breaks together keep up with the clock.
            About every quarter of a second without sound that it is waited for.

        Raises
        ------
        AudioDeviceError
            Before the first sound: if PortAudio is missing, or what was asked for is ambiguous or cannot ever be, or
            is not there although it must be (`NoSuchDeviceError`).
        DependencyError
            If the package sounddevice is missing.
        """
        if not self._worker.ident:
            raise RuntimeError("sound() needs an open capture: use it inside `with Capture(...) as capture`")
        while not self._stop.is_set():
            try:
                news = self._news.get(timeout=_WAITING_SECONDS)
            except queue.Empty:
                silent = time.monotonic() - self._heard_until
                if not self._away and silent >= _ANSWER_SECONDS:
                    yield self._lost(
                        f"The sound system has not answered for {silent:.0f} s. Waiting for it; Ctrl-C stops. If it "
                        "stays so, start the sound server anew."
                    )
                else:
                    yield Waiting()
                continue
            if isinstance(news, Exception):
                raise news
            if isinstance(news, Microphone):
                for item in self._recorded(news):
                    yield self._gain.apply(item) if isinstance(item, np.ndarray) else item
            elif not self._away:
                yield self._lost(f"{news} Waiting for it; Ctrl-C stops.")
            else:
                yield Waiting()

    def announced(self, note: Callable[[str], None]) -> Iterator[Pcm | Break | Waiting]:
        """Give the sound as `sound` does, and tell once which microphone it comes from and what is amiss with that."""
        told = False
        for item in self.sound():
            if self.description is not None and not told:
                told = True
                if self.caution:
                    note(self.caution)
                narrow = f" Nothing above {self.native_rate // 2} Hz is in it." if self.native_rate < self._rate else ""
                note(f"Listening to {self.description}.{narrow}")
            yield item

    def _recorded(self, microphone: Microphone) -> Iterator[Pcm | Break | Waiting]:
        resampler, told = None, time.monotonic()
        while True:
            if self._stop.is_set():
                return
            gone = microphone.gone  # Asked first: so all that came before is taken below.
            microphone.ready.clear()
            taken = microphone.take()
            if taken and self._away:
                yield self._back(microphone)
            for item in taken:
                self.description, self.caution = microphone.description, self._finder.caution
                self.native_rate = microphone.rate
                if isinstance(item, Loss):
                    if resampler is not None:
                        yield from _some(resampler.flush())
                    resampler = None
                    yield self._dropped(item, microphone.rate)
                elif microphone.rate == self._rate:
                    yield item
                else:
                    # Its state never outlives a break: what was before must not sound through.
                    resampler = resampler or Resampler(microphone.rate, self._rate)
                    yield from _some(resampler.process(item))
            if taken:
                told = time.monotonic()
                continue
            if gone is not None:
                break
            if time.monotonic() - told >= _WAITING_SECONDS:
                told = time.monotonic()
                yield Waiting()
            microphone.ready.wait(_TURN_SECONDS)
        if resampler is not None:
            yield from _some(resampler.flush())
        if microphone.callbacks:
            self._heard_until = microphone.last_heard
        if not self._away:
            yield self._lost(f"The microphone {microphone.device.name} is gone: {gone}. Waiting until it is back.")

    def _lost(self, text: str) -> Break:
        self._away = True
        return Break("signal-lost", 0, time.monotonic() - self._heard_until, clock_of(self._heard_until), text)

    def _back(self, microphone: Microphone) -> Break:
        self._away = False
        seconds = max(0.0, microphone.began - self._heard_until)
        text = f"The microphone is back after {seconds:.1f} s without sound: {microphone.description}."
        # Before the first sound there is nothing that it could be back from.
        told = "" if self.description is None else text
        return Break("signal-back", round(seconds * self._rate), seconds, clock_of(microphone.began), told)

    def _dropped(self, loss: Loss, rate: int) -> Break:
        seconds = loss.frames / rate
        self.lost_seconds += seconds
        self.overflows += loss.overflows
        lost = f"{seconds:.2f} s of sound were lost" if loss.frames else "Sound was lost, too little to measure"
        overflows = f" and {self.overflows} overflow(s) of the sound card" if self.overflows else ""
        return Break(
            "samples-lost",
            round(seconds * self._rate),
            seconds,
            clock_of(loss.end),
            f"{lost}, {self.lost_seconds:.2f} s{overflows} so far: this computer is too busy to keep up.",
        )

    def _work(self) -> None:
        try:
            self._supervise()
        except Exception as error:  # handed on to who reads
            self._news.put(error)

    def _supervise(self) -> None:
        PORTAUDIO.start()
        # At the program's end PortAudio may hang with the sound server: nothing there needs it to be ended in order.
        atexit.unregister(import_sounddevice()._exit_handler)
        pause, opened = _FIRST_PAUSE_SECONDS, False
        while not self._stop.is_set():
            try:
                microphone = PORTAUDIO.open(self._opened)
            except AudioDeviceError as error:
                may_come = isinstance(error, UnavailableDeviceError)
                if not opened and (not may_come or (self._there and isinstance(error, NoSuchDeviceError))):
                    raise
                self._news.put(str(error))
            else:
                opened = True
                self._news.put(microphone)
                self._watch(microphone)
                PORTAUDIO.close(microphone)
                if microphone.leave:
                    continue  # for another's sake: the list is new already
                if microphone.callbacks:
                    pause = _FIRST_PAUSE_SECONDS
            while not self._stop.wait(pause):
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                try:
                    PORTAUDIO.renew()
                except AudioDeviceError as error:
                    self._news.put(str(error))
                else:
                    break

    def _opened(self) -> Microphone:
        return Microphone(self._finder.find(input_devices()), self._rate, self._channel)

    def _watch(self, microphone: Microphone) -> None:
        """Wait until a microphone is gone, or the capture ends."""
        idle, seen, before = 0.0, 0, time.monotonic()
        while not self._stop.wait(_TURN_SECONDS):
            now = time.monotonic()
            # Long turns say that the computer was asleep or busy, not that the microphone was silent.
            idle = 0.0 if microphone.callbacks != seen else idle + min(now - before, 2 * _TURN_SECONDS)
            seen, before = microphone.callbacks, now
            if microphone.leave:
                microphone.stop()  # First: all that was heard until then is still taken.
                microphone.gone = microphone.leave
            elif not microphone.active:
                microphone.gone = "its stream ended"
            elif idle >= _GONE_SECONDS:
                microphone.gone = f"it sent nothing for {idle:.1f} s"
            if microphone.gone:
                microphone.ready.set()
                return


def _some(pcm: Pcm) -> list[Pcm]:
    return [pcm] if pcm.size else []
