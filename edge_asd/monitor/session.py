"""The monitor at work: sources and their listeners, made of a configuration, and made anew when it changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from edge_asd.audio.gain import Gain
from edge_asd.bundle.bundle import Bundle
from edge_asd.bundle.policy import Policy
from edge_asd.bundle.sections import choose_section
from edge_asd.detectors.detector import BaseDetector
from edge_asd.errors import ConfigError
from edge_asd.heard.explaining import why_not
from edge_asd.monitor.alarms import Alarms
from edge_asd.monitor.config.reading import DEFAULT_DEVICE
from edge_asd.monitor.config.settings import ConfigFile, SourceConfig
from edge_asd.monitor.ending import end_together
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.listener import Listener
from edge_asd.monitor.loop import Ear
from edge_asd.monitor.merging import Ended, Item, Merged, alone
from edge_asd.monitor.promise import promise_text
from edge_asd.monitor.sources.narrow import narrow_text
from edge_asd.monitor.sources.source import Delivery, Source

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """A source with the bundle that judges it.

    Attributes
    ----------
    config : SourceConfig
    bundle : Bundle
    section : str
    policy : Policy
    source : Source
    ear : Ear
    """

    config: SourceConfig
    bundle: Bundle
    section: str
    policy: Policy
    source: Source
    ear: Ear


class Session:
    """All sources of a configuration.

    Parameters
    ----------
    config : ConfigFile
    note : callable
        Tells the user something.

    Attributes
    ----------
    watched : dict of name to Watched
    ears : dict of name to Ear
        The loop's.
    units, machines : dict of name to str
        Of the scores, and of the bundles.

    Raises
    ------
    EdgeAsdError
        If a bundle cannot be used, or a source's numbers.
    """

    def __init__(self, config: ConfigFile, note: Note) -> None:
        self._note = note
        self._merged: Merged | None = None
        self.watched: dict[str, Watched] = {}
        self.ears: dict[str, Ear] = {}
        self.units: dict[str, str] = {}
        self.machines: dict[str, str] = {}
        bundles = load_bundles(config.sources)
        for source in config.sources:
            self._put(make(source, bundles[source.bundle], self._whose(source, len(config.sources))))

    def __enter__(self) -> Session:
        """Open the sources."""
        for watched in self.watched.values():
            watched.source.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Close them, all at the same time: each may take a while."""
        end_together(partial(watched.source.__exit__, None, None, None) for watched in self.watched.values())

    def items(self, *, changing: bool) -> Iterator[tuple[str, Item | Ended]]:
        """Give what the sources bring.

        Parameters
        ----------
        changing : bool
            The sources may change (`change`), or there are several.
        """
        if not changing and len(self.watched) == 1:
            (watched,) = self.watched.values()
            return alone(watched.source)
        self._merged = Merged()
        for watched in self.watched.values():
            self._merged.add(watched.source, watched.bundle.features.sample_rate)
        return self._merged.items()

    def renewed(self, config: ConfigFile) -> list[str]:
        """Load the bundles of a configuration; name the sources whose bundle is another than the one in use.

        Raises
        ------
        EdgeAsdError
            If a bundle cannot be used.
        """
        bundles = load_bundles(config.sources)
        judged = {name: watched.bundle.digest for name, watched in self.watched.items()}
        return [one.name for one in config.sources if bundles[one.bundle].digest != judged.get(one.name)]

    def made(self, config: ConfigFile, added: tuple[SourceConfig, ...]) -> list[Watched]:
        """Make sources of a new configuration for `change`; those that go on are not touched.

        Raises
        ------
        EdgeAsdError
            If one of them cannot be made.
        """
        bundles = load_bundles(added)
        return [make(one, bundles[one.bundle], self._whose(one, len(config.sources))) for one in added]

    def change(self, removed: tuple[str, ...], added: list[Watched]) -> None:
        """End some sources and begin others; the rest go on undisturbed.

        Parameters
        ----------
        removed : tuple of str
            Names. Units and machines are kept: something may still be told of them.
        added : list of Watched
        """
        assert self._merged is not None
        for name in removed:
            self._merged.remove(name)
            self.ears.pop(name)
            self.watched.pop(name).source.__exit__(None, None, None)
        for watched in added:
            self._put(watched)
            watched.source.__enter__()
            self._merged.add(watched.source, watched.bundle.features.sample_rate)

    def _put(self, watched: Watched) -> None:
        self.watched[watched.config.name] = watched
        self.ears[watched.config.name] = watched.ear
        self.units[watched.config.name] = watched.bundle.kind.unit
        self.machines[watched.config.name] = watched.bundle.machine

    def _whose(self, source: SourceConfig, count: int) -> Note:
        return self._note if count == 1 else lambda text: self._note(f"{source.name}: {text}")


