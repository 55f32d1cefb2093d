"""The systemd unit of a monitor: what it may do, which is little, and how systemd watches it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

MARK = "# Written by edge-asd service install"
"""How a unit of ours begins."""

UNITS = Path("/etc/systemd/system")
"""Where systemd looks for units of this computer's own."""

GROUP = "audio"
"""Whose members may use sound cards."""

WATCHDOG_S = 30
_MEMORY_MB = 256  # of a monitor with one source, with what it needs to start
_SOURCE_MB = 64  # for each further one, and the program that it may listen to


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What one unit says.

    Attributes
    ----------
    name : str
        Of the unit without its ending, and of its folders below /var/lib and /run.
    command : tuple of str
        The program, by its absolute path, and its arguments.
    sources : int >= 1
        How many the configuration has; they set the memory's bound.
    devices : bool
        Sound cards are needed.
    user : str, optional
        Runs as this user instead of one that systemd makes for it.
    home_visible : bool
        Something that is needed lies below /home or /root, which are hidden otherwise.
    writable : Path, optional
        Folder outside of /var/lib/NAME that is written, too.
    secrets : Path, optional
        File of notification URLs that root alone needs to read: systemd hands it on.
    """

    name: str
    command: tuple[str, ...]
    sources: int = 1
    devices: bool = True
    user: str | None = None
    home_visible: bool = False
    writable: Path | None = None
    secrets: Path | None = None

    @property
    def file(self) -> str:
        """The unit's file name."""
        return f"{self.name}.service"

    @property
    def state(self) -> Path:
        """The folder that it can write and that is kept."""
        return Path("/var/lib") / self.name

    @property
    def runtime(self) -> Path:
        """The folder that it can write and that goes when it ends."""
        return Path("/run") / self.name

    @property
    def hidden(self) -> tuple[Path, ...]:
        """Folders of which it sees nothing."""
        homes = () if self.home_visible else ("/home", "/root", "/run/user")
        return tuple(map(Path, ("/tmp", "/var/tmp", *homes)))

    def text(self) -> str:
        """Return the unit's file."""
        start = " ".join(quoted(word, command=True) for word in self.command)
        who = (
            "# A user of its own, which systemd makes and unmakes.\nDynamicUser=yes"
            if self.user is None
            else f"User={self.user}"
        )
        if self.devices:
            devices = (
                f"# PrivateDevices would hide /dev/snd.\nSupplementaryGroups={GROUP}\n"
                "DevicePolicy=closed\nDeviceAllow=char-alsa rw"
            )
        else:
            devices = "PrivateDevices=yes"
        writable = "" if self.writable is None else f"ReadWritePaths={quoted(str(self.writable))}\n"
        # Not quoted: a credential's path is the rest of its line.
        secrets = Path(f"/etc/edge-asd/{self.name}.urls") if self.secrets is None else self.secrets
        off = "#" if self.secrets is None else ""
        return _TEXT.format(
            mark=MARK,
            name=self.name,
            start=start,
            who=who,
            devices=devices,
            writable=writable,
            home="read-only" if self.home_visible else "yes",
            watchdog=WATCHDOG_S,
            memory=_MEMORY_MB + _SOURCE_MB * (self.sources - 1),
            off=off,
            secrets=str(secrets).replace("%", "%%"),
        )


def unit_name(config: Path) -> str:
    """Return the name of the unit for a configuration file: edge-asd for edge-asd.toml, edge-asd-NAME for NAME.toml."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", config.stem).strip("-.") or "edge-asd"
    return name if name.startswith("edge-asd") else f"edge-asd-{name}"


def quoted(word: str, *, command: bool = False) -> str:
    """Write a word so that systemd reads it as it is; a command's words are also kept from being variables."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if command:
        text = text.replace("$", "$$")
    return text if re.fullmatch(r"[A-Za-z0-9/._@+=:,-]+", text) else f'"{text}"'


_TEXT = """\
{mark}; it is written anew by the next one.
# Put changes of your own into: systemctl edit {name}

[Unit]
Description=edge-asd: hear that a machine is failing ({name})
Documentation=man:systemd.service(5)
Wants=sound.target
After=sound.target network.target
# Never give up: a monitor that stays down hears nothing.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={start}
# The shell's own kill: small systems lack the program.
ExecReload=/bin/sh -c "kill -HUP ${{MAINPID}}"
Restart=always
RestartSec=5
# The loop itself kicks the watchdog: a monitor that hangs is started anew.
WatchdogSec={watchdog}
TimeoutStartSec=120
TimeoutStopSec=10
MemoryMax={memory}M
TasksMax=256
SyslogIdentifier={name}
Environment=PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# Notification URLs are secrets. Put them, one a line, into a file of root's (chmod 600), which systemd hands on:
{off}LoadCredential=notify-urls:{secrets}
{off}Environment=EDGE_ASD_NOTIFY_URLS_FILE=%d/notify-urls

{who}
StateDirectory={name}
RuntimeDirectory={name}
WorkingDirectory=/var/lib/{name}
UMask=0077
{devices}
{writable}
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateMounts=yes
RemoveIPC=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictRealtime=yes
# The journal, sound servers and systemd; notifications and network streams.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# Programs that it starts may stand back behind the sound.
SystemCallFilter=setpriority
SystemCallErrorNumber=EPERM
LockPersonality=yes
KeyringMode=private
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
# MemoryDenyWriteExecute is not among these: PortAudio's callback is made by libffi in memory of that kind. Nor is
# ProcSubset=pid: microphones are told apart by what /proc/asound says.

[Install]
WantedBy=multi-user.target
"""
