"""Lines that a full disk does not take: a monitor that goes on for good goes on."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.golden.committed import NAMES
from tests.monitor.watched import BOUND_S, monitor, program

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


@pytest.mark.parametrize("form", ["--json", "--verbose", "--quiet"])
def test_it_is_told_once_and_the_records_go_on(tmp_path: Path, form: str) -> None:
    kept = tmp_path / "records"
    options = ["--section", "00", "--source-command", program(tmp_path), "--records", str(kept), "--alarm-after", "1/9"]
    with FULL.open("w") as full, monitor(str(NAMES["ae"]), *options, form, stdout=full) as watched:
        watched.wait_for("standard output", "No space left on device")
        deadline = time.monotonic() + BOUND_S
        while not [*(kept / "clips").glob("*")]:  # of the alarm that is heard in each half second
            assert time.monotonic() < deadline
            time.sleep(0.05)
        watched.process.send_signal(signal.SIGTERM)
        assert watched.process.wait(BOUND_S) == 0
        assert watched.rest().count("No space left") == 0


def test_nobody_needs_to_read_what_is_noted(tmp_path: Path) -> None:
    options = ["--section", "00", "--source-command", program(tmp_path)]
    with FULL.open("w") as full, monitor(str(NAMES["ae"]), *options, "--json", stderr=full) as watched:
        watched.wait_for('"score"')
        watched.process.send_signal(signal.SIGTERM)
        assert watched.process.wait(BOUND_S) == 0
