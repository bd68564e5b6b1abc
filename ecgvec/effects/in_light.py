"""Captures that work on linear light. A picture that meets several of them in a row is put into light and back once,
band by band.

Light is counted from ZERO, so that noise may go below black, and white is ZERO + WHITE, so that it may go above it. It
is float32 (h, W, 3) or, from what has no finer numbers, uint16.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, cast

import cv2
import numpy as np

from ecgvec._typing import AnyArray, Float32Array, Float64Array, Image
from ecgvec.effects.base import Capture
from ecgvec.effects.tones import apply_lut, bands, freeze, pad_rows, to_linear, to_srgb

ZERO = 16384
WHITE = 32767  # the darkest step of sRGB is 10 of these


class Step(Protocol):
    """What an effect does to some rows of light."""

    @property
    def reach(self) -> int:
        """How many rows above and below a row's light is taken from."""

    def __call__(self, light: Float32Array, first: int) -> AnyArray:
        """All rows of ``light`` (h, W, 3), of which the uppermost is the picture's ``first``, an even one."""

    def merge(self, later: Step) -> Step | None:
        """One step that does this and then ``later``, for less than both; None where there is none."""


@dataclass(frozen=True, eq=False)
class Changed:
    """A step that is the same for all rows."""

    reach: int
    change: Callable[[Float32Array], AnyArray]

    def __call__(self, light: Float32Array, first: int) -> AnyArray:
        """``change`` of these rows."""
        return self.change(light)

    def merge(self, later: Step) -> Step | None:
        """Nothing is saved."""
        return None


class InLight(Capture):
    """A capture that works on linear light."""

    @abstractmethod
    def step(self, shape: tuple[int, ...], scale: float) -> Step | None:
        """What it does to a picture (H, W, 3) of that ``shape``, ``scale`` px a mm of paper; None for nothing."""

    def capture(self, image: Image, scale: float) -> Image:
        """The picture, changed in its linear light."""
        return apply_in_light(image, [self], scale)


def apply_in_light(image: Image, effects: Sequence[InLight], scale: float) -> Image:
    """The picture changed by ``effects`` one after another."""
    steps: list[Step] = []
    for step in (effect.step(image.shape, scale) for effect in effects):
        both = steps[-1].merge(step) if steps and step is not None else None
        if both is not None:
            steps[-1] = both
        elif step is not None:
            steps.append(step)
    if not steps:
        return image
    found, (there, back) = np.empty_like(image), tables()
    margin = sum(step.reach + step.reach % 2 for step in steps)
    for rows in bands(len(image)):
        seen, kept = pad_rows(rows, len(image), margin)
        light = apply_lut(image[seen], there)
        for step in steps:
            light = step(np.asarray(light, dtype=np.float32), seen.start)
        apply_lut(np.asarray(light[kept], dtype=np.uint16), back, found[rows])
    return found


@lru_cache
def tables() -> tuple[Float32Array, Image]:
    """Light (256,) of sRGB, and sRGB (65536,) of light in 16 bits."""
    there = ZERO + WHITE * to_linear(np.arange(256) / 255)
    back = np.rint(255 * to_srgb((np.arange(65536) - ZERO) / WHITE))
    return freeze(there.astype(np.float32)), freeze(back.astype(np.uint8))


def make_filter(kernel: Float64Array) -> Changed:
    """Light blurred by a small ``kernel`` (n, n), n odd, that sums to 1. OpenCV does so in floats in a fifth of the
    time that whole numbers of 16 bits take it."""
    taps, reach = kernel.astype(np.float32), len(kernel) // 2

    def change(light: Float32Array) -> AnyArray:
        found: Any = cv2.filter2D(light, -1, taps, borderType=cv2.BORDER_REPLICATE)
        return cast(AnyArray, found)

    return Changed(reach, change)
