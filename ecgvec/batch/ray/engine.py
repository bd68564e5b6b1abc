"""Actors on a Ray cluster that draw, each on a core of its own: what `pool.Pool` is on one machine.

A node that dies costs no job: what it had is done again, each job alone. A job is given up only where it has killed
`ATTEMPTS` processes, alone, on nodes that are alive long after it.
"""

from __future__ import annotations

import os
import pickle
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from ecgvec._version import __version__
from ecgvec.batch.manifest import Chunk, Entry, Task
from ecgvec.batch.pool import ATTEMPTS, Draw, given_up, one_thread
from ecgvec.batch.ray.cluster import cores, nodes
from ecgvec.errors import EcgvecError, ExportError

if TYPE_CHECKING:
    from ray.exceptions import RayError

LOOK_S = 1.0  # between looks at what no message tells
CONFIRM_S = 20.0  # Ray takes up to 15 s to notice that a node is dead
NO_NODE_S = 60.0  # without a node that has cores
NO_ROOM_S = 600.0  # without a core that is free, on nodes that others use


def versions() -> dict[str, str]:
    """Of what decides the bytes of an image; they have to be the same on all nodes."""
    import cairocffi
    import cv2
    import numpy as np
    import scipy

    return {
        "ecgvec": __version__,
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "OpenCV": cv2.__version__,
        "cairo": cairocffi.cairo_version_string(),
    }


@dataclass(frozen=True)
class _Order:
    """What a process needs to begin. ``made``: make and its arguments, pickled: only the same version can read them;
    ``seen``: what it has to find on its disk; ``here``: the folder that names of files are relative to."""

    versions: dict[str, str]
    seen: tuple[str, ...]
    here: str
    made: bytes


class Drawer:
    """What runs in a process of the cluster: it opens a drawer once, and draws chunk by chunk."""

    def begin(self, order: _Order) -> tuple[str, EcgvecError | None]:
        """The node that this is, and why it cannot draw."""
        import ray

        context = ray.get_runtime_context()
        node, place = str(context.get_node_id()), f"the node {ray.util.get_node_ip_address()} of the Ray cluster"
        mine = versions()
        for name, version in order.versions.items():
            if mine[name] != version:
                return node, ExportError(f"{place} has {name} {mine[name]}, this one {version}: install the same there")
        for path in order.seen:
            if not Path(path).exists():
                return node, ExportError(
                    f"{place} does not see {path}: input and output have to be on a disk that all nodes share, "
                    "under the same path"
                )
        if Path(order.here).is_dir():
            os.chdir(order.here)
        one_thread()
        make, arguments = pickle.loads(order.made)
        try:
            self._draw: Draw = make(*arguments)
        except EcgvecError as error:
            return node, error
        return node, None

    def draw(self, chunk: Chunk) -> Iterator[Entry | EcgvecError]:
        """What became of each job as soon as it is known, or why the run has to end."""
        try:
            yield from self._draw(chunk)
        except EcgvecError as error:
            yield error


@dataclass(eq=False)
class _Actor:
    """A process of the cluster: ``line`` is what it is about to say (None: it is idle); ``node``: where it is, once it
    has begun."""

    handle: Any
    line: Any
    node: str = ""
    tasks: dict[int, Task] = field(default_factory=dict)


# The run --------------------------------------------------------------------------------------------------------------


