"""Materials of which desks are made, as small pictures that repeat without a seam. All are made from noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy import fft

from ecgvec._typing import Float32Array, Uint8Array
from ecgvec.effects.tones import white_waves
from ecgvec.warp.blend import SRGB_OFFSET, SRGB_POWER, in_rgb
from ecgvec.warp.parts import generator

Material = Literal["wood", "steel", "cloth", "white", "black"]

TILE_PX_PER_MM = 8.0
TILE = (512, 1024)  # px: across the grain, along it
VARIANTS = 4  # tiles of a material; angle, place, bending and coarse structure differ for every seed
THREADS = (104, 208)  # of a tile of cloth, even counts: some 0.6 mm apart
# How light the lightest places of a tile are; a desk's colour is that of its mean.
BRIGHTEST = 1.6


def tile(material: Material, variant: int, shrunk: float) -> Uint8Array:
    """A repeating picture (H, W, 3) of the material, grey on the whole, softened for an image that shows it
    1 + ``shrunk`` times smaller."""
    made = _made(material, variant, shrunk)
    return np.asarray(made if made.shape[2] == 3 else in_rgb(made))


@lru_cache(maxsize=80)  # some 60 MB: four variants of all materials, at the scales at which photographs show them
def _made(material: Material, variant: int, shrunk: float) -> Uint8Array:
    """The same, of one channel (H, W, 1) where all three are alike."""
    light = np.atleast_3d(MAKERS[material](generator(variant)))
    if shrunk:
        light = _softened(light, 0.5 * np.sqrt((1 + shrunk) ** 2 - 1))
    # The mean is taken of three channels, alike or not, for float32 sums depend on their order.
    mean = np.repeat(light, 3 // light.shape[2], axis=2).mean(axis=(0, 1))[: light.shape[2]]
    light = np.clip(light / mean / BRIGHTEST, 0, 1)
    made = np.rint((255 + SRGB_OFFSET) * light ** (1 / SRGB_POWER) - SRGB_OFFSET).clip(0, 255).astype(np.uint8)
    made.setflags(write=False)
    return np.asarray(made)


def _softened(light: Float32Array, sigma: float) -> Float32Array:
    edge = int(4 * sigma) + 1
    wide = np.pad(light, ((edge, edge), (edge, edge), (0, 0)), "wrap")
    return np.atleast_3d(cv2.GaussianBlur(wide, (0, 0), sigma)[edge:-edge, edge:-edge])


def _noise(rng: np.random.Generator, along: float, across: float) -> Float32Array:
    """Periodic noise (H, W) of unit variance: white noise blurred by ``along`` and ``across`` px."""
    down, right = (across * fft.fftfreq(TILE[0])) ** 2, (along * fft.rfftfreq(TILE[1])) ** 2
    shape = np.outer(np.exp(-2 * np.pi**2 * down), np.exp(-2 * np.pi**2 * right)).astype(np.float32)
    shape[0, 0] = 0
    found = np.asarray(fft.irfft2(white_waves(rng, shape.shape) * shape, s=TILE), dtype=np.float32)
    found /= found.std()
    return found


def _wood(rng: np.random.Generator) -> Float32Array:
    """Fibres, growth rings a few mm wide, and pores: short dark dashes, most of them in the light rings."""
    rings = np.tanh(1.4 * _noise(rng, 150, 5))
    fibres, fine = _noise(rng, 60, 1.0), _noise(rng, 14, 0.6)
    pores = np.clip(_noise(rng, 7, 0.75) + 0.4 * rings - 1.55, 0, 1.2)
    dark = 0.1 * rings + 0.065 * fibres + 0.03 * fine + 0.38 * pores
    tints = np.array([0.85, 1.0, 1.2], dtype=np.float32)  # what is darker is redder too
    return np.asarray(np.exp(-dark[..., None] * tints))


def _steel(rng: np.random.Generator) -> Float32Array:
    """Fine long scratches of a brush."""
    scratches = 0.035 * _noise(rng, 120, 0.5) + 0.025 * _noise(rng, 40, 0.9) + 0.02 * _noise(rng, 200, 4)
    return np.asarray(1 + scratches + 0.012 * _noise(rng, 0.6, 0.6))


def _cloth(rng: np.random.Generator) -> Float32Array:
    """Plain weave: threads over and under one another, each of its own thickness and shade."""
    y, x = (np.arange(n, dtype=np.float32)[:, None] / np.float32(n) for n in TILE)
    v = np.pi * (THREADS[0] * y + 0.25 * _noise(rng, 40, 6))
    u = np.pi * (THREADS[1] * x.T + 0.25 * _noise(rng, 6, 40))
    weft = (np.floor(u / np.pi).astype(np.int32) + np.floor(v / np.pi).astype(np.int32)) & 1 == 0
    round_u, round_v = np.abs(np.sin(u)), np.abs(np.sin(v))
    height = np.where(weft, round_v**0.7 * round_u**0.3, round_u**0.7 * round_v**0.3)
    shade = np.where(weft, _noise(rng, 50, 1.4), _noise(rng, 1.4, 50))
    light = (0.62 + 0.5 * height) * (1 + 0.07 * shade + 0.04 * _noise(rng, 0.7, 0.7) + 0.03 * weft)
    return np.asarray(light, dtype=np.float32)


def _plain(rng: np.random.Generator) -> Float32Array:
    """Almost nothing: a lid, or a laminated board."""
    return np.asarray(1 + 0.008 * _noise(rng, 0.8, 0.8) + 0.008 * _noise(rng, 6, 6))


def _dusty(rng: np.random.Generator) -> Float32Array:
    """A dark board with specks of dust."""
    specks = np.clip(_noise(rng, 0.9, 0.9) - 3.4, 0, 1) * 2
    return np.asarray(1 + 0.05 * _noise(rng, 0.8, 0.8) + 0.05 * _noise(rng, 5, 5) + specks)


MAKERS: dict[Material, Callable[[np.random.Generator], Float32Array]] = {
    "wood": _wood,
    "steel": _steel,
    "cloth": _cloth,
    "white": _plain,
    "black": _dusty,
}
