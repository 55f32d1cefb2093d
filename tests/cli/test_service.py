"""The monitor as a service: its unit, what is in its way, and its health."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_asd.monitor.config.reading import load_config
from edge_asd.monitor.config.schema import schema_text
from edge_asd.monitor.service import plan
from edge_asd.monitor.service.heartbeat import Heartbeat
from tests.cli.command import Command, assert_error

MAX_EXPOSURE = 2.0
"""Of 10, as systemd-analyze security counts; ours was 1.7 with systemd 252."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a service sees, as it does not see /tmp."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def config(folder: Path, bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that can be installed for the user who runs the tests, wherever the checkout lies."""
    monkeypatch.setattr(plan, "this_installation", lambda: ())
    shutil.copy(bundle_path, folder / "fan.easd")
    path = folder / "fan.toml"
    path.write_text(
        'bundle = "fan.easd"\nheartbeat = "/run/edge-asd-fan/heartbeat"\n[records]\nfolder = "/var/lib/edge-asd-fan"\n'
        '[sources.fan1]\ndevice = "usb:0d8c:0014"\nsection = "00"\n[sources.fan2]\nwav = "fan.wav"\nsection = "01"\n'
    )
    (folder / "fan.wav").touch()
    return path


ME = ("--user", getpass.getuser())


def install(command: Command, config: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return command("service", "install", "--config", config, "--out", config.parent / "units", *more)


def test_install_show_and_uninstall(command: Command, config: Path) -> None:
    unit = config.parent / "units/edge-asd-fan.service"
    dry = install(command, config, *ME, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert not unit.parent.exists()
    done = install(command, config, *ME)
    assert (done.returncode, done.stdout) == (0, "")
    assert "systemctl enable --now edge-asd-fan" in done.stderr
    text = unit.read_text()
    assert command("service", "show", "--config", config, *ME).stdout == text
    words = re.findall(r"^ExecStart=(/\S+) (?:-m edge_asd )?monitor --config (\S+)$", text, re.MULTILINE)
    assert len(words) == 1
    assert os.access(words[0][0], os.X_OK)
    assert words[0][1] == str(config)
    for line in ("Type=notify", "NotifyAccess=main", "WatchdogSec=30", "DeviceAllow=char-alsa rw", "MemoryMax=320M"):
        assert f"\n{line}\n" in text
    assert install(command, config, *ME).returncode == 0  # over our own
    gone = command("service", "uninstall", "--config", config, "--out", unit.parent)
    assert gone.returncode == 0
    assert not unit.exists()
    assert_error(command("service", "uninstall", "--config", config, "--out", unit.parent), "There is no")


def test_an_installation_that_the_service_cannot_see_is_told(config: Path) -> None:
    read = load_config(config)
    hidden = Path("/tmp/edge-asd-venv/bin/edge-asd")  # PrivateTmp gives a service another /tmp
    (told,) = plan.obstacles(read, plan.planned(read, user=ME[1]), (hidden, hidden.parent))
    assert told.startswith(f"edge-asd itself: {hidden}")
    assert "/opt" in told


def test_anothers_unit_is_left_alone(command: Command, config: Path) -> None:
    unit = config.parent / "units/edge-asd-fan.service"
    unit.parent.mkdir()
    unit.write_text("[Service]\n")
    assert_error(install(command, config, *ME), "not written by edge-asd")
    assert_error(command("service", "uninstall", "--config", config, "--out", unit.parent), "stays")
    assert unit.read_text() == "[Service]\n"


def test_what_is_in_the_way_is_told_and_nothing_written(command: Command, config: Path, tmp_path: Path) -> None:
    good = config.read_text()

    def refused(text: str, *words: str, user: tuple[str, ...] = ME) -> None:
        config.write_text(text)
        assert_error(install(command, config, *user), *words)
        assert not (config.parent / "units").exists()

    refused(good.replace("device", "devise"), '"devise" is no known key; did you mean "device"?')
    refused(good.replace('"fan.easd"', '"none.easd"'), "none.easd")
    refused(good.replace('"01"', '"07"'), "07")
    refused(good.replace("fan.wav", "none.wav"), "none.wav", "No such file")
    refused(good.replace("wav = ", "command = "), "there is no program fan.wav")
    refused(good.replace('wav = "fan.wav"', "stdin = true"), "no standard input")
    shutil.copy(config.parent / "fan.easd", tmp_path)
    refused(good.replace('"fan.easd"', f'"{tmp_path}/fan.easd"'), str(tmp_path), "hidden from the service")
    refused(good, "no user nobody-at-all", user=("--user", "nobody-at-all"))
    (config.parent / "fan.easd").chmod(0o600)
    words = ("fan.easd cannot be read by the service's user (mode 0600)", f"chmod o+r {config.parent}/fan.easd")
    refused(good, *words, user=())
    config.parent.chmod(0o700)
    refused(good, f"{config.parent} cannot be used", f"chmod o+x {config.parent}", user=())
    config.parent.chmod(0o755)
    refused(
        good.replace("/var/lib/edge-asd-fan", "/var/lib/others").replace("/run/edge-asd-fan", "/run"),
        "records.folder is /var/lib/others, where the service cannot write. Choose a place in /var/lib/edge-asd-fan",
        "heartbeat is /run/heartbeat",
        user=(),
    )


def test_words_that_systemd_would_read_otherwise(command: Command, config: Path) -> None:
    odd = config.rename(config.with_name('50% "of" $HOME\\x.toml'))
    text = command("service", "show", "--config", odd, *ME).stdout
    assert f'--config "{config.parent}/50%% \\"of\\" $$HOME\\\\x.toml"\n' in text
    assert "Description=edge-asd: hear that a machine is failing (edge-asd-50-of-HOME-x)\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze, which is not here")
@pytest.mark.parametrize("more", [(), ME, ("--secrets", "fan urls")], ids=["dynamic", "user", "secrets"])
def test_systemd_takes_the_unit_and_finds_little_exposed(
    command: Command, config: Path, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    Path("fan urls").write_text("ntfy://topic\n")
    unit = config.parent / "edge-asd-fan.service"
    unit.write_text(command("service", "show", "--config", config, *more).stdout)
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True
    )
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)
    assert exposure is not None, judged.stdout + judged.stderr
    assert float(exposure[1]) <= MAX_EXPOSURE


def test_check_and_schema(command: Command, config: Path) -> None:
    done = command("service", "check", "--config", config)
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    bundle = str(config.parent / "fan.easd")
    assert rows == [
        ["fan1", "device", "usb:0d8c:0014", bundle, "00"],
        ["fan2", "wav", str(config.parent / "fan.wav"), bundle, "01"],
    ]
    assert command("service", "schema").stdout == schema_text()
    config.write_text("[")
    assert_error(command("service", "check", "--config", config), "is not TOML")


def test_health(command: Command, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config.parent / "heartbeat"
    missing = command("service", "health", "--heartbeat", path)
    assert missing.returncode == 1
    assert "No heartbeat" in missing.stdout
    beat = Heartbeat(path)
    beat.beat("fan1 no signal")
    well = command("service", "health", "--heartbeat", path)
    assert well.returncode == 0
    assert well.stdout.startswith("Healthy: ")
    assert well.stdout.endswith("the monitor said: fan1 no signal\n")
    monkeypatch.setenv("EDGE_ASD_HEARTBEAT", str(path))
    assert '"healthy": true' in command("service", "health", "--json").stdout
    # A minute older.
    at, _, rest = path.read_text().partition(" ")
    if int(at) < 60 * 10**9:
        pytest.skip("the computer started less than a minute ago")
    path.write_text(f"{int(at) - 60 * 10**9} {rest}")
    ill = command("service", "health")
    assert ill.returncode == 1
    assert ill.stdout.startswith("Not healthy: 6")
    assert command("service", "health", "--max-age", "3600").returncode == 0
    monkeypatch.delenv("EDGE_ASD_HEARTBEAT")
    config.write_text(config.read_text().replace('heartbeat = "/run/edge-asd-fan/heartbeat"\n', ""))
    assert_error(command("service", "health", "--config", config), "names no heartbeat")
