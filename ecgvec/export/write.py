"""Sheets into a folder: all files of an image together, the JSON last, files that a run shares at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ecgvec import export
from ecgvec.components import import_folder
from ecgvec.errors import ExportError
from ecgvec.export import native
from ecgvec.export.files import FileSet, Written, make_folder
from ecgvec.export.formats import DEFAULT_FORMATS, FORMATS, Files, Format, Streams
from ecgvec.export.storage import Place
from ecgvec.sheet import Sheet

import_folder(export.__name__, export.__path__)  # each module of a format adds it to the table


def select_formats(names: Iterable[str] | None) -> dict[str, Format]:
    """The formats of these names (None: the default ones); ExportError with the nearest name for an unknown one, and
    for one that names PNGs where the images are JPEGs alone."""
    found = {name: FORMATS.get(name) for name in (DEFAULT_FORMATS if names is None else names)}
    if "jpg" in found and "png" not in found:
        for name, part in found.items():
            if part.names_png:
                raise ExportError(
                    f"the format {name} names the PNG of an image: add png to --formats, or leave {name} out"
                )
    return found


Store = Callable[[str, Files], tuple[Written, ...]]


def contents(formats: Mapping[str, Format], sheet: Sheet) -> Iterator[tuple[str, Files]]:
    """(format, files) of one image; the JSON, which lists all others, is the last and comes alone."""
    stem = sheet.plan.stem_path
    files: Files = {}
    for name, part in formats.items():
        some = part.files(sheet, stem)
        files |= some
        yield name, some
    if "json" in formats:
        yield "json", {f"{stem}.json": native.sidecar(sheet, files)}


def shares(formats: Mapping[str, Format], sheet: Sheet) -> tuple[tuple[str, Any], ...]:
    """(format, part): an image's shares of the files that a run has in common."""
    stem = sheet.plan.stem_path
    return tuple((name, part.part(sheet, stem)) for name, part in formats.items() if part.part is not None)


class Saved(NamedTuple):
    """The ``files`` of an image, and its shares, (format, part), of the files that a run has in common."""

    files: tuple[Written, ...]
    parts: tuple[tuple[str, Any], ...]


class Writer:
    """Writes sheets into one output folder by way of ``staging``, a folder on the same disk, where there is one.
    ``finish`` writes the files that all of them share. ``store(stem, files)``, where it is given, takes the files of
    each image instead of the folder."""

    def __init__(
        self,
        folder: Place,
        formats: Iterable[str] | None = None,
        staging: Path | None = None,
        store: Store | None = None,
    ) -> None:
        self._formats = select_formats(formats)
        self._folder, self._staging, self._store = folder, staging, store
        make_folder(folder)

    def write(self, sheet: Sheet) -> Saved:
        """Write one sheet's files; all of them, or none (ExportError)."""
        files: Files = {}
        for _, some in contents(self._formats, sheet):
            files |= some
        parts = shares(self._formats, sheet)
        return Saved(self._put(files) if self._store is None else self._store(sheet.plan.stem_path, files), parts)

    def finish(self, parts: Callable[[str], Iterable[Any]]) -> tuple[Written, ...]:
        """Write the shared files, from ``parts(format)``: the shares of all images in order."""
        files: Streams = {}
        for name, part in self._formats.items():
            if part.merge is not None and next(iter(parts(name)), None) is not None:
                files |= part.merge(parts(name))
        return self._put(files)

    def _put(self, files: Mapping[str, bytes | Iterable[bytes]]) -> tuple[Written, ...]:
        with FileSet(self._folder, self._staging) as staged:
            return tuple(staged.add(name, content) for name, content in files.items())


def write_sheets(sheets: Iterable[Sheet], folder: Path, formats: Iterable[str] | None = None) -> list[Path]:
    """Write sheets and the files they share; returns all files."""
    writer = Writer(folder, formats)
    parts: dict[str, list[Any]] = {}
    written: list[Written] = []
    for sheet in sheets:
        saved = writer.write(sheet)
        written += saved.files
        for name, part in saved.parts:
            parts.setdefault(name, []).append(part)
    written += writer.finish(lambda name: parts.get(name, []))
    return [folder / file.path for file in written]
