"""Records of a folder, wherever it is: what lies at a URL is copied to this disk for as long as it is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ecgvec.errors import RecordError
from ecgvec.export.storage import Place, Url
from ecgvec.record.beats import EXTENSIONS
from ecgvec.record.header import NULL, load_header
from ecgvec.record.model import Record
from ecgvec.record.read import read_record


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
def headers(folder: Place, names: Sequence[str]) -> Iterator[dict[str, Path]]:
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
