"""Live sound from a microphone, through PortAudio."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from edge_asd.audio.devices import InputDevice, choose_device, import_sounddevice, input_devices
from edge_asd.audio.ring import ByteRing
from edge_asd.audio.stream import Pcm, check_channel, check_rate, resample
from edge_asd.errors import AudioDeviceError, AudioFormatError
from edge_asd.quiet import quiet_libraries

__all__ = ["InputDevice", "Microphone", "input_devices"]

_CALLBACKS_PER_SECOND = 20
_RING_SECONDS = 4
_WAIT_SECONDS = 0.1
_CLOSE_SECONDS = 1.0


class Microphone:
    """A microphone that is open inside a ``with`` statement.

    Many devices refuse 16 kHz: then the device's own rate is recorded and resampled.

    Parameters
    ----------
    device : str or int or None
        Name, unique part of a name or index; None for the default.
    sample_rate : int, 1000 to 384000 [Hz]
        Rate of the blocks.
    channel : int >= 0
        The device's channel to use.
    stall_seconds : float > 0 [s]
        Without a sign of life for this long the microphone counts as unplugged.

    Attributes
    ----------
    overflows : int >= 0
        How often PortAudio reported that it lost sound before it reached this program.

    Examples
    --------
    >>> with Microphone("USB") as microphone:  # doctest: +SKIP
    ...     for block in microphone.blocks():
    ...         print(microphone.description, block.size)
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        sample_rate: int = 16000,
        channel: int = 0,
        stall_seconds: float = 5.0,
    ) -> None:
        check_rate(sample_rate)
        if not stall_seconds > 0:
            raise ValueError(f"stall_seconds must be above 0, not {stall_seconds}")
        self.overflows = 0
        self._wanted = device
        self._sample_rate = sample_rate
        self._channel = channel
        self._stall_seconds = stall_seconds
        self._device: InputDevice | None = None
        self._stream: Any = None
        self._quiet = ExitStack()
        self._rate = sample_rate
        self._dropped_frames = 0
        self._last_callback = 0.0
        self._ready = threading.Event()
        self._ring = ByteRing(1)

    @property
    def dropped_samples(self) -> int:
        """Samples, at `sample_rate`, lost because `blocks` was not read for four seconds or more."""
        return self._dropped_frames * self._sample_rate // self._rate

    @property
    def recorded_rate(self) -> int:
        """Rate the device was opened at [Hz]."""
        return self._rate

    @property
    def description(self) -> str:
        """The device's name and rates, for people."""
        if self._device is None:
            return "no microphone is open"
        how = "" if self._rate == self._sample_rate else f", resampled from {self._rate} Hz"
        own = f"own rate {self._device.default_rate} Hz"
        return f"{self._device.name} ({self._device.host_api}, {own}), channel {self._channel}{how}"

    def __enter__(self) -> Microphone:
        """Open the microphone and start to record.

        Raises
        ------
        AudioDeviceError
            If PortAudio is missing, or the device is unknown, ambiguous, lacks the channel or refuses.
        DependencyError
            If the package sounddevice is missing.
        """
        self._device = choose_device(input_devices(), self._wanted)
        try:
            check_channel(f"The microphone {self._device.name}", self._channel, self._device.channels)
        except AudioFormatError as error:
            raise AudioDeviceError(str(error)) from None
        # ALSA and PortAudio print whatever they meet, when they open and as long as they run.
        with ExitStack() as stack:
            stack.enter_context(quiet_libraries())
            self._stream = self._open(self._device)
            self._quiet = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop recording."""
        stream, self._stream = self._stream, None

        def close() -> None:
            # abort, not stop: stop waits for buffers that a lost device never fills.
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

        # A sound server that hangs holds these calls up for half a minute: the program does not wait for it.
        closing = threading.Thread(target=close, name="close-microphone", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)
        self._quiet.close()

    def blocks(self) -> Iterator[Pcm]:
        """Give the sound as it comes in, without end.

        `KeyboardInterrupt` passes through within 0.1 s; nothing needs to be closed but the microphone.

        Yields
        ------
        int16 [shape=(n,), n >= 1]
            All that has come since the last block, at `sample_rate`.

        Raises
        ------
        AudioDeviceError
            If the stream ended or nothing came for `stall_seconds`: the microphone was unplugged.
        """
        if self._stream is None:
            raise RuntimeError("blocks() needs an open microphone: use it inside `with Microphone(...) as microphone`")
        return resample(self._recorded(), self._rate, self._sample_rate)

    def _recorded(self) -> Iterator[Pcm]:
        channels = self._channel + 1
        while True:
            self._ready.clear()
            data = self._ring.read()
            if data:
                yield np.frombuffer(data, np.int16).reshape(-1, channels)[:, self._channel].copy()
                continue
            self._check_alive()
            self._ready.wait(_WAIT_SECONDS)

    def _check_alive(self) -> None:
        assert self._device is not None
        advice = "Check its plug and cable, then start again."
        if self._stream is None or not self._stream.active:
            raise AudioDeviceError(f"The microphone {self._device.name} stopped: it was unplugged or closed. {advice}")
        age = time.monotonic() - self._last_callback
        if age > self._stall_seconds:
            raise AudioDeviceError(
                f"The microphone {self._device.name} has sent nothing for {age:.1f} s: "
                f"it was unplugged or hangs. {advice}"
            )

    def _open(self, device: InputDevice) -> Any:
        sd = import_sounddevice()
        channels = self._channel + 1  # PortAudio counts from the first.
        rates = dict.fromkeys((self._sample_rate, device.default_rate))
        refused = []
        for rate in rates:
            settings = {"device": device.index, "channels": channels, "dtype": "int16", "samplerate": rate}
            try:
                sd.check_input_settings(**settings)
                # All that the callback touches is ready before the first call can come.
                self._rate = rate
                self._ring = ByteRing(_RING_SECONDS * rate * channels * 2)
                self._last_callback = time.monotonic()
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
            return stream
        raise AudioDeviceError(
            f"The microphone {device.name} cannot be opened ({'; '.join(refused)}). Close other programs that record "
            "from it, or choose another device."
        )

    def _on_sound(self, data: Any, frames: int, _time: Any, status: Any) -> None:
        """Copy and return: whatever else is done here makes PortAudio lose sound."""
        self._last_callback = time.monotonic()
        if status.input_overflow:
            self.overflows += 1
        # What does not fit is lost, newest first: so only the reader ever moves the reader's end.
        if not self._ring.write(memoryview(data).cast("B")):
            self._dropped_frames += frames
        self._ready.set()
