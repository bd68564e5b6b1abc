"""``visible`` on bent pages against a painted map: every element of the page in a number of its own, bent pixel by
pixel, each pixel taking the number of the one place of the page that its centre sees."""

from __future__ import annotations

from typing import Any

import cairocffi
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecgvec
from ecgvec.graphics.raster import append_path
from ecgvec.graphics.shapes import Shape
from ecgvec.recipe.recipe import load_recipe
from ecgvec.record.model import Record
from ecgvec.rendering.labels.derive import inside
from ecgvec.rendering.labels.model import Labels
from ecgvec.warp.lattice import Lattice
from ecgvec.warp.parts import WarpPart
from tests.rendering.labels.seen import FAINT, LABELLED, seen_by_label
from tests.warp.bending import SCALE, alone, bend_page, bilinear, centres
from tests.warp.dots import label_points

FINE = 12.0  # px/mm of the painted page, finer than any image here shows it
IN_SIGHT = 2 * FAINT  # pixels of its own ink that an element shows for certain, however thin

BENT: dict[str, dict[str, Any]] = {
    "folded": {
        "layout.template": "ge",
        "warp.creases.vertical": 3,
        "warp.creases.angle": 80,
        "warp.phone.tilt": 20,
        "warp.phone.fill": 1.25,
        "warp.phone.shift_x": 0.1,
        "warp.lens.k1": -0.04,
    },
    "crumpled-and-turned": {
        "layout.template": "3x4+3R",
        "warp.crumple.strength": 0.5,
        "warp.rotate.angle": 31,
        "warp.resize.factor": 0.9,
    },
    "curled-and-cut": {
        "layout.template": "12x1",
        "warp.curl.radius": 100,
        "warp.curl.toward": 200,
        "warp.phone.pan": 15,
        "warp.crop.left": 0.3,
        "warp.crop.bottom": 0.25,
    },
    "scanned-askew": {
        "layout.template": "schiller",
        "warp.scanner.skew": 20,
        "warp.scanner.shift_y": 40,
        "page.clip": True,
    },
}
PAGE = {"page.dpi": 110, "page.print_header": True, "page.qr_code": True, "page.print_footer": True}


@pytest.fixture(scope="module", params=BENT)
def sheet(request: pytest.FixtureRequest, demo_record: Record) -> ecgvec.Sheet:
    """A page of which the image cuts off some."""
    return ecgvec.render(demo_record, load_recipe("clean", {**PAGE, **BENT[request.param]}), seed=2)


def painted_page(sheet: ecgvec.Sheet, marks: list[Shape]) -> NDArray[np.uint8]:
    """Each mark's number + 1 where it is the last one painted on the flat page, (H, W) at FINE px/mm."""
    width, height = (int(np.ceil(side * FINE)) for side in (sheet.scene.width, sheet.scene.height))
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, width, height)
    context = cairocffi.Context(surface)
    context.set_antialias(cairocffi.ANTIALIAS_NONE)
    context.set_operator(cairocffi.OPERATOR_SOURCE)
    context.set_line_cap(cairocffi.LINE_CAP_ROUND)
    context.set_line_join(cairocffi.LINE_JOIN_ROUND)
    context.scale(FINE, FINE)
    thinnest = 1.5 * float(np.abs(np.diff(sheet.warp.inverse(np.array([[50.0, 50.0], [51.0, 50.0]])), axis=0)).max())
    for number, mark in enumerate(marks):
        context.set_source_rgba(0, 0, 0, (number + 1) / 255)
        if mark.clip is not None:
            x0, y0, x1, y1 = mark.clip
            context.rectangle(x0, y0, x1 - x0, y1 - y0)
            context.clip()
        append_path(context, mark.path)
        if mark.pen.stroke is None:
            context.fill()
        else:
            # A line thinner than the image's pixels passes between their centres.
            context.set_line_width(max(thinnest, mark.pen.width))
            context.stroke()
        context.reset_clip()
    surface.flush()
    rows = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
    return rows[:, :width].copy()


def bent_map(page: NDArray[np.uint8], warp: Lattice) -> NDArray[np.uint8]:
    """What the page's pixel is that each of the image's pixel centres (H, W) sees; 0 off the paper."""
    height, width = page.shape
    at = np.floor(bilinear(warp, centres(warp.size)) * FINE).astype(int)
    on = ((at >= 0) & (at < (width, height))).all(axis=1)
    found = np.zeros(len(at), dtype=np.uint8)
    found[on] = page[at[on, 1], at[on, 0]]
    return found.reshape(warp.size[::-1])


def test_visible_agrees_with_what_is_painted(sheet: ecgvec.Sheet) -> None:
    assert isinstance(sheet.warp, Lattice)
    marks = [mark for mark in sheet.scene.shapes() if mark.role in LABELLED]
    assert len(marks) < 255
    painted = bent_map(painted_page(sheet, marks), sheet.warp)
    seen = seen_by_label(sheet)
    assert set(seen) == {mark.id for mark in marks}  # no label is lost
    assert not all(seen.values())  # the picture does cut something off
    shown = np.bincount(painted.ravel(), minlength=256)
    for number, mark in enumerate(marks):
        pixels = int(shown[number + 1])
        if pixels > IN_SIGHT:
            assert seen[mark.id], mark.id
        elif seen[mark.id]:  # a text is visible with the room that it takes, ink or not; a trace is its samples
            alone_ = int(np.count_nonzero(bent_map(painted_page(sheet, [mark]), sheet.warp)))
            assert alone_ > 0 or mark.role != "trace", mark.id
            assert alone_ <= IN_SIGHT or pixels == 0, mark.id


