"""Parts on the workers of a running Dask cluster, through joblib's backend for it."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import secrets
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from edge_asd.errors import ClusterError, DependencyError, OutputError
from edge_asd.sweeps.alike import Alike
from edge_asd.sweeps.parts import Failure, Item, Result, Told, Voice, Work, attempt

CONNECT_S = 10
"""How long a scheduler may take to answer."""

_RESTART_S = 60
"""How long a cluster may be without workers after the last was killed."""

QUIET_S = 5
"""How long a cluster may be without workers before that is told: one that is killed is soon back."""

TOLD_A_SECOND = 50
"""How many steps all workers tell in a second, so that the scheduler has time for the parts; one each at most."""

_AT_ONCE = 4096
"""Parts that the scheduler is told at a time: enough for workers that come later, too, and they fit into its memory."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a worker must have, so that its results are those of this computer.

    Attributes
    ----------
    reads : tuple of Path
        Files and folders that it must see.
    mark : Path
        A file in the folder that gets the results, which it must see, too.
    alike : Alike
    having : mapping of str to str
        What this computer has of it.
    """

    reads: tuple[Path, ...]
    mark: Path
    alike: Alike
    having: Mapping[str, str]

    def lacking(self) -> str:
        """Tell what this process lacks; "" where it is nothing."""
        for path in self.reads:
            if not path.exists():
                return f"does not see {path}. Give the data by a path that is the same there, as a shared folder has"
        if not self.mark.is_file() or not os.access(self.mark.parent, os.W_OK):
            return f"does not see {self.mark.parent}, or may not write there. Results go into a folder that all share"
        here = self.alike.here()
        if other := [name for name, value in self.having.items() if here[name] != value]:
            differences = ", ".join(f"{name} {here[name]} instead of {self.having[name]}" for name in other)
            return (
                f"has {differences}, and its results would differ. Install edge-asd[{self.alike.extra},cluster] there "
                "as it is installed here, and set the same"
            )
        return ""


@contextmanager
def on_cluster(
    work: Work[Item, Result],
    items: Sequence[Item],
    address: str,
    reads: Sequence[Path],
    writes: Path,
    alike: Alike,
    send: Callable[[Told], None],
) -> Iterator[tuple[Callable[[], Iterator[tuple[int, Any]]], Callable[[], str]]]:
    """Give a function that yields the parts as they are done, and one that tells what they wait for.

    The latter returns a sentence, "" where all is well, and raises a `ClusterError` where the scheduler has gone.

    Parameters
    ----------
    work : callable
    items : sequence
    address : str
        The scheduler's, such as tcp://host:8786.
    reads : sequence of Path
        What all workers must see.
    writes : Path
        Folder that all workers must see and may write into.
    alike : Alike
        What all workers must have as this computer has it.
    send : callable
        Gets what the parts tell, from any thread.

    Raises
    ------
    DependencyError
        If Dask is not installed.
    ClusterError
        If there is no scheduler at `address`, or a worker lacks what the parts need.
    """
    if missing := [name for name in ("dask", "distributed") if importlib.util.find_spec(name) is None]:
        raise DependencyError(
            f"A Dask cluster needs modules that are not installed: {', '.join(missing)}. "
            "Install the extra with: pip install 'edge-asd[cluster]'"
        )
    with _mark(writes) as mark, _client(address) as client:
        needs = Needs(tuple(path.absolute() for path in reads), mark, alike, alike.here())
        every_s = max(1.0, _check(client, address, needs) / TOLD_A_SECOND)
        topic = f"edge-asd-{secrets.token_hex(8)}"
        at: dict[int, str] = {}

        def hear(event: tuple[Any, Any]) -> None:
            told, worker = Told(**event[1]["told"]), event[1]["worker"]
            if at.setdefault(told.number, worker) != worker:
                send(Told(told.number, note=f"its worker ({at[told.number]}) was lost. It is begun again on {worker}."))
                at[told.number] = worker
            send(told)

        client.subscribe_topic(topic, hear)

        def some(numbers: Sequence[int], at_once: int) -> Iterator[tuple[int, Any]]:
            from joblib import Parallel, delayed

            run = Parallel(
                n_jobs=-1,
                backend=_backend(client),
                return_as="generator_unordered",
                pre_dispatch=at_once,
                batch_size=1,
            )
            yield from run(delayed(_work)(work, number, items[number], topic, needs, every_s) for number in numbers)

        def results() -> Iterator[tuple[int, Any]]:
            given_up = []
            for number, outcome in some(range(len(items)), _AT_ONCE):
                if isinstance(outcome, Failure) and isinstance(outcome.error, _GivenUp):
                    given_up.append(number)
                else:
                    yield number, outcome
            # Dask suspects what waited on a worker, too: which of them kills workers is seen when each is alone.
            if given_up:
                client.wait_for_workers(1, timeout=_RESTART_S)
                yield from some(given_up, 1)

        at_work = time.monotonic()

        def watch() -> str:
            nonlocal at_work
            if client.status != "running":
                raise ClusterError(
                    f"The Dask scheduler at {address} has gone. Start it and its workers again, and then this command."
                )
            with suppress(OSError):  # it goes at this moment
                if client.nthreads():
                    at_work = time.monotonic()
            if time.monotonic() < at_work + QUIET_S:
                return ""
            return (
                f"The Dask scheduler at {address} has no workers any more. Parts wait for new ones, each started with: "
                f"dask worker {address} --nthreads 1"
            )

        yield results, watch


@contextmanager
def _mark(folder: Path) -> Iterator[Path]:
    """Lay a file into a folder by which a worker knows that it sees the same."""
    mark = folder.absolute() / f".seen-{secrets.token_hex(8)}"
    try:
        mark.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(f"Cannot write into {folder}: {error.strerror or error}. Choose another --out.") from error
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    from distributed import Client
    from distributed.comm import get_address_host_port

    # What it would print is said here, once.
    handlers = [(handler, handler.level) for handler in logging.getLogger("distributed").handlers]
    client = None
    try:
        for handler, _ in handlers:
            handler.setLevel(logging.CRITICAL + 1)
        # A client that could not begin for them would print so when it is deleted.
        get_address_host_port(address)
        _check_encryption(address)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions, which are compared here, too
            client = Client(address, timeout=CONNECT_S, set_as_default=False)
        yield client
    except (OSError, ValueError, ImportError) as error:
        if client is not None:
            raise
        raise ClusterError(
            f"There is no Dask scheduler at {address} ({error}). Start one with: dask scheduler; and its workers, each "
            f"with: dask worker {address} --nthreads 1"
        ) from error
    finally:
        if client is not None:
            with suppress(Exception):  # it has gone
                client.close(timeout=2)
        for handler, level in handlers:
            handler.setLevel(level)


def _check_encryption(address: str) -> None:
    """Refuse an address that Dask's configuration has no certificate for, or forbids."""
    from distributed.security import Security

    encrypted = address.startswith("tls://")
    try:
        given = Security().get_connection_args("client")
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"The TLS files that Dask's configuration names cannot be used ({error}). Put the right ones into "
            "distributed.comm.tls there."
        ) from error
    if encrypted and given["ssl_context"] is None:
        raise ClusterError(
            f"{address} needs certificates, and Dask's configuration names none. Set distributed.comm.tls.ca-file, "
            "client.cert and client.key there, or the variables DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY."
        )
    if given["require_encryption"] and not encrypted:
        raise ClusterError(
            f"Dask's configuration asks for encryption (distributed.comm.require-encryption), and {address} has none. "
            "Use a scheduler whose address begins with tls://."
        )


