"""A page shown on a screen: its pixels, and the moire that a camera sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from ecgvec._typing import AnyArray, Float32Array, Float64Array
from ecgvec.components import Seed, key, register
from ecgvec.effects.base import EFFECTS, EffectContext, Light, Surroundings
from ecgvec.effects.color import planckian
from ecgvec.effects.laptop import PX_PER_MM, Size, Theme, fit_screen, paint_laptop
from ecgvec.effects.light import Kelvin, Share
from ecgvec.warp.apply import Ground
from ecgvec.warp.base import SRGB_POWER
from ecgvec.warp.parts import Paper


@register(EFFECTS)
class Laptop(Surroundings):
    """A laptop's screen that shows the flat page: viewer, bezel, room, and the moire of its pixels. Leave out ``desk``
    and ``lamp``, and bend nothing.

    The screen has 16 to 10. The moire is widest where the camera has about two pixels for each of the screen's.
    """

    kind: Literal["laptop"] = "laptop"
    pitch: float = key(0.24, "Distance of the screen's pixels on the paper.", "mm", ge=0.03, le=2)
    strength: Share = key(0.35, "How much of their stripes the camera sees.")
    blur: float = key(0.4, "Blur of the lens, a standard deviation.", "px", ge=0, le=3)
    angle: float = key(0.0, "Turn of the page on the screen, counter-clockwise.", "degrees", ge=-15, le=15)
    fill: float = key(0.92, "Share of the viewer's room that the page takes.", ge=0.3, le=1)
    exposure: float = key(0.85, "How light the screen's white is.", ge=0.05, le=1)
    kelvin: Kelvin = key(7_000.0, "Its colour, for a camera balanced for 6500 K.")
    falloff: Share = key(0.16, "What its upper edge loses, which is seen aslant.")
    room: Share = key(0.2, "How light all else is.")
    theme: Theme = key("dark", "Theme of the viewer.")
    scroll_bar: bool = key(True, "The viewer has a scroll bar.")
    seed: Seed = 0

    def ground(self, view: EffectContext, lights: tuple[Light, ...]) -> Ground:
        """The viewer about the page, the laptop and the room behind it."""
        size = fit_screen(view.paper, self.fill)
        texture, corner = paint_laptop(size, self.theme, self.scroll_bar, self.room, self.seed)
        nodes = view.composed.warp.nodes
        at = (nodes - view.paper.centre) @ self._turn().T
        height, width = texture.shape[:2]
        places = np.clip((at - corner) * PX_PER_MM - 0.5, 1.0, (width - 2.0, height - 2.0))
        xyz = np.dstack([nodes - view.paper.centre, np.zeros(nodes.shape[:2])])
        light = np.ones((*nodes.shape[:2], 3))
        for one in lights:
            light *= one.on_ground(view, xyz)
        return Ground(texture, places, light ** (1 / SRGB_POWER))

    def pattern(self, view: EffectContext) -> Shine:
        """The screen's own light, with what the camera sees of its pixels."""
        tint = np.array(planckian(self.kelvin)) / np.array(planckian(6_500.0))
        light = self.exposure * tint / tint.max()
        box = self._box(view.paper)
        return Shine(view.paper.centre, self._turn(), box, self.pitch, self.strength, self.blur, light, self.falloff)

    def _box(self, paper: Paper) -> tuple[float, float, float, float]:
        size: Size = fit_screen(paper, self.fill)
        return size.left, size.top, size.left + size.width, size.top + size.height

    def _turn(self) -> Float64Array:
        """(2, 2): page mm from the page's middle to screen mm from there."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return np.array([[c, s], [-s, c]])


STRIPE = 0.28  # of a screen pixel's width that a stripe of one colour is wide: three of them and black in between
LIT_HEIGHT = 0.8  # of a screen pixel's height that shines
HARMONICS = (1, 2, 3)  # of the columns; the camera sees next to nothing of finer ones
# Where a camera's red, green and blue pixels are in each two by two (Bayer 1976): rows and columns from (0, 0) on.
MOSAIC = (((0, 0),), ((0, 1), (1, 0)), ((1, 1),))
ROUND = np.array([1.0, 2.0, 1.0], dtype=np.float32) / 2  # bilinear interpolation of every second pixel
CROSS = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], dtype=np.float32) / 4  # and of a quincunx


@dataclass(frozen=True, eq=False)
class Shine:
    """How a screen's light meets the picture: a ``Pattern``.

    Screen mm of a place are ``turn`` (2, 2) times page mm less ``middle`` (2,). The screen is the ``box`` (x0, y0, x1,
    y1) of screen mm, its pixels are ``pitch`` mm apart. ``depth``: the share of what optics leave of their stripes;
    ``blur`` px: the lens's, a standard deviation. ``light`` (3,): linear light in the screen's middle, of which the
    share ``falloff`` is lost at its upper edge and a third as much at its lower one, for it is seen aslant there.
    """

    middle: Float64Array
    turn: Float64Array
    box: tuple[float, float, float, float]
    pitch: float
    depth: float
    blur: float
    light: Float64Array
    falloff: float

    def __call__(self, where: Float64Array) -> Float32Array:
        """Factor (h, w, 3) of sRGB at page mm (h, w, 2), the middles of pixels. Tiles start at even rows and columns of
        the picture, so the mosaic goes on from one to the next."""
        around = [np.pad(where[..., k], 1, mode="reflect", reflect_type="odd") for k in (0, 1)]
        dx, dy = around[0] - self.middle[0], around[1] - self.middle[1]
        x = self.turn[0, 0] * dx + self.turn[0, 1] * dy
        y = self.turn[1, 0] * dx + self.turn[1, 1] * dy
        inside = self._inside(x[1:-1, 1:-1], y[1:-1, 1:-1])
        if not inside.any():
            return np.ones((*where.shape[:2], 3), dtype=np.float32)
        light = self._mosaiced(x, y) * (self.light.astype(np.float32) * self._aslant(y[1:-1, 1:-1])[..., None])
        factor: Any = cv2.pow(light, 1 / SRGB_POWER)
        return np.asarray(factor if inside.min() == 1 else 1 + inside[..., None] * (factor - 1))

    def _inside(self, x: Float64Array, y: Float64Array) -> Float32Array:
        """How much of each pixel (h, w) the screen covers."""
        x0, y0, x1, y1 = self.box
        inward = np.minimum(np.minimum(x - x0, x1 - x), np.minimum(y - y0, y1 - y))
        px = max(float(np.hypot(*(np.ptp(part[0]) for part in (x, y)))) / max(1, x.shape[1] - 1), 1e-6)
        return np.asarray(np.clip(inward / px + 0.5, 0, 1), dtype=np.float32)

    def _aslant(self, y: Float64Array) -> Float32Array:
        y0, y1 = self.box[1::2]
        t = np.clip((2 * y - y0 - y1) / (y1 - y0), -1, 1).astype(np.float32)
        lost = np.float32(self.falloff) * t * t
        return np.asarray(1 - np.where(t < 0, lost, lost / 3))

    def _mosaiced(self, x: Float64Array, y: Float64Array) -> Float32Array:
        """Linear light (h, w, 3) of a white screen, mean 1, at screen mm (h + 2, w + 2): each colour seen by its own
        pixels of the camera, and bilinear in between."""
        columns, rows = x / self.pitch, y / self.pitch
        shares = self._shares(columns, rows)
        planes = []
        for channel, places in enumerate(MOSAIC):
            seen = np.zeros(x.shape, dtype=np.float32)
            for row, column in places:
                some = np.s_[1 - row :: 2, 1 - column :: 2]
                seen[some] = self._stripes(channel, columns[some], rows[some], [share[some] for share in shares])
            if len(places) == 1:
                full: Any = cv2.sepFilter2D(seen, -1, ROUND, ROUND, borderType=cv2.BORDER_CONSTANT)
            else:
                full = cv2.filter2D(seen, -1, CROSS, borderType=cv2.BORDER_CONSTANT)
            planes.append(full[1:-1, 1:-1])
        return np.stack(planes, axis=-1)

    def _stripes(
        self, channel: int, columns: Float64Array, rows: Float64Array, shares: list[Float32Array]
    ) -> Float32Array:
        """Light (h, w) of one colour at places counted in screen pixels; ``shares`` of HARMONICS and of the rows."""
        turn = 2 * np.pi
        phase = ((columns - np.floor(columns)) - (channel + 0.5) / 3).astype(np.float32) * np.float32(turn)
        across, wave, before = np.ones(columns.shape, dtype=np.float32), np.cos(phase), np.float32(1)
        double, now = 2 * wave, wave
        for share in shares[:-1]:
            across += share * now
            now, before = double * now - before, now  # cos (k + 1) t = 2 cos t cos k t - cos (k - 1) t
        down = 1 + shares[-1] * np.cos((rows - np.floor(rows) - 0.5).astype(np.float32) * np.float32(turn))
        return np.asarray(np.maximum(0, 1 + np.float32(self.depth) * (across * down - 1)))

    def _shares(self, columns: Float64Array, rows: Float64Array) -> list[Float32Array]:
        """Amplitude (h, w) of each of ``HARMONICS`` and of the rows as the camera sees them: that of the stripes, less
        what lens and pixels average out."""
        found = []
        t = np.linspace(0, 1, columns.shape[1], dtype=np.float32)
        s = np.linspace(0, 1, columns.shape[0], dtype=np.float32)[:, None]
        times = np.array(HARMONICS)
        along, up = self._passed(columns, times), self._passed(rows, np.ones(1))
        for passed, k, wide in [*((along[i], k, STRIPE) for i, k in enumerate(HARMONICS)), (up[0], 1, LIT_HEIGHT)]:
            (a, b), (c, d) = (2 * np.sinc(k * wide) * passed).astype(np.float32)
            found.append(np.asarray((1 - s) * (a + (b - a) * t) + s * (c + (d - c) * t)))
        return found

    def _passed(self, count: Float64Array, times: AnyArray) -> Float64Array:
        """The share (n, 2, 2) that pixels and lens pass of so many ``times`` (n,) the frequency of ``count`` (h, w), at
        its corners."""
        i, j = np.ix_((0, count.shape[0] - 2), (0, count.shape[1] - 2))
        across = times[:, None, None] * (count[i, j + 1] - count[i, j])
        down = times[:, None, None] * (count[i + 1, j] - count[i, j])
        lens = np.exp(-2 * (np.pi * self.blur) ** 2 * (across**2 + down**2))
        return np.asarray(lens * np.sinc(across) * np.sinc(down))
