"""A letter with ECGs in it: Chromium and librsvg show what CairoSVG shows."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecgvec
from ecgvec import embed
from ecgvec.record.model import Record
from tests.graphics.renderers import LEVELS, Renderer, Target, chromium, librsvg, worst

# Rules, pens and caps that are not to reach the ECGs; a view box that begins elsewhere; texts only as outlines, since
# programs choose fonts each in its own way.
HOST = """<svg xmlns="http://www.w3.org/2000/svg" width="18cm" height="22cm" viewBox="-90 100 1800 2200"
     stroke="#00A000" stroke-linecap="round" fill="none" stroke-width="30">
  <style>path { stroke: #FF00FF; stroke-width: 3 } .trace { display: none }
    rect { fill: #FFFFC0 } g { opacity: 0.9 }</style>
  <rect x="-90" y="100" width="1800" height="2200" stroke="none"/>
  <line x1="0" y1="300" x2="1600" y2="300"/>
</svg>
"""


@pytest.fixture(scope="module")
def page(demo_record: Record) -> embed.Page:
    one = ecgvec.render(demo_record, dpi=50, template="ge", print_header=True)
    two = ecgvec.render(demo_record, dpi=50, template="hospital", grid="dots", qr_code=True, clip=True)
    made = embed.page(HOST).with_ecg(one, 8, 35, 164).with_ecg(two, 70, 160, 125, rotate=-17)
    made = made.with_ecg(one, 2, 150, 80, rotate=90, paper=False)
    return made.with_texts(["Dear Dr Example,", "made-up words"], (10, 12), 6.0, size=5)


@pytest.mark.parametrize("renderer", [chromium, librsvg], ids=["chromium", "librsvg"])
def test_another_program_shows_the_same_letter(page: embed.Page, renderer: Renderer, tmp_path: Path) -> None:
    dpi = 200
    ours = page.drawing.draw(dpi)
    theirs = renderer(page.svg, Target(page.width, page.height, dpi), tmp_path)
    height, width = (min(a, b) for a, b in zip(ours.shape[:2], theirs.shape[:2], strict=True))
    assert abs(ours.shape[0] - theirs.shape[0]) <= 1 and abs(ours.shape[1] - theirs.shape[1]) <= 1
    levels, where = worst(ours[:height, :width], theirs[:height, :width], dpi)
    print(f"{renderer.__name__}: {levels:.2f} levels ({where})")
    assert levels <= LEVELS, f"{levels:.2f} levels: {where}"
