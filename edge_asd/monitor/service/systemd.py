"""Telling systemd how the monitor is: the protocol of sd_notify(3), without a library."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from edge_asd.monitor.service.heartbeat import Heartbeat

_KICKS_PER_INTERVAL = 3
_STATUS_S = 10.0  # how often the status is told where no watchdog asks
_CHANGE_S = 1.0  # how soon a change of it is
_MAX_STATUS = 400


class Notifier:
    """Sends to the socket that systemd names; does nothing where there is none, and never raises.

    Parameters
    ----------
    environment : mapping, optional
        By default this process's.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        name = environment.get("NOTIFY_SOCKET", "")
        self._address: str | None = None
        if name.startswith("/"):
            self._address = name
        elif name.startswith("@"):
            self._address = "\0" + name[1:]  # Linux's abstract names begin with a null byte
        self.watchdog_s = _watchdog(environment) if self._address is not None else None

    @property
    def active(self) -> bool:
        """There is somebody to tell."""
        return self._address is not None

    def ready(self, status: str = "") -> bool:
        """Tell that the start, or a reload, has ended."""
        return self.send("READY=1", *_status(status))

    def reloading(self) -> bool:
        """Tell that the configuration is read anew; `ready` has to follow."""
        # systemd 253 and later take the word for this reload only if it is not older than their signal.
        return self.send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "") -> bool:
        """Tell that the end has begun."""
        return self.send("STOPPING=1", *_status(status))

    def status(self, status: str, *, watchdog: bool = False) -> bool:
        """Tell how things are; with `watchdog`, that the loop goes on, too."""
        return self.send(*(["WATCHDOG=1"] if watchdog else []), *_status(status))

    def send(self, *lines: str) -> bool:
        """Send assignments in one datagram; return whether it was taken."""
        if self._address is None or not lines:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A manager that does not read must not hold the sound up.
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode("utf-8", "replace"), self._address)
        except (OSError, ValueError):
            return False
        return True


class Watchdog:
    """Passes on that the loop goes on: nothing but the loop's own calls keeps systemd, or a health check, content.

    There is no timer and no thread on purpose: they would go on where the loop hangs.

    Parameters
    ----------
    notifier : Notifier
    heartbeat : Heartbeat, optional
        Renewed likewise.
    """

    def __init__(self, notifier: Notifier, heartbeat: Heartbeat | None = None) -> None:
        self._notifier, self._heartbeat = notifier, heartbeat
        asked = notifier.watchdog_s
        self._every = _STATUS_S if asked is None else asked / _KICKS_PER_INTERVAL
        self._told: float | None = None
        self._status: str | None = None

    def kick(self, status: str) -> None:
        """Tell that the loop has scored sound, or knows that there is none.

        To be called each turn: most calls do nothing, as a third of the watchdog's interval has not passed and the
        status is the same.

        Parameters
        ----------
        status : str
            What the monitor does, for people, such as "no signal".
        """
        if self._heartbeat is not None:
            self._heartbeat.beat(status)
        if not self._notifier.active:
            return
        now = time.monotonic()
        wait = self._every if status == self._status else min(self._every, _CHANGE_S)
        if self._told is not None and now - self._told < wait:
            return
        # What was not taken is tried again at the next turn.
        if self._notifier.status(status, watchdog=self._notifier.watchdog_s is not None):
            self._told, self._status = now, status


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """Return the interval in which systemd expects a kick [s]; None where it expects none of this process."""
    try:
        interval = int(environment.get("WATCHDOG_USEC", ""))
        pid = int(environment.get("WATCHDOG_PID", "") or os.getpid())
    except ValueError:
        return None
    return interval / 1e6 if interval > 0 and pid == os.getpid() else None


def _status(text: str) -> list[str]:
    line = " ".join(text.split())
    return [f"STATUS={line[:_MAX_STATUS]}"] if line else []
