"""Draw the pictures of README.md, docs/readme/*.jpg, from the embedded record: the stages of one page, notes, recipes.

python tools/make_readme_pictures.py [-o FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import ecgvec
from ecgvec._typing import Image
from ecgvec.pipeline import render_plan
from ecgvec.planning.make import make_plans
from ecgvec.planning.model import Plan
from ecgvec.record.model import Record
from ecgvec.resources import folder
from ecgvec.viewer.contact_sheet import contact_sheet, thumbnail
from ecgvec.viewer.overlay import inspect_images

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 560, 443  # px of a stage's picture
MOST_BYTES = {"recipes": 150_000}
RECIPES = ("clean", "scan-bw", "fax", "phone-photo", "screen-photo", "stained", "damaged", "mouldy-colour", "archive")
SEED, DPI = 28, 200.0
PAGE = {"layout.template": "ge", "page.dpi": DPI, "page.print_header": True, "page.grid_color": "red"}
NOTES = {
    "notes.probability": 1,
    "notes.words": 4,
    "notes.place": "beat",
    "notes.calipers": 1,
    "notes.signature": 1,
    "page.dpi": 300,
    "page.fit": True,
}


def main() -> None:
    """All pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "readme")
    out = parser.parse_args().output
    out.mkdir(parents=True, exist_ok=True)
    record = ecgvec.read_record(folder("demo") / "ecgvec-demo")
    for name, image in {**stages(record), "notes": notes(record), "recipes": recipes(record)}.items():
        write(out / f"{name}.jpg", image, MOST_BYTES.get(name, 75_000))


def write(path: Path, image: Image, most: int) -> None:
    """The picture as JPEG, at the best quality that keeps it below ``most`` bytes."""
    for quality in range(92, 20, -2):
        content = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(content) <= most:
            break
    path.write_bytes(content)
    print(f"{path.name}: {image.shape[1]} x {image.shape[0]} px, {len(content) // 1000} kB")


def planned(record: Record, recipe: str, keys: Mapping[str, Any], seed: int) -> Plan:
    """The first page's plan."""
    return make_plans(record, ecgvec.load_recipe(recipe, keys), seed=seed).plans[0]


def stages(record: Record) -> dict[str, Image]:
    """One page: its vectors from near, drawn, bent, photographed, and its labels over the photograph."""
    plan = planned(record, "phone-photo", PAGE, SEED)
    flat = plan.model_copy(update={"warp": (), "effects": ()})
    bent = plan.model_copy(update={"effects": tuple(part for part in plan.effects if part.kind == "lamp")})
    photograph = render_plan(record, plan)
    with tempfile.TemporaryDirectory() as place:
        photograph.save(place, ["png", "json"])
        (drawn,) = inspect_images(Path(place), Path(place), None, "png", written=lambda _: None).written
        labels = np.asarray(cv2.imread(str(drawn), cv2.IMREAD_COLOR), dtype=np.uint8)[:, :, ::-1]
    pictures = {
        "1-vectors": vectors(record, flat),
        "2-drawn": render_plan(record, flat).image,
        "3-bent": render_plan(record, bent).image,
        "4-photographed": photograph.image,
        "5-labels": part(labels, 0.27, 0.12),
    }
    return {name: thumbnail(image, WIDTH) for name, image in pictures.items()}


def part(image: Image, x: float, y: float, share: float = 0.5) -> Image:
    """A ``share`` of the picture's width and height, whose corner lies at these shares of them."""
    height, width = image.shape[:2]
    top, left = int(y * height), int(x * width)
    return image[top : top + int(share * height), left : left + int(share * width)]


def vectors(record: Record, plan: Plan) -> Image:
    """A heartbeat of the page at 1200 dpi, and every sample of it where its label says that it is."""
    style = plan.page.style.model_copy(update={"dpi": 1200.0})
    near = plan.model_copy(update={"page": plan.page.model_copy(update={"style": style})})
    sheet = render_plan(record, near)
    trace = next(trace for trace in sheet.labels.traces if trace.lead == "V2")
    image = np.ascontiguousarray(sheet.image)
    x, y = (int(v) for v in np.nanmean(trace.points[:600], axis=0))
    for point in trace.points[~np.isnan(trace.points).any(axis=1)]:
        centre = tuple(round((v - 0.5) * 16) for v in point)
        cv2.circle(image, centre, 5 * 16, (0, 90, 220), -1, cv2.LINE_AA, 4)
    half = WIDTH * 5 // 4, HEIGHT * 5 // 4
    return np.ascontiguousarray(image[y - half[1] : y + half[1], x - half[0] : x + half[0]])


def notes(record: Record) -> Image:
    """A part of a print that somebody wrote upon."""
    image = render_plan(record, planned(record, "printed", NOTES, 4)).image
    return thumbnail(part(image, 0.22, 0.26, 0.76), WIDTH)


def recipes(record: Record) -> Image:
    """A page under each of several recipes."""
    pictures = []
    for seed, name in enumerate(RECIPES, 2):
        sheet = ecgvec.render(record, name, seed=seed, dpi=150)
        pictures.append((name, thumbnail(sheet.image, 370)))
    return contact_sheet(pictures, 3, 370)


if __name__ == "__main__":
    main()