def test_visible_samples_lie_on_ink_and_hidden_ones_do_not(sheet: ecgvec.Sheet) -> None:
    marks = [mark for mark in sheet.scene.shapes() if mark.role == "trace"]
    painted = bent_map(painted_page(sheet, marks), sheet.warp)  # type: ignore[arg-type]
    height, width = painted.shape
    near = cv2.dilate(painted, np.ones((3, 3), np.uint8))  # a thin line may miss the centre of its own pixel
    for trace in sheet.labels.traces:
        points = trace.points[trace.visible]
        x, y = np.floor(points).astype(int).T
        assert ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all()
        on_ink = near[y, x] > 0
        if trace.clip is not None:  # a sample on the very edge of what the row is clipped to shows half its ink
            page_y = sheet.warp.inverse(points)[:, 1]
            on_ink |= (page_y < trace.clip.y0 + 0.3) | (page_y > trace.clip.y1 - 0.3)
        assert on_ink.all(), trace.id
        hidden = trace.points[~trace.visible & np.isfinite(trace.points[:, 1])]
        shown = ((hidden >= 0) & (hidden < (width, height))).all(axis=1)
        if trace.clip is None and shown.any():
            page = sheet.warp.inverse(hidden[shown])
            assert not ((page >= 0) & (page <= (sheet.scene.width, sheet.scene.height))).all(axis=1).any()


def counts(labels: Labels) -> dict[str, Any]:
    """How many labels there are of each sort, and how many points they hold."""
    return {
        "traces": [(t.id, len(t.points), int(np.isfinite(t.points).all(axis=1).sum())) for t in labels.traces],
        "texts": sorted((t.id, t.text, t.order) for t in labels.texts),
        "pulses": [(p.id, p.corners.shape) for p in labels.pulses],
        "grid": labels.grid.crossings.shape if labels.grid else None,
        "qr": labels.qr.text if labels.qr else None,
        "beats": [(b.t, b.symbol, len(b.places)) for b in labels.beats],
    }


def test_no_label_is_lost_in_bending(sheet: ecgvec.Sheet, demo_record: Record) -> None:
    page = {key.removeprefix("page."): value for key, value in PAGE.items()}
    template, clip = sheet.plan.page.template, sheet.plan.page.style.clip
    flat = ecgvec.render(demo_record, seed=2, template=template, clip=clip, **page)
    assert counts(flat.labels) == counts(sheet.labels)
    labels = sheet.labels
    held = [t.points for t in labels.traces] + [t.outline for t in labels.texts] + [t.hull for t in labels.texts]
    held += [t.quad for t in labels.texts] + [p.outline for p in labels.pulses] + [labels.page, labels.corners]
    for points in held[len(labels.traces) :]:
        assert np.isfinite(points).all()
    grid = labels.grid
    assert grid is not None
    assert flat.labels.grid is not None
    crossings = flat.warp.inverse(flat.labels.grid.crossings.reshape(-1, 2))
    assert np.abs(sheet.warp.forward(crossings) - grid.crossings.reshape(-1, 2)).max() <= 1e-9
    assert np.array_equal(inside(sheet.warp)(grid.crossings.reshape(-1, 2)), grid.visible.ravel())


STRONGLY = [
    pytest.param(name, parts, id=name, marks=() if name in ("phone-strong", "curl-strong-tilted") else pytest.mark.long)
    for name, parts in alone()
    if "strong" in name and "overhead" not in name
]


@pytest.mark.parametrize(("name", "parts"), STRONGLY)
def test_a_dot_is_visible_where_some_pixel_sees_it(name: str, parts: tuple[WarpPart, ...]) -> None:
    """Each dot a little square of its own number: whether any pixel's centre sees it, and what ``visible`` says."""
    composed = bend_page(parts)
    warp = composed.warp
    points = label_points(composed, 1)
    page = np.full((1700, 2200), -1, dtype=np.int32)
    corner = np.floor(points * SCALE).astype(int)
    for row, column in np.ndindex(5, 5):
        y, x = np.clip(corner[:, 1] + row - 2, 0, 1699), np.clip(corner[:, 0] + column - 2, 0, 2199)
        page[y, x] = np.arange(len(points))
    at = np.floor(bilinear(warp, centres(warp.size)) * SCALE).astype(int)
    on = ((at >= 0) & (at < (2200, 1700))).all(axis=1)
    found = np.zeros(len(points) + 1, dtype=bool)
    found[page[at[on, 1], at[on, 0]]] = True  # the last one is what lies between the dots
    px = warp.forward(points)
    said = inside(warp)(px)
    rim = np.abs(np.concatenate([px, px - warp.size], axis=1)).min(axis=1) < 5
    print(f"{name}: {(~said).sum()} invisible, {rim.sum()} at the rim")
    assert np.array_equal(found[:-1][~rim], said[~rim])
