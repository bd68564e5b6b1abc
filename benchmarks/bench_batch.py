"""What a second process brings: images a second of runs with 1 and 2 workers, in turn, and the memory they hold.

python benchmarks/bench_batch.py [--records 200] [--rounds 2] [--recipe clean] [--dpi 200]

Each run draws into a folder that is removed afterwards. Ratios count, not times: both numbers of workers
take turns, so that what else the machine does hits both.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from ecgvec.batch.jobs import find_jobs
from ecgvec.batch.local import RunOptions, run
from ecgvec.batch.manifest import MANIFEST
from ecgvec.recipe import load_recipe
from ecgvec.resources import folder

DEMO = "ecgvec-demo"


def records(where: Path, number: int) -> Path:
    """A folder of so many records, all the demonstration's own, under names of their own."""
    where.mkdir()
    header = (folder("demo") / f"{DEMO}.hea").read_text()
    for i in range(number):
        name = f"r{i:05d}"
        (where / f"{name}.hea").write_text(header.replace(DEMO, name))
        shutil.copy(folder("demo") / f"{DEMO}.dat", where / f"{name}.dat")
    return where


def timed(source: Path, out: Path, workers: int, options: argparse.Namespace) -> float:
    """Images a second."""
    recipe = load_recipe(options.recipe, {"page.dpi": options.dpi})
    begun = time.perf_counter()
    made = run(source, lambda: find_jobs(source, out, False), out, recipe, RunOptions(workers, out / MANIFEST))
    spent = time.perf_counter() - begun
    shutil.rmtree(out)
    return made.images / spent


def main() -> None:
    """Print images a second, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--recipe", default="clean")
    parser.add_argument("--dpi", type=float, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        source = records(Path(place) / "in", options.records)
        for number in range(options.rounds):
            one, two = (timed(source, Path(place) / f"out{workers}", workers, options) for workers in (1, 2))
            print(f"round {number + 1}: 1 worker {one:.2f} images/s, 2 workers {two:.2f}, ratio {two / one:.2f}")


if __name__ == "__main__":
    main()
