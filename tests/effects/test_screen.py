"""A page on a laptop's screen: the moire that theory foresees, a screen that shines, and nothing moves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import ecgvec
from ecgvec._typing import Float64Array, Image
from ecgvec.effects.base import EffectContext
from ecgvec.effects.glare import Window
from ecgvec.effects.laptop import PX_PER_MM, fit_screen, paint_laptop
from ecgvec.effects.light import Lamp
from ecgvec.effects.screen import Laptop
from ecgvec.effects.tones import to_linear
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.warp.apply import BARE, Dressing, Tile, dense_map, resample, tiles
from ecgvec.warp.cameras import Phone
from ecgvec.warp.compose import compose
from ecgvec.warp.parts import Canvas, Paper, WarpPart
from ecgvec.warp.planar import Lens
from tests.effects.dots import SCALE, centroids, dots

PAPER = Paper(100.0, 70.0)
SHAPE = (560, 800)
WHITE = np.full((*SHAPE, 3), 255, dtype=np.uint8)


def view(*parts: WarpPart, paper: Paper = PAPER, size: tuple[int, int] = (800, 560)) -> EffectContext:
    return EffectContext(compose(paper, Canvas(*size, SCALE), parts or (Phone(distance=400),)))


def shown(laptop: Laptop, seen: EffectContext, page: Image = WHITE, ground: bool = False) -> Image:
    dressing = Dressing(ground=laptop.ground(seen, ()) if ground else None, pattern=laptop.pattern(seen))
    return resample(page, SCALE, seen.composed.warp, dressing)


def strongest(profile: Float64Array) -> float:
    """Cycles a px of the strongest wave below the mosaic's own frequency."""
    wave = np.abs(np.fft.rfft((profile - profile.mean()) * np.hanning(len(profile))))
    frequencies = np.fft.rfftfreq(len(profile))
    low = (frequencies > 0.008) & (frequencies < 0.25)
    return float(frequencies[low][wave[low].argmax()])


@pytest.mark.parametrize("cycles", [0.42, 0.46, 0.53, 0.57, 0.61])
@pytest.mark.parametrize("axis", [0, 1])
def test_stripes_alias_as_theory_says(axis: int, cycles: float) -> None:
    """Red pixels stand two px apart, so ``cycles`` a px look like as many less half a cycle."""
    laptop = Laptop(pitch=1 / (cycles * SCALE), strength=0.8, blur=0.3, falloff=0)
    light = to_linear(shown(laptop, view())[..., 0] / 255)
    assert strongest(light.mean(axis=axis)) == pytest.approx(abs(cycles - 0.5), abs=2 / SHAPE[1 - axis])


def test_a_camera_that_sees_every_stripe_shows_them_as_they_are() -> None:
    laptop = Laptop(pitch=1 / (0.1 * SCALE), strength=0.5, blur=0.3)
    light = to_linear(shown(laptop, view()) / 255)
    for channel in range(3):
        assert strongest(light[..., channel].mean(axis=0)) == pytest.approx(0.1, abs=0.003)


def test_colors_alias_apart() -> None:
    light = to_linear(shown(Laptop(pitch=1 / (0.53 * SCALE), strength=0.6), view()) / 255).mean(axis=0)
    red, blue = (light[:, k] - light[:, k].mean() for k in (0, 2))
    assert np.abs(np.corrcoef(red, blue)[0, 1]) < 0.9
    assert red.std() > 0.03


def test_a_tilt_bends_the_bands() -> None:
    laptop = Laptop(pitch=1 / (0.53 * SCALE), strength=0.6)
    light = to_linear(shown(laptop, view(Phone(distance=300, tilt=8))) / 255)[..., 0]
    upper, lower = (strongest(light[rows].mean(axis=0)) for rows in (slice(100, 104), slice(450, 454)))
    assert upper - lower == pytest.approx(0.011, abs=0.004)  # 22 mm up and down change the scale by 1 %


def test_stripes_grow_with_strength_and_are_lost_in_blur() -> None:
    seen = view()
    spread = [shown(Laptop(strength=s, falloff=0), seen).std(axis=(0, 1)).mean() for s in (0, 0.2, 0.5, 1)]
    assert spread[0] < 0.5
    assert all(a + 1 < b for a, b in pairwise(spread))
    blurred = [shown(Laptop(blur=b, falloff=0), seen).std(axis=(0, 1)).mean() for b in (0, 0.5, 1, 2)]
    assert all(a > b for a, b in pairwise(blurred))
    assert blurred[-1] < 1


