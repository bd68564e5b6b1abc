"""The same pages under pytest-benchmark, to compare one commit with another:

pytest benchmarks --benchmark-autosave
pytest benchmarks --benchmark-compare

Within a group, the page and the steps of its floor.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.bench_pages import CASES, DEMO, WARM, Case, draw_only, recipe_of
from benchmarks.floor import encode, remap, strokes
from ecgvec import pipeline
from ecgvec.batch.pool import one_thread
from ecgvec.planning.make import make_plans
from ecgvec.record.read import read_record
from ecgvec.sheet import Sheet

DPI = 200
SEED = 1
pytestmark = pytest.mark.benchmark(timer=time.thread_time, warmup=True)
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[None]:
    """One thread."""
    one_thread()
    yield


@each_case
def test_page(benchmark: BenchmarkFixture, case: Case) -> None:
    benchmark.group = case.name
    draw_only(case, DPI, WARM, first=10_000)
    benchmark(draw_only, case, DPI, 1, first=SEED)


@each_case
@pytest.mark.parametrize("step", ["strokes", "remap", "encode"])
def test_floor(benchmark: BenchmarkFixture, case: Case, step: str) -> None:
    benchmark.group = case.name
    record = read_record(DEMO)
    sheet: Sheet = pipeline.render_plan(record, make_plans(record, recipe_of(case, DPI), seed=SEED).plans[0])
    encoder = "jpg" if "jpg" in case.formats else "png"
    benchmark({"strokes": strokes(sheet.scene, DPI), "remap": remap(sheet), "encode": encode(sheet, encoder)}[step])
