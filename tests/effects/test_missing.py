"""Paper that is gone and print that is covered: what labels say of it is what the image shows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

import ecgvec
from ecgvec._typing import Float64Array
from ecgvec.effects.attached import Staples, Tape
from ecgvec.effects.base import EffectContext, OnPaper
from ecgvec.effects.layers import LOST, low_contrast_region, polygonize, rasterize_coverage
from ecgvec.effects.missing import PITCH_MM, BurntEdge, Edge, PunchHoles, TornEdge
from ecgvec.effects.stains import Blood, CoffeeRing, Mould
from ecgvec.effects.texture import Patch
from ecgvec.errors import RecipeError
from ecgvec.marks.stamp import COATS
from ecgvec.marks.strokes import NIBS, Nib
from ecgvec.recipe.recipe import load_recipe
from ecgvec.rendering.camera import occluded_region, page_dpi, remaining_paper, render_pixels
from ecgvec.resources import folder
from ecgvec.warp.cameras import Scanner
from ecgvec.warp.compose import compose
from ecgvec.warp.parts import Canvas, Paper, generator

DEMO = ecgvec.read_record(folder("demo") / "ecgvec-demo")
PAPER, SCALE = Paper(200.0, 140.0), 8.0
VIEW = EffectContext(compose(PAPER, Canvas(800, 560, 4.0), [Scanner()]), scale=SCALE)
ON_BLACK: dict[str, Any] = {
    "effects.desk.material": "black",
    "effects.desk.shade": 0,
    "effects.desk.shadow": 0,
    "warp.phone.tilt": 10,
    "warp.phone.fill": 0.85,
}
TORN: list[tuple[Edge, int]] = [("right", 1), ("top", 2), ("bottom-left", 3)]
# everything that hides print, strong enough to
HIDING: list[OnPaper] = [
    Tape(finish="masking", x=0.5, y=0.5, angle=20),
    Staples(count=2, x=0.4, y=0.5),
    Staples(count=2, x=0.4, y=0.5, removed=True),
    TornEdge(edge="left", depth=20, rim=3),
    BurntEdge(edge="bottom", depth=40, char=5),
    PunchHoles(torn=2),
    Blood(thick=1, strength=1, drops=20, diameter=12, seed=3),
    Mould(strength=1, colonies=300, size=8, seed=2),
]
NOT_HIDING: list[OnPaper] = [
    Tape(),
    Tape(finish="matt"),
    Tape(finish="masking", opacity=0.7),
    PunchHoles(),
    Blood(strength=1),
    CoffeeRing(strength=1),
    BurntEdge(char=0),
]


@lru_cache
def _rendered(items: tuple[tuple[str, Any], ...], seed: int) -> ecgvec.Sheet:
    return ecgvec.render(DEMO, load_recipe("clean", dict(items)), seed=seed)


def render(overrides: dict[str, Any], seed: int = 1) -> ecgvec.Sheet:
    return _rendered(tuple(sorted(overrides.items())), seed)


@lru_cache
def left_contrast(*effects: OnPaper) -> Float64Array:
    """The share (H, W) of the contrast of black ink to white paper that ``effects`` leave, in the best channel."""
    pages = []
    for value in (255, 0):
        page = np.full((round(PAPER.height * SCALE), round(PAPER.width * SCALE), 3), value, dtype=np.uint8)
        for effect in effects:
            page = effect.apply(page, SCALE, PAPER, ())
        pages.append(page.astype(float))
    return np.asarray((pages[0] - pages[1]).max(axis=-1) / 255)


def told(*effects: OnPaper) -> BaseGeometry:
    """What the labels are told to be hidden by ``effects``, page mm."""
    return shapely.union_all(
        [low_contrast_region(effects, VIEW), *(effect.occluded_region(VIEW) for effect in effects)]
    )


def inside(shape: shapely.Geometry) -> np.ndarray:
    """Which pixels (H, W) of a page at SCALE lie within ``shape``."""
    x, y = np.meshgrid(*((np.arange(round(side * SCALE)) + 0.5) / SCALE for side in (PAPER.width, PAPER.height)))
    return np.asarray(shapely.contains_xy(shape, x, y))


def contours(mask: np.ndarray) -> Float64Array:
    """Points (n, 2) px on the outer rim of a mask's largest piece."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(max(found, key=len).reshape(-1, 2), dtype=float)


