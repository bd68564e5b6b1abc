"""A picture of a laptop with a document viewer on its screen, empty where the page will be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np

from ecgvec._typing import Float64Array, Image, Int32Array
from ecgvec.geometry.outlines import text_path
from ecgvec.geometry.path import CLOSE, MOVE
from ecgvec.warp.base import SRGB_POWER
from ecgvec.warp.parts import Paper, generator

Theme = Literal["dark", "light"]
Color = tuple[int, int, int]

PX_PER_MM = 3.0
WIDE = 344.0  # mm of a laptop's screen of 15.6 inches, of 16 to 10: the unit of all its parts below
SHAPE = 1.6
TITLE, TOOLBAR, TASKBAR, SCROLL = 7.0, 9.0, 9.5, 3.6
BEZEL, FOREHEAD, CHIN, RIM = 5.5, 8.0, 13.0, 1.4
BESIDE, ABOVE, DECK = 130.0, 110.0, 130.0  # of the room that is pictured, and of the keyboard's side
ROWS, IN_ROW = 6, 15
KEY, KEY_ROW, KEY_GAP = 17.5, 7.0, 2.2  # the deck is seen aslant: its rows are low
SUB = 4  # bits that OpenCV's corners have below a pixel
DARKEST = np.float32(8)  # byte of the room behind
FAINT = 16.0  # exponent beyond which a light makes no odds, and its products would be slow, subnormal numbers
# Of a viewer: behind the page, title bar, tool bar, its icons and words, task bar.
COLORS: dict[Theme, tuple[Color, ...]] = {
    "dark": ((82, 86, 89), (32, 33, 36), (50, 54, 57), (222, 224, 228), (28, 32, 44)),
    "light": ((229, 230, 233), (222, 225, 230), (247, 248, 250), (74, 78, 84), (236, 239, 245)),
}
SHELL, BLACK, KEYS = (150, 152, 156), (9, 9, 10), (34, 35, 38)
ICONS = (0.03, 0.055, 0.40, 0.425, 0.55, 0.575, 0.60, 0.925, 0.95)  # of the tool bar's width
APPS = ((66, 133, 244), (240, 180, 50), (52, 168, 83), (226, 80, 60), (120, 90, 200), (60, 170, 200))


@dataclass(frozen=True)
class Size:
    """Where the screen is in mm from the page's middle, and how many mm of paper a mm of the laptop is."""

    left: float
    top: float
    width: float
    height: float
    unit: float


def fit_screen(paper: Paper, fill: float) -> Size:
    """The screen on which a page takes ``fill`` of the viewer's room, in height or in width, whichever is scarcer."""
    bars = (TITLE + TOOLBAR + TASKBAR) / WIDE  # of the screen's width
    width = max(paper.width / fill, paper.height / fill / (1 / SHAPE - bars))
    unit, height = width / WIDE, width / SHAPE
    room = height - bars * width
    return Size(-width / 2, -room / 2 - (TITLE + TOOLBAR) * unit, width, height, unit)


