"""Sheets into a folder: all files of an image together, the JSON last, shared tables at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ecgvec.export import images, kit, native  # noqa: F401  # each module adds its formats to the table
from ecgvec.export.files import FileSet, make_folder, write_file
from ecgvec.export.formats import DEFAULT_FORMATS, FORMATS, Format, Table
from ecgvec.sheet import Sheet


def checked_formats(names: Iterable[str] | None) -> dict[str, Format]:
    """The formats of these names (None: the default ones); ExportError with the nearest name for an unknown one."""
    return {name: FORMATS.get(name) for name in (DEFAULT_FORMATS if names is None else names)}


class Writer:
    """Writes sheets into one output folder. ``finish`` writes the tables that all of them share."""

    def __init__(self, folder: Path, formats: Iterable[str] | None = None) -> None:
        self._formats: dict[str, Format] = checked_formats(formats)
        self._folder = folder
        self._tables: dict[str, list[Table]] = {}
        make_folder(folder)

    def write(self, sheet: Sheet, subfolder: str = "") -> list[Path]:
        """Write one sheet's files below ``subfolder``; all of them, or none (ExportError)."""
        stem = f"{subfolder}/{sheet.plan.stem}" if subfolder else sheet.plan.stem
        files: dict[str, bytes] = {}
        for part in self._formats.values():
            files |= part.files(sheet, stem)
        if "json" in self._formats:
            files[f"{stem}.json"] = native.sidecar(sheet, files)
        with FileSet() as staged:
            for name, content in files.items():
                staged.add(self._folder / name, content)
        for part in self._formats.values():
            if part.table is not None:
                table = part.table(sheet, stem)
                self._tables.setdefault(table.path, []).append(table)
        return [self._folder / name for name in files]

    def finish(self) -> list[Path]:
        """Write the shared tables."""
        written = []
        for name, tables in self._tables.items():
            lines = [tables[0].head, *(line for table in tables for line in table.lines)]
            write_file(self._folder / name, ("\n".join(lines) + "\n").encode())
            written.append(self._folder / name)
        return written


def write_sheets(sheets: Iterable[Sheet], folder: Path, formats: Iterable[str] | None = None) -> list[Path]:
    """Write sheets and their shared tables; returns the files."""
    writer = Writer(folder, formats)
    written = [path for sheet in sheets for path in writer.write(sheet)]
    return written + writer.finish()
