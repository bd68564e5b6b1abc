"""Draw docs/bent-pages.jpg: twelve bent pages of the embedded record, with the command that makes each.

python tools/make_bent_gallery.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import ecgvec
from ecgvec.recipe.recipe import load_recipe
from ecgvec.resources import folder

ROOT = Path(__file__).resolve().parent.parent
PAGES = [("phone-photo", seed) for seed in (1, 2, 4, 5, 8, 11)]
PAGES += [("phone-photo-crumpled", seed) for seed in (1, 3, 6, 7)] + [("scan-colour", seed) for seed in (1, 2)]
COLUMNS, WIDTH, HEIGHT, GAP = 3, 640, 500, 8
DPI = 150


def main() -> None:
    """One sheet of thumbnails, averaged down from 150 dpi."""
    record = ecgvec.read_record(folder("demo") / "ecgvec-demo")
    rows = -(-len(PAGES) // COLUMNS)
    sheet = np.full((rows * (HEIGHT + GAP) - GAP, COLUMNS * (WIDTH + GAP) - GAP, 3), 255, dtype=np.uint8)
    for number, (recipe, seed) in enumerate(PAGES):
        page = ecgvec.render(record, load_recipe(recipe, {"page.dpi": DPI, "page.fit": True}), seed=seed)
        height, width = page.image.shape[:2]
        scale = min(WIDTH / width, HEIGHT / height)
        small = cv2.resize(page.image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        y, x = (number // COLUMNS) * (HEIGHT + GAP), (number % COLUMNS) * (WIDTH + GAP)
        sheet[y : y + small.shape[0], x : x + small.shape[1]] = small
        print(f"{recipe} --seed {seed}: {', '.join(part.kind for part in page.plan.warp)}")
    cv2.imwrite(str(ROOT / "docs" / "bent-pages.jpg"), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