class RayPool:
    """``workers`` actors, each of which opens a drawer for itself by ``make(*arguments)`` and draws with it. They draw
    as soon as the cluster has a core for them. Paths among the arguments are those of a disk that all nodes share.

    For use inside `connected`; all else is as with `pool.Pool`.
    """

    def __init__(self, workers: int, make: Callable[..., Draw], *arguments: Any) -> None:
        import ray

        whole = tuple(one.absolute() if isinstance(one, Path) else one for one in arguments)
        seen = (next(path for path in (one, *one.parents) if path.exists()) for one in whole if isinstance(one, Path))
        made = pickle.dumps((make, whole))
        self._order = ray.put(_Order(versions(), tuple(map(str, seen)), str(Path.cwd()), made))
        self._kind = ray.remote(Drawer).options(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")
        self._count = workers
        self._actors: list[_Actor] = []
        self._ahead: Chunk | None = None  # the next of those that are waiting
        self._again: deque[Task] = deque()
        self._deaths: dict[int, list[str]] = {}  # of each job alone: the nodes
        self._suspects: list[tuple[float, Task, str]] = []  # until when, and how its last process ended
        self._false_starts = 0
        self._idle_since = monotonic()

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        for actor in self._actors:
            ray.kill(actor.handle)
        self._actors.clear()

    def draw(self, chunks: Iterable[Chunk]) -> Iterator[Entry]:
        """What became of all jobs. ExportError where a process says that its output cannot be written, and where the
        cluster has no room any more."""
        import ray

        waiting = iter(chunks)
        self._ahead = next(waiting, None)
        if self._ahead is None:
            return
        for _ in range(self._count):
            self._start()
        self._idle_since = monotonic()
        while self._feed(waiting):
            lines = {actor.line: actor for actor in self._actors if actor.line is not None}
            for line in ray.wait(list(lines), num_returns=1, timeout=LOOK_S)[0]:
                yield from self._heard(lines[line])
            if not lines:
                sleep(LOOK_S)  # until it is sure what a job has killed
            yield from self._judged()
            self._refuse_to_wait_forever()

    def _feed(self, waiting: Iterator[Chunk]) -> bool:
        """Give chunks to those that are idle: jobs whose process died, each alone, and then the others. Whether any job
        waits, or is under way."""
        for actor in self._actors:
            if actor.line is None:
                if self._again:
                    chunk = [self._again.popleft()]
                elif self._ahead is not None:
                    chunk, self._ahead = self._ahead, next(waiting, None)
                else:
                    break
                actor.tasks = {task.number: task for task in chunk}
                actor.line = actor.handle.draw.options(num_returns="streaming").remote(chunk)
        return bool(self._again or self._ahead or self._suspects or any(actor.tasks for actor in self._actors))

    def _start(self) -> None:
        handle = self._kind.remote()
        self._actors.append(_Actor(handle, handle.begin.remote(self._order)))

    def _heard(self, actor: _Actor) -> Iterator[Entry]:
        import ray

        self._actors.remove(actor)
        self._actors.append(actor)  # it is asked last when several have something to say
        try:
            said = ray.get(next(actor.line) if actor.node else actor.line)
        except StopIteration:
            actor.line = None
            return
        except ray.exceptions.RayError as error:
            self._buried(actor, error)
            return
        if not actor.node:
            actor.node, said = said
            actor.line, self._false_starts = None, 0
        if isinstance(said, EcgvecError):
            raise said
        if isinstance(said, Entry):
            del actor.tasks[said.number]
            yield said

    def _buried(self, actor: _Actor, error: RayError) -> None:
        """A process has died, or is out of reach: its jobs are done again, each alone, and another takes its place."""
        import ray

        ray.kill(actor.handle)  # where it only seems dead
        self._actors.remove(actor)
        if isinstance(error, ray.exceptions.LocalRayletDiedError) or "its owner has died" in str(error):
            raise ExportError("this machine has lost the Ray cluster: see 'ray status', and go on by --resume")
        is_own = not isinstance(error, ray.exceptions.ActorUnavailableError) and not _is_of_node(error)
        if not actor.node:
            self._false_starts += is_own
            if self._false_starts > ATTEMPTS:
                raise ExportError(
                    f"processes of the Ray cluster cannot begin ({_cause(error)}): is ecgvec on all nodes?"
                )
        for number, task in actor.tasks.items():
            deaths = self._deaths.setdefault(number, [])
            if is_own and len(actor.tasks) == 1:
                deaths.append(actor.node)
            if len(deaths) >= ATTEMPTS:
                self._suspects.append((monotonic() + CONFIRM_S, task, _cause(error)))
            else:
                self._again.append(task)
        self._start()

    def _judged(self) -> Iterator[Entry]:
        """Jobs that have killed their processes are given up; not those whose node was about to die."""
        due = [suspect for suspect in self._suspects if suspect[0] <= monotonic()]
        alive = nodes() if due else {}
        for suspect in due:
            self._suspects.remove(suspect)
            _, task, cause = suspect
            deaths = self._deaths[task.number] = [node for node in self._deaths[task.number] if node in alive]
            if len(deaths) >= ATTEMPTS:
                yield given_up(task.number, cause)
            else:
                self._again.append(task)

    def _refuse_to_wait_forever(self) -> None:
        if any(actor.node for actor in self._actors):
            self._idle_since = monotonic()
        waited = monotonic() - self._idle_since
        if waited > NO_NODE_S and not cores():
            raise ExportError(
                f"the Ray cluster has had no node to draw on for {waited:.0f} s: add one, and use --resume"
            )
        if waited > NO_ROOM_S:
            raise ExportError(
                f"the Ray cluster has had no free core for {waited:.0f} s: wait until others are done, and use --resume"
            )


def _is_of_node(error: RayError) -> bool:
    """Whether a process ended because its node did, as far as Ray knows."""
    return getattr(error, "preempted", False) or "its node has died" in str(error)


def _cause(error: BaseException) -> str:
    """How a process ended, as Ray has it, without its guesses."""
    text = str(error).strip()
    found = re.search(r"exit detail: (.*?)(?: Some common causes|$)", text)
    return (found[1] if found else text.rpartition("\n")[2]).rstrip(".")
