"""Being asked to end, and to read the configuration again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from edge_asd.errors import ConfigError
from edge_asd.monitor.config.reading import load_config
from edge_asd.monitor.config.reload import Changes, Reload, changes
from edge_asd.monitor.config.settings import ConfigFile
from edge_asd.monitor.service.signals import Signals

TEXT = "bundle = 'b'\n[sources.a]\ndevice = 'x'\n[sources.b]\ndevice = 'y'\n"

LOOP = """
import queue, sys
from edge_asd.monitor.service.signals import Signals
turns, sound = 0, queue.Queue()
with Signals() as signals, open(sys.argv[1], "w") as file:
    print("on", flush=True)
    while not signals.ending:
        if signals.take_reload():
            print("reload", flush=True)
        try:
            sound.get(timeout=0.25)
        except queue.Empty:
            turns += 1
            file.write("turn\\n")
print("ended", turns, flush=True)
"""


def test_a_process_reads_again_and_ends_within_a_second_with_all_flushed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", LOOP, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline() == "reload\n"
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        word, turns = process.stdout.readline().split()
        took = time.monotonic() - asked
        assert process.wait(60) == 0
    assert word == "ended"
    assert took < 1
    assert out.read_text() == "turn\n" * int(turns)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    with Signals() as signals:
        assert not signals.take_reload()
        os.kill(os.getpid(), signal.SIGHUP)
        assert signals.take_reload()
        assert not signals.take_reload()
        assert not signals.ending
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.ending
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def reloading(path: Path, notes: list[str]) -> Reload:
    def read() -> ConfigFile:
        return load_config(path, environment={})

    path.write_text(TEXT)
    return Reload(read(), read, notes.append)


def again(reload: Reload, path: Path, text: str) -> Changes | None:
    path.write_text(text)
    return reload.again()


def test_a_bad_file_leaves_the_old_one_in_force(tmp_path: Path) -> None:
    path, notes = tmp_path / "c.toml", list[str]()
    reload = reloading(path, notes)
    before = reload.config
    for text, words in (("[", "is not TOML"), (TEXT + "wav = 1", "wav should be a path"), ("", "no source")):
        assert again(reload, path, text) is None
        assert words in notes[-1]
        assert "the one from before stays in force" in notes[-1]
    path.unlink()
    assert reload.again() is None
    assert "No such file" in notes[-1]
    assert reload.config is before
    assert again(reload, path, TEXT) is None
    assert notes[-1] == "The configuration was read again: nothing changed."

    def refuse() -> ConfigFile:
        raise ConfigError("The bundle is gone.")

    assert Reload(before, refuse, notes.append).again() is None
    assert notes[-1].endswith("The bundle is gone.")


def test_only_what_changed_begins_anew(tmp_path: Path) -> None:
    path, notes = tmp_path / "c.toml", list[str]()
    reload = reloading(path, notes)
    a, b = reload.config.sources
    found = again(reload, path, TEXT.replace("'y'", "'z'") + "[sources.c]\nwav = 'w'\n[evidence]\npre_s = 1\n")
    assert found is not None
    assert (found.removed, [s.name for s in found.added], found.others) == (("b",), ["b", "c"], ("evidence",))
    assert found.config is reload.config
    assert reload.config.sources[0] == a
    assert reload.config.sources[1] != b
    assert notes == ["The configuration was read again: b begins anew; c begins; evidence changed."]
    # A policy for all changes all sources that do not say otherwise.
    found = again(reload, path, TEXT + "policy.cooldown_s = 1\n[policy]\ncooldown_s = 2\n")
    assert found is not None
    assert (found.removed, [s.name for s in found.added]) == (("a", "b", "c"), ["a", "b"])
    assert "a, b begins anew; c ends" in notes[-1]
    assert not changes(reload.config, reload.config)
