"""A sink on a thread of its own: a disk that is slow, or hangs, does not hold up the sound."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from edge_asd.audio.stream import Pcm
from edge_asd.errors import OutputError
from edge_asd.monitor.alarms import Event
from edge_asd.monitor.reports import Report, Sink, Status

_MOST_STATUSES = 100  # jobs that wait when statuses are left out: the next one tells the same


class Background(Sink):
    """Hands on what it is told to a sink, in its order, from a thread that may wait.

    What waits is bounded. Beyond it sound is left out, which the sink sees as missing samples; decisions go when half
    of the bound is reached and events when all of it is. That is told when it begins and when it has ended.

    Parameters
    ----------
    sink : Sink
        An `OutputError` of it is told, once until another comes; what else it raises is raised by the next call here.
    note : callable
        Called from either thread.
    name : str
        What the sink keeps, for messages.
    sound_bytes : int > 0 [bytes]
        Of the sound that may wait.
    reports : int > 1
        Jobs of other kinds that may wait.
    close_s : float > 0 [s]
        How long `close` waits.
    """

    def __init__(
        self,
        sink: Sink,
        note: Callable[[str], None],
        *,
        name: str = "records",
        sound_bytes: int = 8 << 20,
        reports: int = 20_000,
        close_s: float = 0.8,
    ) -> None:
        self._sink, self._note, self._name = sink, note, name
        self._sound_bytes, self._reports, self._close_s = sound_bytes, reports, close_s
        self._changed = threading.Condition()
        self._jobs: deque[tuple[Callable[[], None], int]] = deque()  # with the bytes of their sound
        self._bytes = self._queued = self._done = 0
        self._lost_bytes = self._lost_reports = 0
        self._told = ""
        self._failure: Exception | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"edge-asd {name}", daemon=True)
        self._thread.start()

    def report(self, report: Report, /) -> None:
        """Let it wait for the sink."""
        most = self._reports if isinstance(report.what, Event) else self._reports // 2
        if not self._put(lambda: self._sink.report(report), most):
            self._lose(reports=1)

    def hear(self, source: str, place: int, pcm: Pcm, /) -> None:
        """Let it wait for the sink."""
        if self._bytes + pcm.nbytes > self._sound_bytes:
            self._lose(sound=pcm.nbytes)
            return
        kept = pcm.copy()  # whoever has filled it may fill it anew
        if not self._put(lambda: self._sink.hear(source, place, kept), self._reports // 2, kept.nbytes):
            self._lose(sound=pcm.nbytes)

    def status(self, status: Status, /) -> None:
        """Let it wait for the sink, unless much waits."""
        self._put(lambda: self._sink.status(status), min(_MOST_STATUSES, self._reports // 2))

    def call(self, job: Callable[[], None]) -> None:
        """Let anything else wait its turn: it is not left out."""
        self._put(job)

    def flush(self, timeout: float) -> bool:
        """Wait until the sink has taken all that waits now.

        Parameters
        ----------
        timeout : float >= 0 [s]

        Returns
        -------
        done : bool
            False where it has not within `timeout`.
        """
        with self._changed:
            wanted = self._queued
            self._changed.wait_for(lambda: self._done >= wanted or not self._thread.is_alive(), timeout)
            return self._done >= wanted

    def close(self) -> None:
        """Let the sink take what waits and close it; what takes too long is left behind, and told."""
        with self._changed:
            if not self._closed:
                self._closed = True
                self._append(self._sink.close, 0)
        self._thread.join(self._close_s)
        if self._failure is not None:
            raise self._failure
        if self._thread.is_alive():
            self._note(f"The disk did not take all {self._name} within {self._close_s} s; some may be missing.")

    def _put(self, job: Callable[[], None], most: int | None = None, size: int = 0) -> bool:
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if self._closed or (most is not None and len(self._jobs) >= most):
                return False
            self._append(job, size)
            return True

    def _append(self, job: Callable[[], None], size: int) -> None:
        self._jobs.append((job, size))
        self._bytes += size
        self._queued += 1
        self._changed.notify_all()

    def _lose(self, *, sound: int = 0, reports: int = 0) -> None:
        with self._changed:
            first = not self._lost_bytes and not self._lost_reports
            self._lost_bytes += sound
            self._lost_reports += reports
        if first:
            self._note(
                f"The disk does not keep up: what more comes for {self._name} is left out meanwhile, sound first. "
                "Monitoring goes on."
            )

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._jobs))
                job, size = self._jobs.popleft()
                last = self._closed and not self._jobs
            try:
                job()
            except OutputError as error:
                self._tell(str(error))
            except Exception as error:
                with self._changed:
                    self._failure = error
                    self._jobs.clear()
                    self._changed.notify_all()
                return
            with self._changed:
                self._bytes -= size
                self._done += 1
                self._changed.notify_all()
                lost = (self._lost_bytes, self._lost_reports) if not self._jobs else (0, 0)
                if any(lost):
                    self._lost_bytes = self._lost_reports = 0
            if any(lost):
                self._note(
                    f"The disk keeps up again: {lost[0] / 1e6:.1f} MB of sound and {lost[1]} report(s) were left out "
                    f"of the {self._name}."
                )
            if last:
                return

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._note(text)
