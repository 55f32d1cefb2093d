"""SIGHUP while the monitor works: sources come and go, and what is refused changes nothing."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.golden.committed import NAMES
from tests.monitor.watched import BOUND_S, monitor, program, source


def test_sources_come_and_go_and_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    path, head = tmp_path / "monitor.toml", f"bundle = '{NAMES['ae']}'\ninterval_s = 0.5\n"
    one = head + source(tmp_path, "one")
    path.write_text(one)
    with monitor("--config", str(path)) as watched:
        watched.wait_for("section 00", "score")

        def reload(text: str) -> None:
            path.write_text(text)
            watched.process.send_signal(signal.SIGHUP)

        reload(one + source(tmp_path, "two", "01"))
        watched.wait_for("two begins")
        watched.wait_for("two  section 01", "score")
        reload(head + source(tmp_path, "one", "07"))
        watched.wait_for("is refused", "no section 07")
        reload("heartbeat = '/dev/null/beat'\n" + one)
        watched.wait_for("is refused", "heartbeat")
        kept = tmp_path / "records"
        reload(f"{one}[records]\nfolder = '{kept}'\n")
        watched.wait_for("two ends; records changed")
        # Records that cannot be kept where they should be are kept where they were.
        (tmp_path / "file").touch()
        for _ in range(2):  # what was not done is tried again
            reload(f"{one}[records]\nfolder = '{tmp_path / 'file'}'\n")
            watched.wait_for("file", "What was there before is used on")
        watched.process.send_signal(signal.SIGTERM)
        watched.wait_for("two  section 01", "mean")  # summed up, although it has gone
        assert watched.process.wait(BOUND_S) == 0
    assert (kept / "events.db").is_file()
    assert not any("Error" in line for line in watched.lines), watched.lines


def test_without_a_configuration_a_terminal_that_hangs_up_ends_the_monitor(tmp_path: Path) -> None:
    with monitor(str(NAMES["ae"]), "--section", "00", "--source-command", program(tmp_path)) as watched:
        watched.wait_for("section 00  ", "score")  # not the greeting, which has the word, too
        watched.process.send_signal(signal.SIGHUP)
        assert watched.process.wait(BOUND_S) == 0
