"""What a second process brings: images a second of runs with 1 and 2 workers, in turn. Or what Ray costs: runs with one
worker for each core, without Ray and on a Ray cluster of this one machine, in turn.

python benchmarks/bench_batch.py [--ray] [--records 200] [--rounds 2] [--recipe clean] [--dpi 200]

Each run draws into a folder that is removed afterwards. Ratios count, not times: both kinds of run take turns, so that
what else the machine does hits both. Starting processes, and connecting to the cluster, are part of a run.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ecgvec.batch.jobs import find_jobs
from ecgvec.batch.local import RunOptions, run
from ecgvec.batch.manifest import MANIFEST
from ecgvec.batch.pool import Pool, usable_cores
from ecgvec.batch.ray.cluster import connect
from ecgvec.batch.ray.engine import RayPool
from ecgvec.recipe.recipe import load_recipe
from ecgvec.resources import folder

DEMO = "ecgvec-demo"

Timed = Callable[[], float]


def records(where: Path, number: int) -> Path:
    """A folder of so many records, all the demonstration's own, under names of their own."""
    where.mkdir()
    header = (folder("demo") / f"{DEMO}.hea").read_text()
    for i in range(number):
        name = f"r{i:05d}"
        (where / f"{name}.hea").write_text(header.replace(DEMO, name))
        shutil.copy(folder("demo") / f"{DEMO}.dat", where / f"{name}.dat")
    return where


def timed(source: Path, out: Path, workers: int, options: argparse.Namespace, address: str | None = None) -> float:
    """Images a second; on the Ray cluster at ``address`` where one is given."""
    recipe = load_recipe(options.recipe, {"page.dpi": options.dpi})
    begun = time.perf_counter()
    with connect(address) if address else nullcontext():
        made = RunOptions(workers, out / MANIFEST, pool=RayPool if address else Pool)
        images = run(source, lambda: find_jobs(source, out, False), out, recipe, made).images
    spent = time.perf_counter() - begun
    shutil.rmtree(out)
    return images / spent


@contextmanager
def ray_cluster(cores: int) -> Iterator[str]:
    """The address of a cluster of this machine, as 'ray start --head' starts one."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cores, "include_dashboard": False})
    try:
        yield cluster.address
    finally:
        cluster.shutdown()


def compare(rounds: int, first: tuple[str, Timed], second: tuple[str, Timed]) -> None:
    """Print images a second of both, round by round, and the ratio. Every other round the second begins."""
    ratios = []
    for number in range(rounds):
        found: dict[str, float] = {}
        for name, measure in (first, second) if number % 2 == 0 else (second, first):
            found[name] = measure()
        ratios.append(found[second[0]] / found[first[0]])
        told = ", ".join(f"{name} {found[name]:.2f} images/s" for name, _ in (first, second))
        print(f"round {number + 1}: {told}, ratio {ratios[-1]:.3f}", flush=True)
    spread = f", standard deviation {statistics.stdev(ratios):.3f}" if rounds > 1 else ""
    print(f"ratio: median {statistics.median(ratios):.3f}{spread}")


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ray", action="store_true", help="compare with Ray")
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--recipe", default="clean")
    parser.add_argument("--dpi", type=float, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        source, out = records(Path(place) / "in", options.records), Path(place) / "out"

        def drawn(workers: int, **more: Any) -> Timed:
            return partial(timed, source, out, workers, options, **more)

        if options.ray:
            cores = usable_cores()
            with ray_cluster(cores) as address:
                here, there = drawn(cores), drawn(cores, address=address)
                compare(options.rounds, (f"{cores} workers here", here), (f"{cores} workers on Ray", there))
        else:
            compare(options.rounds, ("1 worker", drawn(1)), ("2 workers", drawn(2)))


if __name__ == "__main__":
    main()
