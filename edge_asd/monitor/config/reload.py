"""Reading the configuration again while the monitor runs: a bad one leaves the old one in force."""

from __future__ import annotations

from collections.abc import Callable, Collection
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


def changes(old: ConfigFile, new: ConfigFile, renewed: Collection[str] = ()) -> Changes:
    """Compare two configurations: a source whose table did not change goes on undisturbed, unless it is `renewed`."""
    before = {source.name: source for source in old.sources if source.name not in renewed}
    after = {source.name: source for source in new.sources}
    return Changes(
        new,
        tuple(source.name for source in old.sources if after.get(source.name) != before.get(source.name)),
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
        Reads it again; raises EdgeAsdError where it is bad.
    note : callable
        Tells the user something.
    renewed : callable
        Checks what it needs, such as the bundles, likewise; returns the names of sources that have to begin anew
        although their tables are as before.
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
        renewed: Callable[[ConfigFile], Collection[str]] = lambda _: (),
        prepare: Callable[[Changes], None] = lambda _: None,
    ) -> None:
        self.config = config
        self._read, self._note, self._renewed, self._prepare = read, note, renewed, prepare

    def again(self) -> Changes | None:
        """Read it again; return what changed, or None where nothing did or the new one is bad, which is said."""
        try:
            new = self._read()
            found = changes(self.config, new, self._renewed(new))
            self._prepare(found)
        except (EdgeAsdError, OSError) as error:
            self._note(f"The configuration was read again and is refused; the one from before stays in force. {error}")
            return None
        self.config = found.config
        self._note(f"The configuration was read again: {found}.")
        return found or None
