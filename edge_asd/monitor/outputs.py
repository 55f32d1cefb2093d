"""Where a monitor's reports go, by its configuration."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from edge_asd.monitor.config import ConfigFile
from edge_asd.monitor.reports import Sink
from edge_asd.monitor.session import Session

Note = Callable[[str], None]


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

    Attributes
    ----------
    sinks : list of Sink
        The loop's.
    """

    def __init__(self, config: ConfigFile, session: Session, console: Sink, note: Note) -> None:
        self.sinks: list[Sink] = [console]
        self._session, self._note = session, note

    def __enter__(self) -> Outputs:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Hand on what waits."""
        for sink in reversed(self.sinks):
            sink.close()

    def change(self, config: ConfigFile, others: tuple[str, ...]) -> None:
        """Take a new configuration, of which `others` changed."""
