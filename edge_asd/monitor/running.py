"""What happens between the turns of a monitor's loop: signs of life, the end, and a configuration that changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from edge_asd.monitor.config.reload import Changes, Reload
from edge_asd.monitor.config.settings import ConfigFile
from edge_asd.monitor.outputs import Outputs
from edge_asd.monitor.service.heartbeat import Heartbeat
from edge_asd.monitor.service.signals import Signals
from edge_asd.monitor.service.systemd import Notifier, Watchdog
from edge_asd.monitor.session import Session, Watched

Note = Callable[[str], None]


class Running:
    """Signals, watchdog and reloads of a monitor, inside a ``with`` statement.

    Parameters
    ----------
    config : ConfigFile
    read : callable
        Reads it again.
    session : Session
    note : callable
    live : bool
        A source goes on for good: SIGTERM is answered between two turns, with everything flushed. What only reads files
        or a pipe may wait for one for good, and is ended by the system.

    Attributes
    ----------
    ended : bool
        SIGTERM has come.
    outputs : Outputs or None
        Set before the first turn.
    """

    def __init__(
        self, config: ConfigFile, read: Callable[[], ConfigFile], session: Session, note: Note, *, live: bool
    ) -> None:
        self._session, self._live = session, live
        self.outputs: Outputs | None = None
        # Without a file there is nothing to read again: a terminal that hangs up ends the monitor, as any program.
        self._signals, self._notifier = Signals(reload=config.path is not None), Notifier()
        self._watchdog = Watchdog(self._notifier, _heartbeat(config))
        self._begun = False
        self._made: list[Watched] = []
        self._heartbeat: Heartbeat | None = None
        self._reload = Reload(config, read, note, session.renewed, self._prepare)

    @property
    def ended(self) -> bool:
        """SIGTERM has come."""
        return self._signals.ending

    def __enter__(self) -> Running:
        """Answer signals from here on, where this is the main thread."""
        self._live = self._live and threading.current_thread() is threading.main_thread()
        if self._live:
            self._signals.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Give signals back."""
        if self._live:
            self._signals.__exit__(kind, error, trace)

    def turn(self, status: str, well: bool) -> bool:
        """Do what is due between two turns of the loop; see `edge_asd.monitor.loop.Turn`."""
        if not self._begun:
            self._begun = True
            self._notifier.ready(status)
        if well:
            self._watchdog.kick(status)
        if self._signals.ending:
            self._notifier.stopping()
            return True
        if self._signals.take_reload():
            self._read_again(status)
        return False

    def _read_again(self, status: str) -> None:
        self._notifier.reloading()
        changes = self._reload.again()
        if changes is not None:
            if changes.removed or changes.added:
                self._session.change(changes.removed, self._made)
                if self.outputs is not None:
                    self.outputs.begin(tuple(source.name for source in changes.added))
            if "heartbeat" in changes.others:
                self._watchdog = Watchdog(self._notifier, self._heartbeat)
            if self.outputs is not None:
                self._reload.config = self.outputs.change(changes.config, changes.others)
        self._made = []
        self._notifier.ready(status)

    def _prepare(self, changes: Changes) -> None:
        """Make what can be refused before anything of what goes on is touched."""
        self._made = self._session.made(changes.config, changes.added)
        if "heartbeat" in changes.others:
            self._heartbeat = _heartbeat(changes.config)


def _heartbeat(config: ConfigFile) -> Heartbeat | None:
    return None if config.heartbeat is None else Heartbeat(config.heartbeat)