def border(page: ecgvec.Sheet) -> Float64Array:
    """Points (n, 2) of the visible border of paper against a black desk, image px: where it is half as light."""
    grey = page.image.max(axis=-1)
    wide = np.repeat(np.repeat(grey, 4, axis=0), 4, axis=1)
    half = cv2.GaussianBlur(wide, (0, 0), 2.5) > 105
    closed = cv2.morphologyEx(half.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((25, 25), dtype=np.uint8))
    return (contours(closed) + 0.5) / 4


def way_off(points: Float64Array, ring: Float64Array) -> Float64Array:
    """How far (n,) points are from a ring, px."""
    return np.asarray(shapely.distance(shapely.points(points), shapely.LinearRing(ring)))


def without_traces(page: ecgvec.Sheet) -> np.ndarray:
    """The same image of a page on which no trace was drawn."""
    roles = {mark.role for mark in page.scene.shapes()} - {"trace"}
    return render_pixels(page.scene.only(roles), page.view, page.plan.page.style.dpi, page.plan.effects)


@pytest.mark.parametrize(("edge", "seed"), TORN)
def test_the_pages_ring_lies_on_the_visible_border_of_torn_paper(edge: Edge, seed: int) -> None:
    torn = {"depth": 12, "edge": edge, "rim": 0.5}
    page = render({**ON_BLACK, **{f"effects.torn-edge.{key}": value for key, value in torn.items()}}, seed)
    seen = border(page)
    assert np.percentile(way_off(seen, page.labels.page), 95) < 1
    whole = render(ON_BLACK, seed).labels.page
    assert way_off(seen, whole).max() > 20  # the whole sheet's outline is somewhere else


def test_the_ring_lies_on_the_visible_border_of_a_burnt_sheet() -> None:
    burnt = {"effects.burnt-edge.depth": 20, "effects.burnt-edge.edge": "right", "effects.burnt-edge.char": 4}
    page = render({**ON_BLACK, "effects.desk.material": "white", "effects.desk.shade": 1, **burnt})
    whole = shapely.Polygon(render(ON_BLACK).labels.page)
    ring = page.labels.page
    eaten = ring[shapely.contains_xy(whole.buffer(-12), *ring.T)]
    assert len(eaten) > 100
    x, y = np.meshgrid(*(np.arange(n) + 0.5 for n in page.image.shape[1::-1]))
    near = shapely.contains_xy(shapely.LineString(eaten).buffer(8), x, y)
    desk = (page.image.mean(axis=-1) > 110) & near & ~shapely.contains_xy(shapely.Polygon(ring).buffer(-3), x, y)
    dark = (page.image.mean(axis=-1) <= 110) & near
    to_dark, to_desk = (cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) for mask in (dark, desk))
    at = np.floor(eaten).astype(int)
    away = np.maximum(to_dark[at[:, 1], at[:, 0]], to_desk[at[:, 1], at[:, 0]])  # a border has both beside it
    assert np.percentile(away, 95) <= 2  # from pixel to pixel: within one px of the border


def test_holes_are_in_the_labels_and_the_desk_shows_in_them() -> None:
    page = render({**ON_BLACK, "effects.punch-holes.count": 2})
    assert len(page.labels.holes) == 2
    middles = np.array([shapely.Polygon(hole).centroid.coords[0] for hole in page.labels.holes])
    on_page = page.warp.inverse(middles)
    assert np.linalg.norm(on_page[0] - on_page[1]) == pytest.approx(PITCH_MM[2], abs=0.3)
    assert np.allclose(on_page[:, 0], 12, atol=5)
    for hole in page.labels.holes:
        area = shapely.Polygon(hole)
        x, y = np.meshgrid(*(np.arange(n) + 0.5 for n in page.image.shape[1::-1]))
        assert page.image[shapely.contains_xy(area.buffer(-2), x, y)].max() < 90
        around = shapely.contains_xy(area.buffer(6).difference(area.buffer(3)), x, y)
        assert page.image[around].mean() > 130


