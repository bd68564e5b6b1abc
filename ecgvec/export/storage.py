"""Folders by path or by URL: the one module that knows universal-pathlib, fsspec's own paths, which is imported where a
URL is given and nowhere else.

Credentials, endpoints and other options come from where fsspec and its drivers look for them: their environment
variables and configuration files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ecgvec.errors import EcgvecError, ExportError, RecordError, SourceError, one_line

if TYPE_CHECKING:
    from upath import UPath

PIECE = 1 << 20  # bytes that are read at once
AT_ONCE = 16  # objects that are under way together: each alone waits for the network most of the time
MAX_KEY = 1024  # bytes in the name of an object, of S3 and of Google
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_ALIASES = {"s3a": "s3", "gcs": "gs", "local": "file"}
_WHOLE = ("s3", "gs", "az", "abfs", "abfss", "memory")  # where an object appears when it is whole, or not at all
_IN_CLOUD_EXTRA = ("s3", "gs")
_PASSWORD = re.compile(r"[^/@]*:[^/]*@")

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Url:
    """The folder, or the object, ``protocol://path``: a UPath that can be sent to other processes, whose errors are one
    sentence. ``path`` has no slash at its end.

    A folder is there as long as objects are below it. Nothing that is listed or read is kept for the next time. All
    methods raise an EcgvecError with the URL and the cause where the driver fails.
    """

    protocol: str
    path: str

    def __str__(self) -> str:
        return f"{self.protocol}://{self.path}"

    def __truediv__(self, name: str) -> Url:
        return Url(self.protocol, "/".join(filter(None, (self.path, name))))

    @property
    def parent(self) -> Url:
        """The folder that this is in."""
        return Url(self.protocol, self.path.rpartition("/")[0])

    @property
    def name(self) -> str:
        """What this is called in its folder."""
        return self.path.rpartition("/")[2]

    def names(self) -> list[str]:
        """All objects below, as names relative to this folder; RecordError where it cannot be listed."""
        with self._reached(RecordError, "listed") as here:
            here.fs.invalidate_cache()
            found = here.fs.find(here.path) or here.fs.ls(here.path)  # of the two, `ls` says what is wrong
            here.fs.invalidate_cache()  # which holds all that was found
        below = f"{here.path.rstrip('/')}/"
        return [name.removeprefix(below) for name in found if isinstance(name, str) and name.startswith(below)]

    def sizes(self) -> dict[str, int]:
        """The objects right in this folder: name -> bytes. ExportError where it cannot be listed."""
        with self._reached(ExportError, "listed") as here:
            here.fs.invalidate_cache()
            try:
                found = here.fs.ls(here.path, detail=True)
            except FileNotFoundError:
                return {}
        return {str(info["name"]).rpartition("/")[2]: int(info["size"]) for info in found if info["type"] == "file"}

    def fetch(self, files: Mapping[str, Path]) -> None:
        """Copy the objects of these names below this folder into files; what is not there is left out. RecordError
        where one cannot be read."""
        here = self._opened()

        def copy(item: tuple[str, Path]) -> None:
            name, file = item
            with (self / name)._reported(RecordError, "read"):
                try:
                    here.fs.get_file((here / name).path, str(file))
                except FileNotFoundError:
                    file.unlink(missing_ok=True)

        _together(copy, files.items())

    def put(self, files: Mapping[str, Path]) -> None:
        """Put files at these names below this folder; the last appears when all others are there. ExportError where
        one cannot be written, RecordError where its name is too long."""
        here = self._opened()

        def copy(name: str) -> None:
            url = self / name
            if len(url.path.encode()) > MAX_KEY:
                raise RecordError(f"{url} cannot be written (File name too long): give the record a shorter name")
            with url._reported(ExportError, "written"):
                here.fs.put_file(str(files[name]), (here / name).path)

        names = list(files)
        _together(copy, names[:-1])
        _together(copy, names[-1:])

    def read(self) -> bytes | None:
        """The content of this object; None where there is none. SourceError where it cannot be read."""
        with self._reached(SourceError, "read") as here:
            try:
                return here.read_bytes()
            except FileNotFoundError:
                return None

    def sha256(self) -> str:
        """Of the content of this object, in hex. SourceError where it cannot be read."""
        digest = hashlib.sha256()
        with self._reached(SourceError, "read") as here, here.open("rb") as content:
            while piece := content.read(PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def remove(self) -> None:
        """Remove this object, if it is there. ExportError where it cannot be removed."""
        with self._reached(ExportError, "removed") as here:
            here.fs.invalidate_cache()
            if here.exists():  # to remove nothing takes the right to remove
                here.unlink()

    @contextmanager
    def _reached(self, kind: type[EcgvecError], done: str) -> Iterator[UPath]:
        with self._reported(kind, done):
            yield self._opened()

    @contextmanager
    def _reported(self, kind: type[EcgvecError], done: str) -> Iterator[None]:
        """Errors as one sentence: this cannot be ``done``."""
        try:
            yield
        except EcgvecError:
            raise
        except Exception as error:  # drivers raise errors of every kind: those of HTTP, of sockets, of their clouds
            cure = "check its name, your credentials and rights there, and the network"
            raise kind(f"{self} cannot be {done} ({one_line(error)}): {cure}") from None

    def _opened(self) -> UPath:
        """This place, by a file system of this thread."""
        from upath import UPath  # it loads drivers, and is in an extra

        with self._reported(SourceError, "reached"):
            here = UPath(str(self))
            here.fs  # noqa: B018  # connects: drivers say here what they lack
            return here


Place = Path | Url


def place(text: str) -> Place:
    """Where a path or a URL leads: a Path for ``file://``. SourceError for a URL that nothing here can reach."""
    match = _URL.fullmatch(text)
    if match is None:
        return Path(text)
    protocol = _ALIASES.get(match[1].lower(), match[1].lower())
    if protocol == "file":
        return _local(text, match[2])
    if _PASSWORD.match(match[2]):
        raise SourceError(
            f"a URL of {protocol}:// holds a password, which would be written down with it: "
            "leave it out, and configure fsspec with it"
        )
    url = Url(protocol, match[2].rstrip("/"))
    check_driver(url)
    if not url.path and protocol != "memory":
        raise SourceError(f"{url} names no bucket: write {url}BUCKET/FOLDER")
    return url


