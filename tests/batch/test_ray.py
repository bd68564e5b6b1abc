"""A run on a Ray cluster of two nodes: the same bytes as here, whatever becomes of processes and nodes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ecgvec.batch import shards
from ecgvec.batch.jobs import Job, find_jobs
from ecgvec.batch.local import STAGING, Progress, RunOptions, Summary, run
from ecgvec.batch.manifest import MANIFEST, Chunk, Task
from ecgvec.batch.ray import engine as ray_engine
from ecgvec.batch.ray.cluster import connect
from ecgvec.batch.ray.engine import RayPool
from ecgvec.errors import ExportError
from ecgvec.recipe.recipe import load_recipe
from tests.batch.drawers import broken, deadly_probe, deadly_shards, drawing
from tests.batch.runs import twelve_records
from tests.conftest import Run

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'ecgvec[ray]'")
cluster_utils = pytest.importorskip("ray.cluster_utils")

FORMATS = ["png", "json", "kit", "coco"]
RECIPE = load_recipe("clean", {"page.dpi": 50, "output.formats": FORMATS})
SMALL = {"object_store_memory": 80 * 2**20}
SIZE = 3
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_OBJECT_STORE_ALLOW_SLOW_STORAGE": "1",  # where /dev/shm is small
    "RAY_memory_monitor_refresh_ms": "0",  # what else runs here may fill the memory
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without a core to draw with, and two nodes with one each, as processes on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        made = cluster_utils.Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **SMALL}
        )
        try:
            for _ in range(2):
                made.add_node(num_cpus=1, **SMALL)
            yield made
        finally:
            made.shutdown()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return twelve_records(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def whole(records: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run in this process makes."""
    out = tmp_path_factory.mktemp("whole")
    drawn(records, out, workers=0)
    return files(out)


