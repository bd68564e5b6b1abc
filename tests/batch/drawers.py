"""Drawers for processes, some of which they kill; they are imported there, and quickly."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ecgvec.batch.manifest import Chunk, Entry
from ecgvec.errors import ExportError


def drawing(log: Path, deadly: dict[int, int]) -> Callable[[Chunk], Iterator[Entry]]:
    """A drawer that logs its jobs and nodes, and dies of some, by the signal given for each; 0: it refuses to write,
    -1: it is at fault."""
    import ray

    node = ray.get_runtime_context().get_node_id()

    def draw(chunk: Chunk) -> Iterator[Entry]:
        for task in chunk:
            with log.open("a") as file:
                file.write(f"{task.number} {node}\n")
            fate = deadly.get(task.number)
            if fate == 0:
                raise ExportError("the disk is full: free space there")
            if fate == -1:
                raise ValueError("no such thing")
            if fate is not None:
                os.kill(os.getpid(), fate)
                time.sleep(5)
            time.sleep(0.05)
            yield Entry(task.number, "done", images=1)

    return draw


def broken() -> Callable[[Chunk], Iterator[Entry]]:
    """A drawer that cannot be made."""
    raise ValueError("it has no fonts")


def deadly_shards(fatal: int, *arguments: Any) -> Callable[[Chunk], Iterator[Entry]]:
    """`shard_drawer`, killed by the record of the number ``fatal``. Take it by `functools.partial`."""
    from ecgvec.batch.shards import shard_drawer

    return deadly(fatal, shard_drawer(*arguments))


def deadly_probe(fatal: int, *arguments: Any) -> Callable[[Chunk], Iterator[Entry]]:
    """`drawer`, killed by the record of the number ``fatal``."""
    from ecgvec.batch.work import drawer

    return deadly(fatal, drawer(*arguments))


def deadly(fatal: int, draw: Callable[[Chunk], Iterator[Entry]]) -> Callable[[Chunk], Iterator[Entry]]:
    """``draw``, killed by the record of the number ``fatal``."""

    def drawing(chunk: Chunk) -> Iterator[Entry]:
        for task in chunk:
            tried = {one.number for one in getattr(task, "tasks", [task])} - set(getattr(task, "doomed", {}))
            if fatal in tried:
                os.kill(os.getpid(), signal.SIGSEGV)
        yield from draw(chunk)

    return drawing
