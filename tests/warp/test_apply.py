"""Pixels are resampled once, and as finely as many taps a pixel would."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.warp.apply import Dressing, Tile, resample, tiles
from ecgvec.warp.cameras import Phone
from ecgvec.warp.creases import Creases, Crumple
from ecgvec.warp.lattice import RINGS, Lattice
from ecgvec.warp.parts import WarpPart
from ecgvec.warp.planar import Crop, Lens, Pad, Resize, Rotate
from ecgvec.warp.waves import Curl
from tests.warp.bending import SCALE, bend_page, bilinear, centres, on_paper

LEAST_PSNR = 40.0  # dB
SAMPLED = 60_000  # pixels that are compared
MANY: tuple[WarpPart, ...] = (
    Creases(vertical=2, horizontal=1, seed=3),
    Crumple(strength=0.2),
    Curl(start=40),
    Phone(distance=330, tilt=14, pan=8, fill=0.9),
    Lens(k1=-0.02),
    Rotate(angle=3),
    Pad(border=4),
    Crop(amount=0.02),
    Resize(factor=0.8),
)


class Counter:
    """Counts the pixels that ``cv2.remap`` makes, and of what; any other warp of OpenCV's is refused."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[int, int]] = []  # pixels, and how its border is treated
        self.maps: list[NDArray[np.float32]] = []
        self.corners: list[NDArray[np.int_]] = []  # the first pixel of what is resampled
        real = cv2.remap  # noqa: TID251

        def remap(src: Any, map1: Any, map2: Any, interpolation: int, *rest: Any, **more: Any) -> Any:
            assert src.dtype == np.uint8
            self.made.append((map1.shape[0] * map1.shape[1], more.get("borderMode", cv2.BORDER_CONSTANT)))
            self.maps.append(map1)
            self.corners.append(src[0, 0].astype(int))
            return real(src, map1, map2, interpolation, *rest, **more)

        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("pixels are resampled by cv2.remap alone")

        monkeypatch.setattr(cv2, "remap", remap)
        for name in ("warpAffine", "warpPerspective", "warpPolar", "getRectSubPix", "pyrDown", "pyrUp"):
            monkeypatch.setattr(cv2, name, refuse)

    def pixels(self, ground: bool = False) -> int:
        """Pixels of the page, or of what it lies on, which alone repeats."""
        return sum(n for n, border in self.made if (border == cv2.BORDER_WRAP) == ground)


