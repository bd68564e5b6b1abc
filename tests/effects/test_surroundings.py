"""The desk under the sheet: its textures, its colours, and the shadow that the sheet throws on it."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pytest
import shapely

import ecgvec
from ecgvec._typing import Float64Array, Points
from ecgvec.effects.base import EffectContext, gain_on_paper
from ecgvec.effects.light import Lamp
from ecgvec.effects.surroundings import Desk
from ecgvec.effects.texture import BRIGHTEST, Material, tile
from ecgvec.recipe.recipe import load_recipe
from ecgvec.resources import folder
from ecgvec.warp.apply import Dressing, resample
from ecgvec.warp.cameras import Phone, Scanner
from ecgvec.warp.compose import compose
from ecgvec.warp.parts import Bend, Canvas, Paper, WarpPart
from ecgvec.warp.planar import Lens, Pad
from tests.warp.bending import on_paper

MATERIALS: tuple[Material, ...] = get_args(Material)
PAPER, SCALE = Paper(100.0, 70.0), 8.0
CANVAS = Canvas(800, 560, SCALE)
PHONE = Phone(distance=400, fill=0.7)


class Ramp(Bend):
    """Lifts the sheet's right third."""

    kind: Literal["ramp"] = "ramp"
    slope: float = 0.3

    def heights(self, points: Points, paper: Paper) -> Float64Array:
        return self.slope * np.maximum(0.0, points[:, 0] - 2 * paper.width / 3)


def view(*parts: WarpPart) -> EffectContext:
    return EffectContext(compose(PAPER, CANVAS, parts or (PHONE,)))


def image_of(desk: Desk, seen: EffectContext, lamp: Lamp) -> np.ndarray:
    page = np.full((560, 800, 3), 255, dtype=np.uint8)
    gain = gain_on_paper(seen, (lamp,))
    return resample(page, SCALE, seen.composed.warp, Dressing(gain, ground=desk.ground(seen, (lamp,))))


def left_over(seen: EffectContext, lamp: Lamp | None, **more: float) -> Float64Array:
    """The share of the desk's light (rows, columns) that the sheet's shadow leaves."""
    lights = () if lamp is None else (lamp,)
    dark, light = (Desk(material="white", shadow=shadow, **more).ground(seen, lights).gain for shadow in (1.0, 0.0))
    return np.asarray(((dark / light) ** 2.4).mean(axis=-1))


def to_the_right(seen: EffectContext, lamp: Lamp, **more: float) -> Float64Array:
    """The same from the middle of the paper's right edge on."""
    middle = seen.composed.warp.nodes.shape[0] // 2
    return left_over(seen, lamp, **more)[middle][seen.composed.warp.nodes[middle, :, 0] > PAPER.width + 0.5]


def beside(seen: EffectContext, side: str, near: float = 0.7, far: float = 2.5) -> np.ndarray:
    """Which nodes lie ``near`` to ``far`` mm beside the middle of the paper's left, right, upper or lower edge."""
    x, y = np.moveaxis(seen.composed.warp.nodes, -1, 0)
    along, out = {"left": (y, -x), "right": (y, x - PAPER.width), "upper": (x, -y), "lower": (x, y - PAPER.height)}[
        side
    ]
    return np.asarray((along > 15) & (along < 55) & (out > near) & (out < far))


def step(tile: np.ndarray, axis: int) -> tuple[float, float]:
    """How much neighbours differ across the tile's seam, and across the worst of all lines inside it."""
    lines = np.moveaxis(tile.astype(float), axis, 0)
    inside = np.abs(np.diff(lines, axis=0)).mean(axis=(1, 2))
    return float(np.abs(lines[0] - lines[-1]).mean()), float(inside.max())


@pytest.mark.parametrize("shrunk", [0.0, 1.0])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("material", MATERIALS)
def test_a_tile_has_no_seam(material: Material, axis: int, shrunk: float) -> None:
    made = tile(material, 1, shrunk)
    seam, worst = step(made, axis)
    assert seam <= 1.1 * worst
    if material == "wood" and axis == 1:  # and a seam would be found
        seam, worst = step(made[:, :-100], axis)
        assert seam > 2 * worst


def test_a_tile_keeps_its_color_and_stays_clear_of_its_ends() -> None:
    for material in MATERIALS:
        made = tile(material, 0, 0.0)
        mean = (((made + 14.025) / 269.025) ** 2.4).mean(axis=(0, 1))
        assert mean == pytest.approx(np.full(3, 1 / BRIGHTEST), rel=0.01), material
        assert ((made == 0) | (made == 255)).mean() < 0.001, material


