"""A command of edge-asd, watched: what it and all processes that it starts take."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any


class Watched:
    """A call of `edge-asd` with ``--json``, and the processes of its session."""

    def __init__(self, arguments: list[str]) -> None:
        self._peaks: dict[int, int] = {}
        self._read = self._written = 0
        self._began = time.perf_counter()
        self._before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge_asd", *arguments, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def end(self) -> dict[str, Any]:
        """Wait for its end; return what it took: seconds, processor time, the greatest peak of a process, bytes."""
        printed, errors = self.process.communicate()
        self._watching.join()
        if self.process.returncode not in (0, -signal.SIGKILL):
            sys.exit(errors)
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "seconds": time.perf_counter() - self._began,
            "cpu": now.ru_utime + now.ru_stime - self._before.ru_utime - self._before.ru_stime,
            "peak": max(self._peaks.values()),
            "read": self._read,
            "written": self._written,
            "told": json.loads(printed) if printed else None,
        }

    def _watch(self) -> None:
        while self.process.poll() is None:
            through = []
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    if os.getsid(int(folder.name)) != self.process.pid:
                        continue
                    status, counts = (folder / "status").read_text(), (folder / "io").read_text()
                    self._peaks[int(folder.name)] = int(status.split("VmHWM:")[1].split()[0]) * 1024
                    through.append([int(counts.split(f"{name}: ")[1].split()[0]) for name in ("rchar", "wchar")])
                except (OSError, IndexError):  # it has ended meanwhile
                    continue
            # A process's counts go over to its parent when it has ended: those that live hold all of them.
            self._read = max(self._read, sum(read for read, _ in through))
            self._written = max(self._written, sum(written for _, written in through))
            time.sleep(0.2)
