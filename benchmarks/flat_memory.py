"""Does a long run keep its memory? Resident memory of all its processes after the 200th image, and after the last.

python -m benchmarks.flat_memory [--images 2000] [--recipe clean] [--dpi 100] [--workers 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_batch import records

EARLY = 200


def resident(process: int) -> float:
    """MB of a process and its children (Linux)."""
    folder = Path("/proc") / str(process)
    try:
        pages = int((folder / "statm").read_text().split()[1])
        children = [int(one) for task in (folder / "task").iterdir() for one in (task / "children").read_text().split()]
    except OSError:  # it has ended meanwhile
        return 0.0
    return pages * 4096 / 2**20 + sum(map(resident, children))


def main() -> None:
    """Print the memory as the run goes on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--recipe", default="clean")
    parser.add_argument("--dpi", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    program = [sys.executable, "-c", "from ecgvec.cli import main; main()", "batch", "--json-log"]
    with tempfile.TemporaryDirectory() as place:
        source, out = records(Path(place) / "in", options.images), Path(place) / "out"
        flags = ["-r", str(options.dpi), "--workers", str(options.workers), "--formats", "png,json"]
        command = [*program, "-i", str(source), "-o", str(out), "--recipe", options.recipe, *flags]
        found: dict[int, float] = {}
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
            assert run.stderr is not None
            for line in run.stderr:
                images = json.loads(line)["images"]
                if images % EARLY == 0 and images not in found and images < options.images - options.workers:
                    found[images] = resident(run.pid)
                    if images:
                        print(f"{images} images: {found[images]:.0f} MB", flush=True)
        early, late = found[EARLY], found[max(found)]
        print(f"after image {max(found)}: {late / early:.3f} of what it was after image {EARLY}")


if __name__ == "__main__":
    main()
