"""What a capture that only multiplies light does to a bent page while that is resampled is what it does afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgvec._typing import Image
from ecgvec.effects import EFFECTS
from ecgvec.effects.base import Effect, Shading
from ecgvec.effects.glare import Glare
from ecgvec.effects.light import Lamp
from ecgvec.effects.sensor import GaussianNoise
from ecgvec.effects.surroundings import Desk
from ecgvec.rendering.camera import View, render_pixels
from ecgvec.warp.compose import compose
from ecgvec.warp.parts import Canvas
from tests.effects.dots import SCALE, dots
from tests.warp.bending import PAPER, TILTED

KINDS = [kind for kind in EFFECTS.names() if issubclass(EFFECTS.get(kind), Shading)]
STRONG: dict[str, dict[str, Any]] = {"vignette": {"amount": 0.6}, "temperature": {"kelvin": 3500}}
LAMP = Lamp(exposure=0.7)
GROUNDS: dict[str, tuple[Effect, ...]] = {"on a desk": (LAMP, Desk(material="cloth")), "lit": (LAMP,), "bare": ()}
GROUNDS["mirroring"] = (LAMP, Glare(strength=1.0, roughness=0.05, width=150, height=120), Desk(material="white"))
DPI = SCALE * 25.4
COMPOSED = compose(PAPER, Canvas(1100, 850, SCALE / 2), TILTED)
SHOT = View(COMPOSED.warp, COMPOSED)


def made(kind: str) -> Shading:
    found = EFFECTS.get(kind)(**STRONG[kind])  # type: ignore[call-arg]
    assert isinstance(found, Shading)
    return found


def photographed(*effects: Effect) -> Image:
    """A page of dots."""
    width, height = round(PAPER.width * SCALE / 2), round(PAPER.height * SCALE / 2)
    page = np.tile(dots(), (-(-height // len(dots())), -(-width // len(dots())), 1))[:height, :width]
    return render_pixels(lambda dpi, box: page, SHOT, DPI / 2, effects)


@pytest.mark.parametrize("before", GROUNDS)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_same_in_the_light_and_afterwards(kind: str, before: str) -> None:
    shading = made(kind)
    plain = photographed(*GROUNDS[before])
    after = shading.capture(plain, SCALE).astype(int)
    assert np.abs(after - plain).mean() > 8
    apart = np.abs(photographed(*GROUNDS[before], shading).astype(int) - after)
    assert apart.max() <= 4 and apart.mean() <= 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_it_waits_for_what_takes_the_picture_before_it(kind: str) -> None:
    noise, shading = GaussianNoise(sigma=30), made(kind)
    taken = photographed(LAMP, noise)
    assert np.array_equal(photographed(LAMP, noise, shading), shading.capture(taken, SCALE))
    # Noise that comes after it is as strong in the corners as elsewhere.
    first = photographed(LAMP, shading, noise).astype(int) - photographed(LAMP, shading)
    assert np.abs(first[:99, :99]).mean() == pytest.approx(np.abs(first[400:500, 500:600]).mean(), rel=0.2)


def test_all_of_them_together_are_their_product() -> None:
    both = [made(kind) for kind in KINDS]
    after = photographed(LAMP)
    for shading in both:
        after = shading.capture(after, SCALE)
    assert np.abs(photographed(LAMP, *both).astype(int) - after).max() <= 5
