"""Reading the configuration again while the monitor runs: a bad one leaves the old one in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge_asd.errors import EdgeAsdError
from edge_asd.monitor.config.settings import ConfigFile, SourceConfig


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different in a new configuration.

    Attributes
    ----------
    config : ConfigFile
        The new one.
    removed : tuple of str
        Names of sources to end: those that are gone, and those that are to begin anew.
    added : tuple of SourceConfig
        Sources to begin: new ones, and those of which anything changed.
    others : tuple of str
        What else changed, of "heartbeat", "records", "evidence" and "notify".
    """

    config: ConfigFile
    removed: tuple[str, ...]
    added: tuple[SourceConfig, ...]
    others: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.removed or self.added or self.others)

    def __str__(self) -> str:
        """Say what changed, for people."""
        new = {source.name for source in self.added}
        parts = [
            ("begins anew", [name for name in self.removed if name in new]),
            ("ends", [name for name in self.removed if name not in new]),
            ("begins", [source.name for source in self.added if source.name not in self.removed]),
            ("changed", list(self.others)),
        ]
        return "; ".join(f"{', '.join(names)} {verb}" for verb, names in parts if names) or "nothing changed"


def changes(old: ConfigFile, new: ConfigFile) -> Changes:
    """Compare two configurations: a source whose table did not change goes on undisturbed."""
    before = {source.name: source for source in old.sources}
    after = {source.name: source for source in new.sources}
    return Changes(
        new,
        tuple(name for name, source in before.items() if after.get(name) != source),
        tuple(source for name, source in after.items() if before.get(name) != source),
        tuple(n for n in ("heartbeat", "records", "evidence", "notify") if getattr(old, n) != getattr(new, n)),
    )


class Reload:
    """The configuration in force, and how it is read again.

    Parameters
    ----------
    config : ConfigFile
        The first one.
    read : callable
        Reads it again and checks what it needs, such as the bundles; raises EdgeAsdError where it is bad.
    note : callable
        Tells the user something.
    prepare : callable, optional
        Makes what changed; raises EdgeAsdError where the new configuration cannot be followed.

    Attributes
    ----------
    config : ConfigFile
        The one in force.
    """

    def __init__(
        self,
        config: ConfigFile,
        read: Callable[[], ConfigFile],
        note: Callable[[str], None],
        prepare: Callable[[Changes], None] = lambda _: None,
    ) -> None:
        self.config = config
        self._read, self._note, self._prepare = read, note, prepare

    def again(self) -> Changes | None:
        """Read it again; return what changed, or None where nothing did or the new one is bad, which is said."""
        try:
            found = changes(self.config, self._read())
            self._prepare(found)
        except (EdgeAsdError, OSError) as error:
            self._note(f"The configuration was read again and is refused; the one from before stays in force. {error}")
            return None
        self.config = found.config
        self._note(f"The configuration was read again: {found}.")
        return found or None
