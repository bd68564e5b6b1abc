"""Files that are whole or not there: written beside, renamed into place together."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ecgvec.errors import EcgvecError, ExportError, RecordError


def refusal(path: Path, error: OSError) -> EcgvecError:
    """Why the file ``path`` cannot be written: a name that is too long is the record's fault, all else the folder's."""
    if error.errno == errno.ENAMETOOLONG:
        return RecordError(f"{path} cannot be written ({error.strerror}): give the record a shorter name")
    return ExportError(_sentence(path, error))


def _sentence(path: Path, error: OSError) -> str:
    return f"{path} cannot be written ({error.strerror or error}): choose another output folder, or free space there"


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its parents; ExportError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(_sentence(folder, error)) from None


@dataclass(frozen=True)
class Written:
    """A file: its ``path`` below the output folder, ``size`` in bytes, ``mtime`` in ns and ``sha256`` in hex."""

    path: str
    size: int
    mtime: int
    sha256: str


class Growing:
    """The file ``name``, to be at ``path``, under way at ``staged``: ``write`` adds to it, `close` ends it."""

    def __init__(self, name: str, path: Path, staged: Path) -> None:
        self._name, self._path, self._staged = name, path, staged
        self._digest, self._size = hashlib.sha256(), 0
        try:
            self._file = staged.open("wb")
        except OSError as error:
            raise refusal(path, error) from None

    def write(self, piece: bytes) -> None:
        """Add ``piece`` at the end."""
        try:
            self._size += self._file.write(piece)
        except OSError as error:
            raise refusal(self._path, error) from None
        self._digest.update(piece)

    def close(self) -> Written:
        """The file as it is now; nothing can be added to it after that."""
        try:
            self._file.close()
            when = self._staged.stat().st_mtime_ns
        except OSError as error:
            raise refusal(self._path, error) from None
        return Written(self._name, self._size, when, self._digest.hexdigest())

    def abandon(self) -> None:
        """Let go of it and remove it; it is whole, or not to be."""
        with suppress(OSError):  # what could not be written cannot be written here either: that was said before
            self._file.close()
        self._staged.unlink(missing_ok=True)


class FileSet:
    """Files below ``folder`` that appear together. Inside ``with``, ``add`` writes each in the folder ``staging``, or
    beside its place, and ``open`` one that grows; leaving without an error renames them in the order in which they
    were added, leaving with one removes them. ExportError where the disk refuses."""

    def __init__(self, folder: Path, staging: Path | None = None) -> None:
        self._folder, self._staging = folder, staging
        self._staged: list[tuple[Path, Path, Growing]] = []

    def __enter__(self) -> FileSet:
        return self

    def add(self, name: str, content: bytes | Iterable[bytes]) -> Written:
        """Stage ``content`` for the file ``name`` below the folder."""
        growing = self.open(name)
        for piece in (content,) if isinstance(content, bytes) else content:
            growing.write(piece)
        return growing.close()

    def open(self, name: str) -> Growing:
        """Stage the file ``name`` below the folder; it has to be closed before leaving."""
        path = self._folder / name
        beside = path.with_name(f".{path.name}.part")
        staged = self._staging / f"{os.getpid()}-{len(self._staged)}" if self._staging else beside
        make_folder(path.parent)
        growing = Growing(name, path, staged)
        self._staged.append((staged, path, growing))
        return growing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        path = Path()
        try:
            if kind is None:
                for _, path, _ in self._staged:  # before the first is renamed: all of them, or none
                    if path.is_dir():
                        raise IsADirectoryError(errno.EISDIR, "a folder is in its place")
            while kind is None and self._staged:
                staged, path, _ = self._staged[0]
                staged.replace(path)
                self._staged.pop(0)
        except OSError as failed:
            raise refusal(path, failed) from None
        finally:
            for _, _, growing in self._staged:
                growing.abandon()


def write_file(path: Path, content: bytes) -> None:
    """Write one file, whole or not at all."""
    with FileSet(path.parent) as files:
        files.add(path.name, content)
