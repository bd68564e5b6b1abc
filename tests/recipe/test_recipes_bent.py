"""Shipped recipes whose paper bends: it moves, it does not stretch, and the light follows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec._typing import Points
from ecgvec.effects.light import Lamp
from ecgvec.errors import EcgvecError, RecipeError
from ecgvec.graphics.shapes import Scene
from ecgvec.layout.place import Layout, place
from ecgvec.planning.make import make_plans, prepare_record
from ecgvec.planning.model import Plan
from ecgvec.recipe.recipe import load_recipe
from ecgvec.rendering.camera import View, compute_view, render_pixels
from ecgvec.rendering.labels.derive import inside
from ecgvec.rendering.scene.build import build
from ecgvec.resources import folder, listing
from ecgvec.warp.compose import Composed, compose
from ecgvec.warp.creases import Creases, Folds
from ecgvec.warp.parts import Bend, Paper, Roll
from tests.warp.bending import bilinear, centres, jacobian, on_paper
from tests.warp.surfaces import LARGEST_STRAIN, THERE_AND_BACK, assert_right_side_out, on_surface, strains

# One recipe of those that bend paper in the same way.
BENT = list(
    {load_recipe(name).model_dump_json(include={"warp"}): name for name in reversed(list(listing("recipes")))}.values()
)
BENT = [name for name in BENT if {"creases", "crumple"} & set(load_recipe(name).warp)]
PHOTOS = [name for name in BENT if "phone" in load_recipe(name).warp]
FEW, MANY = range(4), range(40)
MOVED_MM = 1.0
BASELINE_DEGREES = 3.0
SHADED = 0.95
SHADED_BY_RELIEF = 0.9  # in the difference of two pictures gloss, hollows and whole bytes weigh more
PIECE_MM = 10.0  # of a baseline, whose direction is measured


@dataclass(frozen=True, eq=False)
class Page:
    """A page of a recipe, bent but not drawn."""

    plan: Plan
    layout: Layout
    scene: Scene
    composed: Composed

    @property
    def paper(self) -> Paper:
        return self.composed.surface.paper


@lru_cache(64)
def page_of(recipe: str, seed: int, dpi: float = 200.0) -> Page:
    record = ecgvec.read_record(folder("demo") / "ecgvec-demo")
    plan = make_plans(record, load_recipe(recipe, {"page.dpi": dpi}), seed=seed).plans[0]
    layout = place(plan.page)
    scene = build(plan, layout, prepare_record(record, plan.record.leads, plan.record.derive_leads))
    composed = compute_view(plan, Paper(scene.width, scene.height)).composed
    assert composed is not None
    return Page(plan, layout, scene, composed)


def over_seeds(recipes: list[str], seeds: range) -> list[tuple[str, int]]:
    return [(recipe, seed) for recipe in recipes for seed in seeds]


# The sheet ----------------------------------------------------------------------------------------------------------


def assert_sound(page: Page) -> None:
    composed = page.composed
    found = float(np.percentile(strains(composed.surface), 99))
    assert found <= LARGEST_STRAIN, f"lengths are wrong by {found:.2%}"
    assert_right_side_out(composed, page.paper)
    px = centres(composed.warp.size, every=4)
    mm = composed.warp.inverse(px)
    seen = on_paper(mm, paper=page.paper)
    assert seen.mean() > 0.2
    assert np.abs(composed.warp.forward(mm[seen]) - px[seen]).max() <= THERE_AND_BACK
    well_in = on_paper(mm, margin=0.3, paper=page.paper)
    off = np.hypot(*(composed.project(on_surface(composed, mm[well_in])) - px[well_in]).T)
    assert off.max() <= 4.0  # no ghost of the sheet where it is not


@pytest.mark.parametrize(("recipe", "seed"), over_seeds(BENT, FEW))
def test_paper_of_a_recipe_keeps_its_lengths_and_its_face(recipe: str, seed: int) -> None:
    assert_sound(page_of(recipe, seed))


@pytest.mark.long
@pytest.mark.parametrize("recipe", BENT)
def test_paper_of_a_recipe_keeps_its_lengths_over_many_seeds(recipe: str) -> None:
    for seed in MANY:
        assert_sound(page_of(recipe, seed))


def flat_again(composed: Composed, points: Points) -> tuple[Points, Points]:
    """Those of the page points (n, 2) mm that the image shows, and where the flat page that comes nearest has what is
    there: image px sent back through the least-squares homography of all that is seen, mm."""
    px = composed.warp.forward(points)
    seen = inside(composed.warp)(px)
    return points[seen], through(np.linalg.inv(nearest_flat(composed)), px[seen])


def nearest_flat(composed: Composed) -> NDArray[np.float64]:
    """The homography (3, 3), page mm to image px, that fits best over a 5 mm lattice of the paper that is seen."""
    points = lattice(composed.surface.paper)
    px = composed.warp.forward(points)
    seen = inside(composed.warp)(px)
    found, _ = cv2.findHomography(points[seen], px[seen], 0)
    return np.asarray(found, dtype=np.float64)


def lattice(paper: Paper) -> Points:
    x, y = (np.arange(2.5, side, 5.0) for side in (paper.width, paper.height))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def through(homography: NDArray[np.float64], points: Points) -> Points:
    image = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(image[:, :2] / image[:, 2:])


def moved(page: Page) -> float:
    """Median distance in mm of the page's 5 mm lattice from the flat page that comes nearest."""
    there, flat = flat_again(page.composed, lattice(page.paper))
    return float(np.median(np.hypot(*(flat - there).T)))