def test_stripes_keep_the_light() -> None:
    plain, striped = (to_linear(shown(Laptop(strength=s, exposure=0.5), view()) / 255).mean() for s in (0, 0.6))
    assert striped == pytest.approx(plain, rel=0.02)


def test_tiles_of_the_picture_fit_together() -> None:
    seen = view(Phone(distance=300, tilt=10, pan=4), Lens(k1=-0.05))
    pattern, warp = Laptop(strength=1).pattern(seen), seen.composed.warp
    whole = pattern(dense_map(warp, Tile(0, 0, *warp.size)))
    assert whole.shape == (*warp.size[::-1], 3)
    assert whole.std() > 0.05
    for tile in tiles(warp):
        part = pattern(dense_map(warp, tile))
        rows, columns = slice(tile.y0, tile.y1), slice(tile.x0, tile.x1)
        assert np.abs(part - whole[rows, columns]).max() < 0.06, tile  # its amplitude is set by the tile's corners
        assert np.abs(part - whole[rows, columns]).mean() < 0.015


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (3, 2)])
def test_a_scrap_of_a_tile_has_its_pattern(shape: tuple[int, int]) -> None:
    seen = view()
    part = Laptop().pattern(seen)(dense_map(seen.composed.warp, Tile(160, 160, 160 + shape[1], 160 + shape[0])))
    assert part.shape == (*shape, 3)
    assert np.isfinite(part).all()


DOTS: list[dict[str, Any]] = [{}, {"strength": 1.0, "blur": 0.2}, {"pitch": 0.3, "angle": 7.0}, {"pitch": 0.13}]


@pytest.mark.parametrize("more", DOTS)
def test_nothing_moves(more: dict[str, Any]) -> None:
    page = dots()
    side = page.shape[0] / SCALE
    seen = view(paper=Paper(side, side), size=page.shape[1::-1])
    before = resample(page, SCALE, seen.composed.warp, BARE)
    after = shown(Laptop(**more), seen, page)
    assert np.abs(after.astype(int) - before).max() > 5
    if more.get("strength") != 1:
        assert np.hypot(*(centroids(after) - centroids(before)).mean(axis=0)) <= 0.06
    paper, ink = (shown(Laptop(**more), seen, np.full_like(page, v)).astype(float) for v in (200, 40))
    cover = np.clip((paper - after) / np.maximum(1, paper - ink), -0.1, 1.1)  # the stripes taken off
    moved = centroids(200 - 160 * cover) - centroids(before)
    assert np.hypot(*moved.mean(axis=0)) <= 0.02
    assert np.hypot(*moved.T).mean() <= 0.06


def far_view() -> EffectContext:
    """The whole laptop and some of the room."""
    return view(Phone(distance=700, fill=0.35))


def at(image: Image, seen: EffectContext, x: float, y: float) -> Float64Array:
    """The mean colour of 5 x 5 px about a place in mm from the page's middle."""
    column, row = seen.composed.warp.forward(np.array([[x, y]]) + PAPER.centre)[0].astype(int)
    return np.asarray(image[row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1)))


def test_around_the_page_come_viewer_bezel_and_room() -> None:
    seen, size = far_view(), fit_screen(PAPER, 0.9)
    levels = {}
    for theme in ("dark", "light"):
        laptop = Laptop(theme=theme, fill=0.9, strength=0, room=0.15, exposure=0.8)  # type: ignore[arg-type]
        image = shown(laptop, seen, ground=True)
        u, right = size.unit, size.left + size.width
        levels[theme] = {
            "page": at(image, seen, 0, 0).mean(),
            "viewer": at(image, seen, right - 12 * u, 10).mean(),
            "bezel": at(image, seen, right + 3 * u, 0).mean(),
            "room": at(image, seen, right + 40 * u, 0).mean(),
        }
    dark, light = levels["dark"], levels["light"]
    assert dark["page"] == pytest.approx(light["page"], abs=0.5)
    assert dark["page"] > light["viewer"] + 10 > dark["viewer"] + 80
    for level in levels.values():
        assert level["bezel"] < 8
        assert level["bezel"] < level["room"] < 0.6 * level["page"]


def test_the_page_fits_the_screen_whatever_its_shape() -> None:
    for paper in (PAPER, Paper(279, 216), Paper(216, 279), Paper(400, 60)):
        for fill in (0.4, 0.92, 1.0):
            size = fit_screen(paper, fill)
            assert size.width / size.height == pytest.approx(1.6)
            spare = np.array([size.width - paper.width, size.height - paper.height - 25 * size.unit])
            assert spare.min() > -1e-9
            assert size.top + 16 * size.unit <= -paper.height / 2 + 1e-9
            assert size.top + size.height - 9.5 * size.unit >= paper.height / 2 - 1e-9


