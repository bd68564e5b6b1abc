"""One map, three ways to ask for it: ``inverse``, ``forward``, and the dense map by which pixels are resampled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from ecgvec.errors import WarpError
from ecgvec.rendering.labels.derive import inside
from ecgvec.warp.apply import dense_map, resample, tiles
from ecgvec.warp.cameras import Phone, Scanner
from ecgvec.warp.compose import Composed, compose
from ecgvec.warp.creases import Creases, Crumple
from ecgvec.warp.parts import Camera, Canvas, Planar, WarpPart
from ecgvec.warp.planar import Crop, Lens, Resize, Rotate
from ecgvec.warp.waves import ConeCurl, Curl, EdgeWave
from tests.warp.bending import PAPER, SCALE, alone, any_warp, bend_page, bilinear, centres, jacobian, on_paper
from tests.warp.surfaces import THERE_AND_BACK, assert_right_side_out, on_surface

SAME_MAP = 1e-3  # px
TRUE_SHAPE_P99, TRUE_SHAPE_MOST = (
    0.15,
    1.5,
)  # page px by which the lattice may soften the shape behind it
SAME_AT_ANY_DPI_P99, SAME_AT_ANY_DPI_MOST = 0.01, 0.2  # mm; most where lattices of other steps soften a fold or rim
FAR_OFF = 4.0  # px by which the image may miss the sheet, its rim included, before it shows what is not there

TOGETHER: dict[str, tuple[WarpPart, ...]] = {
    "folded": (
        Creases(vertical=2, horizontal=1, angle=88, seed=3),
        EdgeWave(),
        Phone(distance=330, tilt=18, pan=10, roll=3, fill=1.05),
        Lens(k1=-0.03, k2=0.008),
    ),
    "many-folds": (
        Creases(vertical=10, horizontal=10, angle=45, turn="random", spacing="uneven", seed=8),
        Crumple(strength=0.3, seed=1),
        Rotate(angle=-7),
        Crop(amount=0.03),
    ),
    "crumpled": (
        Crumple(strength=0.8, seed=5),
        Curl(toward=180),
        Phone(distance=300, tilt=-24, pan=12),
        Resize(factor=0.6),
    ),
    "scanned": (Creases(preset="letter", flattened=0.95), Scanner(skew=1.2, wobble=0.06, speed_error=0.003)),
    "cone": (
        ConeCurl(toward=0, start=140, radius=120, apex=400),
        Phone(distance=330, tilt=20, fill=0.9),
        Resize(factor=2),
    ),
}
EVERY = [*alone(), *TOGETHER.items()]


def assert_one_map(composed: Composed) -> None:
    warp = composed.warp
    width, height = warp.size
    rng = np.random.default_rng(0)
    # Everywhere in the image, off the paper too, and up to its very corners.
    corners = np.array([[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]])
    px = np.concatenate([rng.uniform((0, 0), (width, height), (40_000, 2)), corners])
    mm = warp.inverse(px)
    assert np.abs(mm - bilinear(warp, px)).max() <= 1e-9
    seen = on_paper(mm)
    assert np.abs(warp.forward(mm[seen]) - px[seen]).max(initial=0.0) <= THERE_AND_BACK
    for tile in tiles(warp):
        dense = dense_map(warp, tile).astype(np.float64)
        assert dense.shape == (tile.y1 - tile.y0, tile.x1 - tile.x0, 2)
        at = centres((tile.x1 - tile.x0, tile.y1 - tile.y0), every=5)
        place = dense[tuple(np.floor(at).astype(int).T[::-1])]
        kept = on_paper(place)
        if kept.any():
            back = warp.forward(place[kept]) - (at[kept] + (tile.x0, tile.y0))
            assert np.abs(back).max() <= SAME_MAP


@pytest.mark.parametrize("parts", [parts for _, parts in EVERY], ids=[name for name, _ in EVERY])
def test_inverse_forward_and_dense_map_are_one(parts: tuple[WarpPart, ...]) -> None:
    composed = bend_page(parts)
    assert_one_map(composed)
    assert_no_ghosts(composed)
    assert_right_side_out(composed)


def composition(parts: tuple[WarpPart, ...]) -> Composed:
    try:
        composed = bend_page(parts)
    except WarpError:
        assume(False)
    assume(composed.warp.size[0] * composed.warp.size[1] <= 9e6)
    return composed


LOOSE = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=LOOSE)
@given(parts=any_warp())
def test_the_maps_of_any_composition_are_one(parts: tuple[WarpPart, ...]) -> None:
    composed = composition(parts)
    assert_one_map(composed)
    assert_no_ghosts(composed)
    assert_right_side_out(composed)


@pytest.mark.long
@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=LOOSE)
@given(parts=any_warp())
def test_the_maps_of_a_hundred_compositions_are_one(parts: tuple[WarpPart, ...]) -> None:
    composed = composition(parts)
    assert_one_map(composed)
    assert_no_ghosts(composed)
    assert_right_side_out(composed)


def assert_no_ghosts(composed: Composed) -> None:
    """The image shows paper only where there is paper: what a pixel sees of the sheet is looked up on the bent sheet
    itself and projected, and has to be that pixel."""
    px = centres(composed.warp.size, every=3)
    mm = composed.warp.inverse(px)
    seen = on_paper(mm, margin=0.3)
    off = np.hypot(*(composed.project(on_surface(composed, mm[seen])) - px[seen]).T)
    scale = np.sqrt(np.linalg.det(jacobian(composed.warp, np.array([[PAPER.width, PAPER.height]]) / 2)))[0] / SCALE
    far = px[seen][off > FAR_OFF * scale]
    assert not len(far), (
        f"{len(far)} of {seen.sum()} pixels see paper that is not there, from {far.min(0)} to {far.max(0)}"
    )


@pytest.mark.parametrize("name", TOGETHER)
def test_off_the_paper_the_map_is_finite(name: str) -> None:
    """Beside the sheet there is nothing to be labelled; most of what the image shows there comes back all the same."""
    parts = [part for part in TOGETHER[name] if not isinstance(part, Camera | Planar)]
    warp = bend_page((*parts, Phone(distance=500, tilt=10, fill=0.7))).warp
    px = np.random.default_rng(1).uniform((0, 0), warp.size, (20_000, 2))
    mm = warp.inverse(px)
    off = ~on_paper(mm)
    assert off.sum() > 3000
    assert np.isfinite(mm).all()
    back = (np.abs(warp.forward(mm[off]) - px[off]) <= THERE_AND_BACK).all(axis=1)
    print(f"{name}: {back.mean():.2%} of the places beside the sheet come back")
    assert back.mean() >= 0.95


@pytest.mark.parametrize("name", TOGETHER)
def test_the_map_is_that_of_the_bent_sheet(name: str) -> None:
    """The lattice softens what it holds; this says how little. The sheet's own nodes are projected one by one."""
    composed = bend_page(TOGETHER[name])
    surface = composed.surface
    true = composed.project(surface.xyz.reshape(-1, 3))
    mm = np.stack(np.meshgrid(surface.x, surface.y), axis=-1).reshape(-1, 2)
    seen = inside(composed.warp)(true)
    # In px of a page at 200 dpi, whatever the image's own scale.
    off = np.hypot(*(composed.warp.forward(mm[seen]) - true[seen]).T) * SCALE / composed.warp.scale()
    print(f"{name}: median {np.median(off):.4f}, p99 {np.percentile(off, 99):.3f}, max {off.max():.2f} px")
    assert np.percentile(off, 99) <= TRUE_SHAPE_P99
    assert off.max() <= TRUE_SHAPE_MOST
    # And no place of the image shows another part of the sheet than the one that is there.
    mislaid = composed.warp.inverse(true[seen]) - mm[seen]
    assert np.abs(mislaid).max() <= 0.5