def test_materials_have_their_own_structure() -> None:
    contrast = {m: tile(m, 0, 0.0).std(axis=(0, 1)).mean() for m in MATERIALS}
    assert contrast["cloth"] > contrast["wood"] > contrast["steel"] > 2 * contrast["white"]
    for material, streaky in (("wood", True), ("steel", True), ("cloth", False), ("white", False)):
        made = tile(material, 0, 0.0).mean(axis=-1)  # type: ignore[arg-type]
        along, across = np.abs(np.diff(made, axis=1)).mean(), np.abs(np.diff(made, axis=0)).mean()
        assert (along < 0.5 * across) == streaky, material
    waves = np.abs(np.fft.rfft(tile("cloth", 0, 0.0).mean(axis=-1), axis=1)).mean(axis=0)
    assert waves[100:].argmax() + 100 in range(200, 217)  # 208 threads, each as wide as the other


def test_a_desk_is_the_same_for_the_same_seed_alone() -> None:
    seen, lamp = view(), Lamp()
    for material in MATERIALS:
        first, again, other = (Desk(material=material, seed=seed).ground(seen, (lamp,)) for seed in (5, 5, 6))
        assert np.array_equal(first.texture, again.texture)
        assert np.array_equal(first.places, again.places, equal_nan=True)
        assert np.array_equal(first.gain, again.gain)
        assert not np.array_equal(first.texture, other.texture)
        assert not np.array_equal(first.gain, other.gain)


def test_materials_have_their_own_colors() -> None:
    seen, lamp = view(), Lamp(azimuth=90, elevation=60, exposure=0.8)
    means = {}
    for material in MATERIALS:
        image = image_of(Desk(material=material, shadow=0.0), seen, lamp)
        means[material] = image[:60].mean(axis=(0, 1))
    assert means["white"].min() > 185
    assert means["black"].max() < 75
    assert 75 < means["steel"].mean() < 215
    assert np.ptp(means["steel"]) < 25
    assert means["wood"][0] > means["wood"][1] + 15 > means["wood"][2] + 30
    assert means["cloth"][2] > means["cloth"][0] + 15  # in the middle of its tones it is teal


@pytest.mark.parametrize("material", MATERIALS)
def test_shade_and_tone_set_the_color(material: Material) -> None:
    seen, lamp = view(), Lamp()
    dark, light = (image_of(Desk(material=material, shade=s), seen, lamp)[:60].mean() for s in (0.0, 1.0))
    assert light > 1.15 * dark
    warm, cold = (image_of(Desk(material=material, tone=t), seen, lamp)[:60].mean(axis=(0, 1)) for t in (1.0, 0.0))
    assert np.abs(warm / warm.sum() - cold / cold.sum()).max() > 0.003


def test_the_desk_leaves_the_paper_alone() -> None:
    seen, lamp = view(PHONE, Lens(k1=-0.05)), Lamp()
    with_wood, with_black = (image_of(Desk(material=m), seen, lamp) for m in ("wood", "black"))
    x, y = np.meshgrid(np.arange(800) + 0.5, np.arange(560) + 0.5)
    page = seen.composed.warp.inverse(np.column_stack([x.ravel(), y.ravel()])).reshape(560, 800, 2)
    inward = np.minimum(page, [PAPER.width, PAPER.height] - page).min(axis=-1)
    assert np.array_equal(with_wood[inward > 0.2], with_black[inward > 0.2])
    differs = (with_wood != with_black).any(axis=-1)
    assert differs[inward < -0.2].mean() > 0.99


@pytest.mark.parametrize(("azimuth", "lit", "dark"), [(0, "right", "left"), (90, "upper", "lower")])
def test_the_shadow_lies_away_from_the_lamp(azimuth: float, lit: str, dark: str) -> None:
    seen = view()
    for turn, bright, shaded in ((0, lit, dark), (180, dark, lit)):
        share = left_over(seen, Lamp(azimuth=azimuth + turn, elevation=35))
        assert share[beside(seen, bright, 0.5)].min() > 0.85
        assert share[beside(seen, shaded, 0.3, 1.5)].mean() < share[beside(seen, bright, 0.3, 1.5)].mean() - 0.15
        assert share[beside(seen, shaded, 6, 12)].min() > 0.98  # a flat sheet's is a thin line


def test_the_lens_does_not_part_the_shadow_from_the_paper() -> None:
    seen = view(PHONE, Lens(k1=-0.12))
    share = left_over(seen, Lamp(azimuth=180, elevation=35))
    assert share[beside(seen, "right", 0.2, 1.2)].mean() < 0.75
    assert share[beside(seen, "left", 0.5)].min() > 0.85