def test_a_hole_that_is_torn_out_opens_to_the_edge() -> None:
    whole, torn = (remaining_paper(PAPER, [PunchHoles(torn=n)]) for n in (0, 1))
    assert whole is not None and torn is not None
    assert (len(whole.interiors), len(torn.interiors)) == (2, 1)
    assert torn.area < whole.area - 20


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_holes_lie_along_their_edge_at_their_pitch(count: Literal[2, 3, 4], edge: Literal["left", "right"]) -> None:
    paper = Paper(297.0, 280.0)
    left = remaining_paper(paper, [PunchHoles(count=count, edge=edge, off=0)])
    assert left is not None
    middles = sorted((part.centroid.x, part.centroid.y) for part in shapely.polygons(list(left.interiors)))
    assert len(middles) == count
    along, deep = (1, 0) if edge in ("left", "right") else (0, 1)
    side = (paper.width, paper.height)[deep]
    wanted = 12 if edge in ("left", "top") else side - 12
    assert np.allclose([middle[deep] for middle in middles], wanted, atol=0.01)
    assert np.allclose(np.diff(sorted(middle[along] for middle in middles)), PITCH_MM[count], atol=0.01)


def test_occluded_samples_show_no_ink_and_the_others_do() -> None:
    page = render(
        {
            **ON_BLACK,
            "page.trace_color": "#000000",
            "effects.tape.finish": "masking",
            "effects.tape.x": 0.4,
            "effects.tape.y": 0.5,
            "effects.tape.angle": 80,
            "effects.torn-edge.edge": "right",
            "effects.torn-edge.depth": 25,
            "effects.torn-edge.rim": 3,
            "effects.burnt-edge.edge": "bottom-left",
            "effects.burnt-edge.depth": 60,
            "effects.blood.thick": 1,
            "effects.blood.strength": 1,
            "effects.blood.y": 0.3,
            "effects.blood.diameter": 12,
        }
    )
    bare = without_traces(page)
    ink = np.abs(bare.astype(int) - page.image).max(axis=-1)
    left, covered, seen = 0, [], []
    for trace in page.labels.traces:
        x, y = np.floor(trace.points).astype(int).T
        within = (x >= 0) & (y >= 0) & (x < ink.shape[1]) & (y < ink.shape[0])
        covered.append(ink[y[within & trace.occluded], x[within & trace.occluded]])
        seen.append(ink[y[within & trace.visible], x[within & trace.visible]])
        left += int(trace.visible.sum())
    beneath, open_ = np.concatenate(covered), np.concatenate(seen)
    full = np.median(open_)
    assert len(beneath) > 800 and left > 5000 and full > 100
    assert np.mean(beneath < LOST * full) > 0.97
    assert np.mean(open_ > LOST * full) > 0.97


@pytest.mark.parametrize("effect", HIDING, ids=lambda effect: effect.kind)
def test_what_an_effect_hides_is_where_no_contrast_is_left(effect: OnPaper) -> None:
    shape, left = told(effect), left_contrast(effect)
    within = inside(shape.buffer(-0.15))
    assert within.sum() > 20
    assert np.mean(left[within] < LOST + 0.05) > 0.97
    outside = ~inside(shapely.union(shape, effect.missing(PAPER)).buffer(0.3))
    assert np.mean(left[outside] > LOST) > 0.998  # all but specks of mould that hide no line


@pytest.mark.parametrize("effect", NOT_HIDING, ids=lambda effect: effect.kind)
def test_what_is_seen_through_hides_nothing(effect: OnPaper) -> None:
    assert told(effect).is_empty
    seen = ~inside(effect.missing(PAPER).buffer(0.5))
    assert left_contrast(effect)[seen].min() > 0.1


def test_char_and_thick_blood_hide_more_the_more_there_is() -> None:
    burnt = [BurntEdge(edge="bottom", char=char) for char in (0, 1.5, 4)]
    areas = [shapely.difference(told(effect), effect.missing(PAPER)).area for effect in burnt]
    assert areas[0] == 0 < areas[1] < 0.6 * areas[2]
    fresh = [told(Blood(thick=thick, strength=1)).area for thick in (0, 0.5, 1)]
    assert fresh[0] == 0 < fresh[1] < fresh[2]