def check_driver(url: Url) -> None:
    """SourceError, with the cure, where this Python cannot reach such URLs."""
    try:
        import fsspec  # type: ignore[import-untyped]
        import upath  # noqa: F401

        fsspec.get_filesystem_class(url.protocol)
    except ImportError as error:
        is_ours = url.protocol in _IN_CLOUD_EXTRA or error.name in ("fsspec", "upath")
        cure = "pip install 'ecgvec[cloud]'" if is_ours else "install that with pip"
        raise SourceError(f"{url} cannot be reached ({one_line(error)}): {cure}") from None
    except ValueError:
        raise SourceError(
            f"{url} has the protocol '{url.protocol}', which fsspec does not know: "
            "give a path, or a URL as s3://BUCKET/FOLDER or gs://BUCKET/FOLDER"
        ) from None


def is_of_this_process(where: Place) -> bool:
    """Whether no other process sees what is there: ``memory://``."""
    return isinstance(where, Url) and where.protocol == "memory"


def refuse_halves(url: Url) -> None:
    """ExportError where half of a file could be seen, as in a folder of a server for files."""
    if url.protocol not in _WHOLE:
        raise ExportError(
            f"{url} cannot be written to, for half of a file would be seen there until the other half came: "
            f"write to a folder or to {', '.join(f'{name}://' for name in _WHOLE[:3])}, and copy it"
        )


def _local(text: str, rest: str) -> Path:
    from urllib.request import url2pathname  # slow to import

    path = rest.removeprefix("localhost")
    if not path.startswith("/"):
        raise SourceError(f"{text} names no file of this machine: write file:///PATH with the path from the root")
    return Path(url2pathname(path))


def _together(step: Callable[[_Item], None], items: Iterable[_Item]) -> None:
    """Do a step for many items at once."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(step, items):
            pass
