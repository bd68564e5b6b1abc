"""Worker processes: all jobs are accounted for, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecgvec.batch.jobs import Job
from ecgvec.batch.local import CHUNK, shrinking
from ecgvec.batch.manifest import Chunk, Entry, Task
from ecgvec.batch.pool import Pool
from ecgvec.errors import ExportError


def chunks(jobs: int, size: int) -> Iterator[Chunk]:
    tasks = [Task(number, Job(f"r{number}", f"r{number}")) for number in range(jobs)]
    yield from (tasks[at : at + size] for at in range(0, jobs, size))


def drawing(log: Path, deadly: dict[int, int]) -> Callable[[Chunk], Iterator[Entry]]:
    """A drawer that logs its jobs and dies of some, by the signal given for each; 0: it refuses to write."""

    def draw(chunk: Chunk) -> Iterator[Entry]:
        for task in chunk:
            with log.open("a") as file:
                file.write(f"{task.number} {os.getpid()}\n")
            if deadly.get(task.number) == 0:
                raise ExportError("the disk is full: free space there")
            if task.number in deadly:
                os.kill(os.getpid(), deadly[task.number])
                time.sleep(5)
            yield Entry(task.number, "done", images=1)

    return draw


def broken() -> Callable[[Chunk], Iterator[Entry]]:
    """A drawer that cannot be made."""
    raise SystemExit(3)


def logged(log: Path) -> Counter[int]:
    return Counter(int(line.split()[0]) for line in log.read_text().splitlines())


@pytest.mark.parametrize("workers", [1, 3])
def test_each_job_is_done_once(tmp_path: Path, workers: int) -> None:
    log = tmp_path / "log"
    with Pool(workers, drawing, log, {}) as pool:
        entries = list(pool.draw(chunks(20, 3)))
    assert sorted(entry.number for entry in entries) == list(range(20))
    assert logged(log) == dict.fromkeys(range(20), 1)
    assert len({line.split()[1] for line in log.read_text().splitlines()}) <= workers


@pytest.mark.parametrize("fatal", [signal.SIGSEGV, signal.SIGKILL])
def test_a_job_that_kills_its_process_costs_no_other(tmp_path: Path, fatal: signal.Signals) -> None:
    log = tmp_path / "log"
    with Pool(2, drawing, log, {7: int(fatal)}) as pool:
        entries = {entry.number: entry for entry in pool.draw(chunks(20, 5))}
    assert sorted(entries) == list(range(20))
    assert {number for number, entry in entries.items() if entry.state != "done"} == {7}
    assert entries[7].state == "quarantined" and fatal.name in entries[7].reason and "died 2 times" in entries[7].reason
    assert logged(log)[7] == 3, "once with others, twice alone"


def test_a_process_that_cannot_write_ends_the_run(tmp_path: Path) -> None:
    with Pool(2, drawing, tmp_path / "log", {5: 0}) as pool, pytest.raises(ExportError, match="the disk is full"):
        list(pool.draw(chunks(20, 2)))


def test_processes_that_cannot_begin_end_the_run() -> None:
    with Pool(2, broken) as pool, pytest.raises(ExportError, match=r"ended by itself \(exit code 3\)"):
        list(pool.draw(chunks(3, 1)))


def test_leaving_early_ends_the_processes(tmp_path: Path) -> None:
    with Pool(2, drawing, tmp_path / "log", {}) as pool:
        next(pool.draw(chunks(1000, 1)))
        workers = [worker.process for worker in pool._workers]
        assert len(workers) == 2
    assert not any(process.is_alive() for process in workers)
    assert sum(logged(tmp_path / "log").values()) < 1000


def test_chunks_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    taken = 0

    def counted() -> Iterator[Chunk]:
        nonlocal taken
        for chunk in chunks(100, 1):
            taken += 1
            yield chunk

    with Pool(2, drawing, tmp_path / "log", {}) as pool:
        done = 0
        for _ in pool.draw(counted()):
            done += 1
            assert taken <= done + 3
    assert done == 100


@pytest.mark.parametrize(("total", "workers"), [(1, 2), (7, 2), (40, 2), (200, 2), (100, 8)])
def test_chunks_shrink_so_that_all_processes_end_together(total: int, workers: int) -> None:
    tasks = [Task(number, Job(str(number), str(number))) for number in range(total)]
    chunks = list(shrinking((tasks[at : at + CHUNK] for at in range(0, total, CHUNK)), total, workers))
    assert [task for chunk in chunks for task in chunk] == tasks
    free = [0] * workers  # when each process has done what it took, a record being a unit of time
    for chunk in chunks:
        free[free.index(min(free))] += len(chunk)
    assert max(free) - min(free) <= 4
    assert total < 100 or len(chunks) < total / 3
