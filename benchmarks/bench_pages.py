"""What a page costs, recipe by recipe and stage by stage, beside its floor (see ``floor.py``) measured in the same run.

python benchmarks/bench_pages.py [--dpi 200 300] [--pages 6] [--recipe NAME ...] [--stages]

CPU time of one core, mean over pages of different seeds, each drawn from plan to encoded files in memory, handwriting
left out. At the end: the memory of a process that has drawn pages of each recipe, and the start of the command line.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.floor import floor_of
from ecgvec import pipeline
from ecgvec.batch.pool import one_thread
from ecgvec.export.write import contents, select_formats
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.record.read import read_record
from ecgvec.resources import folder

COMMAND = [sys.executable, "-c", "from ecgvec.cli import main; main()"]
DEMO = folder("demo") / "ecgvec-demo"
SEED_FLAGS = ["--wrinkles", "--augment", "-rot", "5", "-noise", "40", "--lead_bbox", "--lead_name_bbox"]
SEED_FLAGS += ["--print_header", "--add_qr_code", "--store_config", "2"]
QUIET = {"notes.probability": 0, "notes.calipers": 0, "notes.signature": 0}  # no handwriting
WARM = 30  # pages that are drawn before any is measured: by then nearly all desks and papers have been made
STAGES = {  # functions of `pipeline` by the stage that they belong to
    "place": "scene",
    "build": "scene",
    "compute_view": "warp",
    "derive": "labels",
    "occluded_region": "labels",
    "occlude": "labels",
    "map_labels": "labels",
    "render_pixels": "pixels",
}


@dataclass(frozen=True)
class Case:
    """A recipe, the formats that are written, and how many times its floor a page may cost."""

    name: str
    recipe: str
    formats: tuple[str, ...]
    most: float


CASES = (
    Case("clean, PNG + SVG + JSON", "clean", ("png", "svg", "json"), 1.5),
    Case("seed flags, PNG", "seed-flags", ("png",), 1.8),
    Case("seed flags, JPEG", "seed-flags", ("jpg",), 1.8),
    Case("phone-photo, PNG", "phone-photo", ("png",), 2.2),
    Case("everything, PNG", "everything", ("png",), 3.0),
)


@lru_cache
def recipe_of(case: Case, dpi: int) -> Recipe:
    """The recipe of a case; that of ecg-image-kit's flags is what the command line makes of them."""
    changes = {"page.dpi": dpi, **QUIET}
    if case.recipe != "seed-flags":
        return load_recipe(case.recipe, changes)
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [*COMMAND, "batch", "-i", str(DEMO.parent), "-o", place, *SEED_FLAGS, "--print-recipe"],
            capture_output=True,
            text=True,
            check=True,
        )
        file = Path(place) / "seed-flags.toml"
        file.write_text(done.stdout)
        return load_recipe(str(file), changes)


@contextmanager
def watched(spent: dict[str, float]) -> Iterator[None]:
    """Add the CPU seconds of the pipeline's stages to ``spent`` meanwhile."""
    before = {name: getattr(pipeline, name) for name in STAGES}

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            begun = time.thread_time()
            try:
                return function(*arguments)
            finally:
                spent[stage] = spent.get(stage, 0.0) + time.thread_time() - begun

        return call

    for name, function in before.items():
        setattr(pipeline, name, timed(STAGES[name], function))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(pipeline, name, function)


@dataclass
class Cost:
    """What pages cost, ms each: in all, by stage, their floors, the steps of those."""

    pages: list[float]
    floors: list[float]
    stages: dict[str, float]
    steps: dict[str, float]

    @property
    def ratio(self) -> float:
        """All pages to all floors."""
        return sum(self.pages) / sum(self.floors)


