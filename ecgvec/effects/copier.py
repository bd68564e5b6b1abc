"""Photocopiers and dirty scanners: hard contrast, toner specks, streaks along the feed."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, cast

import cv2
import numpy as np
from pydantic import Field

from ecgvec._typing import Float64Array, Image
from ecgvec.components import Seed, registered
from ecgvec.effects.base import EFFECTS, Capture
from ecgvec.effects.onebit import levelled
from ecgvec.effects.tones import grey, looked_up, normal_bits, quantiles
from ecgvec.warp.blend import in_rgb
from ecgvec.warp.parts import generator

SPREAD_MM = 0.05  # of toner, standard deviation
TONER = 22  # sRGB of black toner
SPECK_MM = (0.03, 0.22)  # radii of toner specks
COPY_STREAK_MM = 0.15
FINE = 4  # bits of a pixel's fraction that OpenCV's drawing takes
MM_A_DM = 100.0


@registered(EFFECTS)
class Photocopy(Capture):
    """A black and white copy: ``contrast`` is the slope of its curve, which lies half way where the page has
    ``darkness`` times the paper's brightness; ``grain`` in 8-bit levels makes edges of toner ragged; there are
    ``specks`` of toner a dm^2 and ``streaks`` of it down the page; ``levelling`` as in Fax."""

    kind: Literal["photocopy"] = "photocopy"
    contrast: Annotated[float, Field(ge=0.5, le=30, allow_inf_nan=False)] = 5.0
    darkness: Annotated[float, Field(ge=0.05, le=0.98, allow_inf_nan=False)] = 0.7
    grain: Annotated[float, Field(ge=0, le=40, allow_inf_nan=False)] = 10.0
    specks: Annotated[float, Field(ge=0, le=2_000, allow_inf_nan=False)] = 40.0
    streaks: Annotated[int, Field(ge=0, le=30)] = 1
    levelling: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    seed: Seed = 0

    def foreseen(self) -> Photocopy:
        """The curve, and neither grain nor dirt."""
        return self.model_copy(update={"grain": 0.0, "specks": 0.0, "streaks": 0})

    def captured(self, image: Image, scale: float) -> Image:
        """Levelled, spread, roughened, put through the curve, soiled."""
        rng = generator(self.seed)
        page: Any = levelled(grey(image), scale, self.levelling)
        page = cv2.GaussianBlur(page, (0, 0), max(0.3, SPREAD_MM * scale), borderType=cv2.BORDER_REPLICATE)
        noise = looked_up(normal_bits(rng, page.shape), np.rint(quantiles(self.grain)).astype(np.int16))
        page = looked_up(cast(Image, cv2.add(page, noise, dtype=cv2.CV_8U)), self.curve())
        page = cv2.min(page, _specks(rng, page.shape, scale, self.specks))
        _streak(page[..., None], rng, self.streaks, COPY_STREAK_MM * scale, 0.5, 0.3)
        return in_rgb(page)

    def curve(self) -> Image:
        """Table (256,): a logistic curve between toner and white with that slope half way."""
        rise = 4 * self.contrast * (np.arange(256) / 255 - self.darkness)
        return np.asarray(np.rint(TONER + (255 - TONER) / (1 + np.exp(-rise)))).astype(np.uint8)


def _specks(rng: np.random.Generator, shape: tuple[int, ...], scale: float, a_dm2: float) -> Image:
    """A white page (H, W) with specks, most of them small and some of them in clusters."""
    white = np.full(shape[:2], 255, dtype=np.uint8)
    height, width = shape[:2]
    count = int(rng.poisson(a_dm2 * height * width / (scale * MM_A_DM) ** 2))
    places = rng.uniform((0, 0), (width, height), (count, 2))
    small, large = SPECK_MM
    sizes = small + (large - small) * rng.random((count, 2)) ** 4
    turns, tones = rng.uniform(0, 180, count), rng.integers(TONER, 150, count)
    for place, size, turn, tone in zip(places, sizes, turns, tones, strict=True):
        centre = [int(v) for v in np.rint((place - 0.5) * 2**FINE)]
        axes = [max(1 << FINE - 1, int(v)) for v in np.rint(size * scale * 2**FINE)]
        cv2.ellipse(white, centre, axes, float(turn), 0, 360, int(tone), -1, cv2.LINE_AA, FINE)
    return white


@registered(EFFECTS)
class ScannerStreaks(Capture):
    """Dirt before a scanner's line of sensors draws ``count`` lines of about ``width`` mm along the whole feed,
    ``strength`` deep; a share of ``light`` of them is light, from dirt that was there when white was set; each has a
    slight colour. ``along``: down the picture's columns, or along its rows."""

    kind: Literal["scanner-streaks"] = "scanner-streaks"
    noisy: ClassVar[bool] = True
    count: Annotated[int, Field(ge=0, le=60)] = 4
    width: Annotated[float, Field(ge=0.02, le=3, allow_inf_nan=False)] = 0.15
    strength: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.25
    light: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.3
    along: Literal["columns", "rows"] = "columns"
    seed: Seed = 0

    def captured(self, image: Image, scale: float) -> Image:
        """Only the pixels under a streak change."""
        found = image.copy()
        turned = found if self.along == "columns" else found.swapaxes(0, 1)
        _streak(turned, generator(self.seed), self.count, self.width * scale, self.strength, self.light)
        return found


def _streak(image: Image, rng: np.random.Generator, count: int, width: float, strength: float, light: float) -> None:
    """Draws streaks of about ``width`` px down the image (H, W, 1 or 3), in place."""
    # All numbers are drawn whatever they are used for: with more strength the same streaks get stronger.
    middles, kinds = rng.uniform(0, image.shape[1], count), rng.random(count)
    widths, depths = width * rng.uniform(0.6, 1.6, count), strength * rng.uniform(0.4, 1, (count, 1))
    hues = rng.uniform(0.7, 1, (count, 3))
    wobble = _unsteady(rng, image.shape[0], count)
    for k in range(count):
        first = max(0, int(middles[k] - widths[k] / 2 - 1))
        last = min(image.shape[1], int(middles[k] + widths[k] / 2 + 2))
        x = np.arange(first, last) + 0.5
        cover = np.clip(widths[k] / 2 + 0.5 - np.abs(x - middles[k]), 0, min(1, widths[k]))
        share = wobble[:, k, None, None] * (cover[:, None] * depths[k] * hues[k, : image.shape[2]])
        goal = 255.0 if kinds[k] < light else 0.0
        strip = image[:, first:last]
        strip[...] = np.rint(strip + share * (goal - strip)).astype(np.uint8)


def _unsteady(rng: np.random.Generator, length: int, count: int) -> Float64Array:
    """How strong (length, count) streaks are along their way, 0.5 to 1."""
    knots = rng.uniform(0.5, 1, (8, count))
    at = np.linspace(0, 7, length)
    return np.stack([np.interp(at, np.arange(8), knots[:, k]) for k in range(count)], axis=1) if count else knots[:0]