class _Sheet:
    """A picture (H, W, 3) drawn in mm from its ``corner`` (x, y) on."""

    def __init__(self, corner: tuple[float, float], size: tuple[float, float]) -> None:
        self.corner = np.array(corner)
        self.pixels: Image = np.zeros((round(size[1] * PX_PER_MM), round(size[0] * PX_PER_MM), 3), dtype=np.uint8)

    def _px(self, points: Float64Array) -> Int32Array:
        px = (points - self.corner) * PX_PER_MM - 0.5  # OpenCV's 0 is the middle of the first pixel
        return np.asarray(np.rint(px * 2**SUB), dtype=np.int32)

    def area(self, rings: list[Float64Array], color: Color) -> None:
        """Fill what ``rings`` (n, 2) enclose, even-odd."""
        cv2.fillPoly(self.pixels, [self._px(ring) for ring in rings], color, cv2.LINE_AA, SUB)

    def box(self, x: float, y: float, width: float, height: float, color: Color, radius: float = 0.0) -> None:
        """A rectangle with round corners."""
        turns, r, corners = np.radians(np.arange(0, 91, 15)), radius, []
        for k, (cx, cy) in enumerate(((1, 1), (0, 1), (0, 0), (1, 0))):
            at = np.array([x + (width - r if cx else r), y + (height - r if cy else r)])
            corners.append(at + r * np.column_stack([np.cos(turns + k * np.pi / 2), np.sin(turns + k * np.pi / 2)]))
        self.area([np.concatenate(corners)], color)

    def words(self, text: str, x: float, y: float, size: float, color: Color) -> None:
        """A line of ``text`` whose baseline starts at (x, y), ``size`` mm of em."""
        path = text_path(text, "sans", size)[0].flatten()
        starts = np.flatnonzero(path.codes[path.codes != CLOSE] == MOVE)
        self.area(np.split(path.points + np.array([x, y]), starts[1:]), color)


@lru_cache(maxsize=4)
def paint_laptop(
    size: Size, theme: Theme, scroll_bar: bool, room: float, seed: int
) -> tuple[Image, tuple[float, float]]:
    """The laptop (H, W, 3), PX_PER_MM px a mm, and the mm (x, y) of its upper left corner. What does not shine itself
    has the share ``room`` of the light."""
    u = size.unit
    corner = size.left - BESIDE * u, size.top - (ABOVE + FOREHEAD) * u
    sheet = _Sheet(corner, (size.width + 2 * BESIDE * u, size.height + (ABOVE + FOREHEAD + CHIN + DECK) * u))
    _behind(sheet, seed)
    _body(sheet, size)
    dim = np.rint(255 * (np.arange(256) / 255) * room ** (1 / SRGB_POWER)).astype(np.uint8)
    sheet.pixels = np.asarray(cv2.LUT(sheet.pixels, dim))
    _viewer(sheet, size, theme, scroll_bar)
    sheet.pixels.setflags(write=False)
    return sheet.pixels, corner


def _behind(sheet: _Sheet, seed: int) -> None:
    """A room out of focus: some soft lights and darks on a wall. All of them are products of functions of x and y."""
    rng = generator(seed)
    height, width = sheet.pixels.shape[:2]
    count = 14
    x, y, wide, high = (rng.uniform(a, b, count) for a, b in ((0, 1), (0, 1), (0.05, 0.3), (0.05, 0.3)))
    across, down = (
        np.exp(-np.minimum(((np.linspace(0, 1, n) - at[:, None]) / size[:, None]) ** 2, FAINT)).astype(np.float32)
        for n, at, size in ((width, x, wide), (height, y, high))
    )
    wall = (rng.uniform(90, 170) * rng.uniform(0.92, 1.08, 3)).astype(np.float32)
    heights = rng.uniform(-45, 60, count) * rng.uniform(0.85, 1.15, (3, count))
    planes = [wall[k] + (down.T * heights[k].astype(np.float32)) @ across for k in range(3)]
    channels: list[Any] = [cv2.convertScaleAbs(np.maximum(plane, DARKEST)) for plane in planes]  # which cuts off at 255
    sheet.pixels = np.asarray(cv2.merge(channels))