def files(out: Path) -> dict[str, bytes]:
    """All files but the manifest and those that lie where the run is."""
    names = (path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return {name: (out / name).read_bytes() for name in names if not name.startswith((MANIFEST, "ecgvec-run"))}


def drawn(records: Path, out: Path, report: Callable[[Progress], None] = lambda now: None, **options: Any) -> Summary:
    made = RunOptions(manifest=out / MANIFEST, **{"pool": RayPool, "workers": 2, **options})
    return run(records, lambda: find_jobs(records, out, False), out, RECIPE, made, report=report)


def chunks(jobs: int, size: int) -> Iterator[Chunk]:
    tasks = [Task(number, Job(f"r{number}", f"r{number}")) for number in range(jobs)]
    yield from (tasks[at : at + size] for at in range(0, jobs, size))


def logged(log: Path) -> list[tuple[int, str]]:
    return [(int(number), node) for number, node in map(str.split, log.read_text().splitlines())]


@contextmanager
def taken(count: int) -> Iterator[Callable[[], None]]:
    """Cores that others have; they go when asked to, or at the end."""

    class Other:
        def here(self) -> None: ...

    others = [ray.remote(Other).options(num_cpus=1).remote() for _ in range(count)]
    ray.get([other.here.remote() for other in others])

    def go() -> None:
        while others:
            ray.kill(others.pop())

    try:
        yield go
    finally:
        go()


# The pool -------------------------------------------------------------------------------------------------------------


def test_each_job_is_done_once_and_all_nodes_draw(cluster: Any, tmp_path: Path) -> None:
    log, ahead = tmp_path / "log", 0

    def counted() -> Iterator[Chunk]:
        nonlocal ahead
        for chunk in chunks(100, 2):
            ahead += len(chunk)
            yield chunk

    numbers = []
    with connect(cluster.address) as cores:
        assert cores == 2
        with RayPool(3, drawing, log, {}) as pool:  # one of them waits for room until the end
            for entry in pool.draw(counted()):
                numbers.append(entry.number)
                assert ahead <= len(numbers) + 3 * 2, "memory must not grow with the number of jobs"
    assert sorted(numbers) == list(range(100))
    assert Counter(number for number, _ in logged(log)) == dict.fromkeys(range(100), 1)
    assert {node for _, node in logged(log)} == {node.node_id for node in cluster.worker_nodes}


def test_jobs_that_kill_their_process_cost_no_other(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_engine, "CONFIRM_S", 0.5)
    log = tmp_path / "log"
    with connect(cluster.address), RayPool(2, drawing, log, {7: int(signal.SIGSEGV), 12: -1}) as pool:
        entries = {entry.number: entry for entry in pool.draw(chunks(20, 5))}
    assert sorted(entries) == list(range(20))
    assert {number for number, entry in entries.items() if entry.state != "done"} == {7, 12}
    assert entries[7].state == entries[12].state == "quarantined"
    assert "died 2 times (Worker unexpectedly exits" in entries[7].reason
    assert "died 2 times (ValueError: no such thing)" in entries[12].reason
    counts = Counter(number for number, _ in logged(log))
    assert counts[7] == counts[12] == 3, "once with others, twice alone"
    assert capfd.readouterr() == ("", ""), "what Ray says of it is not for the user"


def test_a_job_is_not_blamed_for_nodes_that_die(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that goes down may end its processes first: when that has come out, the job is tried again."""
    monkeypatch.setattr(ray_engine, "CONFIRM_S", 0.0)
    (chunk,) = chunks(1, 1)
    alive = cluster.worker_nodes
    with connect(cluster.address), RayPool(2, drawing, tmp_path / "log", {}) as pool:
        for nodes in (["gone", "gone"], [next(iter(alive)).node_id, "gone"]):
            for node in nodes:
                pool._start()
                actor = pool._actors[-1]
                actor.node, actor.tasks = node, {0: chunk[0]}
                pool._buried(actor, ray.exceptions.ActorDiedError())
            assert list(pool._judged()) == [] and pool._again[-1] == chunk[0]
        pool._start()
        actor = pool._actors[-1]
        actor.node, actor.tasks = next(iter(alive)).node_id, {0: chunk[0]}
        pool._buried(actor, ray.exceptions.ActorDiedError())
        assert [entry.state for entry in pool._judged()] == ["quarantined"]


def test_faults_that_end_the_run(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    with connect(cluster.address):
        with (
            RayPool(2, drawing, tmp_path / "log", {5: 0}) as pool,
            pytest.raises(ExportError, match="the disk is full"),
        ):
            list(pool.draw(chunks(20, 2)))
        with (
            RayPool(2, broken) as pool,
            pytest.raises(ExportError, match=r"cannot begin \(ValueError: it has no fonts\)"),
        ):
            list(pool.draw(chunks(3, 1)))
        with RayPool(1, drawing, hidden / "log", {}) as pool:
            hidden.rmdir()
            with pytest.raises(ExportError, match=f"does not see {hidden}: input and output have to be on a disk that"):
                list(pool.draw(chunks(3, 1)))
        with monkeypatch.context() as patch:
            patch.setattr(ray_engine, "__version__", "0.0.1")
            pool = RayPool(1, drawing, tmp_path / "log", {})
        with pool, pytest.raises(ExportError, match=r"has ecgvec \S+, this one 0.0.1: install the same there"):
            list(pool.draw(chunks(3, 1)))


def test_a_cluster_without_room_ends_the_run(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(cluster.address), taken(2), RayPool(1, drawing, tmp_path / "log", {}) as pool:
        monkeypatch.setattr(ray_engine, "NO_ROOM_S", 0.5)
        with pytest.raises(ExportError, match=r"no free core for \d s: wait until others are done, and use --resume"):
            list(pool.draw(chunks(3, 1)))
        monkeypatch.setattr(ray_engine, "NO_NODE_S", 0.5)
        monkeypatch.setattr(ray_engine, "cores", lambda: 0)
        with pytest.raises(ExportError, match="no node to draw on for"):
            list(pool.draw(chunks(3, 1)))


# Runs -----------------------------------------------------------------------------------------------------------------


def test_the_program_draws_the_same_bytes(
    cluster: Any, records: Path, whole: dict[str, bytes], tmp_path: Path, ecgvec_process: Run
) -> None:
    flags = ["-r", "50", "--formats", ",".join(FORMATS), "--engine", "ray", "--json-log"]
    done = ecgvec_process(
        "batch",
        "-i",
        os.path.relpath(records, tmp_path),
        "-o",
        "out",
        *flags,
        "--address",
        cluster.address,
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    told = [json.loads(line) for line in done.stderr.splitlines()]  # and nothing of Ray
    assert Counter(line.get("state") for line in told) == {None: 1, "done": 11, "quarantined": 1}
    assert done.stdout.startswith("12 images of 11 records in out\n") and len(done.stdout.splitlines()) == 4
    made, expected = files(tmp_path / "out"), dict(whole)
    assert "s0/r03: " in done.stdout and made.pop("quarantine.csv") and expected.pop("quarantine.csv")
    assert made == expected
    assert not list((tmp_path / "out").glob(f"{STAGING}*"))


def test_a_node_that_is_killed_costs_no_job(
    cluster: Any, records: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    pools: list[RayPool] = []
    killed = []

    def watched(*arguments: Any) -> RayPool:
        pools.append(RayPool(*arguments))
        return pools[0]

    with connect(cluster.address), taken(2) as others_go:
        doomed = cluster.add_node(num_cpus=1, **SMALL)  # the run begins there, for there alone is room
        cluster.wait_for_nodes()

        def kill(now: Progress) -> None:
            if now.entry is not None and not killed:
                killed.append([actor.tasks for actor in pools[0]._actors if actor.node == doomed.node_id])
                cluster.remove_node(doomed, allow_graceful=False)
                others_go()

        summary = drawn(records, tmp_path, kill, pool=watched)
        assert all(actor.node != doomed.node_id for actor in pools[0]._actors)
    assert len(killed) == 1 and len(killed[0]) == 1
    assert (summary.images, summary.done, len(summary.quarantined)) == (12, 11, 1)
    assert files(tmp_path) == whole


def test_an_interrupted_run_is_resumed_here(
    cluster: Any, records: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from ecgvec.cli import main; main()", "batch", "-i", str(records)]
    flags = ["-r", "50", "--formats", ",".join(FORMATS), "--json-log", "--engine", "ray", "--address", cluster.address]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path), *flags],
        text=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )
    assert process.stderr is not None
    lines = [json.loads(process.stderr.readline()) for _ in range(2)]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and said.splitlines()[-1].endswith("is whole: go on by --resume")
    assert [line["records"] for line in lines] == [0, 1] and len(list(tmp_path.rglob("*-0.json"))) < 2 * 11
    drawn(records, tmp_path, workers=0, resume=True)
    assert files(tmp_path) == whole


def test_shards(cluster: Any, records: Path, tmp_path: Path) -> None:
    with connect(cluster.address):
        drawn(records, tmp_path / "ray", shards=5)
    drawn(records, tmp_path / "here", workers=0, shards=5)
    assert len(list((tmp_path / "ray/shards").glob("*.tar"))) == 3
    assert files(tmp_path / "ray") == files(tmp_path / "here")


@pytest.mark.long
def test_a_record_that_kills_its_process_costs_no_other_of_its_shard(
    cluster: Any, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "CONFIRM_S", 0.0)
    staging = tmp_path / "staging"
    staging.mkdir()
    tasks = [Task(number, job) for number, job in enumerate(find_jobs(records, tmp_path, False).jobs)]
    arguments = (records, RECIPE, tmp_path / "out", staging, None)
    third = [tasks[6:9]]
    with connect(cluster.address):
        killed = (partial(deadly_shards, 7), partial(deadly_probe, 7))
        (found,) = shards.draw_shards(third, SIZE, arguments, 1, None, *killed, RayPool)
    assert {entry.number: entry.state for entry in found} == {6: "done", 7: "quarantined", 8: "done"}
    assert (tmp_path / "out/shards/shard-000002.tar").is_file() and list(staging.iterdir()) == []


# The command line -----------------------------------------------------------------------------------------------------


def answer(listening: socket.socket) -> None:
    """As a web server does that knows no HTTP/2."""
    with contextlib.suppress(OSError):  # nobody came
        line, _ = listening.accept()
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        line.close()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ["--engine", "ray", "--address", "127.0.0.1:1"],
            "no Ray cluster answers at 127.0.0.1:1 (Connection refused): ",
        ),
        (["--engine", "ray", "--address", "ray://127.0.0.1:10001"], "ray://127.0.0.1:10001 is for Ray's client, which"),
        (["--engine", "ray", "--address", "somewhere"], "--address somewhere is not HOST:PORT, as in 192.168.0.1:6379"),
        (
            ["--engine", "ray", "--address", "WEB"],
            "no Ray cluster answers at WEB (what listens there is something else): ",
        ),
        (["--engine", "ray"], "no Ray cluster answers at 127.0.0.1:2 "),
        (
            ["--address", "127.0.0.1:1"],
            "--address is that of a Ray cluster: give --engine ray as well, or leave it out",
        ),
        (["--engine", "ray", "--plan-only"], "--plan-only measures on this machine alone: leave --engine ray out"),
    ],
)
def test_what_cannot_be_is_said_at_once(
    records: Path, tmp_path: Path, ecgvec_process: Run, flags: list[str], said: str
) -> None:
    begun = time.monotonic()
    environment = {**os.environ, "RAY_ADDRESS": "127.0.0.1:2"}
    with socket.create_server(("127.0.0.1", 0)) as listening:  # as if it were the port of the dashboard
        web = f"127.0.0.1:{listening.getsockname()[1]}"
        threading.Thread(target=answer, args=(listening,), daemon=True).start()
        flags, said = [flag.replace("WEB", web) for flag in flags], said.replace("WEB", web)
        done = ecgvec_process("batch", "-i", records, "-o", tmp_path / "out", *flags, env=environment)
    assert done.returncode == 2 and done.stderr.startswith(f"ecgvec: {said}") and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists() and time.monotonic() - begun < 15


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ExportError, match=r"install it with pip install 'ecgvec\[ray\]'"), connect("127.0.0.1:1"):
        pass


def test_ray_is_imported_only_where_it_is_asked_for() -> None:
    code = "import sys, ecgvec.cli.batch, ecgvec.batch.local, ecgvec.batch.ray.engine; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
