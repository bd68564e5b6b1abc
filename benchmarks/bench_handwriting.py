"""What handwriting costs: five notes of up to 12 characters on each of 64 pages, in one process on one core.

python benchmarks/bench_handwriting.py [WEIGHTS]

Times are of the CPU, so that what else the machine does counts little. The ratio is to the matrix products that the
network cannot do without, at the speed of one large product on this CPU.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ecgvec.handwriting import Note, Writer
from ecgvec.handwriting.grammar import note
from ecgvec.handwriting.ink import ink
from ecgvec.handwriting.recurrent import SHIPPED, read_weights
from ecgvec.planning.make import drafts, finish_plans
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.read import read_record
from ecgvec.resources import folder

PAGES, NOTES, LONGEST = 64, 5, 12
LOAD = """
import time
start = time.process_time()
from ecgvec.handwriting import Writer
Writer()
import sys
print(time.process_time() - start, "torch" in sys.modules)
"""


def texts() -> list[str]:
    """Notes of up to LONGEST characters for all pages."""
    rng = np.random.default_rng(3)
    found: list[str] = []
    while len(found) < PAGES * NOTES:
        text = note(rng)
        if len(text) <= LONGEST:
            found.append(text)
    return found


def timed(writer: Writer, words: list[str], seed: int) -> tuple[float, list[Note]]:
    """(seconds, notes) of writing them all at once, in all styles that have letters."""
    styles = [number for number, style in enumerate(writer.styles) if "a" in style.characters]
    start = time.process_time()
    notes = writer.write(
        words, [styles[i % len(styles)] for i in range(len(words))], seed=list(range(seed, seed + len(words)))
    )
    return time.process_time() - start, notes


def planned(pages: int) -> float:
    """Seconds a page of planning five notes each, ink and places included, so many pages in one pass."""
    recipe = load_recipe("clean", {"notes.probability": 1, "notes.words": NOTES})
    record = read_record(folder("demo") / "ecgvec-demo")
    drawn = [page for seed in range(pages) for page in drafts(record, recipe, seed=seed).pages[:1]]
    start = time.process_time()
    finish_plans(drawn)
    return (time.process_time() - start) / pages


def floor(points: int) -> float:
    """Seconds of the matrix products alone for so many points, as fast as one product of 1024 columns runs here."""
    tensors = read_weights(SHIPPED).tensors
    names = ("lower.weight_ih_l0", "lower.weight_hh_l0", "upper.weight_ih_l0", "upper.weight_hh_l0", "head.weight")
    work = sum(tensors[name].size for name in names)
    matrix, columns = np.ones((1792, 800), np.float32), np.ones((800, 1024), np.float32)
    spent = []
    for _ in range(8):
        start = time.process_time()
        matrix @ columns
        spent.append(time.process_time() - start)
    return min(spent) / (matrix.size * columns.shape[1]) * work * points


def main() -> None:
    """Print the figures."""
    loads = [subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True) for _ in range(3)]
    told = [load.stdout.split() for load in loads]
    print(f"import and load: {min(float(t[0]) for t in told):.2f} s, PyTorch imported: {told[0][1]}")
    with threadpool_limits(1):
        weights = Path(sys.argv[1]) if len(sys.argv) > 1 else None
        writer = Writer(weights)
        words = texts()
        spent, notes = min((timed(writer, words, seed) for seed in (0, 1000, 2000)), key=lambda pair: pair[0])
        points = sum(len(stroke) for one in notes for stroke in one.strokes)
        print(f"write: {1e3 * spent / PAGES:.1f} ms a page, {1e6 * spent / points:.1f} us a point, {points} points")
        draws = sum(one.attempts for one in notes) / len(notes)
        unread = min(timed(Writer(weights, verify=False), words, seed)[0] for seed in (0, 1000))
        print(f"{draws:.2f} draws a note; without reading any: {1e3 * unread / PAGES:.1f} ms a page")
        print(f"ratio to its matrix products: {spent / floor(points):.2f}")
        alone = min(timed(writer, words[:1], seed)[0] for seed in range(3))
        print(f"one note alone, '{words[0]}': {1e3 * alone:.0f} ms")
        start = time.process_time()
        for number, one in enumerate(notes[:80]):
            ink(one, seed=number)
        print(f"ink: {1e3 * (time.process_time() - start) / 80 * NOTES:.1f} ms a page")
        planned(1)
        print(
            ", ".join(f"{1e3 * planned(pages):.0f} ms a page on {pages}" for pages in (1, 8, 32)),
            "pages: planned, with ink",
        )


if __name__ == "__main__":
    main()
