"""The unit under a real systemd, in a bare Debian that systemd-nspawn boots."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.dockerfile import Image, build, copy_context
from tests.monitor.live import PACED, healthy, quick_bundle

pytestmark = pytest.mark.prove

SYSTEM = """
FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -y -q --no-install-recommends systemd systemd-sysv dbus python3-venv \\
    python3-dev gcc libc6-dev libportaudio2 ca-certificates
COPY . /src/
RUN python3 -m venv /opt/edge-asd && /opt/edge-asd/bin/pip install --no-cache-dir '/src[notify]'
"""

CONFIG = """
bundle = "fan.easd"
heartbeat = "/run/edge-asd/heartbeat"
section = "00"
[records]
folder = "/var/lib/edge-asd"
[sources.fan2]
device = "usb:0d8c:0014"
[sources.fan1]
command = "/opt/edge-asd/bin/python /opt/probe.py /opt/healthy.pcm"
"""

# What the monitor listens to tells what the unit leaves a program of it, and plays a healthy machine.
PROBE = """
import os, sys
from pathlib import Path
import cffi
with open("/var/lib/edge-asd/probe.txt", "w") as file:
    say = lambda text: print(text, file=file, flush=True)
    urls = Path(os.environ["EDGE_ASD_NOTIFY_URLS_FILE"]).read_text().split()
    say(f"uid {os.getuid()}, {len(urls)} URL, callback {cffi.FFI().callback('int(int)', abs)(-4)}")
    for place in ("/etc/x", "/opt/x", "/home/x", "/root/x", "/etc/edge-asd/edge-asd.urls"):
        try:
            open(place, "r" if place.endswith("urls") else "w")
            say(f"reached {place}")
        except OSError:
            pass
    say(f"nice {os.nice(10)}")
    say("that is all")
"""

DROP_IN = """
[Service]
WatchdogSec=10
"""

Inside = Callable[..., str]


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """A Debian with systemd, edge-asd and a configuration."""
    if os.geteuid() != 0 or not shutil.which("debootstrap") or not shutil.which("systemd-nspawn"):
        pytest.skip("needs root, debootstrap and systemd-nspawn")
    (tmp_path / "Dockerfile").write_text(SYSTEM)
    made = build(tmp_path / "Dockerfile", copy_context(tmp_path / "context"), tmp_path)
    etc = made.root / "etc/edge-asd"
    etc.mkdir()
    quick_bundle(etc / "fan.easd", threshold=20 << 16)
    (etc / "edge-asd.toml").write_text(CONFIG)
    (etc / "edge-asd.urls").write_text("ntfy://secret\n")
    (etc / "edge-asd.urls").chmod(0o600)
    (made.root / "opt/probe.py").write_text(PROBE + PACED)
    (made.root / "opt/healthy.pcm").write_bytes(healthy(3).astype("<i2").tobytes())
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
    unit, well = "edge-asd", "StatusText=fan2 no signal, fan1 healthy"
    eventually(inside, "systemctl", "is-active", unit, has="active\n")
    eventually(inside, "systemctl", "show", unit, "-p", "StatusText", has=well)
    said = eventually(inside, "cat", "/var/lib/private/edge-asd/probe.txt", has="that is all")
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

    process = inside("systemctl", "show", unit, "-p", "MainPID", "--value").strip()
    inside("sh", "-c", f"kill -STOP {process}")
    eventually(inside, "systemctl", "show", unit, "-p", "NRestarts", has="NRestarts=1")
    assert "Watchdog timeout" in inside(*log)
    eventually(inside, "systemctl", "show", unit, "-p", "StatusText", has=well)

    inside("systemctl", "stop", unit)
    stamps = inside(
        "systemctl", "show", unit, "-p", "ActiveExitTimestampMonotonic", "-p", "InactiveEnterTimestampMonotonic"
    )
    times = dict(line.split("=") for line in stamps.splitlines())
    took = int(times["InactiveEnterTimestampMonotonic"]) - int(times["ActiveExitTimestampMonotonic"])
    assert 0 < took < 1_000_000
    assert "Result=success" in inside("systemctl", "show", unit, "-p", "Result")
    # The last minute, which would have waited for its end, was kept.
    listed = inside("/opt/edge-asd/bin/edge-asd", "events", "/var/lib/private/edge-asd", "--minutes", "--json")
    counted = [minute["decisions"] for minute in json.loads(listed)["minutes"] if minute["source"] == "fan1"]
    assert counted
    assert counted[-1] > 0
    assert "Traceback" not in inside(*log)
