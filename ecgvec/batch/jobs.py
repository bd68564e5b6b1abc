"""Which records there are: found below a folder or a URL, and fetched from there to be read."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ecgvec.errors import RecordError
from ecgvec.export.storage import Place, Url
from ecgvec.record.beats import EXTENSIONS
from ecgvec.record.header import NULL, load_header
from ecgvec.record.model import Record
from ecgvec.record.read import read_record

_SEGMENT_TAIL = re.compile(r"(?:[_-]?\d+|_layout)$")


@dataclass(frozen=True)
class Job:
    """One record. ``path`` is its place below the input folder without extension, with forward slashes; it keys the
    random streams. ``file`` is what to read below that folder. Where names are to be anonymous, ``alias`` takes the
    place of ``path`` in all that is written."""

    path: str
    file: str
    alias: str | None = None


@dataclass(frozen=True)
class Jobs:
    """The records to draw, in order, and the headers that are segments of another record."""

    jobs: tuple[Job, ...]
    segments: tuple[str, ...]


def find_jobs(folder: Place, out: Place, anonymous: bool) -> Jobs:
    """All records below ``folder`` but not below ``out``, sorted by path.

    With ``anonymous`` records are numbered in that order and not put into subfolders. Segments of multi-segment
    records are not records of their own. RecordError where the folder is missing or holds no record.
    """
    if isinstance(folder, Path) and not folder.is_dir():
        what = "is a file: use 'ecgvec single' for one record" if folder.exists() else "does not exist: check -i"
        raise RecordError(f"the input folder {folder} {what}")
    paths = sorted(_headers_at(folder, out) if isinstance(folder, Url) else _headers(folder, out))
    segments = _segments(folder, paths)
    found = [path for path in paths if path not in segments]
    if not found:
        raise RecordError(f"no record was found in {folder}: give a folder with WFDB headers (.hea) in it or below it")
    jobs = [Job(path, path, alias=anonymous_name(i) if anonymous else None) for i, path in enumerate(found)]
    return Jobs(tuple(jobs), tuple(sorted(segments)))


def anonymous_name(index: int) -> str:
    """What the record of that number is called where names are to say nothing."""
    return f"record-{index + 1:06d}"


def _parent(path: str) -> str:
    return path.rsplit("/", 1)[0] if "/" in path else ""


def _headers_at(folder: Url, out: Place) -> Iterator[str]:
    inside = str(out).removeprefix(f"{folder}/") + "/"
    for name in folder.names():
        if name.endswith(".hea") and not name.endswith("/.hea") and name != ".hea" and not name.startswith(inside):
            yield name.removesuffix(".hea")


def _headers(folder: Path, out: Place) -> Iterator[str]:
    stop = out.resolve() if isinstance(out, Path) else None
    for top, folders, files in os.walk(folder):
        here = Path(top)
        folders[:] = [name for name in folders if (here / name).resolve() != stop]
        inside = here.relative_to(folder).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        yield from (prefix + name.removesuffix(".hea") for name in files if name.endswith(".hea") and name != ".hea")


def _segments(folder: Place, paths: list[str]) -> set[str]:
    """Headers that a multi-segment header in the same folder names.

    Only headers whose name is another's with a number added ('041s01' beside '041s') are suspected, so that no more
    than a few files are opened however many records there are.
    """
    known, found = set(paths), set()
    masters = sorted({_SEGMENT_TAIL.sub("", path) for path in paths if _SEGMENT_TAIL.search(path)} & known)
    with find_headers(folder, masters) as files:
        for master, header in files.items():
            named = {f"{_parent(master)}/{name}".lstrip("/") for name in _segment_names(header)}
            found |= named & known - {master}
    return found


def _segment_names(header: Path) -> list[str]:
    try:
        return [segment.name for segment in load_header(header).segments]
    except RecordError:
        return []  # the record is read again in its turn, and quarantined with this error as its reason


def read_from(folder: Place, file: str, header: Path | None = None) -> Record:
    """The record ``file``, a name without extension below ``folder``; see `read_record`. RecordError names the URL."""
    if isinstance(folder, Path):
        return read_record(folder / file, header)
    source = (folder / file).parent
    name = file.rpartition("/")[2]
    with _temporary() as here:
        _copy(source, name, header, here)
        try:
            return read_record(here / name, header)
        except RecordError as error:
            raise RecordError(str(error).replace(str(here), str(source))) from None


@contextmanager
def find_headers(folder: Place, names: Sequence[str]) -> Iterator[dict[str, Path]]:
    """The headers of these records of ``folder``, as files; of a record that has none, where it would be."""
    if isinstance(folder, Path):
        yield {name: folder / f"{name}.hea" for name in names}
        return
    with _temporary() as here:
        files = {name: here / f"{number}.hea" for number, name in enumerate(names)}
        folder.fetch({f"{name}.hea": file for name, file in files.items()})
        yield files


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ecgvec-") as folder:
        yield Path(folder).resolve()  # as records name their files in messages


def _copy(source: Url, name: str, header: Path | None, here: Path) -> None:
    """All that `read_record` may look at. What is missing it will tell."""

    def fetch(files: Iterable[str]) -> None:
        source.fetch({file: here / file for file in files})

    main = header or here / f"{name}.hea"
    fetch({main.name, *(f"{name}.{extension}" for extension in EXTENSIONS)})
    named = _named(main)
    fetch(named)
    fetch({file for segment in named if segment.endswith(".hea") for file in _named(here / segment)} - named)


def _named(header: Path) -> set[str]:
    """The files that a header names: those of signals, or the headers of segments. All are names without folders."""
    try:
        found = load_header(header)
    except RecordError:
        return set()  # it is read again, and refused with this error
    segments = {f"{segment.name}.hea" for segment in found.segments if segment.name != NULL}
    return segments | {signal.file for signal in found.signals if not signal.is_null}
