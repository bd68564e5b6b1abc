"""Files that are whole or not there: written beside, renamed into place together."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
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


class FileSet:
    """Files below ``folder`` that appear together. Inside ``with``, ``add`` writes each in the folder ``staging``, or
    beside its place; leaving without an error renames them in the order in which they were added, leaving with one
    removes them. ExportError where the disk refuses."""

    def __init__(self, folder: Path, staging: Path | None = None) -> None:
        self._folder, self._staging = folder, staging
        self._staged: list[tuple[Path, Path]] = []

    def __enter__(self) -> FileSet:
        return self

    def add(self, name: str, content: bytes | Iterable[bytes]) -> Written:
        """Stage ``content`` for the file ``name`` below the folder."""
        path = self._folder / name
        beside = path.with_name(f".{path.name}.part")
        staged = self._staging / f"{os.getpid()}-{len(self._staged)}" if self._staging else beside
        make_folder(path.parent)
        digest, size = hashlib.sha256(), 0
        try:
            with staged.open("wb") as file:
                self._staged.append((staged, path))
                for piece in (content,) if isinstance(content, bytes) else content:
                    size += file.write(piece)
                    digest.update(piece)
            return Written(name, size, staged.stat().st_mtime_ns, digest.hexdigest())
        except OSError as error:
            raise refusal(path, error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        path = Path()
        try:
            if kind is None:
                for _, path in self._staged:  # before the first is renamed: all of them, or none
                    if path.is_dir():
                        raise IsADirectoryError(errno.EISDIR, "a folder is in its place")
            while kind is None and self._staged:
                staged, path = self._staged[0]
                staged.replace(path)
                self._staged.pop(0)
        except OSError as failed:
            raise refusal(path, failed) from None
        finally:
            for staged, _ in self._staged:
                staged.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """Write one file, whole or not at all."""
    with FileSet(path.parent) as files:
        files.add(path.name, content)
