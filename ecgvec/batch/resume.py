"""Which of the files that a run has finished are lost or damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ecgvec.export.files import Written
from ecgvec.export.storage import Place, Url

FOLDERS = 64  # at a URL, whose listings are kept: the files of one image are in a folder for each format


def lost(files: Iterable[tuple[int, Written]], out: Place, rehash: bool) -> list[int]:
    """The jobs, each once, of files (job, file) below ``out`` that are missing or not what was written.

    A file of the right size and time, at a URL of the right size, is trusted, unless ``rehash``; any other is read,
    once for all jobs in a row that it is of.
    """
    sizes = lru_cache(FOLDERS)(Url.sizes)

    def is_whole(file: Written) -> bool:
        path = out / file.path
        if isinstance(path, Path):
            return _is_whole(file, path, rehash)
        return sizes(path.parent).get(path.name) == file.size and (not rehash or path.sha256() == file.sha256)

    found: dict[int, None] = {}
    for file, rows in groupby(files, key=itemgetter(1)):
        if not is_whole(file):
            found |= dict.fromkeys(job for job, _ in rows)
    return list(found)


def _is_whole(file: Written, path: Path, rehash: bool) -> bool:
    try:
        found = path.stat()
        if found.st_size != file.size:
            return False
        if found.st_mtime_ns == file.mtime and not rehash:
            return True
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
    except OSError:
        return False