def showing(warp: Lattice, scale: float) -> list[Tile]:
    """The tiles that may show paper; those all of whose nodes lie on one side of it, and off it, do not."""
    found = []
    for tile in tiles(warp):
        rows, columns = (
            slice(a // warp.step + RINGS - 1, -(-b // warp.step) + RINGS + 1)
            for a, b in ((tile.y0, tile.y1), (tile.x0, tile.x1))
        )
        nodes = warp.nodes[rows, columns].reshape(-1, 2) * scale
        size = np.array([warp.paper.width, warp.paper.height]) * scale
        if not ((nodes < -1).all(axis=0) | (nodes > size + 2).all(axis=0)).any():
            found.append(tile)
    return found


def area(found: list[Tile]) -> int:
    return sum((tile.x1 - tile.x0) * (tile.y1 - tile.y0) for tile in found)


@pytest.mark.parametrize("count", range(len(MANY) + 1))
def test_pixels_are_resampled_once_however_many_warps_there_are(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    warp = bend_page(MANY[:count], dpi=60).warp
    counter = Counter(monkeypatch)
    page = np.full((510, 660, 3), 200, dtype=np.uint8)
    image = resample(page, 60 / 25.4, warp, Dressing(gain=np.full((*warp.nodes.shape[:2], 3), 0.8)))
    assert warp.size[0] * warp.size[1] == image.shape[0] * image.shape[1]
    assert counter.pixels() == area(showing(warp, 60 / 25.4))  # each pixel that shows paper, and none twice
    assert counter.pixels(ground=True) == 0


@pytest.mark.parametrize("recipe", ["phone-photo", "phone-photo-crumpled", "scan-colour"])
def test_a_whole_photograph_resamples_the_page_once(
    demo_record: Record, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(monkeypatch)
    sheet = ecgvec.render(demo_record, load_recipe(recipe, {"page.dpi": 80}), seed=4)
    height, width = sheet.image.shape[:2]
    assert isinstance(sheet.warp, Lattice)
    assert counter.pixels() == area(showing(sheet.warp, sheet.warp.scale())) <= width * height
    assert counter.pixels(ground=True) <= width * height


def test_the_map_of_the_remap_is_inverse_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What OpenCV is really handed, caught in the act, against ``inverse``: to 1e-3 px."""
    warp = bend_page((*MANY[:5], Resize(factor=2))).warp  # larger, so that every tile taps the page itself
    counter = Counter(monkeypatch)
    y, x = np.mgrid[:1700, :2200]  # each pixel holds its place, for what is handed over is a part of the page
    resample(np.stack([x & 255, y & 255, (x >> 8) | (y >> 8) << 4], axis=-1).astype(np.uint8), SCALE, warp)
    for tile, used, corner in zip(showing(warp, SCALE), counter.maps, counter.corners, strict=True):
        at = centres((tile.x1 - tile.x0, tile.y1 - tile.y0), every=9)
        first = corner[:2] + 256 * np.array([corner[2] & 15, corner[2] >> 4])
        mm = (used[tuple(np.floor(at).astype(int).T[::-1])].astype(np.float64) + first + 0.5) / SCALE
        seen = on_paper(mm)
        if seen.any():
            back = warp.forward(mm[seen]) - (at[seen] + (tile.x0, tile.y0))
            assert np.abs(back).max() <= 1e-3


# Fineness -----------------------------------------------------------------------------------------------------------


def tapped(page: NDArray[np.uint8], mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """The page (H, W, 3) at page points (n, 2) mm, bilinear, (n, 3)."""
    height, width = page.shape[:2]
    at = np.clip(mm * SCALE - 0.5, 0, (width - 1, height - 1))
    i = np.minimum(np.floor(at).astype(int), (width - 2, height - 2))
    u, v = (at - i).T[:, :, None]
    x, y = i.T
    upper = page[y, x] * (1 - u) + page[y, x + 1] * u
    lower = page[y + 1, x] * (1 - u) + page[y + 1, x + 1] * u
    return np.asarray(upper * (1 - v) + lower * v)


def psnr(page: NDArray[np.uint8], warp: Lattice) -> float:
    """dB of the resampled page against 4 x 4 bilinear taps of it in each of many pixels that are wholly on paper."""
    image = resample(page, SCALE, warp)
    rng = np.random.default_rng(0)
    px = np.floor(rng.uniform(0, warp.size, (SAMPLED, 2)))
    px = px[on_paper(warp.inverse(px + 0.5), margin=1.0)]
    wanted = np.zeros((len(px), 3))
    for i, j in np.ndindex(4, 4):
        wanted += tapped(page, bilinear(warp, px + (np.array([i, j]) + 0.5) / 4)) / 16
    x, y = px.astype(int).T
    return float(10 * np.log10(255**2 / np.mean((image[y, x] - wanted) ** 2)))


@pytest.fixture(scope="module")
def page() -> NDArray[np.uint8]:
    """A real page, 200 dpi."""
    record = ecgvec.read_record(ecgvec.resources.folder("demo") / "ecgvec-demo")
    return ecgvec.render(record, template="ge", dpi=200, print_header=True).image


@pytest.mark.parametrize("scale", [1.0, 0.97, 0.85, 0.7, 0.5, 0.35])
def test_a_shrunken_page_is_as_fine_as_sixteen_taps(page: NDArray[np.uint8], scale: float) -> None:
    parts = (Creases(vertical=2, horizontal=1, seed=1, fold_angle=60), Phone(distance=400, tilt=8, pan=5, roll=3))
    warp = bend_page((*parts, Resize(factor=scale))).warp
    found = psnr(page, warp)
    print(f"local scale {warp.scale() / SCALE:.2f}: {found:.1f} dB")
    assert found >= LEAST_PSNR


@pytest.mark.long
@pytest.mark.parametrize("scale", [1.0, 0.7, 0.5, 0.35])
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        # Pixel for pixel a page is copied as it is, which sixteen taps would blur: a little askew, then.
        ("nearly straight on", (Rotate(angle=1),)),
        ("turned by 45 degrees", (Rotate(angle=45),)),
        ("turned by 20 degrees", (Rotate(angle=20),)),
        ("steeply tilted", (Phone(distance=350, tilt=30, pan=15),)),
        ("crumpled", (Crumple(strength=0.8), Phone(distance=350, tilt=10))),
    ],
)
def test_any_view_is_as_fine_as_sixteen_taps(
    page: NDArray[np.uint8], name: str, parts: tuple[WarpPart, ...], scale: float
) -> None:
    warp = bend_page((*parts, Resize(factor=scale))).warp
    found = psnr(page, warp)
    print(f"{name}, local scale {warp.scale() / SCALE:.2f}: {found:.1f} dB")
    assert found >= LEAST_PSNR
