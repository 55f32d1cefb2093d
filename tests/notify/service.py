"""A web service that takes notifications, fails, hangs, goes away and comes back, and remembers what it took."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edge_asd.notify.message import Message, Severity
from edge_asd.notify.settings import NotifySettings

SECONDS = 60
"""Longest wait for what takes a second or two where nothing else runs."""

WHEN = datetime(2026, 11, 28, 14, 3, 5, tzinfo=UTC)


def message(title: str, source: str = "fan1", event: str = "alarm", body: str = "Look.") -> Message:
    return Message(title, body, Severity.warning, source, WHEN, event, {"score": 1.5})


def settings(*services: Service, **others: Any) -> NotifySettings:
    """Tell these services, with short pauses, and without a limit unless there is one among `others`."""
    values = {"retry_first_s": 0.05, "retry_max_s": 0.2, "max_per_source": 1000, **others}
    return NotifySettings(tuple(service.url for service in services), **values)


def numbers(count: int, first: int = 0) -> list[str]:
    """Titles of messages."""
    return [f"alarm {i}" for i in range(first, first + count)]


@dataclass
class Service:
    """`mode` is what it does with the next request: "take", "fail" (500), "close" or "hang" (until `release`)."""

    mode: str = "take"
    port: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    hanging: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"json://somebody:pass-phrase@127.0.0.1:{self.port}/very-secret"

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.taken]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        mode = self.mode
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if mode == "hang":
            self.hanging.set()
            self.release.wait(SECONDS)
        if mode in ("hang", "close"):
            handler.close_connection = True
            return
        if mode == "take":
            self.taken.append(json.loads(body))
        handler.send_response(200 if mode == "take" else 500)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    @contextmanager
    def running(self) -> Iterator[Service]:
        """Run it, at the port that it had before."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:  # the sender was killed
                pass

        with Server(("127.0.0.1", self.port), Handler) as server:
            self.port = server.server_port
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self.release.set()
                server.shutdown()
                thread.join()


def children_that_deliver() -> list[int]:
    """Processes of ours that deliver."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, status = (folder / "cmdline").read_bytes(), (folder / "stat").read_text()
        except OSError:
            continue
        state, parent = status.rsplit(")", 1)[1].split()[:2]
        if b"edge_asd.notify.delivery" in command and state != "Z" and int(parent) == os.getpid():
            found.append(int(folder.name))
    return found