def cost(case: Case, dpi: int, pages: int, warm: int = WARM) -> Cost:
    """Draw ``pages`` pages of a case, each beside its floor; some before them load what is loaded once."""
    record, recipe, formats = read_record(DEMO), recipe_of(case, dpi), select_formats(case.formats)
    found = Cost([], [], {}, {})
    draw_only(case, dpi, warm, first=10_000)
    for seed in range(1, pages + 1):
        stages: dict[str, float] = {}
        begun = time.thread_time()
        plan = make_plans(record, recipe, seed=seed).plans[0]
        stages["plan"] = time.thread_time() - begun
        with watched(stages):
            sheet = pipeline.render_plan(record, plan)
        for name, _ in _each(contents(formats, sheet), stages):
            stages.setdefault(name, 0.0)
        spent = time.thread_time() - begun
        floor = floor_of(sheet, "jpg" if "jpg" in case.formats else "png")
        found.pages.append(1e3 * spent)
        found.floors.append(floor.whole)
        stages["other"] = spent - sum(stages.values())
        for total, some, unit in ((found.stages, stages, 1e3), (found.steps, floor.steps, 1.0)):
            for name, value in some.items():
                total[name] = total.get(name, 0.0) + unit * value / pages
    return found


def _each(files: Iterator[tuple[str, Any]], stages: dict[str, float]) -> Iterator[tuple[str, Any]]:
    """Go through the formats, adding to ``stages`` what each takes."""
    begun = time.thread_time()
    for name, content in files:
        stages[name] = stages.get(name, 0.0) + time.thread_time() - begun
        yield name, content
        begun = time.thread_time()


def memory(case: Case, dpi: int, pages: int = 8) -> float:
    """Peak resident MB of a process that has drawn pages of a case (Linux)."""
    code = (
        "from benchmarks.bench_pages import *\n"
        f"one_thread(); draw_only(Case({case.name!r}, {case.recipe!r}, {case.formats!r}, 0), {dpi}, {pages})\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return float(told) / 1024


def draw_only(case: Case, dpi: int, pages: int, first: int = 0) -> None:
    """Draw pages of a case, their files in memory, and let go of them."""
    record, recipe, formats = read_record(DEMO), recipe_of(case, dpi), select_formats(case.formats)
    for seed in range(first, first + pages):
        sheet = pipeline.render_plan(record, make_plans(record, recipe, seed=seed).plans[0])
        for _ in contents(formats, sheet):
            pass


def start() -> float:
    """Seconds of ``ecgvec single``, from the start of Python to the end of its one clean page; the least of three, with
    modules compiled, as pip leaves them."""
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    spent = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as place:
            command = [*COMMAND, "single", "-i", str(DEMO), "-o", place]
            begun = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True, env=compiled)
            spent.append(time.perf_counter() - begun)
    return min(spent)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dpi", type=int, nargs="+", default=[200, 300])
    parser.add_argument("--pages", type=int, default=6)
    parser.add_argument("--warm", type=int, default=WARM, help="pages drawn before any is measured")
    parser.add_argument("--recipe", nargs="+", help="only cases whose name begins so")
    parser.add_argument("--stages", action="store_true", help="name each stage's ms as well")
    options = parser.parse_args()
    one_thread()
    chosen = [case for case in CASES if not options.recipe or case.name.startswith(tuple(options.recipe))]
    print("| page | dpi | ms | median | floor ms | ratio | aim |\n|---|---|---|---|---|---|---|")
    told = []
    for dpi in options.dpi:
        for case in chosen:
            found = cost(case, dpi, options.pages, options.warm)
            mean, median = statistics.mean(found.pages), statistics.median(found.pages)
            floor = statistics.mean(found.floors)
            print(
                f"| {case.name} | {dpi} | {mean:.0f} | {median:.0f} | {floor:.0f} | {found.ratio:.2f} | {case.most} |",
                flush=True,
            )
            told.append((case.name, dpi, found))
    if options.stages:
        for name, dpi, found in told:
            print(f"\n{name}, {dpi} dpi")
            for title, some in (("stages", found.stages), ("floor", found.steps)):
                print(f"  {title}: " + ", ".join(f"{step} {value:.0f}" for step, value in some.items()))
    for case in chosen:
        print(f"\npeak memory, {case.name}, 200 dpi: {memory(case, 200):.0f} MB")
    print(f"\n`ecgvec single`, start to end: {start():.2f} s")


if __name__ == "__main__":
    main()