def test_a_lifted_edge_throws_its_shadow_far_and_softly() -> None:
    lamp = Lamp(azimuth=180, elevation=35, size=150)
    flat, lifted = (to_the_right(seen, lamp) for seen in (view(), view(Ramp(), PHONE)))
    reach = [np.count_nonzero(profile < 0.9) for profile in (flat, lifted)]
    assert reach[1] > reach[0] + 4  # nodes of a millimetre or so; it stands some 9 mm high
    assert np.diff(lifted).max() < 0.7 * np.diff(flat).max()


def test_softness_widens_the_shadow() -> None:
    seen, lamp = view(Ramp(), PHONE), Lamp(azimuth=180, elevation=35, size=20)
    sharp, soft = (np.diff(to_the_right(seen, lamp, shadow_softness=mm)).max() for mm in (0.5, 8.0))
    assert soft < 0.6 * sharp


def test_without_a_lamp_the_desk_has_its_own_color_and_a_faint_shadow() -> None:
    seen = view(Scanner(skew=1.5), Pad(border=10))
    gain = Desk(material="white", shade=1, tone=0, shadow=0).ground(seen, ()).gain
    level = (gain[beside(seen, "left", 2, 6)] ** 2.4 / BRIGHTEST).mean(axis=0)
    wanted = ((np.array([242, 244, 246]) + 14.025) / 269.025) ** 2.4
    assert level == pytest.approx(wanted, rel=0.06)
    share = left_over(seen, None)
    for side in ("left", "right", "upper", "lower"):
        assert share[beside(seen, side, 0.7, 2.5)].min() > 0.65
    assert share.min() < 0.2  # under the paper


@pytest.mark.parametrize("tilt", [-60, 60])
def test_beyond_the_horizon_all_is_finite(tilt: float) -> None:
    seen = EffectContext(compose(PAPER, CANVAS, [Phone(distance=160, tilt=tilt, fill=0.3)]))
    for material in MATERIALS:
        ground = Desk(material=material).ground(seen, (Lamp(elevation=5),))
        off = ~seen.composed.warp.on_paper(seen.composed.warp.nodes.reshape(-1, 2)).reshape(ground.places.shape[:2])
        assert np.isfinite(ground.places[off]).all() and off.any()
        assert np.isfinite(ground.gain).all()
        assert ground.gain.min() > 0


def torn_view(*parts: WarpPart, width: float = 70.0) -> EffectContext:
    """What is left of the sheet up to ``width`` mm, with a hole of 8 mm near its middle."""
    left = shapely.box(0, 0, width, PAPER.height) - shapely.Point(35, 35).buffer(4)
    return EffectContext(compose(PAPER, CANVAS, parts or (PHONE,)), left)


def test_the_shadow_follows_the_outline_that_is_left() -> None:
    lamp = Lamp(azimuth=180, elevation=35)
    whole, torn = (left_over(seen, lamp) for seen in (view(), torn_view()))
    x, y = np.moveaxis(view().composed.warp.nodes, -1, 0)
    row = (y > 15) & (y < 55)
    assert torn[row & (x > 70.3) & (x < 71.5)].mean() < 0.75  # a line of shadow along the new edge
    assert torn[row & (x > 76) & (x < 110)].min() > 0.98  # and light where there was paper
    for edge in (row & (x > -2.5) & (x < -0.7), (y > -2.5) & (y < -0.7) & (x > 10) & (x < 60)):
        assert torn[edge].mean() == pytest.approx(whole[edge].mean(), abs=0.03)  # what is whole is as it was


def test_a_hole_lets_light_through_and_lies_in_shadow_towards_the_lamp() -> None:
    torn = left_over(torn_view(), Lamp(azimuth=180, elevation=35))
    x, y = np.moveaxis(view().composed.warp.nodes, -1, 0)
    within = np.hypot(x - 35, y - 35) < 4
    assert torn[within].max() > 0.85
    assert torn[within & (x < 33)].mean() < torn[within & (x > 36)].mean() - 0.1


def test_the_shadow_of_a_lifted_torn_edge_falls_far() -> None:
    lamp = Lamp(azimuth=180, elevation=35)
    reach = []
    for seen in (torn_view(width=95), torn_view(Ramp(), PHONE, width=95)):
        x, y = np.moveaxis(seen.composed.warp.nodes, -1, 0)
        reach.append(np.count_nonzero((left_over(seen, lamp) < 0.9) & (x > 95.5) & (x < 125) & (y > 20) & (y < 50)))
    assert reach[1] > 1.5 * reach[0] + 20


def test_a_desk_that_the_paper_covers_whole_is_no_fault() -> None:
    keys = {"effects.desk.material": "wood", "warp.phone.fill": 1.6, "page.dpi": 60}
    sheet = ecgvec.render(folder("demo") / "ecgvec-demo", load_recipe("clean", keys))
    height, width = sheet.image.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    assert on_paper(sheet.warp.inverse(corners), paper=sheet.paper).all()