@pytest.mark.parametrize("kind", [TornEdge, BurntEdge])
@pytest.mark.parametrize("edge", ["top", "right", "bottom", "left", "top-left", "top-right", "bottom-right"])
def test_more_paper_is_gone_the_deeper_it_goes_and_at_the_edge_that_is_named(
    kind: type[TornEdge | BurntEdge], edge: Edge
) -> None:
    pieces = [kind(edge=edge, depth=depth).missing(PAPER) for depth in (0, 4, 12, 30)]
    areas = [shapely.intersection(piece, shapely.box(0, 0, PAPER.width, PAPER.height)).area for piece in pieces]
    assert areas[0] == 0 < areas[1] < areas[2] < areas[3]
    x, y = pieces[3].centroid.coords[0]
    assert (x < PAPER.width / 3) == ("left" in edge) and (x > 2 * PAPER.width / 3) == ("right" in edge)
    assert (y < PAPER.height / 3) == ("top" in edge) and (y > 2 * PAPER.height / 3) == ("bottom" in edge)
    if "-" not in edge and kind is TornEdge:
        side = PAPER.height if edge in ("left", "right") else PAPER.width
        assert areas[2] == pytest.approx(12 * side, rel=0.3)


def test_white_fibres_are_painted_where_the_ply_is_said_to_be_gone() -> None:
    effect = TornEdge(edge="right", depth=20, rim=3, seed=4)
    size = round(PAPER.height * SCALE), round(PAPER.width * SCALE), 3
    black = effect.apply(np.zeros(size, dtype=np.uint8), SCALE, PAPER, ())
    rim = inside(effect.occluded_region(VIEW).buffer(-0.15)) & ~inside(effect.missing(PAPER).buffer(0.3))
    assert rim.sum() > 1000
    assert black[rim].min() > 120 and black[rim].mean() > 225
    assert black[~inside(effect.occluded_region(VIEW).buffer(0.15))].max() == 0
    narrow, wide = (TornEdge(edge="right", depth=20, rim=mm, seed=4).occluded_region(VIEW).area for mm in (0.5, 3))
    assert wide - narrow == pytest.approx(2.5 * PAPER.height * 0.85, rel=0.5)


def test_nothing_of_the_paper_left_is_a_sentence() -> None:
    torn: dict[str, Any] = {}
    for edge in ("top", "right", "bottom", "left"):
        torn |= {f"effects.{edge}.kind": "torn-edge", f"effects.{edge}.edge": edge, f"effects.{edge}.depth": 150}
    with pytest.raises(RecipeError, match="nothing of the paper is left: lessen what is torn off or burnt"):
        render({**ON_BLACK, **torn})


def test_effects_without_anything_to_hide_or_take_leave_labels_whole() -> None:
    page = render({**ON_BLACK, "effects.tape.finish": "clear", "effects.torn-edge.depth": 0})
    assert not any(trace.occluded.any() for trace in page.labels.traces)
    assert page.view.remaining_paper is None and len(page.labels.holes) == 0
    assert occluded_region(page.view, page.plan.effects, page.plan.page.style.dpi).is_empty


def test_a_mask_becomes_polygons_with_holes_and_without_specks() -> None:
    mask = np.zeros((100, 120), dtype=bool)
    mask[10:60, 20:90] = True
    mask[30:40, 40:60] = False
    mask[80, 100] = True  # a speck
    mask[0:5, 100:120] = True
    shape = polygonize(mask, 10.0)
    wanted = shapely.box(2, 1, 9, 6) - shapely.box(4, 3, 6, 4) | shapely.box(10, 0, 12, 0.5)
    assert shapely.symmetric_difference(shape, wanted).area < 0.01 * wanted.area
    assert polygonize(np.zeros((10, 10), dtype=bool), 10.0).is_empty


def test_a_polygon_is_painted_where_it_is() -> None:
    page = np.zeros((100, 120, 3), dtype=np.uint8)
    shape = shapely.Point(5.03, 4.01).buffer(2.57, quad_segs=32) - shapely.Point(5, 4).buffer(1)
    patch = Patch.over(page, 10.0, (1.0, 1.0, 9.0, 8.0))
    share = rasterize_coverage(shape, patch, 10.0)
    assert share.sum() / 100 == pytest.approx(shape.area, rel=0.03)
    down, right = np.mgrid[: share.shape[0], : share.shape[1]]
    x, y = patch.x[0] + right / 10, patch.y[0] + down / 10
    middle = np.sum(share * x) / share.sum(), np.sum(share * y) / share.sum()
    assert middle == pytest.approx(shape.centroid.coords[0], abs=0.01)


def test_what_is_measured_is_the_effect_itself() -> None:
    tape = Tape(finish="masking", x=0.5, y=0.5, length=60, width=19)
    assert told(tape).area == pytest.approx(60 * 19, rel=0.03)
    assert told(tape).centroid.coords[0] == pytest.approx((100, 70), abs=0.5)


