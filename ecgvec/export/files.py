"""Files of an image put in place together, all or none, and tars of them."""

from __future__ import annotations

import errno
import hashlib
import re
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from ecgvec.errors import EcgvecError, ExportError, RecordError
from ecgvec.export.formats import Files
from ecgvec.export.storage import Place, Url, check_driver, refuse_halves

_TORN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def refusal(path: Place, error: OSError) -> EcgvecError:
    """Why the file ``path`` cannot be written: a name that is too long is the record's fault, all else the folder's."""
    if error.errno == errno.ENAMETOOLONG:
        return RecordError(f"{path} cannot be written ({error.strerror}): give the record a shorter name")
    return ExportError(_sentence(path, error))


def _sentence(path: Place, error: OSError) -> str:
    cure = "choose another output folder, or free space there"
    if isinstance(path, Url):
        cure = f"free space in {tempfile.gettempdir()}, where files lie until they are whole, or set TMPDIR to another"
    return f"{path} cannot be written ({error.strerror or error}): {cure}"


def make_folder(folder: Place) -> None:
    """Make ``folder`` and its parents; ExportError where that cannot be done. At a URL nothing has to be made."""
    if isinstance(folder, Url):
        refuse_halves(folder)
        check_driver(folder)
        return
    if _TORN_URL.match(str(folder)):
        raise ExportError(f"{folder} looks like a URL, which `ecgvec batch` alone writes to: give a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(_sentence(folder, error)) from None


@dataclass(frozen=True)
class Written:
    """A file: its ``path`` below the output folder, ``size`` in bytes, ``mtime`` in ns (0 at a URL) and ``sha256`` in
    hex."""

    path: str
    size: int
    mtime: int
    sha256: str


class Growing:
    """The file ``name``, to be at ``path``, under way at ``staged``: ``write`` adds to it, `close` ends it."""

    def __init__(self, name: str, path: Place, staged: Path) -> None:
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
            when = 0 if isinstance(self._path, Url) else self._staged.stat().st_mtime_ns
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
    were added, leaving with one removes them. At a URL they are put, the last of them after all others; without
    ``staging`` they lie in a temporary folder until then. ExportError where the disk, or the URL, refuses."""

    def __init__(self, folder: Place, staging: Path | None = None) -> None:
        self._folder, self._staging = folder, staging
        self._staged: list[tuple[Path, str, Growing]] = []
        self._own = ExitStack()
        if isinstance(folder, Url) and staging is None:
            self._staging = Path(self._own.enter_context(tempfile.TemporaryDirectory(prefix="ecgvec-")))

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
        make_folder(path.parent)
        if self._staging is not None:
            staged = self._staging / uuid4().hex  # processes of several machines may share that folder
        else:
            assert isinstance(path, Path)  # what goes to a URL has a staging folder
            staged = path.with_name(f".{path.name}.part")
        growing = Growing(name, path, staged)
        self._staged.append((staged, name, growing))
        return growing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                return
            if isinstance(self._folder, Url):
                self._folder.put({name: staged for staged, name, _ in self._staged})
            else:
                self._rename(self._folder)
        finally:
            for _, _, growing in self._staged:
                growing.abandon()
            self._own.close()

    def _rename(self, folder: Path) -> None:
        path = folder
        try:
            for _, name, _ in self._staged:  # before the first is renamed: all of them, or none
                path = folder / name
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, "a folder is in its place")
            while self._staged:
                staged, name, _ = self._staged[0]
                path = folder / name
                staged.replace(path)
                self._staged.pop(0)
        except OSError as failed:
            raise refusal(path, failed) from None


def write_file(path: Place, content: bytes) -> None:
    """Write one file, whole or not at all."""
    with FileSet(path.parent) as files:
        files.add(path.name, content)


def remove_file(path: Place) -> None:
    """Remove a file, if it is there; ExportError where it cannot be removed."""
    if isinstance(path, Url):
        path.remove()
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise refusal(path, error) from None


def names_in(folder: Place) -> list[str]:
    """What is right in a folder, sorted by name."""
    return sorted(folder.sizes()) if isinstance(folder, Url) else sorted(path.name for path in folder.iterdir())


def key(stem: str) -> str:
    """What the members of an image are called, up to the first dot: its path, folders included, in which `.` is
    written ``~2`` and ``~`` as ``~0``. WebDataset ends a key at the first dot of the last part, and leaves out what
    begins with two underscores, as hidden files: the first of them is written ``~3``."""
    folders, slash, name = stem.rpartition("/")
    parts = f"{folders}{slash}{name.replace('~', '~0').replace('.', '~2')}".split("/")
    return "/".join("~3" + part[1:] if part.startswith("__") else part for part in parts)


def field_of(path: str, stem: str) -> str:
    """The rest of a member's name: what stands before and after ``stem`` in the ``path`` that the file has in a folder
    of images, with dots between. ``NAME-0.png``: ``png``; ``NAME-0-gt.png``: ``gt.png``; ``kit/NAME-0.json``:
    ``kit.json``; ``masks/NAME-0-classes.png``: ``masks.classes.png``. Of a name that the format had to change, as WFDB
    does, the folder and the extension: ``wfdb.dat``."""
    before, found, after = path.partition(stem)
    if not found:
        folder, _, name = path.rpartition("/")
        before, after = folder.removesuffix(stem.rpartition("/")[0]), name.rpartition(".")[2]
    return ".".join([*filter(None, before.split("/")), after.lstrip("-.")])


class Tar:
    """A tar under way in ``staged``, at ``path`` below its folder; there is none without an image."""

    def __init__(self, staged: FileSet, path: str) -> None:
        self._staged, self._path = staged, path
        self._file: Growing | None = None
        self._size = 0
        self.fields: set[str] = set()

    def add(self, stem: str, files: Files) -> tuple[Written, ...]:
        """Add the files of an image. They are no files of their own: none is returned."""
        self._file = self._file or self._staged.open(self._path)
        for path, content in files.items():
            name = field_of(path, stem)
            self.fields.add(name)
            member = tarfile.TarInfo(f"{key(stem)}.{name}")  # mode 644, owner 0, time 0
            member.size = len(content)
            # ustar, with a pax header for names that are too long for it or not ASCII
            self._write(self._file, member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
            self._write(self._file, content + bytes(-len(content) % tarfile.BLOCKSIZE))
        return ()

    def close(self) -> tuple[Written, ...]:
        """End it: the tar, or nothing."""
        if self._file is None:
            return ()
        end = self._size + 2 * tarfile.BLOCKSIZE
        self._write(self._file, bytes(end + -end % tarfile.RECORDSIZE - self._size))
        return (self._file.close(),)

    def _write(self, file: Growing, content: bytes) -> None:
        file.write(content)
        self._size += len(content)
