"""Processes that draw: each takes a few jobs at a time, and none is lost with a process that dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from ecgvec.batch.manifest import Chunk, Entry, Task
from ecgvec.errors import EcgvecError, ExportError

Draw = Callable[[Chunk], Iterator[Entry]]


class Drawing(Protocol):
    """What draws chunks, inside ``with``."""

    def __enter__(self) -> Drawing: ...

    def __exit__(self, *_: object) -> None: ...

    def draw(self, chunks: Iterable[Chunk]) -> Iterator[Entry]:
        """What became of all jobs. ExportError where a process says that its output cannot be written."""


Pooled = Callable[..., Drawing]  # `Pool`, or what takes the same arguments

ATTEMPTS = 2  # processes that a job may kill, alone, before it is given up
PATIENCE_S = 10.0  # for a process that is asked to end
_SINGLE_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(eq=False)
class _Worker:
    """A process, the line to it, and the jobs that it has."""

    process: BaseProcess
    line: Connection
    tasks: dict[int, Task] = field(default_factory=dict)


class Pool:
    """``workers`` processes, each of which opens a drawer for itself by ``make(*arguments)`` and draws with it.

    Inside ``with``, ``drawn`` gives what became of each job, as soon as it is known. At most one chunk a process is
    under way, so that memory does not grow with the number of jobs.
    """

    def __init__(self, workers: int, make: Callable[..., Draw], *arguments: Any) -> None:
        self._make, self._arguments = make, arguments
        self._context = multiprocessing.get_context("spawn")
        self._count = workers
        self._workers: list[_Worker] = []
        self._again: deque[Task] = deque()
        self._deaths: dict[int, int] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(PATIENCE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.line.close()
        self._workers.clear()

    def draw(self, chunks: Iterable[Chunk]) -> Iterator[Entry]:
        """What became of all jobs. ExportError where a process says that its output cannot be written."""
        waiting = iter(chunks)
        for _ in range(self._count):
            self._start()
        while self._workers:
            for line in wait([worker.line for worker in self._workers]):
                worker = next(worker for worker in self._workers if worker.line is line)
                yield from self._heard(worker, waiting)

    def _chunks(self, waiting: Iterator[Chunk]) -> Iterator[Chunk]:
        """What to do next: jobs whose process died, each alone, and then the others."""
        while True:
            if self._again:
                yield [self._again.popleft()]
            elif chunk := next(waiting, None):
                yield chunk
            else:
                return

    def _heard(self, worker: _Worker, waiting: Iterator[Chunk]) -> Iterator[Entry]:
        try:
            said = worker.line.recv()
        except (EOFError, OSError):
            yield from self._buried(worker)
            if self._again or not self._workers:
                self._start()
            return
        if isinstance(said, EcgvecError):
            raise said
        if isinstance(said, Entry):
            worker.tasks.pop(said.number)
            yield said
        elif chunk := next(self._chunks(waiting), None):
            self._give(worker, chunk)
        else:
            self._dismiss(worker)

    def _start(self) -> None:
        here, there = self._context.Pipe()
        with environment(dict.fromkeys(_SINGLE_THREADS, "1")):
            process = self._context.Process(
                target=_work, args=(there, self._make, self._arguments), name="ecgvec worker", daemon=True
            )
            process.start()
        there.close()
        self._workers.append(_Worker(process, here))

    def _give(self, worker: _Worker, chunk: Chunk) -> None:
        worker.tasks = {task.number: task for task in chunk}
        try:
            worker.line.send(chunk)
        except OSError:  # it has died: that is heard next
            return

    def _dismiss(self, worker: _Worker) -> None:
        worker.line.close()  # at the end of the line it ends
        worker.process.join()
        self._workers.remove(worker)

    def _buried(self, worker: _Worker) -> Iterator[Entry]:
        """A process has died: its jobs are done again, each alone; one that was alone too often is given up."""
        worker.process.join()
        code = worker.process.exitcode or 0
        self._workers.remove(worker)
        worker.line.close()
        if not worker.tasks:
            raise ExportError(f"a worker process ended by itself ({_cause(code)}): please report what it printed")
        alone = len(worker.tasks) == 1
        for number, task in worker.tasks.items():
            self._deaths[number] = self._deaths.get(number, 0) + alone
            if self._deaths[number] >= ATTEMPTS:
                yield given_up(number, _cause(code))
            else:
                self._again.append(task)


def given_up(number: int, cause: str) -> Entry:
    """What becomes of a job that has killed its processes."""
    reason = f"the process that drew it died {ATTEMPTS} times ({cause}); please report it"
    return Entry(number, "quarantined", reason=reason)


def _cause(code: int) -> str:
    """How a process ended, by its exit code."""
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name if -code in [s.value for s in signal.Signals] else f"signal {-code}"
    return f"{name}, as when memory runs out" if name == "SIGKILL" else name


def _work(line: Connection, make: Callable[..., Draw], arguments: tuple[Any, ...]) -> None:
    """A worker process: None asks for a chunk, which comes in; entries go out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # files that are half written are removed
    one_thread()
    draw = make(*arguments)
    try:
        while True:
            line.send(None)
            for entry in draw(line.recv()):
                line.send(entry)
    except EOFError:
        return
    except EcgvecError as error:
        line.send(error)


def one_thread() -> None:
    """Keep this process to one thread: there is a process for each core."""
    import cv2
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    cv2.setNumThreads(0)  # none beside this one
    threadpool_limits(1)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables for the processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