TOGETHER: list[tuple[OnPaper, ...]] = [
    (Tape(finish="masking", opacity=0.78, y=0.5), Tape(finish="masking", opacity=0.78, y=0.5, angle=70)),
    (Mould(x=0.5, y=0.5, size=8, strength=0.75, seed=1), Blood(x=0.5, y=0.5, diameter=20, drops=20, strength=0.75)),
    (Mould(x=0.5, y=0.5, size=8, strength=0.75, seed=1), Mould(x=0.5, y=0.5, size=8, strength=0.75, seed=2)),
    tuple(CoffeeRing(x=0.5, y=0.5, strength=1, drips=0, seed=4) for _ in range(10)),
    tuple(Tape(finish="matt", x=0.5, y=0.5, angle=4 * k) for k in range(12)),
]


@pytest.mark.parametrize("effects", TOGETHER, ids=lambda effects: "+".join(effect.kind for effect in effects[:2]))
def test_what_effects_hide_together_is_told_though_none_hides_it_alone(effects: tuple[OnPaper, ...]) -> None:
    shape, left = told(*effects), left_contrast(*effects)
    alone = shapely.union_all([told(effect) for effect in effects])
    assert shape.area > alone.area + 1
    within, outside = inside(shape.buffer(-0.15)), ~inside(shape.buffer(0.3))
    assert within.sum() > 20
    assert np.mean(left[within] < LOST + 0.05) > 0.97
    assert np.mean(left[outside] > LOST) > 0.998


@pytest.mark.parametrize("effect", [*HIDING, *NOT_HIDING], ids=lambda effect: effect.kind)
def test_no_less_is_left_than_an_effect_says(effect: OnPaper) -> None:
    by_shape = inside(shapely.union(effect.occluded_region(VIEW), effect.missing(PAPER)).buffer(0.5))
    assert left_contrast(effect)[~by_shape].min() >= effect.min_contrast() - 0.05


def test_what_is_hidden_is_measured_on_the_page_as_it_is_drawn() -> None:
    mould = {"size": 3, "strength": 1, "colonies": 300, "x": 0.5, "y": 0.5}
    overrides: dict[str, Any] = {**ON_BLACK, "page.dpi": 200, **{f"effects.mould.{k}": v for k, v in mould.items()}}
    page = render(overrides)
    width, height = page.view.warp.paper.width, page.view.warp.paper.height
    scale = page_dpi(page.view.warp, 200) / 25.4
    size = round(height * scale), round(width * scale), 3
    effects = [effect for effect in page.plan.effects if isinstance(effect, OnPaper)]
    pages = []
    for value in (255, 0):
        drawn = np.full(size, value, dtype=np.uint8)
        for effect in effects:
            drawn = effect.apply(drawn, scale, Paper(width, height), ())
        pages.append(drawn.astype(float))
    lost = polygonize((pages[0] - pages[1]).max(axis=-1) < LOST * 255, scale)
    assert lost.area > 1
    shape = occluded_region(page.view, page.plan.effects, 200)
    assert shapely.symmetric_difference(shape, lost).area < 0.02 * lost.area


def test_holes_far_off_the_page_are_no_overflow() -> None:
    with np.errstate(over="raise", invalid="raise"):
        for seed in range(6):
            left_contrast(PunchHoles(off=20, margin=5, seed=seed), BurntEdge(depth=0.01, seed=seed))


@pytest.mark.parametrize("nib", NIBS.values(), ids=NIBS.keys())
def test_print_beneath_a_pen_can_be_told(nib: Nib) -> None:
    line = np.column_stack([np.linspace(0, 60, 200), np.zeros(200)])
    layers = nib.stroke(generator(1), line, 0.6, "#000000")
    assert len(layers) == 2
    assert np.prod([1 - pen.opacity for _, pen in layers]) >= LOST + 0.03


def test_print_beneath_a_dense_stamp_can_be_told() -> None:
    assert np.prod([1 - coat for coat in COATS]) >= LOST + 0.03
    page = render({**ON_BLACK, "marks.stamp.strength": 1.0})
    opacities = [mark.pen.opacity for mark in page.scene.shapes() if mark.role == "mark"]
    assert sorted(opacities) == sorted(COATS)
