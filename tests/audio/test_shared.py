"""Several microphones of a process: looking for one never breaks the sound of another for nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.audio.device_trees import MIC, TWIN, alsa_name, make
from tests.pulse import PulseMicrophone

PROGRAM = """
import json, sys, threading
from pathlib import Path
from edge_asd.audio import capture, devices, shared
from edge_asd.audio.stream import Break, Waiting

tree = Path(sys.argv[1])
devices.input_devices.__defaults__ = (tree,)
real, lock = shared.read_hardware, threading.Lock()
shared.read_hardware = lambda: real(tree)

def say(**what):
    with lock:
        print(json.dumps(what), flush=True)

class Told(shared.SharedPortAudio):
    def renew(self):
        before = self._cards
        super().renew()
        say(looked=True, anew=self._cards is not before)

capture.PORTAUDIO = Told()

def listen(selector):
    with capture.Capture(selector) as source:
        first = True
        for item in source.sound():
            if isinstance(item, Break):
                say(source=selector, event=item.event, seconds=item.seconds, text=item.text)
                first = True
            elif first and not isinstance(item, Waiting):
                first = False
                say(source=selector, heard=True)

for selector in sys.argv[2:]:
    threading.Thread(target=listen, args=(selector,), daemon=True).start()
sys.stdin.read()
"""
ONE, OTHER = "usb:1-1.2", "usb:1-1.3"


def show(source: PulseMicrophone, tree: Path, cards: dict[int, Any]) -> None:
    source.show_as(*[alsa_name(number, card) for number, card in cards.items()])
    make(tree, cards)


class Program:
    """The program, seen from the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.lines: list[dict[str, Any]] = []

    def wait_for(self, *wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Read on until there was a line of each kind, in any order; return what was read."""
        assert self._process.stdout is not None
        read: list[dict[str, Any]] = []
        for line in self._process.stdout:
            read.append(json.loads(line))
            if all(any(one.items() <= told.items() for told in read) for one in wanted):
                return read
        raise AssertionError(f"it ended without {wanted}: {read}")


@pytest.fixture
def program(pulse_microphone: PulseMicrophone, tmp_path: Path) -> Iterator[Program]:
    show(pulse_microphone, tmp_path, {1: MIC})
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), ONE, OTHER],
        env=pulse_microphone.env,
        stdin=pipe,
        stdout=pipe,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.communicate()
        pulse_microphone.show_as()


def of(source: str, lines: list[dict[str, Any]]) -> list[str]:
    return [line["event"] for line in lines if line.get("source") == source and "event" in line]


def test_a_microphone_that_is_waited_for_leaves_the_others_alone(
    program: Program, pulse_microphone: PulseMicrophone, tmp_path: Path
) -> None:
    heard = {"source": ONE, "heard": True}
    program.wait_for(heard)
    for _ in range(2):
        assert of(ONE, program.wait_for({"looked": True})) == []
    show(pulse_microphone, tmp_path, {1: MIC, 2: TWIN})
    told = program.wait_for({"source": OTHER, "heard": True}, heard)
    assert of(ONE, told) == ["signal-lost", "signal-back"]
    (why,) = [line["text"] for line in told if line.get("event") == "signal-lost"]
    assert "is gone: it is closed for a moment, to see another sound card that has come." in why
    (gap,) = [line["seconds"] for line in told if line.get("source") == ONE and line.get("event") == "signal-back"]
    print(f"its sound was away for {gap:.2f} s")
    assert len([line for line in told if line.get("anew")]) == 1