def test_the_scroll_bar_and_the_room_are_as_told() -> None:
    size = fit_screen(PAPER, 0.9)
    without, with_bar = (paint_laptop(size, "dark", bar, 0.2, 0)[0].astype(int) for bar in (False, True))
    columns = np.flatnonzero((without != with_bar).any(axis=(0, 2)))
    assert 2 < len(columns) <= 3.6 * size.unit * PX_PER_MM + 4
    light, dark = (paint_laptop(size, "dark", True, room, 0)[0][:20].mean() for room in (0.6, 0.1))
    assert light > 1.7 * dark > 0
    assert not np.array_equal(paint_laptop(size, "dark", True, 0.2, 0)[0], paint_laptop(size, "dark", True, 0.2, 1)[0])


def test_only_the_screen_shines() -> None:
    seen, laptop = far_view(), Laptop(exposure=0.5)
    factor = laptop.pattern(seen)(dense_map(seen.composed.warp, Tile(0, 0, *seen.composed.warp.size)))
    size = fit_screen(PAPER, laptop.fill)
    rows, columns = np.mgrid[: factor.shape[0], : factor.shape[1]]
    px = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    x, y = (seen.composed.warp.inverse(px) - PAPER.centre).T.reshape(2, *factor.shape[:2])
    inward = np.minimum(
        np.minimum(x - size.left, size.left + size.width - x), np.minimum(y - size.top, size.top + size.height - y)
    )
    assert (factor[inward < -0.5] == 1).all()
    assert factor[inward > 0.5].mean() == pytest.approx(0.5 ** (1 / 2.4), rel=0.08)


def test_kelvin_and_falloff() -> None:
    plain = {"strength": 0.0, "exposure": 0.8}
    warm, cold = (shown(Laptop(kelvin=k, **plain), view()).mean(axis=(0, 1)) for k in (4500, 12_000))
    assert warm[0] > warm[2] + 20
    assert cold[2] > cold[0] + 20
    image = shown(Laptop(falloff=0.5, fill=1, **plain), view()).mean(axis=(1, 2))
    assert image[0] < image[280] - 15
    assert image[0] < image[-1] < image[280]


def test_an_angle_turns_the_laptop_about_the_page() -> None:
    seen = far_view()
    straight, turned = (shown(Laptop(angle=a, strength=0, falloff=0), seen, ground=True) for a in (0.0, 10.0))
    assert np.array_equal(straight[200:360, 300:500], turned[200:360, 300:500])  # the page
    assert np.abs(straight.astype(int) - turned).mean() > 3


def test_lights_fall_on_all_of_it() -> None:
    seen, laptop = far_view(), Laptop()
    lights = (Lamp(), Window())
    gain = laptop.ground(seen, lights).gain
    nodes = seen.composed.warp.nodes
    places = np.dstack([nodes - PAPER.centre, np.zeros(nodes.shape[:2])])
    assert gain**2.4 == pytest.approx(lights[0].on_ground(seen, places) * lights[1].on_ground(seen, places))
    assert (laptop.ground(seen, ()).gain == 1).all()


@pytest.mark.parametrize("tilt", [-60, 60])
def test_beyond_the_horizon_all_is_finite(tilt: float) -> None:
    seen = view(Phone(distance=160, tilt=tilt, fill=0.3))
    ground = Laptop().ground(seen, ())
    assert np.isfinite(ground.places).all()
    assert (ground.places >= 0).all()
    assert (ground.places < ground.texture.shape[1::-1]).all()
    pattern, warp = Laptop().pattern(seen), seen.composed.warp
    for tile in list(tiles(warp))[::9]:
        assert np.isfinite(pattern(dense_map(warp, tile))).all()


def test_a_recipe_shows_a_page_on_a_laptop(demo_record: Record) -> None:
    overrides = {"warp.phone.tilt": 6, "warp.phone.distance": 450, "effects.laptop.pitch": 0.24, "page.dpi": 100}
    first, again = (ecgvec.render(demo_record, load_recipe("clean", overrides), seed=3) for _ in range(2))
    assert np.array_equal(first.image, again.image)
    assert first.plan.effects[0] == Laptop(seed=first.plan.effects[0].seed)  # type: ignore[attr-defined]
    plain = ecgvec.render(
        demo_record, load_recipe("clean", {k: v for k, v in overrides.items() if "lap" not in k}), seed=3
    )
    for ours, theirs in zip(first.labels.traces, plain.labels.traces, strict=True):
        assert np.array_equal(ours.points, theirs.points)
