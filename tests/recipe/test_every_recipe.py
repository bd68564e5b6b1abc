"""Every shipped recipe: labels lie on the ink, a replay gives the same bytes, and so does any number of workers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest

import ecgvec
from ecgvec.batch.replay import replay_image
from ecgvec.recipe.recipe import load_recipe
from ecgvec.rendering.camera import render_pixels
from ecgvec.rendering.labels.derive import inside
from ecgvec.resources import folder, listing
from ecgvec.verify.report import verify_folder

DEMO = folder("demo") / "ecgvec-demo"
RECORDS = [f"HR0600{i}" for i in range(3)] + [f"E0750{i}" for i in range(3)]
SEEDS = range(4)
DPI = {"page.dpi": 150, "page.fit": True}
FAINT, STRONG = (
    5,
    60,
)  # of 255: ink changes a pixel by more than the one; what is left of hidden ink, by less than the other
Case = tuple[str, Path, int]


def pixels(case: Case) -> str:
    recipe, record, seed = case
    image = ecgvec.render(ecgvec.read_record(record), load_recipe(recipe, DPI), seed=seed).image
    return f"{image.shape} {hashlib.sha256(image.tobytes()).hexdigest()}"


def by_workers(cases: Sequence[Case], workers: int) -> dict[Case, str]:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return dict(zip(cases, pool.map(pixels, cases), strict=True))


def check(case: Case, out: Path) -> str:
    """Asserts what must be true of one image; returns what ``pixels`` gives."""
    recipe, record, seed = case
    sheet = ecgvec.render(ecgvec.read_record(record), load_recipe(recipe, DPI), seed=seed)
    sheet.save(out, ["png", "json"])
    (image,) = verify_folder(out).images
    assert image.good(0.5), (case, image.fault, image.missing, image.labels)
    same = replay_image(out / f"{sheet.plan.stem}.json", record, out / "again")
    assert len(same) == 3 and all(same.values()), (case, same)
    check_occlusion(sheet, case)
    return f"{sheet.image.shape} {hashlib.sha256(sheet.image.tobytes()).hexdigest()}"


def check_occlusion(sheet: ecgvec.Sheet, case: Case) -> None:
    """Where a label calls a sample visible, taking the traces away changes the picture; where occluded, it does not."""
    effects = [known for known in (effect.predictable_part() for effect in sheet.plan.effects) if known is not None]
    groups = tuple(group for group in sheet.scene.groups if group.role != "traces")
    pages = [
        render_pixels(scene, sheet.view, sheet.plan.page.style.dpi, effects)
        for scene in (sheet.scene, replace(sheet.scene, groups=groups))
    ]
    change = cv2.dilate(cv2.absdiff(*pages).max(axis=-1), np.ones((3, 3), dtype=np.uint8))
    seen, hidden = [], []
    for trace in sheet.labels.traces:
        assert not (trace.visible & trace.occluded).any()
        known = inside(sheet.warp)(trace.points)
        for found, which in ((seen, trace.visible & known), (hidden, trace.occluded & known)):
            x, y = np.floor(trace.points[which]).astype(int).T
            found.append(change[y, x])
    assert np.mean(np.concatenate(seen) > FAINT) > 0.93, case  # on a fax some of a trace runs along a black grid line
    covered = np.concatenate(hidden)
    # A few samples lie on the very border: ink beside them is still seen.
    assert np.count_nonzero(covered > STRONG) <= max(16, 0.1 * len(covered)), case


def test_every_recipe_verifies_and_replays_whatever_the_workers(tmp_path: Path) -> None:
    cases = [(recipe, DEMO, 7) for recipe in listing("recipes")]
    alone = {case: check(case, tmp_path / case[0]) for case in cases}
    some = cases[::-4]
    assert by_workers(some, 2) == {case: alone[case] for case in some}


@pytest.mark.long
@pytest.mark.parametrize("recipe", listing("recipes"))
def test_recipe_over_six_records_and_four_seeds(recipe: str, twelve_lead: list[Path], tmp_path: Path) -> None:
    cases = [(recipe, path, seed) for path in twelve_lead if path.name in RECORDS for seed in SEEDS]
    assert len(cases) == 24
    alone = {case: check(case, tmp_path / f"{case[1].name}-{case[2]}") for case in cases}
    assert by_workers(cases[::-1], 2) == alone
