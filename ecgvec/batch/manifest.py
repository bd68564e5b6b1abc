"""What a run has done and has yet to do: a SQLite file that is right whenever the plug is pulled."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ecgvec.batch.jobs import Job
from ecgvec.errors import ExportError, one_line
from ecgvec.export.files import Written, make_folder
from ecgvec.export.storage import Place, Url

MANIFEST = "ecgvec-manifest.sqlite"
State = Literal["waiting", "done", "skipped", "quarantined"]

_TABLES = """
create table run (settings text not null, segments text not null);
create table jobs (
    number integer primary key, path blob not null, file blob not null, alias text,
    state text not null, images integer not null, reason blob not null, messages text not null
);
create index by_state on jobs (state);
create table files (
    job integer not null, path text not null, size integer, mtime integer, sha256 text, primary key (job, path)
) without rowid;
create table parts (job integer not null, place integer not null, format text not null, part text not null);
create index parts_of_format on parts (format, job, place);
"""


@dataclass(frozen=True)
class Entry:
    """What became of the job of this ``number``: its ``files``, and its shares (format, part) of the files that a
    run has in common, image by image."""

    number: int
    state: State
    images: int = 0
    reason: str = ""
    messages: tuple[str, ...] = ()
    files: tuple[Written, ...] = ()
    parts: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Task:
    """A job of a manifest, by its number."""

    number: int
    job: Job


Chunk = list[Task]


class Manifest:
    """The manifest ``path``, held by this process alone until it is closed; None: one in memory, for a run that cannot
    be resumed.

    ExportError where another run holds it, where it is damaged, or where the disk refuses.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        if path is not None:
            make_folder(path.parent)
        try:
            self._db = sqlite3.connect(":memory:" if path is None else path, timeout=0, isolation_level=None)
            self._db.execute("pragma locking_mode=exclusive")  # it ends with the process, however that ends
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=normal")
            self._db.execute("begin immediate")
            self._db.execute("commit")
        except sqlite3.OperationalError as error:
            if "locked" in str(error) and path is not None:
                raise ExportError(
                    f"another run is writing to {path.parent}: wait until it ends, or choose another output folder"
                ) from None
            raise self._refusal(error) from None
        except sqlite3.Error as error:
            raise self._refusal(error) from None
        self.is_new = not self._all("select 1 from sqlite_master where name = 'run'")

    def __enter__(self) -> Manifest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def begin(self, settings: dict[str, Any], jobs: Iterable[Job], segments: Sequence[str]) -> None:
        """Forget what there was, and enter the jobs of a run, all waiting."""
        rows = ((number, _stored(job.path), _stored(job.file), job.alias) for number, job in enumerate(jobs))
        with self._transaction():
            for (table,) in self._all("select name from sqlite_master where type = 'table'"):
                self._run(f"drop table {table}")
            for command in _TABLES.split(";"):
                self._run(command)
            self._run("insert into run values (?, ?)", (json.dumps(settings, sort_keys=True), json.dumps(segments)))
            self._many("insert into jobs values (?, ?, ?, ?, 'waiting', 0, x'', '[]')", rows)
        self.is_new = False

    def settings(self) -> dict[str, Any]:
        """What the run was begun with."""
        return dict(json.loads(self._all("select settings from run")[0][0]))

    def segments(self) -> list[str]:
        """Headers that are segments of other records."""
        return list(json.loads(self._all("select segments from run")[0][0]))

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        return dict(self._all("select state, count(*) from jobs group by state"))

    def images(self) -> int:
        """How many images are done."""
        return int(self._all("select coalesce(sum(images), 0) from jobs")[0][0])

    def waiting(self, size: int) -> Iterator[list[Task]]:
        """The jobs that wait, ``size`` at a time, in order."""
        last = -1
        while rows := self._all(
            "select number, path, file, alias from jobs where state = 'waiting' and number > ? order by number limit ?",
            (last, size),
        ):
            last = rows[-1][0]
            yield [Task(number, Job(_loaded(path), _loaded(file), alias)) for number, path, file, alias in rows]

    def enter(self, entries: Sequence[Entry]) -> None:
        """Put down what became of jobs; it stays, whatever happens next."""
        with self._transaction():
            for entry in entries:
                number = entry.number
                self._run("delete from files where job = ?", (number,))
                self._run("delete from parts where job = ?", (number,))
                self._run(
                    "update jobs set state = ?, images = ?, reason = ?, messages = ? where number = ?",
                    (entry.state, entry.images, _stored(entry.reason), json.dumps(entry.messages), number),
                )
                rows = ((number, f.path, f.size, f.mtime, f.sha256) for f in entry.files)
                self._many("insert or replace into files values (?, ?, ?, ?, ?)", rows)
                parts = ((number, i, name, json.dumps(part)) for i, (name, part) in enumerate(entry.parts))
                self._many("insert into parts values (?, ?, ?, ?)", parts)

    def again(self, numbers: Sequence[int] = (), states: Sequence[State] = ()) -> None:
        """Let these jobs wait again, and those in these states."""
        with self._transaction():
            for column, values in (("number", numbers), ("state", states)):
                command = f"update jobs set state = 'waiting', images = 0 where {column} = ?"
                self._many(command, ((value,) for value in values))

    def path_of(self, number: int) -> str:
        """The record of a job."""
        return _loaded(self._all("select path from jobs where number = ?", (number,))[0][0])

    def files(self) -> Iterator[tuple[int, Written]]:
        """(job, file) of all that is done."""
        for job, *row in self._each("select job, path, size, mtime, sha256 from files order by job"):
            yield int(job), Written(*row)

    def shared_files(self) -> Iterator[tuple[Written, int]]:
        """(file, images) of the files of several jobs each, all images of those jobs being in it, sorted by path."""
        for *row, images in self._each(
            "select files.path, size, mtime, sha256, sum(images) from files join jobs on job = number "
            "group by files.path order by files.path"
        ):
            yield Written(*row), int(images)

    def parts(self, name: str) -> Iterable[Any]:
        """The images' shares of the files that a format has in common, in order, as often as one goes through them."""
        return _Parts(self, name)

    def jobs_in_state(self, state: State) -> Iterator[tuple[str, str]]:
        """(path, reason) of the jobs in a state, in order."""
        for path, reason in self._each("select path, reason from jobs where state = ? order by number", (state,)):
            yield _loaded(path), _loaded(reason)

    def messages(self) -> Iterator[tuple[str, str]]:
        """(path, message) of what is to be told of records that were drawn."""
        for path, told in self._each("select path, messages from jobs where messages != '[]' order by number"):
            for message in json.loads(told):
                yield _loaded(path), message

    # SQLite -----------------------------------------------------------------------------------------------------------

    def _transaction(self) -> _Transaction:
        return _Transaction(self)

    def _run(self, command: str, values: Sequence[Any] = ()) -> None:
        try:
            self._db.execute(command, values)
        except sqlite3.Error as error:
            raise self._refusal(error) from None

    def _many(self, command: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._db.executemany(command, rows)
        except sqlite3.Error as error:
            raise self._refusal(error) from None

    def _each(self, command: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._db.execute(command, values)
        except sqlite3.Error as error:
            raise self._refusal(error) from None

    def _all(self, command: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return list(self._each(command, values))

    def _refusal(self, error: sqlite3.Error) -> ExportError:
        cure = "free space there, or remove it and begin anew"
        return ExportError(f"the manifest {self.path} cannot be used ({one_line(error)}): {cure}")


def _stored(text: str) -> bytes:
    """A text as SQLite can hold it: names of files may be no text."""
    return text.encode("utf-8", "surrogateescape")


def _loaded(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


class _Parts:
    """The shares of one format; read anew each time."""

    def __init__(self, manifest: Manifest, name: str) -> None:
        self._manifest, self._name = manifest, name

    def __iter__(self) -> Iterator[Any]:
        command = "select part from parts where format = ? order by job, place"
        return (json.loads(part) for (part,) in self._manifest._each(command, (self._name,)))


class _Transaction:
    """All of it, or nothing."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __enter__(self) -> None:
        self._manifest._run("begin immediate")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manifest._run("commit" if kind is None else "rollback")


FOLDERS = 64  # at a URL, whose listings are kept: the files of one image are in a folder for each format


def find_lost(files: Iterable[tuple[int, Written]], out: Place, rehash: bool) -> list[int]:
    """The jobs, each once, of files (job, file) below ``out`` that are missing or not what was written.

    A file of the right size and time, at a URL of the right size, is trusted, unless ``rehash``; any other is read,
    once for all jobs in a row that it is of.
    """
    sizes = lru_cache(FOLDERS)(Url.sizes)

    def is_whole(file: Written) -> bool:
        path = out / file.path
        if isinstance(path, Path):
            return _is_whole(file, path, rehash)
        return sizes(path.parent).get(path.name) == file.size and (not rehash or path.sha256() == file.sha256)

    found: dict[int, None] = {}
    for file, rows in groupby(files, key=itemgetter(1)):
        if not is_whole(file):
            found |= dict.fromkeys(job for job, _ in rows)
    return list(found)


def _is_whole(file: Written, path: Path, rehash: bool) -> bool:
    try:
        found = path.stat()
        if found.st_size != file.size:
            return False
        if found.st_mtime_ns == file.mtime and not rehash:
            return True
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
    except OSError:
        return False