def load_bundles(sources: Iterable[SourceConfig]) -> dict[Path, Bundle]:
    """Load each bundle of some sources once, in their order."""
    return {path: Bundle.load(path) for path in dict.fromkeys(source.bundle for source in sources)}


def make(config: SourceConfig, bundle: Bundle, note: Note) -> Watched:
    """Make what listens to a source; it is not opened yet.

    Raises
    ------
    EdgeAsdError
        If the bundle lacks the section, or a number is out of range.
    """
    section = choose_section(bundle, config.section)
    note_missing_threshold(config, bundle, section, note)
    rate = bundle.features.sample_rate
    engine = make_engine(config, bundle, section)
    try:
        policy = config.policy.policy(config.interval_s, bundle.policy)
    except ValueError as error:
        raise ConfigError(f"The alarms of {config.name} cannot be used: {error}.") from None
    alarms = Alarms(policy, section, rate)
    threshold = bundle.threshold(section, config.domain)
    promise = promise_text(threshold, policy, bundle.score_seconds, config.interval_s)
    source = open_source(config, bundle, note)
    ear = Ear(
        Listener(config.name, engine, alarms),
        live=source.live,
        description=lambda: source.description,
        tell_clipping=(config.wav is None and config.folder is None) or config.gain_db > 0,
        greeting=lambda: " ".join(
            filter(
                None,
                (
                    f"Listening to {source.description} for {bundle.machine}, section {section}.",
                    f"First decision after {bundle.score_seconds:.1f} s; Ctrl-C stops.",
                    promise,
                    why_not(bundle, section),
                ),
            )
        ),
    )
    return Watched(config, bundle, section, policy, source, ear)


def note_missing_threshold(config: SourceConfig, bundle: Bundle, section: str, note: Note) -> None:
    """Tell that the section's threshold decides where the domain's was asked for."""
    if section in bundle.without_own_threshold(config.domain):
        note(f"Section {section} has no threshold of its own for the domain {config.domain}; the section's decides.")


def make_engine(config: SourceConfig, bundle: Bundle, section: str, detector: BaseDetector | None = None) -> Engine:
    """Make what judges a source's sound; see `Engine`."""
    off_level_db = config.off_level_db
    if off_level_db is None:
        off_level_db = bundle.thresholds[section].off_level_db
    return Engine(
        bundle,
        section,
        domain=config.domain,
        interval_s=config.interval_s,
        detector=detector,
        off_level_db=off_level_db,
    )


def open_source(config: SourceConfig, bundle: Bundle, note: Note) -> Source:
    """Make the source that a configuration names."""
    delivery = Delivery(
        sample_rate=bundle.features.sample_rate,
        channel=config.channel,
        gain=Gain(config.gain_db).apply if config.gain_db else None,
        note=note,
        narrow=partial(narrow_text, bundle=bundle),
    )
    if config.wav is not None or config.folder is not None:
        from edge_asd.monitor.sources.files import FileSource, FolderSource

        if config.wav is not None:
            return FileSource(config.name, delivery, config.wav)
        return FolderSource(config.name, delivery, cast(Path, config.folder))
    if config.command is not None:
        from edge_asd.monitor.sources.command import CommandSource

        return CommandSource(config.name, delivery, config.command, rate=config.rate, channels=config.channels)
    if config.stdin:
        from edge_asd.monitor.sources.raw import RawSource

        file = cast(BinaryIO, sys.stdin.buffer)
        return RawSource(config.name, delivery, file, rate=config.rate, channels=config.channels)
    from edge_asd.monitor.sources.microphone import MicrophoneSource

    device = None if config.device == DEFAULT_DEVICE else config.device
    return MicrophoneSource(config.name, delivery, device)