def _body(sheet: _Sheet, size: Size) -> None:
    """The lid with its black bezel, and the deck with the keys, which is seen aslant."""
    u, low = size.unit, size.top + size.height + CHIN * size.unit
    left, wide = size.left - (BEZEL + RIM) * u, size.width + 2 * (BEZEL + RIM) * u
    sheet.box(left, size.top - (FOREHEAD + RIM) * u, wide, low - size.top + (FOREHEAD + RIM) * u, SHELL, 7 * u)
    sheet.box(left + RIM * u, size.top - FOREHEAD * u, wide - 2 * RIM * u, low - size.top + FOREHEAD * u, BLACK, 6 * u)
    eye = np.array([size.left + size.width / 2, size.top - FOREHEAD / 2 * u])
    sheet.box(eye[0] - 1.2 * u, eye[1] - 1.2 * u, 2.4 * u, 2.4 * u, (26, 28, 36), 1.2 * u)
    sheet.box(left + 40 * u, low - 1 * u, wide - 80 * u, 5 * u, (60, 61, 64))
    foot = np.array([[left, low + 4 * u], [left + wide, low + 4 * u], [left + wide + 30 * u, low + 95 * u]])
    sheet.area([np.vstack([foot, [left - 30 * u, low + 95 * u]])], SHELL)
    for row in range(ROWS):
        y = low + (12 + row * (KEY_ROW + KEY_GAP)) * u
        apart = (KEY + KEY_GAP) * u * (1 + 0.02 * row)  # nearer rows look wider
        for key in range(IN_ROW):
            if row < ROWS - 1 or not IN_ROW // 3 <= key < 2 * IN_ROW // 3:
                x = (key - IN_ROW / 2) * apart
                sheet.box(x, y, apart - KEY_GAP * u, KEY_ROW * u, KEYS, 1.2 * u)
    sheet.box(-IN_ROW / 6 * apart, y, IN_ROW / 3 * apart - KEY_GAP * u, KEY_ROW * u, KEYS, 1.2 * u)  # the space bar
    sheet.box(-55 * u, low + 70 * u, 110 * u, 22 * u, (138, 140, 144), 2 * u)


def _viewer(sheet: _Sheet, size: Size, theme: Theme, scroll_bar: bool) -> None:
    """All that the screen shows but the page."""
    u, x, y = size.unit, size.left, size.top
    behind, title, bar, ink, task = COLORS[theme]
    sheet.box(x, y, size.width, size.height, behind)
    sheet.box(x, y, size.width, TITLE * u, title)
    sheet.words("ecg.pdf", x + 9 * u, y + 4.8 * u, 3.6 * u, ink)
    for k in range(3):  # minimise, maximise, close
        sheet.box(x + size.width - (8 + 9 * k) * u, y + 2.6 * u, 2 * u, 2 * u, ink)
    sheet.box(x, y + TITLE * u, size.width, TOOLBAR * u, bar)
    for at in ICONS:
        sheet.box(x + at * size.width, y + (TITLE + 2.8) * u, 3.4 * u, 3.4 * u, ink, 0.8 * u)
        sheet.box(x + at * size.width + 0.6 * u, y + (TITLE + 3.4) * u, 2.2 * u, 2.2 * u, bar, 0.4 * u)
    sheet.words("1 / 1", x + 0.46 * size.width, y + (TITLE + 5.8) * u, 3.8 * u, ink)
    sheet.words("100 %", x + 0.50 * size.width, y + (TITLE + 5.8) * u, 3.8 * u, ink)
    low = y + size.height - TASKBAR * u
    sheet.box(x, low, size.width, TASKBAR * u, task)
    for k, color in enumerate(APPS):
        sheet.box((k - len(APPS) / 2) * 9.5 * u, low + 2 * u, 5.5 * u, 5.5 * u, color, 1.2 * u)
    sheet.words("10:24", x + size.width - 17 * u, low + 6 * u, 3.4 * u, ink)
    if scroll_bar:
        top, room = y + (TITLE + TOOLBAR) * u, size.height - (TITLE + TOOLBAR + TASKBAR) * u
        sheet.box(x + size.width - SCROLL * u, top, SCROLL * u, room, bar)
        grip = (bar[0] + ink[0]) // 2, (bar[1] + ink[1]) // 2, (bar[2] + ink[2]) // 2
        sheet.box(x + size.width - (SCROLL - 0.7) * u, top + 2 * u, (SCROLL - 1.4) * u, 0.55 * room, grip, 1 * u)
