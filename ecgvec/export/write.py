"""Sheets into a folder: all files of an image together, the JSON last, files that a run shares at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
from ecgvec.export.files import FileSet, make_folder
from ecgvec.export.formats import DEFAULT_FORMATS, FORMATS, Format
from ecgvec.sheet import Sheet


def checked_formats(names: Iterable[str] | None) -> dict[str, Format]:
    """The formats of these names (None: the default ones); ExportError with the nearest name for an unknown one."""
    return {name: FORMATS.get(name) for name in (DEFAULT_FORMATS if names is None else names)}


class Writer:
    """Writes sheets into one output folder. ``finish`` writes the files that all of them share."""

    def __init__(self, folder: Path, formats: Iterable[str] | None = None) -> None:
        self._formats = checked_formats(formats)
        self._folder = folder
        self._parts: dict[str, list[Any]] = {name: [] for name in self._formats}
        make_folder(folder)

    def write(self, sheet: Sheet) -> list[Path]:
        """Write one sheet's files; all of them, or none (ExportError)."""
        stem = sheet.plan.stem_path
        files: dict[str, bytes] = {}
        for part in self._formats.values():
            files |= part.files(sheet, stem)
        if "json" in self._formats:
            files[f"{stem}.json"] = native.sidecar(sheet, files)
        written = _put(self._folder, files)
        for name, part in self._formats.items():
            if part.part is not None:
                self._parts[name].append(part.part(sheet, stem))
        return written

    def finish(self) -> list[Path]:
        """Write the shared files."""
        files: dict[str, bytes] = {}
        for name, part in self._formats.items():
            if part.merge is not None and self._parts[name]:
                files |= part.merge(self._parts[name])
        return _put(self._folder, files)


def _put(folder: Path, files: dict[str, bytes]) -> list[Path]:
    with FileSet() as staged:
        for name, content in files.items():
            staged.add(folder / name, content)
    return [folder / name for name in files]


def write_sheets(sheets: Iterable[Sheet], folder: Path, formats: Iterable[str] | None = None) -> list[Path]:
    """Write sheets and the files they share; returns all files."""
    writer = Writer(folder, formats)
    written = [path for sheet in sheets for path in writer.write(sheet)]
    return written + writer.finish()
