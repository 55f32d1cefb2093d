"""The unit under a real systemd, in a bare Debian that systemd-nspawn boots."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.dockerfile import Image, build, copy_context

pytestmark = pytest.mark.prove

SYSTEM = """
FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -y -q --no-install-recommends systemd systemd-sysv dbus python3-venv \\
    python3-dev gcc libc6-dev libportaudio2 ca-certificates
COPY . /src/
RUN python3 -m venv /opt/edge-asd && /opt/edge-asd/bin/pip install --no-cache-dir /src
"""

CONFIG = """
bundle = "fan.easd"
heartbeat = "/run/edge-asd/heartbeat"
[records]
folder = "/var/lib/edge-asd"
[sources.fan1]
device = "usb:0d8c:0014"
section = "00"
"""

# What a monitor does with the system that the unit leaves it, without a sound card, and with a way to hang.
LIVE = """
import os, sqlite3, subprocess, sys, time
from pathlib import Path
import cffi, numpy as np, sounddevice
from edge_asd.bundle.bundle import Bundle
from edge_asd.monitor.config.reading import load_config
from edge_asd.monitor.engine import Engine
from edge_asd.monitor.service.heartbeat import Heartbeat
from edge_asd.monitor.config.reload import Reload
from edge_asd.monitor.service.signals import Signals
from edge_asd.monitor.service.systemd import Notifier, Watchdog

path, notifier = Path(sys.argv[1]), Notifier()
say = lambda text: print(text, flush=True)
with Signals() as signals:
    config = load_config(path)
    (fan,) = config.sources
    engine = Engine(Bundle.load(fan.bundle), fan.section)
    watchdog = Watchdog(notifier, Heartbeat(config.heartbeat))
    reload = Reload(config, lambda: load_config(path), say)
    say(f"uid {os.getuid()}, {len(config.notify.urls)} URL, callback {cffi.FFI().callback('int(int)', abs)(-4)}")
    database = sqlite3.connect(config.records.folder / "events.sqlite")
    database.execute("pragma journal_mode=wal")
    database.execute("create table if not exists events (text)")
    for place in ("/etc/x", "/opt/x", "/home/x", "/root/x", "/etc/edge-asd/edge-asd.urls"):
        try:
            open(place, "r" if place.endswith("urls") else "w")
            say(f"reached {place}")
        except OSError:
            pass
    lower = "import os; print('nice', os.nice(10))"
    say(subprocess.run([sys.executable, "-c", lower], capture_output=True, text=True).stdout.strip())
    notifier.ready("listening")
    turn = 0
    while not signals.ending:
        if signals.take_reload():
            notifier.reloading()
            reload.again()
            notifier.ready()
        if (config.records.folder / "hang").exists():
            (config.records.folder / "hang").unlink()
            say("hanging")
            time.sleep(1000)
        engine.push(np.random.default_rng(turn).integers(-500, 500, 4000).astype(np.int16))
        turn += 1
        time.sleep(0.1)
        watchdog.kick("fan1 healthy")
    notifier.stopping()
    say(f"ended after {turn} turns")