def swing(page: Page) -> float:
    """By how many degrees the direction of a baseline differs along its row, at most: pieces of PIECE_MM, as they lie
    once the flat page that comes nearest is taken away."""
    left, right = min(p.box.x0 for p in page.layout.panels), max(p.box.x1 for p in page.layout.panels)
    x = np.arange(left, right, PIECE_MM / 4)
    found = [0.0]
    for baseline in sorted({p.baseline for p in page.layout.panels}):
        _, line = flat_again(page.composed, np.column_stack([x, np.full_like(x, baseline)]))
        piece = line[4:] - line[:-4]
        if len(piece) > 8:
            found.append(float(np.ptp(np.degrees(np.arctan2(piece[:, 1], piece[:, 0])))))
    return max(found)


@pytest.mark.parametrize("recipe", PHOTOS)
@pytest.mark.parametrize("seeds", [range(8), pytest.param(MANY, marks=pytest.mark.long)], ids=["few", "many"])
def test_paper_in_a_photograph_truly_moves(recipe: str, seeds: range) -> None:
    pages = [page_of(recipe, seed) for seed in seeds]
    shifts, swings = np.array([moved(p) for p in pages]), np.array([swing(p) for p in pages])
    print(f"{recipe}: moved {np.sort(shifts).round(2)} mm, baselines swing {np.sort(swings).round(1)} degrees")
    assert np.median(shifts) >= MOVED_MM
    assert np.median(swings) >= BASELINE_DEGREES
    assert (swings >= BASELINE_DEGREES).mean() >= 0.8


# The light ----------------------------------------------------------------------------------------------------------


