"""Events to people, by Apprise, and to a command."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge_asd.detectors.scores import score_value
from edge_asd.errors import ConfigError
from edge_asd.monitor.alarms import Event, EventName
from edge_asd.monitor.config.settings import ConfigFile
from edge_asd.monitor.ending import end_together
from edge_asd.monitor.records.clip_names import clip_name
from edge_asd.monitor.records.database import CLIPS
from edge_asd.monitor.reports import Report, Sink
from edge_asd.notify.command import OnAlarm
from edge_asd.notify.message import Message
from edge_asd.notify.wording import event_message

if TYPE_CHECKING:
    from edge_asd.monitor.session import Session
    from edge_asd.notify.dispatcher import Dispatcher

_LIVE_CLOSE_S, _FILE_CLOSE_S = 0.5, 30.0


class Notifications(Sink):
    """Hands events on; nothing here waits for anybody.

    Parameters
    ----------
    config : ConfigFile
        Tells of at least one URL or a command.
    folder : Path
        Where the queue lies, in a folder of its own.
    session : Session
        For units and machines.
    note : callable
    live : bool
        At the end, what cannot be delivered at once waits for the next start; of files, for half a minute first.

    Raises
    ------
    ConfigError
        If a setting cannot be used.
    OutputError, DependencyError
        As `edge_asd.notify.dispatcher.Dispatcher`.
    """

    def __init__(
        self,
        config: ConfigFile,
        folder: Path,
        session: Session,
        note: Callable[[str], None],
        *,
        live: bool,
    ) -> None:
        self._session, self._format = session, config.evidence.format
        self._clips = None
        if config.records.folder is not None and config.evidence.clips:
            self._clips = config.records.folder / CLIPS
        notify = config.notify
        self._close_s = _LIVE_CLOSE_S if live else _FILE_CLOSE_S
        self._dispatcher: Dispatcher | None = None
        try:
            self._command = None if notify.on_alarm is None else OnAlarm(notify.on_alarm, note)
            if notify.urls:
                from edge_asd.notify.dispatcher import Dispatcher
                from edge_asd.notify.settings import NotifySettings

                settings = NotifySettings(
                    urls=tuple(dict.fromkeys(notify.urls)),
                    events=notify.events,
                    max_per_source=notify.max_per_source,
                    period_s=notify.period_s,
                )
                self._dispatcher = Dispatcher(settings, folder / "notify", note)
        except ValueError as error:
            raise ConfigError(f"The notifications cannot be used: {error}.") from None

    def report(self, report: Report, /) -> None:
        """Hand an event on."""
        if not isinstance(report.what, Event):
            return
        message = self._message(report, report.what)
        if self._dispatcher is not None:
            self._dispatcher.send(message)
        if self._command is not None:
            self._command.send(message)

    def close(self) -> None:
        """Deliver what can be delivered quickly; the rest waits on disk."""
        ending = [part for part in (self._dispatcher, self._command) if part is not None]
        end_together(partial(part.close, self._close_s) for part in ending)

    def _message(self, report: Report, event: Event) -> Message:
        clip = None
        if self._clips is not None and event.event is EventName.alarm:
            clip = str(self._clips / f"{clip_name(report)}.{self._format}")
        return event_message(
            event=event.event,
            source=report.source,
            time=report.time,
            machine=self._session.machines.get(report.source),
            section=event.section,
            score=None if event.score is None else score_value(event.score),
            threshold=None if event.threshold is None else score_value(event.threshold),
            unit=self._session.units.get(report.source, ""),
            duration_s=event.duration_s,
            clip=clip,
            heard=None if event.heard is None else event.text,
            details=report.for_programs(),
        )
