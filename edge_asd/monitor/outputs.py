"""Where a monitor's reports go, by its configuration."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from edge_asd.errors import ConfigError, EdgeAsdError
from edge_asd.monitor.config.settings import ConfigFile
from edge_asd.monitor.ending import end_together
from edge_asd.monitor.records.origin import Origin
from edge_asd.monitor.records.settings import RecordsSettings
from edge_asd.monitor.reports import Sink
from edge_asd.monitor.session import Session
from edge_asd.monitor.sinks.notifications import Notifications
from edge_asd.monitor.sinks.records import LiveRecords, Records, open_records

Note = Callable[[str], None]

_RECORDS, _TELLING = ("records", "evidence"), ("notify",)


class Outputs:
    """The sinks, inside a ``with`` statement.

    Parameters
    ----------
    config : ConfigFile
    session : Session
        For units and machines.
    console : Sink
        What is printed.
    note : callable
    live : bool
        Sound does not wait for a disk, nor the end for the network.

    Attributes
    ----------
    sinks : list of Sink
        The loop's.

    Raises
    ------
    ConfigError
        If settings do not go together.
    OutputError
        If a place cannot be written.
    DependencyError
        If what sends notifications is missing.
    """

    def __init__(self, config: ConfigFile, session: Session, console: Sink, note: Note, *, live: bool) -> None:
        self.sinks: list[Sink] = [console]
        self._session, self._note, self._live, self._config = session, note, live, config
        self._records: Records | LiveRecords | None = None
        self._telling: Notifications | None = None
        try:
            self._open_records(config)
            self._open_telling(config)
        except BaseException:
            self._close(self._records)
            raise

    def __enter__(self) -> Outputs:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Hand on what waits, of live sources to all places at the same time; what is printed comes to its end last."""
        console, *others = self.sinks
        try:
            if self._live:
                end_together(sink.close for sink in others)
            else:
                with ExitStack() as stack:  # one that fails keeps no other from it
                    for sink in others:
                        stack.callback(sink.close)
        finally:
            console.close()

    def begin(self, names: tuple[str, ...]) -> None:
        """Learn of sources that begin, or begin anew, before their first sound."""
        if self._records is None:
            return
        for name in names:
            watched = self._session.watched[name]
            self._records.begin(Origin.of(name, watched.section, watched.bundle, watched.policy))

    def change(self, config: ConfigFile, others: tuple[str, ...]) -> ConfigFile:
        """Take a new configuration, of which `others` changed; what cannot be opened stays as it was, which is told.

        Returns
        -------
        config : ConfigFile
            The one in force.
        """
        old = self._config
        if set(others) & set(_RECORDS) and not self._reopen(self._open_records, config, old):
            config = replace(config, records=old.records, evidence=old.evidence)
        if set(others) & {*_TELLING, *_RECORDS} and not self._reopen(self._open_telling, config, old):
            config = replace(config, notify=old.notify)
        self._config = config
        return config

    def _reopen(self, open_one: Callable[[ConfigFile], None], new: ConfigFile, old: ConfigFile) -> bool:
        try:
            open_one(new)
        except EdgeAsdError as error:
            try:
                open_one(old)
            except EdgeAsdError:
                self._note(f"{error} The monitor goes on without.")
            else:
                self._note(f"{error} What was there before is used on.")
            return False
        return True

    def _open_records(self, config: ConfigFile) -> None:
        self._close(self._records)
        self._records = None
        if config.records.folder is None:
            return
        self._records = open_records(config.records.folder, records_settings(config), self._note, live=self._live)
        self.sinks.append(self._records)
        self.begin(tuple(self._session.watched))

    def _open_telling(self, config: ConfigFile) -> None:
        self._close(self._telling)
        self._telling = None
        if not config.notify.urls and config.notify.on_alarm is None:
            return
        self._telling = Notifications(config, state_folder(config), self._session, self._note, live=self._live)
        self.sinks.append(self._telling)

    def _close(self, sink: Sink | None) -> None:
        if sink is not None:
            self.sinks.remove(sink)
            sink.close()


def records_settings(config: ConfigFile) -> RecordsSettings:
    """Return how much is kept.

    Raises
    ------
    ConfigError
        If the numbers do not go together.
    """
    evidence = config.evidence
    try:
        return RecordsSettings(
            clips=evidence.clips,
            pre_s=evidence.pre_s,
            post_s=evidence.post_s,
            longest_s=max(RecordsSettings().longest_s, evidence.pre_s + evidence.post_s),
            format=evidence.format,  # type: ignore[arg-type]  # one of its two, by the table of keys
            clips_bytes=evidence.max_bytes,
            clips_days=evidence.keep_days,
            floor_bytes=evidence.min_free_bytes,
            database_bytes=config.records.max_bytes,
            database_days=config.records.keep_days,
        )
    except ValueError as error:
        raise ConfigError(f"The configuration cannot be used: {error}.") from None


def state_folder(config: ConfigFile) -> Path:
    """Return where what must outlive the monitor lies: the records' folder, systemd's, or the user's."""
    if config.records.folder is not None:
        return config.records.folder
    if systemd := os.environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(systemd)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "edge-asd"
