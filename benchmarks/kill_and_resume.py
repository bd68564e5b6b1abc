"""Runs that are killed at random moments and resumed: is the finished folder the same as that of a run left in peace?

python -m benchmarks.kill_and_resume [--runs 20] [--records 40] [--seed 0]

Each run is killed (SIGKILL) one to three times, at moments drawn evenly over the time that a whole run takes, and then
left to end. All files but the manifest are compared, byte by byte.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.bench_batch import records
from ecgvec.batch.manifest import MANIFEST


def command(source: Path, out: Path) -> list[str]:
    """A run of two processes that goes on where the last one was killed."""
    program = [sys.executable, "-c", "from ecgvec.cli import main; main()", "batch", "--workers", "2", "--resume"]
    return [*program, "-i", str(source), "-o", str(out), "-r", "72", "--formats", "png,svg,json,kit,coco"]


def contents(out: Path) -> dict[str, str]:
    """The hash of each file but the manifest and the run's own description, which names the input's place."""
    paths = (path for path in out.rglob("*") if path.is_file())
    names = {path.relative_to(out).as_posix(): path for path in paths}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(names.items())
        if not name.startswith((MANIFEST, "ecgvec-run"))
    }


def killed(source: Path, out: Path, whole_s: float, rng: np.random.Generator) -> tuple[int, float]:
    """How often a run was killed before it ended, and the seconds that it was last left to itself."""
    kills = 0
    for wait_s in rng.uniform(0.2, whole_s, int(rng.integers(1, 4))):
        begun = time.perf_counter()
        process = subprocess.Popen(command(source, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(wait_s)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    spent = time.perf_counter() - begun
    subprocess.run(command(source, out), check=True, capture_output=True)
    return kills, spent


def main() -> None:
    """Print what became of each run; exit code 1 if any differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--records", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, wrong = np.random.default_rng(options.seed), 0
    with tempfile.TemporaryDirectory() as place:
        source = records(Path(place) / "in", options.records)
        begun = time.perf_counter()
        subprocess.run(command(source, Path(place) / "whole"), check=True, capture_output=True)
        whole_s, whole = time.perf_counter() - begun, contents(Path(place) / "whole")
        print(f"left in peace: {whole_s:.1f} s, {len(whole)} files")
        done = 0
        while done < options.runs:
            out = Path(place) / "run"
            kills, spent = killed(source, out, whole_s, rng)
            same = contents(out) == whole
            wrong += not same
            if kills or not same:
                done += 1
                print(f"run {done}: killed {kills} times, {'the same' if same else 'DIFFERENT'}", flush=True)
            else:  # the machine is quicker now: it ended before its moment came, and does not count
                whole_s = min(whole_s, spent)
            shutil.rmtree(out)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
