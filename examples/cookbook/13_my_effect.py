"""An effect of my own in one file: a lens with a fingerprint's haze on it. Recipes know it once it is imported.

For a batch, name this file in the recipe: `plugins = ["13_my_effect.py"]`.

    python examples/cookbook/13_my_effect.py path/of/a/record out.png

Defaults: --seed 0, --dpi 200. An effect keeps every pixel where it is. What moves pixels is a part of the warp, see
docs/bent-pages.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

import ecgvec
from ecgvec.plugins import EFFECTS, Capture, Image, register


@register(EFFECTS)
class Haze(Capture):
    """Light scattered by a dirty lens: a share ``amount`` of it goes astray by about ``reach`` mm of paper."""

    kind: Literal["haze"] = "haze"
    amount: Annotated[float, Field(ge=0, le=0.9, allow_inf_nan=False)] = 0.3
    reach: Annotated[float, Field(ge=0.1, le=50, allow_inf_nan=False)] = 6.0

    def capture(self, image: Image, scale: float) -> Image:
        """``image`` (H, W, 3) uint8 RGB, ``scale`` px a mm; the same shape comes back."""
        astray = cv2.GaussianBlur(image, (0, 0), self.reach * scale)
        mixed = (1 - self.amount) * image + self.amount * astray
        return np.asarray(np.rint(mixed), dtype=np.uint8)


DIRTY_LENS = {"layout.template": "ge", "effects.haze.amount": {"uniform": [0.2, 0.5]}, "effects.sensor-noise.iso": 400}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("record")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dpi", type=float, default=200)
    given = parser.parse_args()

    recipe = ecgvec.load_recipe("clean", DIRTY_LENS | {"page.dpi": given.dpi})
    sheet = ecgvec.render(given.record, recipe, seed=given.seed)
    cv2.imwrite(str(given.out), sheet.image[:, :, ::-1])
    print([part for part in sheet.plan.effects if part.kind == "haze"])


if __name__ == "__main__":
    main()
