"""Small pages, each of which shows one thing, as they were when somebody last looked at them.

`make goldens` draws them anew: look at each picture that has changed before it is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import canonicalize

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record

PLACE = Path(__file__).with_name("pages")
SMALL: dict[str, Any] = {
    "record.leads": ("II", "V2"), "page.seconds": 1.2, "page.dpi": 80, "page.paper": "roll-110",
    "page.print_footer": False, "page.lead_names": "none", "page.calibration_pulse": False,
}  # fmt: skip
DRAWN: dict[str, dict[str, Any]] = {
    "grid-lines": {"page.grid": "lines", "page.grid_color": "blue"},
    "grid-dots": {"page.grid": "dots", "page.grid_color": "green"},
    "calibration-pulse-of-two-gains": {"page.calibration_pulse": True, "page.gain": 10, "page.chest_gain": 5},
    "cabrera-order-with-inverted-avr": {
        "record.leads": ("I", "II", "III", "aVR", "aVL", "aVF"), "page.cabrera": True, "page.lead_names": "above",
        "page.gain": 5, "page.seconds": 1,
    },
    "separators": {"record.leads": ("I", "II", "V1", "V2"), "layout.template": "2-column", "page.separators": "dashed"},
    "header": {"page.print_header": True, "page.header": "plain", "page.paper": "a4"},
    "lead-names-inline": {"page.lead_names": "inline"},
    "broken-trace": {"marks.broken-trace.probability": 1},
}  # fmt: skip
"""Pages as SVG."""
PAINTED: dict[str, dict[str, Any]] = {
    "stamp": {"marks.stamp.probability": 1, "page.seconds": 4},
    "crease": {"warp.creases.vertical": 1, "warp.creases.horizontal": 0, "warp.creases.angle": 70,
               "effects.lamp.probability": 1},
    "handwritten-note": {"notes.probability": 1, "notes.words": 1, "notes.size": 0.3, "page.seconds": 4},
}  # fmt: skip
"""Pages as PNG, whose pixels may differ a little from one machine to another."""


def draw(record: Record, keys: dict[str, Any]) -> ecgvec.Sheet:
    return ecgvec.render(record, load_recipe("clean", SMALL | keys), seed=3)


def same_svg(one: str, other: str) -> bool:
    return canonicalize(one, strip_text=True) == canonicalize(other, strip_text=True)


def same_picture(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two pictures differ by half a level on average, and by more than 30 of 255 at one pixel in 1000."""
    if one.shape != other.shape:
        return False
    off = np.abs(one.astype(int) - other)
    return bool(off.mean() < 0.5 and (off.max(axis=-1) > 30).mean() < 0.001)


def read_png(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1], dtype=np.uint8)


@pytest.mark.parametrize("name", DRAWN)
def test_the_page_is_drawn_as_before(name: str, demo_record: Record, remake: bool, tmp_path: Path) -> None:
    svg, kept = draw(demo_record, DRAWN[name]).svg, PLACE / f"{name}.svg"
    lines = canonicalize(svg, strip_text=True).replace("><", ">\n<") + "\n"
    if remake:
        kept.write_text(lines, encoding="utf-8")
    (tmp_path / kept.name).write_text(lines, encoding="utf-8")
    assert same_svg(svg, kept.read_text(encoding="utf-8")), f"diff {tmp_path / kept.name} {kept}"


@pytest.mark.parametrize("name", PAINTED)
def test_the_page_is_painted_as_before(name: str, demo_record: Record, remake: bool, tmp_path: Path) -> None:
    image, kept = draw(demo_record, PAINTED[name]).image, PLACE / f"{name}.png"
    for path in (kept, tmp_path / kept.name) if remake else (tmp_path / kept.name,):
        cv2.imwrite(str(path), image[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert same_picture(image, read_png(kept)), f"compare {tmp_path / kept.name} with {kept}"


def test_each_page_shows_something_of_its_own(demo_record: Record) -> None:
    """None of them is the plain page, so that each would change with the thing that it is named after."""
    plain = draw(demo_record, {})
    for name in DRAWN:
        assert not same_svg(plain.svg, (PLACE / f"{name}.svg").read_text(encoding="utf-8"))
    for name in PAINTED:
        assert not same_picture(plain.image, read_png(PLACE / f"{name}.png")), name


def test_all_together_they_are_small() -> None:
    files = [path for path in PLACE.iterdir() if path.suffix in (".svg", ".png")]
    assert sorted(path.stem for path in files) == sorted([*DRAWN, *PAINTED])
    assert sum(path.stat().st_size for path in files) < 1_000_000
