"""Sending one message to one URL by Apprise; the only module that loads Apprise."""

from __future__ import annotations

import contextlib
import logging
import signal
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

from edge_asd.errors import DependencyError
from edge_asd.notify.addresses import scrubbed
from edge_asd.notify.message import Message
from edge_asd.notify.wording import with_losses

_MAX_REASON = 400


class _TimeUp(BaseException):
    """No answer in time; no `Exception`, as services catch those."""


def load_apprise() -> Any:
    """Load Apprise.

    Raises
    ------
    DependencyError
        If it is not installed, too old, or something else of that name.
    """
    try:
        with _no_python_warnings():
            import apprise
    except ImportError as error:
        raise DependencyError(missing_apprise(error)) from error
    if not hasattr(apprise, "AppriseResult"):
        raise DependencyError(
            missing_apprise(f"{getattr(apprise, '__file__', 'apprise')} is too old or another package")
        )
    logging.getLogger("apprise").addHandler(logging.NullHandler())  # or it prints warnings, with parts of URLs
    return apprise


def missing_apprise(reason: object) -> str:
    """Say what to install."""
    return f"Notifications need the package apprise ({reason}). Install it with: pip install 'edge-asd[notify]'"


class Sender:
    """A URL to which messages are sent, from the main thread.

    Parameters
    ----------
    url : str
    timeout_s : float > 0 [s]
        Of a message, whatever the service does.

    Raises
    ------
    DependencyError
        As `load_apprise`.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._apprise = load_apprise()
        self._url, self._timeout = url, timeout_s
        # In this thread and without Apprise's own limit: a thread left behind could still deliver later.
        asset = self._apprise.AppriseAsset(app_id="edge-asd", async_mode=False, service_timeout=0)
        self._service = self._apprise.Apprise(asset=asset)
        self._usable: bool | None = None

    def send(self, message: Message, lost: int = 0) -> str | None:
        """Send a message and wait for the service's answer.

        Parameters
        ----------
        message : Message
        lost : int
            Messages before it that were lost, told below it.

        Returns
        -------
        str, optional
            Why it failed, without secrets; None if the service has taken it.
        """
        try:
            with _time_limit(self._timeout), _no_python_warnings():
                reason = self._send(message, lost)
        except _TimeUp:
            return f"no answer within {self._timeout:g} s"
        except Exception as error:  # a service's defect is no reason to stop
            reason = f"{type(error).__name__}: {error}"
        return None if reason is None else self._shown(reason)

    def _send(self, message: Message, lost: int) -> str | None:
        with _logged() as told:
            if self._usable is None:
                self._usable = bool(self._service.add(self._url))
            if not self._usable:
                self._usable = None
                return "Apprise does not understand this URL. " + " ".join(told)
            result = self._service.notify(
                title=message.title,
                body=with_losses(message, lost),
                notify_type=self._apprise.NotifyType(str(message.severity)),
                body_format=self._apprise.NotifyFormat.TEXT,
            )
        return None if result else " ".join(dict.fromkeys(told)) or "the service did not take it"

    def _shown(self, reason: str) -> str:
        words = " ".join(scrubbed(reason, [self._url]).split())
        return "".join(c if c.isprintable() else "?" for c in words[:_MAX_REASON])


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    # Again each second after that, should somebody catch the first.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _no_python_warnings() -> Iterator[None]:
    """Leave what is deprecated in Apprise's services to Apprise, also where Python makes errors of warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
    """Collect what Apprise warns of."""
    told: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    logger, handler = logging.getLogger("apprise"), Collect(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield told
    finally:
        logger.removeHandler(handler)
