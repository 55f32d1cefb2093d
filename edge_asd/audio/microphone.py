"""One microphone while it is there, through PortAudio."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from edge_asd.audio.devices import InputDevice, import_sounddevice, input_devices
from edge_asd.audio.ring import ByteRing
from edge_asd.audio.stream import Pcm, check_channel
from edge_asd.errors import AudioDeviceError, AudioFormatError, UnavailableDeviceError

__all__ = ["InputDevice", "Loss", "Microphone", "input_devices"]

_CALLBACKS_PER_SECOND = 20
_RING_SECONDS = 4


class Loss(NamedTuple):
    """Sound that was lost between two samples.

    Attributes
    ----------
    position : int [bytes]
        Where in the ring's count the sound goes on.
    frames : int >= 0
        How much is missing, at the recorded rate.
    overflows : int >= 0
        How many overflows of the sound card PortAudio told of; what one lost may be too little to measure.
    end : float [s]
        When the sound went on, by `time.monotonic`.
    """

    position: int
    frames: int
    overflows: int
    end: float


class Microphone:
    """A microphone that records from when it is made until `close`, or until it is unplugged.

    Many devices refuse 16 kHz: then the device's own rate is recorded.

    Parameters
    ----------
    device : InputDevice
    sample_rate : int > 0 [Hz]
        Rate to record at where the device can.
    channel : int >= 0
        The device's channel to use.

    Attributes
    ----------
    rate : int [Hz]
        Rate that is recorded.
    description : str
        The device's name and rates, for people.
    callbacks : int >= 0
        How often sound has come.
    began, last_heard : float [s]
        When the first sample was recorded and when sound came last, by `time.monotonic`.
    ready : threading.Event
        Set whenever sound has come; the reader clears it.
    gone : str or None
        Why nothing more will come. Set by who watches the microphone.
    leave : str or None
        Why it is to be stopped, by who watches it.

    Raises
    ------
    AudioDeviceError
        If the device lacks the channel, or refuses (`UnavailableDeviceError`).
    """

    def __init__(self, device: InputDevice, sample_rate: int, channel: int = 0) -> None:
        try:
            check_channel(f"The microphone {device.name}", channel, device.channels)
        except AudioFormatError as error:
            raise AudioDeviceError(str(error)) from None
        self.device = device
        self.callbacks = 0
        self.began = self.last_heard = time.monotonic()
        self.ready = threading.Event()
        self.gone: str | None = None
        self.leave: str | None = None
        self._channel = channel
        self._losses: deque[Loss] = deque()
        self._missing = self._overflows = 0  # frames lost, and overflows, since the ring was written last
        self.rate, self._stream = self._open(sample_rate)
        how = "" if self.rate == sample_rate else f", resampled from {self.rate} Hz"
        own = f"own rate {device.default_rate} Hz"
        self.description = f"{device.name} ({device.host_api}, {own}), channel {channel}{how}"

    @property
    def active(self) -> bool:
        """PortAudio still records."""
        return bool(self._stream.active)

    def take(self) -> list[Pcm | Loss]:
        """Take all that has come, possibly nothing, with the places where sound was lost."""
        taken: list[Pcm | Loss] = []
        end = self._ring.written
        # A loss is put down before the sound that follows it: no loss before `end` can still be missing here.
        while self._losses and self._losses[0].position < end:
            loss = self._losses.popleft()
            taken += [*self._read(loss.position), loss]
        return taken + self._read(end)

    def stop(self) -> None:
        """Stop recording: nothing more comes. A sound server that hangs holds this up for half a minute."""
        # abort, not stop: stop waits for buffers that a lost device never fills.
        self._stream.abort(ignore_errors=True)

    def close(self) -> None:
        """Stop recording, and let go of the device; may be held up as `stop` is."""
        self.stop()
        self._stream.close(ignore_errors=True)

    def _read(self, until: int) -> list[Pcm]:
        data = self._ring.read(until)
        return [np.frombuffer(data, np.int16).reshape(-1, self._channel + 1)[:, self._channel].copy()] if data else []

    def _open(self, sample_rate: int) -> tuple[int, Any]:
        sd = import_sounddevice()
        channels = self._channel + 1  # PortAudio counts from the first.
        refused = []
        for rate in dict.fromkeys((sample_rate, self.device.default_rate)):
            settings = {"device": self.device.index, "channels": channels, "dtype": "int16", "samplerate": rate}
            try:
                sd.check_input_settings(**settings)
                # All that the callback touches is ready before the first call can come.
                self.rate = rate
                self._ring = ByteRing(_RING_SECONDS * rate * channels * 2)
                stream = sd.RawInputStream(
                    **settings, blocksize=rate // _CALLBACKS_PER_SECOND, latency="high", callback=self._on_sound
                )
            except sd.PortAudioError as error:
                refused.append(f"at {rate} Hz: {error}")
                continue
            try:
                stream.start()
            except sd.PortAudioError as error:
                stream.close(ignore_errors=True)
                refused.append(f"at {rate} Hz: {error}")
                continue
            return rate, stream
        raise UnavailableDeviceError(
            f"The microphone {self.device.name} cannot be opened ({'; '.join(refused)}). Close other programs that "
            "record from it, or choose another device."
        )

    def _on_sound(self, data: Any, frames: int, _time: Any, status: Any) -> None:
        """Copy and return: whatever else is done here makes PortAudio lose sound."""
        now = time.monotonic()
        if not self.callbacks:
            self.began = now - frames / self.rate
        elif status.input_overflow:
            self._overflows += 1
            # PortAudio does not say how much it lost: what the clock says beyond what came.
            self._missing += max(0, round((now - self.last_heard) * self.rate) - frames)
        self.last_heard = now
        self.callbacks += 1
        sound = memoryview(data).cast("B")
        # What does not fit is lost, newest first: so only the reader ever moves the reader's end.
        if len(sound) > self._ring.room:
            self._missing += frames
            return
        if self._missing or self._overflows:
            self._losses.append(Loss(self._ring.written, self._missing, self._overflows, now - frames / self.rate))
            self._missing = self._overflows = 0
        self._ring.write(sound)
        self.ready.set()
