"""The files of images as members of a tar, named as WebDataset reads them: ``KEY.FIELD``, all of a key in a row."""

from __future__ import annotations

import tarfile

from ecgvec.export.files import FileSet, Growing, Written
from ecgvec.export.formats import Files


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
