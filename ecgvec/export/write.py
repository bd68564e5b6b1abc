"""Sheets into a folder: all files of an image together, the JSON last, files that a run shares at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ecgvec.export import (  # noqa: F401  # each module adds its formats to the table
    coco,
    grids,
    hf,
    images,
    kaggle,
    kit,
    maps,
    masks,
    native,
    nnunet,
    wfdb,
    yolo,
)
from ecgvec.export.files import FileSet, Written, make_folder
from ecgvec.export.formats import DEFAULT_FORMATS, FORMATS, Format, Streams
from ecgvec.sheet import Sheet


def checked_formats(names: Iterable[str] | None) -> dict[str, Format]:
    """The formats of these names (None: the default ones); ExportError with the nearest name for an unknown one."""
    return {name: FORMATS.get(name) for name in (DEFAULT_FORMATS if names is None else names)}


class Saved(NamedTuple):
    """The ``files`` of an image, and its shares, (format, part), of the files that a run has in common."""

    files: tuple[Written, ...]
    parts: tuple[tuple[str, Any], ...]


class Writer:
    """Writes sheets into one output folder, by way of ``staging``, a folder on the same disk, where there is one.
    ``finish`` writes the files that all of them share."""

    def __init__(self, folder: Path, formats: Iterable[str] | None = None, staging: Path | None = None) -> None:
        self._formats = checked_formats(formats)
        self._folder, self._staging = folder, staging
        make_folder(folder)

    def write(self, sheet: Sheet) -> Saved:
        """Write one sheet's files; all of them, or none (ExportError)."""
        stem = sheet.plan.stem_path
        files: dict[str, bytes] = {}
        for part in self._formats.values():
            files |= part.files(sheet, stem)
        if "json" in self._formats:
            files[f"{stem}.json"] = native.sidecar(sheet, files)
        parts = [(name, part.part(sheet, stem)) for name, part in self._formats.items() if part.part is not None]
        return Saved(self._put(files), tuple(parts))

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
