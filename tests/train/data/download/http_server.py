"""A real HTTP server on this computer that fails as servers do, as often as a test asks for."""

from __future__ import annotations

import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any
from urllib.parse import unquote

FAULTS = (
    "break", "reset", "silence", "short", "long", "bytes", "429", "429 date", "503", "500",
    "no range", "other range", "416",
)  # fmt: skip
"""What the server can do instead of answering; the last three only where a range is asked for."""

_OF_RANGES = ("no range", "other range", "416")
_PIECE = 1 << 15


class Server:
    """Serves `files` by path.

    Attributes
    ----------
    files : dict of str to bytes
    fault : callable
        Takes a path and whether a range is asked for; returns one of `FAULTS`, "429 SECONDS", or None.
    tags : dict of str to str
        Entity tags of paths.
    redirects : dict of str to str
    pause : float [s]
        Between two pieces of an answer.
    requests : list of (str, str or None)
        Path and Range of each.
    dealt : Counter of str
        Faults, by how often they were dealt.
    sent : int
        Bytes of answers.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.fault: Callable[[str, bool], str | None] = lambda path, ranged: None
        self.tags: dict[str, str] = {}
        self.redirects: dict[str, str] = {}
        self.pause = 0.0
        self.requests: list[tuple[str, str | None]] = []
        self.dealt: Counter[str] = Counter()
        self.sent = 0
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def asked_for(self, end: str) -> list[str | None]:
        """Return the ranges of the requests for paths with this end."""
        return [ranged for path, ranged in self.requests if path.endswith(end)]


def failing(share: float, seed: int) -> Callable[[str, bool], str | None]:
    """Fail a share of all requests by chance, with all faults in turn; lists of files are never damaged silently."""
    chance, lock = random.Random(seed), threading.Lock()
    # Ranges are asked for more seldom: what can go wrong with them comes first.
    of_ranges = random.Random(seed).sample(_OF_RANGES, len(_OF_RANGES))
    everywhere = [fault for fault in FAULTS if fault not in _OF_RANGES]
    ranged_faults, others = cycle([*of_ranges, *everywhere]), cycle(everywhere)

    def fault(path: str, ranged: bool) -> str | None:
        with lock:
            if chance.random() >= share:
                return None
            found = next(ranged_faults if ranged else others)
            return "503" if found == "bytes" and "/api/" in path else found

    return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        state: Server = self.server.state
        path, ranged = unquote(self.path.partition("?")[0]), self.headers.get("Range")
        state.requests.append((path, ranged))
        state.headers.append(dict(self.headers))
        if path in state.redirects:
            self._plain(302, b"", {"Location": state.redirects[path]})
            return
        data = state.files.get(path)
        if data is None:
            self._plain(404, b"")
            return
        fault = state.fault(path, ranged is not None)
        if fault is not None:
            state.dealt[fault] += 1
        tag = state.tags.get(path)
        if fault == "silence":
            self._reset()
        elif fault in ("500", "503"):
            self._plain(int(fault), b"busy")
        elif fault == "429 date":
            self._plain(429, b"", {"Retry-After": formatdate(time.time() - 5, usegmt=True)})
        elif fault is not None and fault.startswith("429"):
            self._plain(429, b"", {"Retry-After": fault[4:] or "0"})
        elif fault == "416":
            self._plain(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        else:
            self._send(data, ranged, fault, tag)

    def _send(self, data: bytes, ranged: str | None, fault: str | None, tag: str | None) -> None:
        state: Server = self.server.state
        start = 0
        match = re.fullmatch("bytes=([0-9]+)-", ranged or "")
        if match and fault != "no range" and self.headers.get("If-Range") in (None, tag):
            start = int(match[1])
        body, head = data[start:], {}
        if match and start:
            told = max(0, start - 7) if fault == "other range" else start
            head["Content-Range"] = f"bytes {told}-{len(data) - 1}/{len(data)}"
        if tag is not None:
            head["ETag"] = tag
        length = len(body)
        if fault == "short":
            body = body[: len(body) // 2]
            length = len(body)
        elif fault == "long":
            body += b"?" * 7
            length = len(body)
        elif fault == "bytes":
            body = body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :]
        self.send_response(206 if match and start else 200)
        for name, value in {**head, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        stop = len(body) // 2 if fault in ("break", "reset") else len(body)
        for i in range(0, stop, _PIECE):
            piece = body[i : min(i + _PIECE, stop)]
            self.wfile.write(piece)
            state.sent += len(piece)
            time.sleep(state.pause)
        if fault == "break":
            self.close_connection = True
        elif fault == "reset":
            self._reset()

    def _plain(self, code: int, body: bytes, head: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {**(head or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    state: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever went away, or was thrown out, is no error here."""


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server."""
    state = Server()
    with _Threads(("127.0.0.1", 0), _Handler) as server:
        server.state = state
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
