"""A microphone without hardware: a private PulseAudio whose null sink PortAudio records.

Everything lives in one temporary folder (sockets, state, ALSA configuration), so that no
sound server, configuration or cookie of the user's is touched or needed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_START_SECONDS = 60.0
_ALSA_PLUGIN = "libasound_module_pcm_pulse.so"

# ALSA's own devices (real cards of this machine) are left out on purpose: only the null sink exists.
_ALSA_CONFIG = """
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


class PulseMicrophone:
    """A running sound server with a null sink; what is played into it is heard by the microphone.

    Attributes
    ----------
    env : dict of str
        Environment for programs that should hear this microphone and no other.
    """

    SINK = "factory"

    def __init__(self, folder: Path, *, rate: int = 16000, channels: int = 1) -> None:
        self.folder = folder
        self._rate = rate
        self._format = f"rate={rate} channels={channels} format=s16le"
        self._log = folder / "pulseaudio.log"
        self._clients: list[subprocess.Popen[bytes]] = []
        self._server: subprocess.Popen[bytes] | None = None
        for name in ("home", "run", "pulse", "state"):
            (folder / name).mkdir(mode=0o700)
        (folder / "asound.conf").write_text(_ALSA_CONFIG, encoding="utf-8")
        # No daemon is spawned by a client, no shared memory and no configuration of the system's is used.
        (folder / "client.conf").write_text("autospawn = no\nenable-shm = no\n", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULSE_", "ALSA_", "DBUS_"))}
        self.env = {
            **kept,
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "XDG_CONFIG_HOME": str(folder / "home"),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_STATE_PATH": str(folder / "state"),
            "PULSE_CLIENTCONFIG": str(folder / "client.conf"),
            "PULSE_COOKIE": str(folder / "home" / "cookie"),
            "PULSE_SERVER": f"unix:{folder / 'pulse' / 'native'}",
            "PULSE_SOURCE": f"{self.SINK}.monitor",
            "PULSE_SINK": self.SINK,
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        }

    def show_as(self, *names: str) -> None:
        """Let PortAudio list the microphone under these names, too, such as those of ALSA's cards."""
        config = _ALSA_CONFIG
        for name in names:
            # ALSA takes what is behind the colon for arguments when it opens what it has listed whole.
            opened = name.partition(":")[0]
            config += f'pcm."{name}" {{ type pulse }}\npcm."{opened}" {{ @args [ a b ] type pulse\n'
            config += '@args.a { type string default "" } @args.b { type string default "" } }\n'
        (self.folder / "asound.conf").write_text(config, encoding="utf-8")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--use-pid-file=no",
            "--exit-idle-time=-1",
            "--disable-shm=yes",
            "--realtime=no",
            "--high-priority=no",
            "--log-target=stderr",
            f"--load=module-native-protocol-unix socket={self.folder / 'pulse' / 'native'}",
            f"--load=module-null-sink sink_name={self.SINK} {self._format}",
        ]
        if shutil.which("setpriv"):  # The server ends with the tests, even where those are killed.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                command, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                break
            asked = subprocess.run(
                ["pactl", "list", "short", "sources"],
                env=self.env,
                capture_output=True,
                text=True,
                timeout=_START_SECONDS,
                check=False,
            )
            if f"{self.SINK}.monitor" in asked.stdout:
                self._keep_awake()
                return
            time.sleep(0.05)
        self.stop()
        pytest.fail(f"The private PulseAudio did not start:\n{self._log.read_text(errors='replace')}")

    def _keep_awake(self) -> None:
        """Listen all the time: a null sink that nobody hears sleeps for up to 2 s before its first sample."""
        heard = self.folder / "heard.u8"
        with heard.open("wb") as file:
            command = ["parec", f"--device={self.SINK}.monitor", "--latency-msec=20", "--raw"]
            # Little to write: 8 or 11 kB a second. A rate of the other family would change the sink's own.
            command += [f"--rate={8000 if self._rate % 8000 == 0 else 11025}", "--channels=1", "--format=u8"]
            self._clients.append(
                subprocess.Popen(
                    command, env=self.env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL
                )
            )
        deadline = time.monotonic() + _START_SECONDS
        while not heard.stat().st_size:
            if time.monotonic() > deadline:
                pytest.fail(f"The null sink stays silent:\n{self._log.read_text(errors='replace')}")
            time.sleep(0.02)

    def play(self, path: str | os.PathLike[str]) -> subprocess.Popen[bytes]:
        """Start to play a sound file into the microphone; returns at once.

        `wait()` on what is returned to hear it to its end.
        """
        player = subprocess.Popen(
            ["paplay", f"--device={self.SINK}", os.fspath(path)], env=self.env, stdin=subprocess.DEVNULL
        )
        self._clients.append(player)
        return player

    def pause(self) -> None:
        """Freeze the server: the microphone goes silent without an error, as some unplugged ones do."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the server run again after `pause`."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the server at once: the microphone is pulled out."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def stop(self) -> None:
        """End everything that was started here."""
        for client in self._clients:
            client.kill()
            client.wait()
        self._clients.clear()
        self.kill()


def _missing() -> list[str]:
    missing = [name for name in ("pulseaudio", "paplay", "parec", "pactl") if shutil.which(name) is None]
    plugin_folders = [*Path("/usr/lib").glob("*/alsa-lib"), Path("/usr/lib/alsa-lib"), Path("/usr/lib64/alsa-lib")]
    if not any((folder / _ALSA_PLUGIN).exists() for folder in plugin_folders):
        missing.append("libasound2-plugins")
    return missing


@contextmanager
def pulse(*, rate: int = 16000, channels: int = 1) -> Iterator[PulseMicrophone]:
    """Run a `PulseMicrophone` whose null sink has this rate [Hz] and number of channels."""
    missing = _missing()
    if missing:
        pytest.skip(
            f"no PulseAudio microphone: {', '.join(missing)} not installed "
            "(sudo apt install pulseaudio pulseaudio-utils libasound2-plugins)"
        )
    # Short and directly under the system's folder: the path of a Unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="easd-pulse-", ignore_cleanup_errors=True) as folder:
        microphone = PulseMicrophone(Path(folder), rate=rate, channels=channels)
        try:
            microphone.start()
            yield microphone
        finally:
            microphone.stop()


@pytest.fixture(scope="module")
def pulse_microphone() -> Iterator[PulseMicrophone]:
    """A `PulseMicrophone` for the tests of one module."""
    with pulse() as microphone:
        yield microphone


@pytest.fixture
def fragile_microphone() -> Iterator[PulseMicrophone]:
    """A `PulseMicrophone` of a test's own, to be killed."""
    with pulse() as microphone:
        yield microphone
