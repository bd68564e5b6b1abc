"""Which of the files that a run has finished are lost or damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ecgvec.export.files import Written


def lost(files: Iterable[tuple[int, Written]], out: Path, rehash: bool) -> list[int]:
    """The jobs, each once, of files (job, file) below ``out`` that are missing or not what was written.

    A file of the right size and time is trusted, unless ``rehash``; any other is read, once for all jobs in a row that
    it is of.
    """
    found: dict[int, None] = {}
    for file, rows in groupby(files, key=itemgetter(1)):
        if not _is_whole(file, out / file.path, rehash):
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
