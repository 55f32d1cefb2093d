"""The one way to a server: by HTTP or HTTPS, with what fails told apart by whether it may pass.

Requests is used, which pooch needs anyway: it knows proxies, certificates and redirects, and follows none but to HTTP
and HTTPS. What it does not do is here and beside: bounds, retries, resuming.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from edge_asd import __version__
from edge_asd.errors import DownloadError
from edge_asd.strict_json import Json, parse_object
from edge_asd.train.data.download.retrying import (
    NoServerError,
    PassingError,
    Patience,
    Stopped,
    Turnstile,
    persist,
    retry_after,
)

CHUNK = 1 << 16  # bytes

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_MOST_REDIRECTS = 8
_WINDOW = 10
"""Within so many times the wait for the next bytes, `CHUNK` bytes have to come: a drip would never end."""
_OF_URLLIB3 = re.compile(r"^\w+\([^)]*\): ")


def check_base_url(text: str) -> str:
    """Return the address of a server or mirror without a slash at its end.

    Raises
    ------
    DownloadError
        If it is not a plain HTTP or HTTPS address.
    """
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or any(c.isspace() for c in text):
        raise DownloadError(
            f"{text!r} is not an address such as https://mirror.example.org/sets. Give one of that form."
        )
    return text.rstrip("/")


class Client:
    """Asks servers.

    Parameters
    ----------
    patience : Patience
    stop : threading.Event
        Set where everything should end.
    waiting : callable
        Told what is being waited for, and "" when the wait is over.
    options : str
        Those that say where things are asked for: what is not there is missed with them.
    """

    def __init__(
        self,
        patience: Patience,
        stop: threading.Event,
        waiting: Callable[[str], None],
        options: str = "--base-url, or the number given with --record",
    ) -> None:
        self.patience, self.stop, self.waiting, self.options = patience, stop, waiting, options
        self.reached = False
        self.turnstile = Turnstile(stop)
        self._of_thread = threading.local()  # no promise that a session may be shared
        self._sessions: list[requests.Session] = []

    def close(self) -> None:
        """Close the connections that were kept open for the next request; threads must have ended."""
        for session in self._sessions:
            session.close()

    def persist(
        self,
        what: str,
        once: Callable[[], Any],
        gained: Callable[[], bool] = lambda: False,
        patience: Patience | None = None,
    ) -> Any:
        """See `edge_asd.train.data.download.retrying.persist`."""
        return persist(
            what,
            once,
            patience=patience or self.patience,
            turnstile=self.turnstile,
            gained=gained,
            reached=lambda: self.reached,
            waiting=self.waiting,
        )

    def document(self, url: str, largest: int) -> tuple[bytes, Json]:
        """Fetch a small JSON document; return it as it came, and read.

        Raises
        ------
        DownloadError
            If it cannot be had, is no JSON object, or is larger than `largest` bytes.
        """

        def once() -> tuple[bytes, Json]:
            with self.answer(url, {}) as response:
                text = b""
                for chunk in self.chunks(response):
                    text += chunk
                    if len(text) > largest:
                        raise DownloadError(f"{url} is larger than {largest:,} bytes, so it is not what it should be.")
                length = content_length(response)
                if length is not None and length != len(text):
                    raise PassingError(f"the server broke off after {len(text):,} of {length:,} bytes")
            try:
                return text, parse_object(text, url, DownloadError)
            except DownloadError as error:  # cut short, perhaps; or a page of a proxy's
                told = f" ({error.__cause__})" if error.__cause__ else ""
                raise PassingError(f"what the server sent is not a list of files{told:.120}") from error

        patience = replace(self.patience, attempts=min(self.patience.attempts, self.patience.few))
        document: tuple[bytes, Json] = self.persist(url, once, patience=patience)
        return document

    @contextmanager
    def answer(self, url: str, headers: dict[str, str]) -> Iterator[Any]:
        """Give the answer to a request: 200 or 206, or 416 where a range was asked for.

        Raises
        ------
        PassingError
            If another attempt may have a better answer.
        DownloadError
            If not.
        """
        # Bytes as they are: a length and a range count what comes over the wire.
        headers = {"Accept-Encoding": "identity", "User-Agent": f"edge-asd/{__version__}", **headers}
        timeout = (self.patience.connect, self.patience.read)
        come: list[requests.Response] = []
        hooks = {"response": lambda one, **_: come.append(one)}
        with _named(url):
            try:
                response = self._session().get(url, headers=headers, stream=True, timeout=timeout, hooks=hooks)
            except BaseException:  # where it refuses an answer's address, the library leaves that connection open
                for one in come:
                    one.close()
                raise
        self.reached = True
        try:
            plain = next((one.url for one in (*response.history, response) if not one.url.startswith("https:")), None)
            if url.startswith("https:") and plain is not None:
                raise DownloadError(f"{url} leads to {plain:.200}, which is not encrypted. It was refused.")
            code = response.status_code
            if code in _PASSING:
                asked = retry_after(response.headers.get("Retry-After"))
                raise PassingError(f"the server answered {code} {_reason(response)}", asked)
            if code not in (200, 206) and not (code == 416 and "Range" in headers):
                raise DownloadError(f"{url}: the server answered {code} {_reason(response)}.{self._advice(code)}")
            yield response
        finally:
            response.close()

    def chunks(self, response: Any) -> Iterator[bytes]:
        """Read an answer piece by piece, as it comes.

        Raises
        ------
        PassingError
            If the connection breaks.
        Stopped
            If the download was told to stop.
        """
        read = getattr(response.raw, "read1", None) or response.raw.read
        since, come = time.monotonic(), 0
        while True:
            if self.stop.is_set():
                raise Stopped
            with _named(response.url):
                chunk: bytes = read(CHUNK, decode_content=False)
            if not chunk:
                return
            yield chunk
            come += len(chunk)
            if time.monotonic() > since + _WINDOW * self.patience.read:
                if come < CHUNK:
                    raise PassingError("the server sends next to nothing")
                since, come = time.monotonic(), 0

    def _advice(self, code: int) -> str:
        if code in (401, 403):
            return " It does not give this to everybody; a proxy or a mirror may be the cause."
        return f"{' There is no such thing there.' if code in (404, 410) else ''} Check {self.options}."

    def _session(self) -> Any:
        session = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = requests.Session()
            self._sessions.append(session)
            session.max_redirects = _MOST_REDIRECTS
        return session


def content_length(response: Any) -> int | None:
    """Return how many bytes an answer says that it has; None where it does not say, or nonsense."""
    text = str(response.headers.get("Content-Length", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


@contextmanager
def _named(url: str) -> Iterator[None]:
    """Turn what the libraries raise into errors of ours: those that may pass, and those that will not."""
    try:
        yield
    except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as e:
        raise DownloadError(f"{url} leads to an address that is refused: {e}. Check --base-url.") from e
    except requests.exceptions.TooManyRedirects as error:
        raise DownloadError(f"{url} leads from one address to the next without an end. Check --base-url.") from error
    except requests.exceptions.SSLError as error:
        if "CERTIFICATE" in str(error):
            raise DownloadError(
                f"The certificate of {urlsplit(url).hostname} cannot be trusted: {_deepest(error)}. Check the clock of "
                "this computer, and whether a proxy stands between."
            ) from error
        raise PassingError(f"the encrypted connection failed ({_deepest(error)})") from error
    except requests.exceptions.Timeout as error:
        raise PassingError("the server did not answer in time") from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        kind = NoServerError if _is_unmade(error) else PassingError
        raise kind(f"the connection failed ({_deepest(error)})") from error
    except ValueError as error:  # of addresses that cannot be taken apart or decoded, which requests lets through
        raise DownloadError(f"{url} leads to an address that cannot be read: {error}. Check --base-url.") from error
    except OSError as error:
        raise PassingError(f"the connection broke ({error.strerror or error})") from error


def _is_unmade(error: Exception) -> bool:
    """Tell a connection that could not be made, for want of an address or of anybody there, from a broken one."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def _deepest(error: BaseException) -> str:
    """Say what lies at the bottom of nested errors of the network: they repeat one another."""
    seen = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _OF_URLLIB3.sub("", " ".join(str(text).split()))[:160]


def _reason(response: Any) -> str:
    return "".join(c for c in str(response.reason or "") if c.isprintable())[:60] or "without a reason"