def test_points_far_outside_and_gaps_are_harmless() -> None:
    warp = bend_page(TOGETHER["folded"]).warp
    mm = np.array([[np.nan, 5.0], [-500.0, -500.0], [1e6, 1e6], [140.0, 100.0]])
    found = warp.forward(mm)
    assert np.isnan(found[0]).all()
    assert not inside(warp)(found[1:3]).any()
    assert np.abs(warp.inverse(found[3:]) - mm[3:]).max() <= 1e-9
    assert warp.forward(np.empty((0, 2))).shape == warp.inverse(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.parametrize("dpi", [100.0, 300.0])
def test_a_page_at_two_resolutions_is_bent_alike(name: str, dpi: float) -> None:
    # A crop is made in whole pixels, of another size at another resolution.
    parts = [part for part in TOGETHER[name] if not isinstance(part, Crop)]
    one, two = bend_page(parts, dpi), bend_page(parts, 200.0)
    factor = dpi / 200
    size = np.array(two.warp.size) * factor
    assert np.abs(np.array(one.warp.size) - size).max() <= 1
    mm = np.random.default_rng(2).uniform(0, (PAPER.width, PAPER.height), (20_000, 2))
    a, b = one.warp.forward(mm) / factor, two.warp.forward(mm)
    seen = inside(two.warp)(b)
    here = jacobian(two.warp, mm[seen])
    apart = np.hypot(*np.linalg.solve(here, (a - b)[seen][..., None])[..., 0].T)
    print(f"{name}, {dpi:g} dpi: p99 {np.percentile(apart, 99):.2e}, max {apart.max():.2e} mm")
    assert np.percentile(apart, 99) <= SAME_AT_ANY_DPI_P99
    assert apart.max() <= SAME_AT_ANY_DPI_MOST


@pytest.mark.parametrize("size", [(1, 1), (7, 900), (193, 64), (1153, 3)])
def test_an_image_of_any_size_is_covered_by_tiles(size: tuple[int, int]) -> None:
    warp = compose(PAPER, Canvas(*size, 2.0), (Creases(), Rotate(angle=3))).warp
    times = np.zeros(size[::-1], dtype=int)
    for tile in tiles(warp):
        times[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
    assert (times == 1).all()
    assert resample(np.full((170, 220, 3), 90, dtype=np.uint8), 220 / PAPER.width, warp).shape == (*size[::-1], 3)
