"""Effects on the page before it is bent: what each changes, and what none of them may do."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely

from ecgvec._typing import Float64Array, Image
from ecgvec.components import Part
from ecgvec.effects import attached, ink, missing, paper, stains, texture
from ecgvec.effects.base import EFFECTS, EffectContext, OnPaper
from ecgvec.effects.layers import low_contrast_region
from ecgvec.warp.cameras import Scanner
from ecgvec.warp.compose import compose
from ecgvec.warp.parts import Canvas, Paper, generator
from tests.effects.sheets import GRID, GROUND, INK, PAGE, PAPER, SCALE, blank, change, done, named, of, places

assert ink and paper and stains  # importing them fills the registry

KINDS: tuple[type[OnPaper], ...] = tuple(part for _, part in EFFECTS if issubclass(part, OnPaper))
SEEDED = [part for part in KINDS if "seed" in part.model_fields]
VIEW = EffectContext(compose(PAPER, Canvas(600, 400, SCALE), [Scanner()]), scale=SCALE)
DOT_MM = 2.4  # from a dot's middle to the end of what is looked at to find it
MM = 5  # of the cells whose means are compared

STRONG: dict[str, dict[str, Any]] = {
    "wear": {"worn": 1, "dirt": 1},
    "thermal-fade": {"fade": 0.8, "gradient": 0.6, "patchiness": 0.7},
    "print-head": {"count": 14, "width": 0.125, "strength": 1.0},
    "dot-matrix": {"strength": 0.8},
    "ink-jet": {"strength": 1.0},
    "bleed": {"spread": 0.25},
    "fibres": {"contrast": 0.2},
    "yellowing": {"amount": 1.0, "edges": 1.0},
    "show-through": {"strength": 0.25},
    "coffee-ring": {"strength": 0.9, "drips": 15},
    "water-stain": {"strength": 0.9, "lines": 4},
    "blood": {"strength": 0.9, "drops": 12, "smear": 60},
    "mould": {"strength": 0.8, "colonies": 200},
    "tape": {"finish": "masking", "age": 1, "dirt": 1, "y": 0.3},
    "staples": {"count": 2, "rust": 1},
    "punch-holes": {"torn": 1, "rim": 1},
    "torn-edge": {"edge": "top-left", "depth": 30, "rim": 2},
    "burnt-edge": {"edge": "all", "depth": 15, "char": 4, "scorch_width": 25},
}
# the field that says how much, values of it in order, and what else makes the change easy to measure
MONOTONE: dict[str, tuple[str, tuple[float, ...]]] = {
    "thermal-fade": ("fade", (0, 0.2, 0.5, 0.9)),
    "print-head": ("strength", (0, 0.3, 0.6, 1)),
    "dot-matrix": ("strength", (0, 0.3, 0.6, 1)),
    "ink-jet": ("strength", (0, 0.3, 0.6, 1)),
    "bleed": ("spread", (0, 0.1, 0.2, 0.4)),
    "fibres": ("contrast", (0, 0.05, 0.1, 0.3)),
    "yellowing": ("amount", (0, 0.2, 0.5, 1)),
    "show-through": ("strength", (0, 0.1, 0.3, 0.8)),
    "coffee-ring": ("strength", (0, 0.2, 0.5, 1)),
    "water-stain": ("strength", (0, 0.2, 0.5, 1)),
    "blood": ("strength", (0, 0.2, 0.5, 1)),
    "mould": ("strength", (0, 0.2, 0.5, 1)),
    "tape": ("opacity", (0, 0.3, 0.6, 1)),
    "staples": ("count", (0, 1, 2)),
    "punch-holes": ("rim", (0, 0.3, 0.6, 1)),
    "torn-edge": ("depth", (0, 5, 12, 30)),
    "burnt-edge": ("depth", (0, 5, 12, 30)),
}
LARGEST = {"depth": 150}  # mm; of shares twice the most that there can be is refused as well


def kind_of(part: type[Part]) -> str:
    return str(part.model_fields["kind"].default)


def cells(image: Image, scale: float) -> Float64Array:
    size = round(MM * scale)
    height, width = image.shape[:2]
    rows, columns = height // size, width // size
    return np.asarray(image.reshape(rows, size, columns, size, 3).mean(axis=(1, 3)))


def dotted() -> tuple[Image, Float64Array]:
    """A page of 400 dots and where they are (400, 2), px."""
    across, down = np.meshgrid(np.arange(25) * 24 + 12.0, np.arange(16) * 25 + 12.0)
    middles = np.stack([across.ravel(), down.ravel()], axis=-1) + generator(3).uniform(-0.5, 0.5, (400, 2))
    height, width = PAGE.shape[:2]
    light = np.ones((height, width))
    for x, y in middles:
        rows, columns = slice(int(y) - 8, int(y) + 9), slice(int(x) - 8, int(x) + 9)
        far = np.hypot(*np.meshgrid(np.arange(width)[columns] + 0.5 - x, np.arange(height)[rows] + 0.5 - y))
        light[rows, columns] = np.clip(far - 4 + 0.5, 0.1, 1)
    return np.rint(light[..., None] * GROUND).astype(np.uint8), middles


def found(image: Image, middles: Float64Array) -> Float64Array:
    """Centroids (n, 2) of dots near ``middles``: of what is darker than the plane through their surroundings."""
    grey, seen = image.astype(float).mean(axis=-1), []
    for x, y in middles.astype(int):
        near = grey[y - 9 : y + 10, x - 9 : x + 10]
        down, right = np.mgrid[: near.shape[0], : near.shape[1]]
        far = np.hypot(right - 9, down - 9)
        plane = np.stack([np.ones_like(far), right, down], axis=-1)
        around = far > 7
        ground = plane @ np.linalg.lstsq(plane[around], near[around], rcond=None)[0]
        dark = np.where(far < 7, np.maximum(ground - near, 0), 0)
        dark[dark < 0.15 * dark.max()] = 0
        seen.append([np.sum(dark * right), np.sum(dark * down)] / dark.sum() + np.array([x, y]))
    return np.array(seen)


@pytest.mark.parametrize("part", KINDS, ids=kind_of)
def test_the_page_keeps_its_shape_and_is_not_written_to(part: type[OnPaper]) -> None:
    before = PAGE.copy()
    for fields in ({}, STRONG.get(kind_of(part), {})):
        after = done(part.model_validate(fields))
        assert after.shape == PAGE.shape
        assert after.dtype == np.uint8
        assert (after != PAGE).any()
    assert np.array_equal(PAGE, before)


@pytest.mark.parametrize("part", SEEDED, ids=kind_of)
def test_an_effect_is_the_same_for_the_same_seed_alone(part: type[OnPaper]) -> None:
    first, again, other = (done(part.model_validate({"seed": seed})) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("part", KINDS, ids=kind_of)
def test_an_effect_looks_the_same_at_another_resolution(part: type[OnPaper]) -> None:
    effect = part.model_validate(STRONG.get(kind_of(part), {}))
    fine = np.repeat(np.repeat(PAGE, 2, axis=0), 2, axis=1)
    off = np.abs(cells(done(effect, fine, 2 * SCALE), 2 * SCALE) - cells(done(effect), SCALE))
    assert off.mean() < 1
    assert off.max() < 8


# what lies at the sheet's rim, where it hangs on the resolution whether the page has a pixel of it
AT_THE_RIM: list[OnPaper] = [
    *(stains.Blood(x=0.5, y=0.98, drops=20, seed=seed) for seed in range(3)),
    *(stains.Mould(y=0.98, seed=seed) for seed in range(2)),
    stains.CoffeeRing(x=0.9, y=0.9, drips=20, diameter=40, strength=1),
    stains.CoffeeRing(x=1.12, y=0.5, drips=40, diameter=60, strength=1, seed=2),
    attached.Staples(count=2, removed=True, x=0.02, y=-0.03, rust=1, seed=1),
    missing.PunchHoles(torn=2, rim=1, seed=3),
]


def changed(effect: OnPaper, scale: float) -> np.ndarray:
    """Which of places (N, M) 0.1 mm apart ``effect`` changes on a large white page at ``scale`` px/mm."""
    width, height = 279.4, 215.9
    page = np.full((round(height * scale), round(width * scale), 3), 255, dtype=np.uint8)
    seen = effect.apply(page, scale, Paper(width, height), ()).min(axis=-1) < 245
    y, x = ((np.arange(0.25, side - 0.25, 0.1) * scale).astype(int) for side in (height, width))
    return np.asarray(seen[y[:, None], x])


@pytest.mark.parametrize("effect", AT_THE_RIM, ids=lambda effect: effect.kind)
def test_what_lies_at_the_rim_is_the_same_at_another_resolution(effect: OnPaper) -> None:
    coarse, fine = (changed(effect, scale) for scale in (5.0, 200 / 25.4))
    assert np.sum(coarse & fine) > 0.9 * np.sum(coarse | fine) > 0


@pytest.mark.parametrize("scale", [96 / 25.4, 5.0, 150 / 25.4, 200 / 25.4])
def test_fine_noise_lies_at_the_same_millimetres_at_every_resolution(scale: float) -> None:
    mm = np.arange(0.05, 279, 0.1)
    both = []
    for each in (scale, 10.0):
        tile = texture.fine_noise(generator(4), each, 0.5, 0.5)
        page = np.zeros((10, round(280 * each), 3), dtype=np.uint8)
        patch = texture.Patch.whole(page, each)
        both.append(texture.cut_tile(tile, patch)[0, (mm * each).astype(int)])
        spread = texture.Tiled.over(np.rint(np.clip(128 + 30 * tile, 0, 255)).astype(np.uint8), page.shape, each)[:]
        assert spread.shape == page.shape[:2]
        assert np.abs((spread[:10].astype(float) - 128) / 30 - texture.cut_tile(tile, patch)).max() < 0.02 + (
            np.abs(tile).max() > 4.2
        )
    for part in np.split(np.arange(len(mm) // 6 * 6), 6):
        assert np.corrcoef(both[0][part], both[1][part])[0, 1] > 0.96


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("part", KINDS, ids=kind_of)
def test_no_effect_moves_a_dot(part: type[OnPaper], strong: bool) -> None:
    page, middles = dotted()
    effect = part.model_validate(STRONG.get(kind_of(part), {}) if strong else {})
    # A dot that is partly gone is not where it was: those that something hides are left out.
    lost = shapely.union_all(
        [effect.missing(PAPER), effect.occluded_region(VIEW), low_contrast_region([effect], VIEW)]
    ).buffer(DOT_MM)
    middles = middles[~shapely.contains_xy(lost, *(middles / SCALE).T)]
    assert len(middles) > 200
    off = found(done(effect, page), middles) - found(page, middles)
    assert np.hypot(*off.T).mean() <= 0.06


@pytest.mark.parametrize("kind", MONOTONE)
def test_the_stronger_the_more_changes_and_nothing_at_naught(kind: str) -> None:
    field, values = MONOTONE[kind]
    changes = [np.abs(change(named(kind, **{field: value}))).mean() for value in values]
    assert changes[0] == 0
    for less, more in pairwise(changes):
        assert more > 1.15 * less


def test_thermal_fade_takes_black_print_and_leaves_the_grid() -> None:
    lighter = change(named("thermal-fade", fade=0.5))
    black = of(INK)
    assert lighter[of(GROUND)].max() == 0
    assert lighter[of(GRID)].max() < 12
    assert 0.25 < (lighter[black] / (GROUND - np.array(INK))).mean() < 0.65
    assert lighter[black].std() > 5  # patchy
    assert lighter[black][:, 0].mean() > 1.02 * lighter[black][:, 2].mean()  # what is left is brownish
    assert (done(named("thermal-fade", fade=1))[black].mean(axis=-1) < 245).all()


@pytest.mark.parametrize("along", ["x", "y"])
def test_failing_elements_leave_light_lines_along_the_papers_way(along: str) -> None:
    effect = named("print-head", count=5, width=0.5, strength=1, along=along, grid=True)
    lighter = change(effect, blank(GRID)).sum()  # nothing is lighter than the paper
    assert lighter == 0
    page = blank(GROUND)
    page[::2] = page[:, ::2] = INK
    across = change(effect, page).mean(axis=(1 if along == "x" else 0, 2))
    assert 5 <= np.count_nonzero(across > 10) <= 5 * 5
    assert np.count_nonzero(across) <= 5 * 6
    grid = of(GRID)
    assert change(named("print-head", grid=False))[grid].max() < 16
    assert change(named("print-head", grid=True))[grid].max() > 20


def test_a_pin_printers_dots_lie_at_their_pitch() -> None:
    lighter = change(named("dot-matrix", dots=1.0, strength=1), _inked())[..., 0]
    for axis in (0, 1):
        waves = np.abs(np.fft.rfft(lighter, axis=axis)).mean(axis=1 - axis)
        assert waves[20:].argmax() + 20 == lighter.shape[axis] / SCALE
    assert change(named("dot-matrix", strength=1), blank(GRID)).max() == 0


def _inked() -> Image:
    """A page of black but for its lower right, so that there is some bare paper to compare it with."""
    page = blank(INK)
    page[200:, 200:] = GROUND
    return page


def test_an_ink_jet_makes_grain_of_tints_and_leaves_bare_paper_white() -> None:
    effect = named("ink-jet", strength=1)
    assert not change(effect, blank()).any()
    assert change(effect, blank((128, 128, 128))).std() > 2 * change(effect, blank((240, 240, 240))).std() > 0
    page = blank()
    page[190:210] = 0
    beside = (done(effect, page, 10.0).astype(float) - page)[[186, 187, 188, 211, 212, 213]]
    assert 0 < (beside < -5).mean() < 0.3  # specks


def test_bled_lines_grow_to_both_sides_and_fill_no_bare_paper() -> None:
    page = blank()
    page[:, 299:301] = 0
    darker = -change(named("bleed", spread=0.4), page).mean(axis=(0, 2))
    assert darker[297:299].min() > 10
    assert darker[297:299][::-1] == pytest.approx(darker[301:303], rel=0.1)
    assert darker[:280].max() == 0
    coverage = [(255 - p.astype(float)).sum() for p in (page, done(named("bleed", spread=0.4), page))]
    assert coverage[1] > 1.02 * coverage[0]


def test_fibres_only_darken_and_by_their_contrast_at_most() -> None:
    darker = -change(named("fibres", contrast=0.2), blank())
    assert darker.min() >= 0
    assert 0.15 * 255 < darker.max() <= 0.2 * 255 + 1
    assert (darker == darker[..., :1]).all()
    assert darker.std() > 4


def test_old_paper_is_yellow_and_more_so_at_its_edges() -> None:
    darker = -change(named("yellowing", amount=0.8, edges=1), blank())
    red, green, blue = darker.mean(axis=(0, 1))
    assert blue > 1.8 * green > 1.8 * 1.5 * red
    assert darker[:40].mean() > 1.2 * darker[160:240, 200:400].mean()
    assert darker[160:240, 200:400].mean() > 5


def test_a_coffee_ring_is_darkest_at_its_rim() -> None:
    darker = -change(named("coffee-ring", x=0.5, y=0.5, diameter=60, strength=1, drips=0), blank()).mean(axis=-1)
    x, y = places()
    away = np.hypot(x - 75, y - 50)
    rim, within, outside = darker[abs(away - 29.2) < 0.5], darker[away < 25], darker[away > 32]
    assert outside.max() == 0
    assert rim.mean() > 5 * within.mean() > 0
    steep = [darker[abs(away - mm) < 0.2].mean() for mm in (28.5, 29.6, 30.7)]
    assert steep[1] - steep[2] > 1.3 * (steep[1] - steep[0])  # sharper outside
    assert (-change(named("coffee-ring", x=0.5, y=0.5, diameter=30, drips=9), blank())[away > 19]).max() > 10


def test_a_water_stain_has_a_tide_line_and_stays_within_its_reach() -> None:
    darker = -change(named("water-stain", x=0.5, y=0.5, reach=35, strength=1, lines=1), blank()).mean(axis=-1)
    x, y = places()
    away = np.hypot(x - 75, y - 50)
    assert darker[away > 1.6 * 35].max() == 0
    assert 5 < darker[away < 8].mean() < 0.4 * np.percentile(darker, 99.5)


def test_blood_is_red_and_browner_with_age() -> None:
    fresh, old = (done(named("blood", age=age, smear=0, strength=1), blank()) for age in (0, 1))
    red = fresh.astype(int)[..., 0] - fresh[..., 1]
    assert red.max() > 80
    middle = red > 60
    share = [image[middle].mean(axis=0)[0] / image[middle].mean() for image in (fresh, old)]
    assert share[0] > 1.05 * share[1] > 1.1
    wiped = change(named("blood", drops=0, x=0.3, y=0.5, smear=50, angle=0, diameter=10), blank()).mean(axis=-1)
    x, y = places()
    assert wiped[(x < 38) | (x > 96) | (abs(y - 50) > 15)].min() == 0
    assert wiped[x < 70].sum() < 1.2 * wiped[x > 70].sum() < 0  # it runs dry


def test_mould_has_its_number_of_colonies_and_its_color() -> None:
    few, many = (np.abs(change(named("mould", colonies=n), blank())).mean() for n in (20, 200))
    assert many > 4 * few > 0
    black, green, brown = (
        change(named("mould", color=color), blank()).mean(axis=(0, 1)) for color in ("black", "green", "brown")
    )
    assert green[1] > green[0]
    assert brown[0] - brown[2] > 2 * (black[0] - black[2]) >= 0


@pytest.mark.parametrize("strength", [-0.01, 1.01, np.nan, np.inf])
@pytest.mark.parametrize("kind", MONOTONE)
def test_a_strength_beyond_its_range_is_refused(kind: str, strength: float) -> None:
    field = MONOTONE[kind][0]
    with pytest.raises(ValueError, match=field):
        named(kind, **{field: LARGEST.get(field, 2) * strength})