def linear(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Light (H, W) in the mean of the channels, 0 to 1, of sRGB (IEC 61966-2-1)."""
    s = image / 255.0
    return np.asarray(np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4).mean(axis=2))


def lamp_of(plan: Plan) -> Lamp:
    (lamp,) = (effect for effect in plan.effects if isinstance(effect, Lamp))
    return lamp


def shaded(page: Page, composed: Composed, lamp: Lamp) -> NDArray[np.float64]:
    """The light on a blank sheet, as its image shows it."""
    image = render_pixels(page.scene.only(set()), View(composed.warp, composed), page.plan.page.style.dpi, (lamp,))
    return linear(image)


def facing(composed: Composed, lamp: Lamp, mm: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosine n.l (n,) between the sheet's normal at page points (n, 2) and the way to the lamp; and the light that
    arrives, n.l by the inverse square of the distance. Normals by differences over 3 mm of the sheet itself."""
    a, b, c, d = (on_surface(composed, mm + w) for w in ((1.5, 0), (-1.5, 0), (0, 1.5), (0, -1.5)))
    normal = np.cross(a - b, c - d)
    azimuth, elevation = np.radians([lamp.azimuth, lamp.elevation])
    flat = np.cos(elevation) * np.array([np.cos(azimuth), -np.sin(azimuth)])
    way = lamp.distance * np.array([*flat, np.sin(elevation)]) - on_surface(composed, mm)
    far = np.linalg.norm(way, axis=1)
    cosine = (normal * way).sum(axis=1) / np.linalg.norm(normal, axis=1) / far
    return cosine, cosine * (lamp.distance / far) ** 2


def flattened_out(page: Page) -> Composed:
    """The same page under the same camera, not bent."""
    parts = [part for part in page.plan.warp if not isinstance(part, Bend | Roll)]
    return compose(page.paper, page.composed.canvas, parts)


@pytest.mark.parametrize(("recipe", "seed"), over_seeds(PHOTOS, range(5)))
def test_shading_follows_the_relief(recipe: str, seed: int) -> None:
    """The image of a blank page is n.l by the inverse square of the way to so near a lamp, gloss and hollows being
    small; and so is what a page that is not bent does not show. (n.l without the inverse square is printed: a lamp at
    half a metre lights a page's near edge twice as much as its far one, whatever the paper does.)"""
    page = page_of(recipe, seed, 100.0)
    lamp, flat = lamp_of(page.plan), flattened_out(page)
    px = centres(page.composed.warp.size, every=4)
    mm = page.composed.warp.inverse(px)
    kept = on_paper(mm, margin=4.0, paper=page.paper)
    flat_px = flat.warp.forward(mm)
    kept &= inside(flat.warp)(flat_px)
    px, mm, flat_px = px[kept], mm[kept], flat_px[kept]
    here = shaded(page, page.composed, lamp)[tuple(np.floor(px).astype(int).T[::-1])]
    there = shaded(page, flat, lamp)[tuple(np.floor(flat_px).astype(int).T[::-1])]
    assert (here < 1).mean() > 0.99, "the light burns the paper out"
    cosine, arriving = facing(page.composed, lamp, mm)
    _, flat_arriving = facing(flat, lamp, mm)
    whole = np.corrcoef(here, arriving)[0, 1]
    relief = np.corrcoef(here - there, arriving - flat_arriving)[0, 1]
    plain = np.corrcoef(here, cosine)[0, 1]
    print(f"{recipe} {seed}: arriving {whole:.3f}, relief alone {relief:.3f}, n.l alone {plain:.3f}")
    assert whole >= SHADED
    assert relief >= SHADED_BY_RELIEF


def flanks(folds: Folds, others: Folds, paper: Paper) -> Iterator[tuple[Points, Points]]:
    """Page points (n, 2) mm along both flanks of each piece of each fold, 3 mm from its line: on the side that
    ``across`` points to, and on the other. Pieces end 14 mm from the folds that cross them."""
    along = np.array([-folds.across[1], folds.across[0]])
    sign = np.sign(along @ others.across)
    cuts = np.sort(sign * others.offsets) if len(others.offsets) else np.empty(0)
    reach = np.hypot(paper.width, paper.height) / 2
    for offset in folds.offsets:
        for low, high in zip([-reach, *(cuts + 14)], [*(cuts - 14), reach], strict=True):
            s = np.arange(low, high, 1.0)[:, None]
            line = paper.centre + offset * folds.across + s * along
            line = line[on_paper(line, margin=8.0, paper=paper)]
            if len(line) >= 15:
                yield line + 3 * folds.across, line - 3 * folds.across


def brightness(image: NDArray[np.float64], composed: Composed, points: Points) -> float:
    px = composed.warp.forward(points)
    px = px[inside(composed.warp)(px)]
    return float(image[tuple(np.floor(px).astype(int).T[::-1])].mean()) if len(px) >= 10 else np.nan


@pytest.mark.parametrize("recipe", PHOTOS)
def test_turning_the_lamp_round_swaps_the_bright_side_of_every_fold(recipe: str) -> None:
    """On whole pages under the recipe's own lamps, but for folds that point at the lamp, which have no bright side."""
    measured, wrong = 0, []
    for seed in range(12):
        page = page_of(recipe, seed, 100.0)
        creases = [part for part in page.composed.bends if isinstance(part, Creases)]
        if not creases:
            continue
        lamp = lamp_of(page.plan)
        composed = page.composed
        turned = lamp.model_copy(update={"azimuth": lamp.azimuth - 180 if lamp.azimuth > 0 else lamp.azimuth + 180})
        one, two = shaded(page, composed, lamp), shaded(page, composed, turned)
        azimuth = np.radians(lamp.azimuth)
        for folds, others in (pair for c in creases for pair in (c.folds(page.paper), c.folds(page.paper)[::-1])):
            if abs(folds.across @ (np.cos(azimuth), -np.sin(azimuth))) < 0.25:
                continue
            for a, b in flanks(folds, others, page.paper):
                before, after = (brightness(i, composed, a) - brightness(i, composed, b) for i in (one, two))
                if np.isfinite(before) and np.isfinite(after):
                    measured += 1
                    if not before * after < 0:
                        wrong.append((seed, a.mean(axis=0).round().tolist(), round(before, 4), round(after, 4)))
    print(f"{recipe}: {measured} pieces of folds")
    assert measured >= 10
    assert not wrong


# What is wrong is named --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"warp.creaes.vertical": 2}, r"warp.creaes: 'creaes' is unknown; did you mean 'creases'"),
        ({"warp.mine.kind": "crumpel"}, r"warp.mine: 'crumpel' is unknown; did you mean 'crumple'"),
        ({"effects.lmap.azimuth": 2}, r"effects.lmap: 'lmap' is unknown; did you mean 'lamp'"),
        ({"warp.creases.verticle": 2}, r"warp.creases.verticle is unknown; did you mean 'vertical'"),
        ({"effects.lamp.azimut": 2}, r"effects.lamp.azimut is unknown; did you mean 'azimuth'"),
        ({"warp.creases.vertical": 61}, r"warp.creases.vertical is 61: write a whole number from 0 to 60"),
        ({"warp.creases.vertical": 2.5}, r"warp.creases.vertical is 2.5: write a whole number"),
        ({"warp.creases.vertical": {"uniform": [1, 4]}}, r"warp.creases.vertical is .*write a whole number"),
        ({"warp.creases.vertical": "two"}, r"warp.creases.vertical is 'two'"),
        ({"warp.creases.preset": "leter"}, r"warp.creases.preset is 'leter': .*'letter'"),
        ({"warp.phone.tilt": {"uniform": [-80, 10]}}, r"warp.phone.tilt is -80.0: write a number from -60 to "),
        ({"warp.phone.distance": float("nan")}, r"warp.phone.distance is nan: write a finite number"),
        ({"warp.edge-wave.phase": float("inf")}, r"warp.edge-wave.phase is inf: write a finite number"),
        ({"warp.edge-wave.phase": {"choice": [float("inf")]}}, r"warp.edge-wave.phase.* inf"),
        ({"warp.scanner.phase": {"choice": [float("nan"), 2.0]}}, r"warp.scanner.phase.* nan"),
        ({"warp.washboard.angle": {"choice": [float("inf")]}}, r"warp.washboard.angle.* inf"),
        ({"warp.crumple.seed": -1}, r"warp.crumple.seed is -1"),
        ({"effects.wear.seed": -3}, r"effects.wear.seed is -3"),
        ({"warp.crumple.probability": 1.5}, r"warp.crumple.probability is 1.5: write a number from 0 to 1"),
        ({"warp.crumple.probability": "often"}, r"warp.crumple.probability is 'often': write a number from 0 to 1"),
        ({"warp.crumple": 3}, r"warp.crumple is 3: write a table of keys"),
        ({"warp": 3}, r"warp is 3: write"),
        ({"effects.lamp.elevation": 2}, r"effects.lamp.elevation is 2: write a number from 5 to "),
        ({"effects.desk.material": "glass"}, r"effects.desk.material is 'glass'"),
        ({"warp.a.kind": 3}, r"warp.a: '3' is unknown"),
        ({"warp.a.kind": ["curl"]}, r"warp.a.* is unknown|warp.a.kind is"),
    ],
)
def test_wrong_warps_and_effects_are_named(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        load_recipe("clean", overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"warp.phone.tilt": 3, "warp.scanner.skew": 1}, "photographed once, not by phone and by scanner: keep one"),
        ({"warp.a.kind": "phone", "warp.b.kind": "phone"}, "photographed once, not by phone and by phone: keep one"),
        ({"warp.curl.start": 30, "warp.cone-curl.start": 40}, "rolled once, not by curl and by cone-curl: keep one"),
        ({"effects.desk.seed": 1, "effects.b.kind": "desk"}, "desk"),
        ({"warp.lens.k1": -0.5}, "a lens of k1 = -0.5, k2 = 0 folds the picture's rim: lessen them"),
    ],
)
def test_parts_that_exclude_one_another_are_named(overrides: Mapping[str, Any], words: str) -> None:
    record = ecgvec.read_record(folder("demo") / "ecgvec-demo")
    with pytest.raises(EcgvecError, match=words) as caught:
        ecgvec.render(record, load_recipe("clean", {**overrides, "page.dpi": 60}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", ['{"kind": "crumpel"}', '{"kind": "creases", "vertical": 99}', "3", '{"vertical": 1}'])
def test_a_plan_with_a_wrong_part_is_refused(part: str) -> None:
    record = ecgvec.read_record(folder("demo") / "ecgvec-demo")
    plan = make_plans(record, load_recipe("clean"), seed=0).plans[0].model_dump_json()
    assert '"warp":[]' in plan
    with pytest.raises((ValueError, EcgvecError)):
        Plan.model_validate_json(plan.replace('"warp":[]', f'"warp":[{part}]'))


def test_the_map_is_looked_up_alike_by_hand() -> None:
    page = page_of("phone-photo", 1)
    px = centres(page.composed.warp.size, every=31)
    assert np.abs(bilinear(page.composed.warp, px) - page.composed.warp.inverse(px)).max() <= 1e-9
    scales = np.linalg.svd(jacobian(page.composed.warp, lattice(page.paper)), compute_uv=False)
    assert (scales > 0).all()
