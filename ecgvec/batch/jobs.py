"""The records of a folder, or of a URL, found without opening them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecgvec.batch.fetch import headers
from ecgvec.errors import RecordError
from ecgvec.export.storage import Place, Url
from ecgvec.record.header import load_header

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
    with headers(folder, masters) as files:
        for master, header in files.items():
            named = {f"{_parent(master)}/{name}".lstrip("/") for name in _segment_names(header)}
            found |= named & known - {master}
    return found


def _segment_names(header: Path) -> list[str]:
    try:
        return [segment.name for segment in load_header(header).segments]
    except RecordError:
        return []  # the record is read again in its turn, and quarantined with this error as its reason
