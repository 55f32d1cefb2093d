"""A download from the first question to the last file: plan, room, archives in threads, files in place."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from edge_asd.errors import DataError, EdgeAsdError
from edge_asd.files import kept_if_filled, write_atomically
from edge_asd.strict_json import Json
from edge_asd.train.data.download.archive_names import is_of
from edge_asd.train.data.download.archives import RefusedArchiveError
from edge_asd.train.data.download.client import Client
from edge_asd.train.data.download.labels import FOLDER, PLACE, fetch_labels, ground_truth_files, missing_files
from edge_asd.train.data.download.outcomes import Outcome, Result, Servers
from edge_asd.train.data.download.placed import forget_placed, read_placed, write_placed
from edge_asd.train.data.download.placing import place, refuse_made_here
from edge_asd.train.data.download.plan import Item, Wanted, make_plan
from edge_asd.train.data.download.records import LARGEST_DOCUMENT
from edge_asd.train.data.download.resuming import WrongChecksumError, clear_leftovers, fetch
from edge_asd.train.data.download.retrying import Patience
from edge_asd.train.data.download.space import check_room, room_needed, size_text
from edge_asd.train.data.download.work_folder import WorkFolder, alone
from edge_asd.train.data.download.workers import work_on

Watch = Callable[[str, int, int, str], None]
"""Called with (what, done, all, detail)."""

_MB = 10**6


def download(
    out: Path,
    choice: Wanted | None,
    *,
    labels_of: tuple[str, ...] | None,
    servers: Servers,
    jobs: int,
    keep: bool,
    patience: Patience,
    watch: Watch,
    note: Callable[[str], None],
) -> Result:
    """Fetch archives and ground truth, and put their files into a data set.

    Parameters
    ----------
    out : Path
        The data set; made where it is not there.
    choice : Wanted or None
        None for the ground truth alone.
    labels_of : tuple of str or None
        Machines whose ground truth of 2021 is wanted, empty for all of them; None for no ground truth.
    servers : Servers
    jobs : int > 0
        Archives that are fetched at once.
    keep : bool
        Keep the archives.
    patience : Patience
    watch : callable
        See `Watch`.
    note : callable
        Told what the user should know at once.

    Returns
    -------
    result : Result

    Raises
    ------
    DataError, DownloadError, OutputError
        If anything cannot be had, is refused, or has no room. What is in place stays, and what has come is kept.
    KeyboardInterrupt
        If Ctrl-C is pressed; what has come is kept.
    """
    out = Path(os.path.abspath(out))
    with kept_if_filled(out), alone(out) as work:
        run = _Run(out, work, servers, keep, patience, watch, note)
        try:
            if choice is not None:
                run.archives(choice, jobs)
            if labels_of is not None:
                run.labels(labels_of, jobs)
        finally:
            run.client.close()
            work.tidy()
    return run.result


class _Run:
    def __init__(
        self,
        out: Path,
        work: WorkFolder,
        servers: Servers,
        keep: bool,
        patience: Patience,
        watch: Watch,
        note: Callable[[str], None],
    ) -> None:
        self.out, self.work = out, work
        self.servers, self.keep, self.watch, self.note = servers, keep, watch, note
        self.stop, self.placing = threading.Event(), threading.Lock()
        self.client = Client(patience, self.stop, self._wait)
        self.result = Result(archives=self.work.mirror if keep else None)
        self.come: dict[str, int] = {}
        self.waits: dict[int, str] = {}
        self.unpacking: tuple[str, int, int] | None = None

    def archives(self, choice: Wanted, jobs: int) -> None:
        """Fetch archives and place their files."""
        self.watch("asking which archives there are", 0, 0, "")
        items, notes = make_plan(choice, self._document)
        for text in notes:
            self._tell(text)
        refuse_made_here(self.out, [item.machine for item in items if item.machine is not None])
        todo = [item for item in items if not self._is_in_place(item)]
        in_place = [item for item in items if item not in todo]
        for item in in_place:
            # Whoever was killed when the files were in place had no time to remove the archive.
            if not self.work.document(item.record).is_file():
                self.work.archive(item).unlink(missing_ok=True)
        gone = [item for item in in_place if not self.work.archive(item).is_file()]
        if self.keep and gone:
            self._tell(
                f"{len(gone)} archives whose files are in place were not kept, such as {gone[0].file.name}. To have "
                "all of them for a mirror, choose another --out."
            )
        if not todo:
            return
        self._keep_years_apart(choice.year, [item.file.name for item in todo])
        for item in todo:
            folder = self.work.archive(item).parent
            folder.mkdir(parents=True, exist_ok=True)
            clear_leftovers(folder)
            self.come[_key(item)] = self.work.come(item)
        before = sum(self.come.values())
        sizes = [item.file.size for item in todo]
        check_room(self.out, room_needed(sizes, before, keep=self.keep, jobs=jobs), _described(todo))
        stage = f"fetching {_described(todo)} (in MB)"

        def watch() -> None:
            if (there := sum(self.come.values())) == sum(sizes):
                self.watch("unpacking", len(self.result.outcomes) - len(items) + len(todo), len(todo), self._detail())
            else:
                self.watch(stage, there // _MB, -(-sum(sizes) // _MB), self._detail())

        watch()
        errors = work_on(
            [lambda item=item: self._archive(item) for item in todo],  # type: ignore[misc]
            jobs,
            self.stop,
            watch,
            goes_on=_concerns_one_archive,
        )
        _raise_all(errors, len(todo))

    def labels(self, machines: tuple[str, ...], jobs: int) -> None:
        """Fetch ground truth."""
        files, folder, kept = ground_truth_files(machines), self.out / FOLDER, self.work.mirror / PLACE
        missing = missing_files(folder, files)
        self.result.labels = len(files)
        if not missing:
            return
        kept.mkdir(parents=True, exist_ok=True)
        clear_leftovers(kept)
        done: list[str] = []
        with closing(
            Client(self.client.patience, self.stop, self._wait, "--ground-truth-url, or --base-url")
        ) as client:

            def job(name: str) -> None:
                fetch_labels(client, self.servers.ground_truth, name, files[name], kept, folder)
                if not self.keep:
                    (kept / name).unlink(missing_ok=True)
                done.append(name)

            errors = work_on(
                [lambda name=name: job(name) for name in missing],  # type: ignore[misc]
                jobs,
                self.stop,
                lambda: self.watch("fetching the ground truth", len(done), len(missing), self._detail()),
                goes_on=lambda error: False,
            )
        self.result.labels_fetched = len(done)
        _raise_all(errors, len(missing))

    def _keep_years_apart(self, year: int, archives: list[str]) -> None:
        """Refuse to put a machine's clips among those of the same machine of another year; tell of other machines."""
        for other, machines in self.work.other_years(year).items():
            if both := [machine for machine in machines if any(is_of(name, machine) for name in archives)]:
                raise DataError(
                    f"{self.out} holds clips of {', '.join(both)} of {other}, and those of {year} are other recordings "
                    "under the same names. Nothing was fetched: choose another --out for each year."
                )
            self._tell(
                f"{self.out} holds clips of {other} as well ({', '.join(machines)}). A folder for each year keeps "
                "machines of the same name apart."
            )

    def _document(self, record: int) -> tuple[Json, str]:
        url = f"{self.servers.records}/api/records/{record}"
        text, document = self.client.document(url, LARGEST_DOCUMENT)
        if self.keep:
            write_atomically(self.work.document(record), text)
        return document, f"The list of files at {url}"

    def _is_in_place(self, item: Item) -> bool:
        name = item.file.name
        placed = read_placed(self.work.placed, item.record, name)
        if placed is None or placed.md5 != item.file.md5:
            return False
        if missing := placed.missing(self.out):
            text = f"{len(missing):,} of {len(placed.files):,} files of {name} have gone, such as {missing[0]}"
            self._tell(f"{text}: they are put back.")
            return False
        if changed := placed.changed(self.out):
            text = f"{len(changed):,} files of {name} have been changed since, such as {changed[0]}"
            self._tell(f"{text}. They were left alone.")
        machines = sorted({path.split("/")[0] for path in placed.files})
        self.result.outcomes.append(Outcome(item, False, len(placed.files), machines))
        return True

    def _archive(self, item: Item) -> None:
        name, md5 = item.file.name, item.file.md5
        path, key, start = self.work.archive(item), _key(item), self.come[_key(item)]
        url = f"{self.servers.records}/records/{item.record}/files/{quote(name)}"

        def come(there: int) -> None:
            self.come[key] = there

        fetch(self.client, url, path, f"md5:{md5}", size=item.file.size, largest=item.file.size, come=come)
        come(item.file.size)
        older = self.work.older(item)
        try:
            with self.placing:
                placed, layout = place(
                    path,
                    self.out,
                    self.work.unpacked / name,
                    record=item.record,
                    md5=md5,
                    machine=item.machine,
                    older=older,
                    go_on=lambda: not self.stop.is_set(),
                    progress=lambda done, total: self._unpack(name, done, total),
                )
                self.unpacking = None
                write_placed(self.work.placed, placed)
        except RefusedArchiveError:
            path.unlink(missing_ok=True)  # it would be refused again
            raise
        for one in older:
            if one.archive != name:
                forget_placed(self.work.placed, one.record, one.archive)
        if not self.keep:
            path.unlink(missing_ok=True)
        self.result.bytes_fetched += item.file.size - start
        self.result.outcomes.append(Outcome(item, True, len(placed.files), layout.machines))
        if layout.left_out:
            some = ", ".join(layout.left_out[:3]) + (", ..." if len(layout.left_out) > 3 else "")
            self._tell(f"{name}: left out {len(layout.left_out)} files that are of no machine: {some}.")
        if item.machine is not None and layout.machines != [item.machine]:
            self._tell(f"{name} holds clips of {', '.join(layout.machines)}.")
        self.note(f"{name} is in place: {len(placed.files):,} files in {', '.join(layout.machines)}.")

    def _unpack(self, name: str, done: int, total: int) -> None:
        self.unpacking = (name, done, total)

    def _tell(self, text: str) -> None:
        self.result.notes.append(text)
        self.note(text)

    def _wait(self, text: str) -> None:
        self.waits[threading.get_ident()] = text

    def _detail(self) -> str:
        waits = [text for text in list(self.waits.values()) if text]
        now = self.unpacking
        return waits[0] if waits else "unpacking {}, file {:,} of {:,}".format(*now) if now is not None else ""


def _key(item: Item) -> str:
    return f"{item.record}/{item.file.name}"


def _described(items: list[Item]) -> str:
    size = size_text(sum(item.file.size for item in items))
    return f"{items[0].file.name}, {size}" if len(items) == 1 else f"{len(items)} archives, {size}"


def _raise_all(errors: list[Exception], jobs: int) -> None:
    """Raise what went wrong as one error; a defect of ours goes first."""
    if defect := next((error for error in errors if not isinstance(error, EdgeAsdError)), None):
        raise defect
    # Of those that end everything the first will do: the others say the same.
    told = [error for error in errors if _concerns_one_archive(error)]
    told += [error for error in errors if error not in told][:1]
    if len(told) == 1:
        raise told[0]
    if told:
        raise type(told[-1])(f"{len(told)} of {jobs} archives failed. {' '.join(map(str, told))}")


def _concerns_one_archive(error: Exception) -> bool:
    """Tell errors that say nothing about the other archives from a dead network and a full disk."""
    return isinstance(error, WrongChecksumError | RefusedArchiveError) or type(error) is DataError