def _check(client: Any, address: str, needs: Needs) -> int:
    """Ask each worker whether it has what the parts need; return how many there are."""
    if not client.nthreads():
        raise ClusterError(
            f"The Dask scheduler at {address} has no workers. Start them, each with: dask worker {address} --nthreads 1"
        )
    answers = client.run(_lacking, needs, on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, Exception):
            raise ClusterError(
                f"The worker {worker} cannot work on parts ({answer}). Install there what is installed here: "
                f"pip install 'edge-asd[{needs.alike.extra},cluster]'"
            )
        if answer:
            raise ClusterError(f"The worker {worker} {answer}.")
    return len(answers)


def _lacking(needs: Needs) -> str:
    return needs.lacking()


class _GivenUp(ClusterError):
    """A part that Dask does not try again, since four workers died that had it."""


def _backend(client: Any) -> Any:
    """Return joblib's backend, mended.

    It tells nobody of parts that Dask itself gives up, such as those whose workers died: joblib waits for them for
    ever. And joblib works on the parts itself where there is a single worker.
    """
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def effective_n_jobs(self, n_jobs: int) -> int:
            found: int = super().effective_n_jobs(n_jobs)
            return max(2, found)

        def submit(self, func: Any, callback: Any = None) -> Any:
            future = super().submit(func, callback)
            ((_, (_, number, *_), _),) = func.items

            def given_up(done: Any) -> None:
                if (error := done.exception()) is not None:
                    callback([(number, Failure(_GivenUp(f"Dask gave it up ({type(error).__name__}): {error}")))])

            future.add_done_callback(given_up)
            return future

    return Backend(client=client)


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt."""


@cache
def _keep_freed_memory() -> None:
    """Let this process keep memory that it frees, as any does that Dask's nanny has not told to hand it back at once.

    Arrays that are freed and taken again in every step of a training are then new pages each time; a third slower.
    """
    if "MALLOC_TRIM_THRESHOLD_" in os.environ:
        with suppress(OSError, AttributeError):  # no glibc
            libc = ctypes.CDLL(None)
            libc.mallopt(_TRIM_THRESHOLD, 1 << 28)
            libc.mallopt(_MMAP_THRESHOLD, 1 << 25)


@contextmanager
def _unprofiled(worker: Any) -> Iterator[None]:
    """Let Dask's profiler of this worker rest, which looks at its threads a hundred times a second, if it runs.

    Each time, Python is taken from the part for it; a twentieth of the part's time.
    """
    profiler = worker.periodic_callbacks.get("profile")
    if profiler is None:
        yield
        return
    worker.loop.add_callback(profiler.stop)
    try:
        yield
    finally:
        worker.loop.add_callback(profiler.start)


_ALONE = threading.Lock()
"""Held by the part that this process works on: the generators of random numbers are the process's."""


def _work(
    work: Work[Item, Result], number: int, item: Item, topic: str, needs: Needs, every_s: float
) -> tuple[int, Result | Failure]:
    """Run on a worker: work on one part."""
    from distributed import get_worker

    worker = get_worker()

    def send(told: Told) -> None:
        worker.log_event(topic, {"told": asdict(told), "worker": worker.address})

    if lacking := needs.lacking():  # it came after the others were asked
        return number, Failure(ClusterError(f"The worker {worker.address} {lacking}."))
    _keep_freed_memory()
    with _ALONE, _unprofiled(worker):
        outcome = attempt(work, item, Voice(number, send, every_s), worker.state.nthreads)
    if isinstance(outcome, Failure):
        named = type(outcome.error)(f"On the worker {worker.address}: {outcome.error}")
        for text in getattr(outcome.error, "__notes__", ()):  # the traceback, which --debug shows
            named.add_note(text)
        outcome = Failure(named)
    return number, outcome
