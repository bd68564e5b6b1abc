"""A sheet of paper bends and does not stretch: lengths along it, measured in space."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgvec.warp.creases import Creases
from ecgvec.warp.parts import Roll, WarpPart
from ecgvec.warp.relief import Surface
from ecgvec.warp.waves import Buckle, ConeCurl, Curl, EdgeWave, Washboard
from tests.warp.bending import PAPER, bend_page
from tests.warp.surfaces import LARGEST_STRAIN, ROLLS, strains

STEP = 1e-3  # mm, of finite differences
ISOMETRY = 1e-4


def length_along(surface: Surface, start: NDArray[np.float64], way: NDArray[np.float64], mm: float) -> float:
    """Length in space of the straight line on the page from ``start`` (2,) along the unit vector ``way``, as a share of
    its ``mm``."""
    at = start + np.linspace(0, mm, round(mm / 0.25) + 1)[:, None] * way
    i = np.clip(np.floor(at / surface.step).astype(int), 0, (len(surface.x) - 2, len(surface.y) - 2))
    u, v = (at / surface.step - i).T[:, :, None]
    x, y = i.T
    upper = surface.xyz[y, x] * (1 - u) + surface.xyz[y, x + 1] * u
    lower = surface.xyz[y + 1, x] * (1 - u) + surface.xyz[y + 1, x + 1] * u
    return float(np.linalg.norm(np.diff(upper * (1 - v) + lower * v, axis=0), axis=1).sum() / mm)


@pytest.mark.parametrize("roll", ROLLS.values(), ids=ROLLS.keys())
@pytest.mark.parametrize("share", [1.0, 0.4])
def test_a_curl_stretches_nothing(roll: Roll, share: float) -> None:
    points = np.random.default_rng(0).uniform((1, 1), (PAPER.width - 1, PAPER.height - 1), (5_000, 2))
    # The tables behind a cylinder are linear between their knots, so differences have to reach over several.
    step = 0.5 if isinstance(roll, Curl) else STEP
    ways = np.eye(2) * step
    spans = [
        (roll.roll(points + w / 2, PAPER, share).xyz - roll.roll(points - w / 2, PAPER, share).xyz) / step for w in ways
    ]
    form = np.array([[(p * q).sum(axis=1) for q in spans] for p in spans])
    worst = np.abs(form - np.eye(2)[..., None]).max()
    print(f"{roll!r}: {worst:.1e}")
    assert worst <= ISOMETRY
    here = roll.roll(points, PAPER, share)
    normal = np.cross(*spans)
    assert np.abs(np.linalg.norm(here.normals, axis=1) - 1).max() <= 1e-9
    assert ((here.normals * normal).sum(axis=1) >= 0.999 * np.linalg.norm(normal, axis=1)).all()


@pytest.mark.parametrize("roll", ROLLS.values(), ids=ROLLS.keys())
def test_the_curvature_of_a_curl_is_the_one_it_says(roll: Roll) -> None:
    """The normal turns by the curvature, along the direction that is named, and not at all at right angles to it."""
    points = np.random.default_rng(1).uniform((3, 3), (PAPER.width - 3, PAPER.height - 3), (2_000, 2))
    here = roll.roll(points, PAPER, 1.0)
    step = 0.5
    for way, wanted in ((here.across, here.curvature), (here.across[:, ::-1] * (1, -1), np.zeros(len(points)))):
        before, after = (roll.roll(points + s * step / 2 * way, PAPER, 1.0) for s in (-1, 1))
        turn = np.linalg.norm(after.normals - before.normals, axis=1) / step
        # Where the curl sets in it is neither.
        assert np.percentile(np.abs(turn - np.abs(wanted)), 97) <= 2e-4


def test_a_crease_keeps_its_length_far_from_other_folds() -> None:
    surface = bend_page([Creases(vertical=1, horizontal=0, fold_angle=90, flattened=0.88, jitter=0)]).surface
    middle = PAPER.width / 2
    for x in (middle, middle - 30, middle + 60, 15.0):
        along = length_along(surface, np.array([x, 5.0]), np.array([0.0, 1.0]), 200)
        assert along == pytest.approx(1, abs=1e-3)
    for y in (20.0, PAPER.height / 2, 190.0):
        across = length_along(surface, np.array([5.0, y]), np.array([1.0, 0.0]), 265)
        assert across == pytest.approx(1, abs=1e-3)
        beside = length_along(surface, np.array([5.0, y]), np.array([1.0, 0.0]), 60)
        assert beside == pytest.approx(1, abs=2e-3)


SHEETS: dict[str, tuple[WarpPart, ...]] = {
    "letter": (Creases(preset="letter", fold_angle=100),),
    "accordion": (Creases(preset="accordion", angle=80),),
    "quarter": (Creases(preset="quarter"), Curl(radius=120)),
    "many-folds": (Creases(vertical=10, horizontal=10, angle=45, turn="random"),),
    "soft": (Buckle(), EdgeWave(), ConeCurl(toward=90)),
    "rippled": (Washboard(height=0.3), Curl(toward=90, start=120)),
}


@pytest.mark.parametrize("parts", SHEETS.values(), ids=SHEETS.keys())
def test_lengths_along_the_paper_are_kept(parts: tuple[WarpPart, ...]) -> None:
    """Across folds, along them, and in every other direction."""
    surface = bend_page(parts).surface
    found = np.percentile(strains(surface), 99)
    print(f"p99 {found:.2%}, by its own account {surface.strain():.2%}")
    assert found <= LARGEST_STRAIN
    for angle in (0, 30, 90, 135):
        way = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        for start in np.random.default_rng(2).uniform((110, 20), (170, 60), (10, 2)):
            mm = 100 if angle != 90 else 140
            assert length_along(surface, start, way, mm) == pytest.approx(1, abs=LARGEST_STRAIN)