"""

DROP_IN = """
[Service]
ExecStart=
ExecStart=/opt/edge-asd/bin/python /opt/live.py /etc/edge-asd/edge-asd.toml
WatchdogSec=10
"""

Inside = Callable[..., str]


@pytest.fixture
def image(tmp_path: Path, bundle_path: Path) -> Image:
    """A Debian with systemd, edge-asd and a configuration."""
    if os.geteuid() != 0 or not shutil.which("debootstrap") or not shutil.which("systemd-nspawn"):
        pytest.skip("needs root, debootstrap and systemd-nspawn")
    (tmp_path / "Dockerfile").write_text(SYSTEM)
    made = build(tmp_path / "Dockerfile", copy_context(tmp_path / "context"), tmp_path)
    etc = made.root / "etc/edge-asd"
    etc.mkdir()
    shutil.copy(bundle_path, etc / "fan.easd")
    (etc / "edge-asd.toml").write_text(CONFIG)
    (etc / "edge-asd.urls").write_text("ntfy://secret\n")
    (etc / "edge-asd.urls").chmod(0o600)
    (made.root / "opt/live.py").write_text(LIVE)
    return made


@pytest.fixture
def inside(image: Image) -> Iterator[Inside]:
    """Boot it; run programs in it."""
    secrets = ["--secrets", "/etc/edge-asd/edge-asd.urls"]
    done, out = image.run(["/opt/edge-asd/bin/edge-asd", "service", "install", *secrets])
    assert done == 0, out
    units = image.root / "etc/systemd/system"
    (units / "edge-asd.service.d").mkdir()
    (units / "edge-asd.service.d/test.conf").write_text(DROP_IN)
    wanted = units / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "edge-asd.service").symlink_to("/etc/systemd/system/edge-asd.service")
    command = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", f"--directory={image.root}", "--boot"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as nspawn:
        try:
            enter = ["nsenter", "-t", str(_first_process(nspawn)), "-m", "-u", "-i", "-p", "-n", "--"]

            def run(*words: str) -> str:
                done = subprocess.run([*enter, *words], capture_output=True, text=True, timeout=120)
                return done.stdout + done.stderr

            yield run
        finally:
            nspawn.terminate()  # it powers the system off
            try:
                nspawn.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                nspawn.kill()


def _first_process(nspawn: subprocess.Popen[bytes]) -> int:
    """Find the process that is number 1 in there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            except OSError:
                continue
            # In this namespace it is a child of nspawn's, and in its own the first.
            if fields["NSpid"].split()[1:] == ["1"] and int(fields["PPid"]) == nspawn.pid:
                return int(fields["Pid"])
        time.sleep(0.1)
    raise AssertionError("nothing was booted")


def eventually(inside: Inside, *words: str, has: str) -> str:
    until = time.monotonic() + 120
    while has not in (out := inside(*words)):
        assert time.monotonic() < until, out
        time.sleep(0.2)
    return out


def test_a_service_lives_reloads_hangs_and_ends(image: Image, inside: Inside) -> None:
    unit = "edge-asd"
    eventually(inside, "systemctl", "is-active", unit, has="active\n")
    eventually(inside, "systemctl", "show", unit, "-p", "StatusText", has="StatusText=fan1 healthy")
    said = inside("journalctl", "-u", unit, "-o", "cat", "--no-pager")
    (line,) = (line for line in said.splitlines() if line.startswith("uid "))
    uid, rest = line.removeprefix("uid ").split(", ", 1)
    assert 61184 <= int(uid) <= 65519  # of those that systemd makes
    assert rest == "1 URL, callback 4"
    assert "reached" not in said
    assert "nice 10" in said.splitlines()
    assert inside("/opt/edge-asd/bin/edge-asd", "service", "health").startswith("Healthy: ")
    assert "OK" in inside("systemd-analyze", "security", "--no-pager", unit)

    config = image.root / "etc/edge-asd/edge-asd.toml"
    config.write_text(CONFIG.replace("section", "secton"))
    inside("systemctl", "reload", unit)
    log = ("journalctl", "-u", unit, "-o", "cat", "--no-pager")
    eventually(inside, *log, has='"secton" is no known key; did you mean "section"?')
    config.write_text(CONFIG + "interval_s = 2\n")
    inside("systemctl", "reload", unit)
    eventually(inside, *log, has="fan1 begins anew")
    assert "NRestarts=0" in inside("systemctl", "show", unit, "-p", "NRestarts")

    inside("touch", "/var/lib/private/edge-asd/hang")
    eventually(inside, "systemctl", "show", unit, "-p", "NRestarts", has="NRestarts=1")
    assert "Watchdog timeout" in inside(*log)
    eventually(inside, "systemctl", "show", unit, "-p", "StatusText", has="StatusText=fan1 healthy")

    inside("systemctl", "stop", unit)
    stamps = inside(
        "systemctl", "show", unit, "-p", "ActiveExitTimestampMonotonic", "-p", "InactiveEnterTimestampMonotonic"
    )
    times = dict(line.split("=") for line in stamps.splitlines())
    took = int(times["InactiveEnterTimestampMonotonic"]) - int(times["ActiveExitTimestampMonotonic"])
    assert 0 < took < 1_000_000
    assert "ended after" in inside(*log)
    assert "Result=success" in inside("systemctl", "show", unit, "-p", "Result")
