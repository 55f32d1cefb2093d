"""The configuration of a monitor: what its tables hold. `reading` reads them, `schema` describes them."""

# ruff: noqa: RUF009 - `key` makes a field, which is no shared default

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

from edge_asd.bundle.policy import INTERVAL_S, MAX_DECISIONS, MAX_SECONDS, Policy
from edge_asd.clips import DOMAINS
from edge_asd.monitor.alarms import EventName
from edge_asd.monitor.config.kinds import (
    Choice,
    FilePath,
    Flag,
    Integer,
    Number,
    Several,
    Share,
    Text,
    key,
)
from edge_asd.monitor.records.settings import MIN_DATABASE_BYTES, RecordsSettings

NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$"
"""Of a source: it becomes part of file names."""

INPUTS = ("device", "wav", "folder", "command", "stdin")
"""Keys of a source of which it has exactly one."""

RAW = ("rate", "channels")
"""Keys that say how raw PCM is to be read, which only `command` and `stdin` give."""

TOLD = (EventName.alarm, EventName.escalated, EventName.cleared, EventName.signal_lost, EventName.dead)
"""Events that people are told of by default."""

MAX_SOURCES = 64

_DAY_S = 86400
_DEFAULT = Policy()
_KEPT = RecordsSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfig:
    """What is changed of the policy that the bundle carries, or of the default policy where it carries none.

    None leaves a value as it is. `edge_asd.bundle.policy.Policy` says what each one means.
    """

    alarm_after: tuple[int, int] | None = key(
        Share(MAX_DECISIONS),
        "Raise an alarm after so many of the last so many decisions were over the threshold; by default after three "
        "quarters of a minute's",
        None,
    )
    release_percent: int | None = key(
        Integer(0, 100),
        "A decision speaks for the alarm's end where its score is at least so many percent below the threshold; "
        f"by default {_DEFAULT.release_percent}",
        None,
    )
    minimum_s: float | None = key(
        Number(0, MAX_SECONDS, "s"),
        "How long decisions have to have been over the threshold before there is an alarm; "
        f"by default {_DEFAULT.minimum_s:g}",
        None,
    )
    cooldown_s: float | None = key(
        Number(0, MAX_SECONDS, "s"),
        f"No new alarm for so long after one has ended; by default {_DEFAULT.cooldown_s:g}",
        None,
    )
    escalation_s: float | None = key(
        Number(0, MAX_SECONDS, "s"),
        "An alarm that lasts so long is told once more, as escalated; 0 for never, "
        f"by default {_DEFAULT.escalation_s:g}",
        None,
    )

    def over(self, other: PolicyConfig) -> PolicyConfig:
        """Return `other` with what is given here in its place."""
        given = {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}
        return replace(other, **given)

    def policy(self, interval_s: float = INTERVAL_S, carried: Policy | None = None) -> Policy:
        """Return the policy that is meant.

        Parameters
        ----------
        interval_s : float > 0 [s]
            Time between two decisions, for which the default policy is made.
        carried : Policy, optional
            The one that the bundle carries.
        """
        policy = carried or Policy.for_interval(interval_s)
        if self.alarm_after is not None:
            policy = replace(policy, needed=self.alarm_after[0], of=self.alarm_after[1])
        given = {
            one.name: value
            for one in fields(self)
            if one.name != "alarm_after" and (value := getattr(self, one.name)) is not None
        }
        return replace(policy, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One source of sound, and how it is judged.

    Attributes
    ----------
    name : str
        What reports call it.
    policy : PolicyConfig
        The file's [policy] under the source's own.

    The others are keys; exactly one of `INPUTS` is given.
    """

    name: str
    bundle: Path = key(
        FilePath(), "Bundle made by edge-asd quantize or calibrate", shared=True, variable="EDGE_ASD_BUNDLE"
    )
    device: str | None = key(
        Text("text, as edge-asd devices prints it; never a number"),
        "Microphone: usb:VENDOR:PRODUCT and the like, its name or a part of it (see edge-asd devices)",
        None,
        variable="EDGE_ASD_DEVICE",
    )
    wav: Path | None = key(FilePath(), "Sound file to listen to instead", None)
    folder: Path | None = key(FilePath(), "Folder of sound files to listen to instead", None)
    command: str | None = key(
        Text("a command, in one line"),
        "Program to listen to instead, with its arguments: it writes raw little-endian int16 to its standard output",
        None,
    )
    stdin: bool = key(
        Flag(only=True),
        "Listen to raw little-endian int16 on the standard input instead; at most one source can",
        False,
    )
    section: str | None = key(
        Text('a section, such as "00"', r"^[0-9]{1,2}$"),
        "Section whose threshold decides; may be left out where the bundle has only one",
        None,
        shared=True,
        variable="EDGE_ASD_SECTION",
    )
    domain: str | None = key(
        Choice(DOMAINS), "Decide by this domain's own threshold, where the section has one", None, shared=True
    )
    channel: int = key(Integer(0, 255), "Channel to listen to, from 0", 0, shared=True)
    rate: int = key(
        Integer(1000, 384000, "Hz"), "Sample rate of the raw PCM of a command or the standard input", 16000, shared=True
    )
    channels: int = key(Integer(1, 256), "Interleaved channels of that raw PCM", 1, shared=True)
    gain_db: float = key(Number(-60, 60, "dB"), "Gain put on the samples before anything else", 0.0, shared=True)
    interval_s: float = key(Number(0.032, 3600, "s"), "Time between two decisions", INTERVAL_S, shared=True)
    off_level_db: float | None = key(
        Number(-120, 0, "dB re full scale"),
        "The machine is off where it is quieter than this, and is not judged; by default what the bundle says",
        None,
        shared=True,
    )
    policy: PolicyConfig = PolicyConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsConfig:
    """What is kept of what happened, and for how long."""

    folder: Path | None = key(
        FilePath(),
        "Folder for events, scores and sound of alarms; nothing is kept without one",
        None,
        variable="EDGE_ASD_RECORDS",
    )
    keep_days: int = key(Integer(1, 36500, "days"), "Older events and scores are deleted", round(_KEPT.database_days))
    max_bytes: int = key(
        Integer(MIN_DATABASE_BYTES, 10**12, "bytes"),
        "The database of events and scores is never larger; the oldest are deleted first",
        _KEPT.database_bytes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """The sound that is kept of each alarm, in the folder of the records."""

    clips: bool = key(Flag(), "Keep it", _KEPT.clips)
    pre_s: float = key(Number(0, 600, "s"), "Sound kept from before the alarm", _KEPT.pre_s)
    post_s: float = key(Number(0, 600, "s"), "Sound kept from after it", _KEPT.post_s)
    format: str = key(Choice(("flac", "wav")), "Format of the sound files", _KEPT.format)
    keep_days: int = key(Integer(1, 36500, "days"), "Older clips are deleted", round(_KEPT.clips_days))
    max_bytes: int = key(
        Integer(1, 10**15, "bytes"),
        "All clips together never hold more; the oldest are deleted first",
        _KEPT.clips_bytes,
    )
    min_free_bytes: int = key(
        Integer(0, 10**15, "bytes"),
        "So much of the disk is left free, or a twentieth of it where that is less; no clip is written below that",
        _KEPT.floor_bytes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyConfig:
    """Who is told, and how often."""

    urls: tuple[str, ...] = key(
        Several(Text("an Apprise URL"), 16),
        "Apprise URLs of those who are told. They are secrets: better in urls_file or the environment, where white "
        "space is between them",
        (),
        variable="EDGE_ASD_NOTIFY_URLS",
        secret=True,
    )
    urls_file: Path | None = key(
        FilePath(),
        "File of further such URLs, one a line; lines that begin with # are comments",
        None,
        variable="EDGE_ASD_NOTIFY_URLS_FILE",
    )
    events: tuple[str, ...] = key(
        Several(Choice(tuple(map(str, EventName))), len(EventName)), "Events that are told", tuple(map(str, TOLD))
    )
    on_alarm: str | None = key(
        Text("a command, in one line"), "Command that the shell runs when there is an alarm", None
    )
    max_per_source: int = key(
        Integer(1, 1000), "Messages about one source in any period_s; those beyond are summed up in one", 10
    )
    period_s: float = key(Number(1, _DAY_S, "s"), "The time in which they are counted", 600.0)


TABLES: dict[str, type] = {
    "policy": PolicyConfig,
    "records": RecordsConfig,
    "evidence": EvidenceConfig,
    "notify": NotifyConfig,
}
"""The tables of a file, by name, but for those of the sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A whole configuration.

    Attributes
    ----------
    path : Path or None
        Where it was read from; None where it came from the environment and flags alone.
    sources : tuple of SourceConfig
        At least one.
    """

    path: Path | None
    sources: tuple[SourceConfig, ...]
    heartbeat: Path | None = key(
        FilePath(),
        "File that the monitor's loop renews while it goes on, for edge-asd service health; best in /run or /tmp",
        None,
        variable="EDGE_ASD_HEARTBEAT",
    )
    records: RecordsConfig = RecordsConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    notify: NotifyConfig = NotifyConfig()
