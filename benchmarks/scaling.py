"""How a page's cost grows with pixels and with samples.

python -m benchmarks.scaling [--recipe clean] [--pages 5]

CPU ms a page, PNG + SVG + JSON, one core: at several resolutions, with the line that fits them best; and of one record
at several sampling rates (resampled), each in turn beside that at 500 Hz.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.bench_pages import DEMO, QUIET
from ecgvec import pipeline
from ecgvec.batch.pool import one_thread
from ecgvec.export.write import contents, select_formats
from ecgvec.planning.make import make_plans
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.record.read import read_record

DPIS = (100, 150, 200, 300, 400)
RATES = (250.0, 500.0, 1000.0, 2000.0)
FORMATS = select_formats(("png", "svg", "json"))


def at_rate(record: Record, fs: float) -> Record:
    """The record at another sampling rate, linear in between, no beats."""
    count = len(record.signals)
    places = np.arange(round(count * fs / record.fs)) * record.fs / fs
    signals = np.column_stack([np.interp(places, np.arange(count), column) for column in record.signals.T])
    return replace(record, fs=fs, signals=signals, beats=None)


def spent(record: Record, recipe: str, dpi: int, seed: int) -> float:
    """CPU ms of one page."""
    settled = load_recipe(recipe, {"page.dpi": dpi, **QUIET})
    begun = time.thread_time()
    sheet = pipeline.render_plan(record, make_plans(record, settled, seed=seed).plans[0])
    for _ in contents(FORMATS, sheet):
        pass
    return 1e3 * (time.thread_time() - begun)


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="clean")
    parser.add_argument("--pages", type=int, default=5)
    options = parser.parse_args()
    one_thread()
    record = read_record(DEMO)
    spent(record, options.recipe, 100, 0)
    costs = [median(spent(record, options.recipe, dpi, seed) for seed in range(options.pages)) for dpi in DPIS]
    megapixels = np.array([11 * 8.5 * dpi**2 / 1e6 for dpi in DPIS])
    slope, start = np.polyfit(megapixels, costs, 1)
    for dpi, size, cost in zip(DPIS, megapixels, costs, strict=True):
        print(f"{dpi} dpi, {size:.1f} Mpx: {cost:.0f} ms, the line says {start + slope * size:.0f}")
    records = {fs: at_rate(record, fs) for fs in RATES}
    found: dict[float, list[float]] = {fs: [] for fs in RATES}
    for seed in range(options.pages):
        for fs, one in records.items():
            found[fs].append(spent(one, options.recipe, 200, seed))
    for fs in RATES:
        print(f"{fs:.0f} Hz: {median(found[fs]):.0f} ms, {median(found[fs]) / median(found[500.0]):.2f} of 500 Hz")


if __name__ == "__main__":
    main()
