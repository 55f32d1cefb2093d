"""PortAudio, which a process has only once, among several microphones.

It lists the devices when it starts, and to start it anew closes all that are open: a microphone that is waited for
would break the sound of all others whenever it is looked for. So it is started anew only where nothing is open, or
where Linux tells of a sound card that was not there; then the others are closed in order first, and opened again after
it. One that was unplugged and comes back as the same card is in the old list still. What is no card, such as a sound
server's "default" that was not there at first, is found only when nothing else is open.
PortAudio opens and closes one stream at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge_asd.audio.devices import import_sounddevice, renew_devices
from edge_asd.audio.hardware import Hardware, read_hardware
from edge_asd.audio.microphone import Microphone

_SETTLE_SECONDS = 1.0  # After a card has come, until its user may open it.
_CLOSE_SECONDS = 2.0


class SharedPortAudio:
    """What the microphones of a process have in common. Each method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: set[Microphone] = set()
        self._renewing = False
        self._cards: dict[int, Hardware] | None = None  # that were there when PortAudio looked

    def start(self) -> None:
        """Load PortAudio, if that was not done.

        Raises
        ------
        AudioDeviceError, DependencyError
            As `import_sounddevice` does.
        """
        with self._changed:
            if self._cards is None:
                self._cards = read_hardware()  # Before PortAudio looks: what comes meanwhile is a change then.
            import_sounddevice()

    def open(self, make: Callable[[], Microphone]) -> Microphone:
        """Open a microphone; `make` lists the devices, too, so that the list is the one it was made for."""
        with self._changed:
            self._changed.wait_for(lambda: not self._renewing)
            microphone = make()
            self._open.add(microphone)
            return microphone

    def close(self, microphone: Microphone) -> None:
        """Close a microphone. A sound server that hangs holds this up for half a minute, and each later call here."""
        with self._changed:
            microphone.close()
            self._open.discard(microphone)
            self._changed.notify_all()

    def renew(self) -> None:
        """Let PortAudio see what devices there are now, unless it would break other microphones for nothing.

        Raises
        ------
        AudioDeviceError
            If it does not start.
        """
        with self._changed:
            if self._renewing:
                self._changed.wait_for(lambda: not self._renewing)
                return
            cards = read_hardware()
            if self._open and not self._has_settled(cards):
                return
            self._renewing = True
            try:
                for microphone in self._open:
                    microphone.leave = "it is closed for a moment, to see another sound card that has come"
                # One that hangs is in the way until the next time.
                if self._changed.wait_for(lambda: not self._open, _CLOSE_SECONDS):
                    renew_devices()
                    self._cards = cards
            finally:
                self._renewing = False
                self._changed.notify_all()

    def _has_settled(self, cards: dict[int, Hardware]) -> bool:
        """Tell whether there is a new card, and no more changes for now."""
        if cards.items() <= (self._cards or {}).items():
            return False
        self._changed.wait_for(lambda: self._renewing, _SETTLE_SECONDS)
        return not self._renewing and read_hardware() == cards


PORTAUDIO = SharedPortAudio()
