"""COCO: the instances of all images of a run in ``coco/annotations.json``, as pycocotools loads it.

The convention is that of COCO's own documents: https://cocodataset.org/#format-data (fields) and maskApi.h of
https://github.com/cocodataset/cocoapi (masks). Lengths are image px, (0, 0) being the top-left corner of the top-left
pixel, boxes x, y, width, height: COCO's own convention. ``file_name`` is relative to the output folder, where the
format ``png`` puts the images.

Categories have the same id in every run:

- 1 to 22, of supercategory ``lead``: the trace of I, II, III, aVR, aVL, aVF, V1 to V9, V3R to V6R, X, Y, Z, whole or
  in pieces. Leads of any other name follow from 101, sorted by name;
- 31 to 34, ``text``: ``lead-name``, ``header-text``, ``footer-text``, ``note`` (by hand), and 35, ``host-text``, which
  only pages that an ECG was put into have (``ecgvec.embed``); 41 and 42, ``mark``: ``pulse``, ``qr-code``;
- 51, ``place``: ``panel``, the place of a piece of a lead, whatever ink reaches into it or out of it;
- 61 to 68, ``added``: what people put on the print (``redaction``, ``stamp``, ``highlighter``, ``tick``, ``circle``,
  ``arrow``, ``underline``, ``calipers``). Kinds that are not among these follow from 201, sorted by name.

Texts, marks and panels have four keypoints, their corners clockwise from the top left as read. A pulse's are its two
upper corners and its two feet; of a pulse of two steps, the outer ones. A keypoint outside the image has v = 0 and
x = y = 0; one that something hides (an opaque mark, a thing on the page, paper that is gone) has v = 1; any other has
v = 2.

An instance is a thing in the image: box, area and segmentation end at the image's edge, and ``truncated`` says so.
Boxes and areas are those of the ink (of traces and pulses), of the ink's convex hull (texts), of the modules (QR code),
of the panel, or of the ring around what was added. What something hides keeps its instance: ``occluded`` is the share
of it that is hidden (of a trace, of its samples in the image), 0 to 1; panels have none. Things that the image does not
hold have no instance: the image lists their ids in ``hidden``.

Segmentations are polygons, simplified by at most 0.05 px, where the shape has no hole and at most 5000 points, else
uncompressed RLE; ``iscrowd`` is 0 for both. RLE holds the pixels whose centre is inside. pycocotools draws polygons on
a raster of 1/5 px, so its mask of a polygon of ink 2 px wide has some 6 % other pixels than the true one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Points
from ecgvec.export.formats import FORMATS, Format, Streams, no_files
from ecgvec.export.instances import Box, Instance, instances
from ecgvec.record.leads import STANDARD_12
from ecgvec.rendering.labels.derive import rings
from ecgvec.sheet import Sheet

LEADS = (*STANDARD_12, "V7", "V8", "V9", "V3R", "V4R", "V5R", "V6R", "X", "Y", "Z")
WITH_KEYPOINTS = {  # category -> id, supercategory
    "lead-name": (31, "text"),
    "header-text": (32, "text"),
    "footer-text": (33, "text"),
    "note": (34, "text"),
    "pulse": (41, "mark"),
    "qr-code": (42, "mark"),
    "panel": (51, "place"),
}
HOST_TEXT = {"host-text": (35, "text")}  # of pages that an ECG was put into, ecgvec.embed
ADDED = ("redaction", "stamp", "highlighter", "tick", "circle", "arrow", "underline", "calipers")  # from FIRST_ADDED on
FIRST_ADDED, FIRST_OTHER_ADDED = 61, 201
FIRST_OTHER_LEAD = 101
CORNERS = ("top-left", "top-right", "bottom-right", "bottom-left")
_SKELETON = [[1, 2], [2, 3], [3, 4], [4, 1]]
_PULSE_SKELETON = [[4, 1], [1, 2], [2, 3]]

PX_DECIMALS = 6  # of boxes, keypoints and areas
POLYGON_DECIMALS = 2
POLYGON_ERROR = 0.05  # px by which a polygon's outline may differ from the ink's, before it is rounded
MOST_POINTS = 5000  # on the outline, not yet simplified, of an instance that is given as polygons


def rle(shape: BaseGeometry, size: tuple[int, int]) -> dict[str, list[int]]:
    """The pixels whose centre is inside ``shape`` (image px, inside the image), as COCO's uncompressed RLE: lengths of
    runs, first of pixels outside, down one column after the other. ``size`` is (width, height) in px.

    A column of centres crosses the outline an even number of times (even-odd rule), and each crossing is where a run
    ends and the next begins.
    """
    width, height = size
    edges = [(ring, np.roll(ring, -1, axis=0)) for ring in rings(shape)]
    start, end = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    left, right = (np.ceil(f(start[:, 0], end[:, 0]) - 0.5).astype(np.int64) for f in (np.minimum, np.maximum))
    columns = right - left
    side = np.repeat(np.arange(len(columns)), columns)
    column = np.arange(len(side)) - np.repeat(np.cumsum(columns) - columns, columns) + left[side]
    (x0, y0), (x1, y1) = start[side].T, end[side].T
    y = y0 + (column + 0.5 - x0) * (y1 - y0) / (x1 - x0)
    at = column * height + np.clip(np.ceil(y - 0.5), 0, height).astype(np.int64)
    places, times = np.unique(at, return_counts=True)
    turns = places[times % 2 == 1]  # two crossings in one place leave no run between them
    counts = np.diff(turns, prepend=0, append=width * height).tolist()
    return {"size": [height, width], "counts": counts if counts[-1] else counts[:-1]}


def outlines(shape: MultiPolygon, error: float) -> list[Points]:
    """The outer rings (n, 2) of polygons, the last point not repeated, with no point moved further than ``error`` px.

    A ring is simplified as an open line, whose ends stay: GEOS may move the first point of a ring by twice as much.
    """
    found = []
    for part in shape.geoms:
        ring: Points = shapely.get_coordinates(part.exterior)[:-1]
        line: Points = shapely.get_coordinates(shapely.simplify(shapely.LineString(ring), error))
        found.append(line if len(line) > 2 else ring)
    return found


def segmentation(shape: MultiPolygon, size: tuple[int, int]) -> Any:
    """Polygons (lists of x, y, x, y, ... in image px), or RLE where polygons cannot hold the shape or are too long."""
    if any(len(part.interiors) for part in shape.geoms) or shapely.get_num_coordinates(shape) > MOST_POINTS:
        return rle(shape, size)
    return [np.round(ring, POLYGON_DECIMALS).ravel().tolist() for ring in outlines(shape, POLYGON_ERROR)]


def xywh(box: Box) -> list[float]:
    """x, y, width and height of a box x0, y0, x1, y1."""
    x0, y0, x1, y1 = box
    return [round(v, PX_DECIMALS) for v in (x0, y0, x1 - x0, y1 - y0)]


def annotation(instance: Instance, size: tuple[int, int]) -> dict[str, Any]:
    """An annotation that lacks only the ids that depend on other images."""
    annotation: dict[str, Any] = {
        "category": [instance.family, instance.category],
        "label_id": instance.id,
        "bbox": xywh(instance.box),
        "area": round(instance.shape.area, PX_DECIMALS),
        "segmentation": segmentation(instance.shape, size),
        "iscrowd": 0,
        "truncated": instance.truncated,
    }
    if instance.keypoints is not None:
        rows = np.round(instance.keypoints, PX_DECIMALS).tolist()
        annotation["keypoints"] = [number for x, y, v in rows for number in (x, y, int(v))]
        annotation["num_keypoints"] = sum(v > 0 for _, _, v in rows)
    return annotation | instance.more


def image_share(sheet: Sheet, stem: str) -> dict[str, Any]:
    """One image and its annotations, without ids."""
    found, hidden = instances(sheet)
    width, height = size = sheet.warp.size
    image = {
        "file_name": f"{stem}.png",
        "width": width,
        "height": height,
        "record": sheet.plan.record.path,
        "window": sheet.plan.window.index,
        "dpi": sheet.plan.page.style.dpi,
        "hidden": hidden,
    }
    return {"image": image, "annotations": [annotation(instance, size) for instance in found]}


def _categories(other_leads: list[str], other_added: list[str], hosts: bool) -> list[dict[str, Any]]:
    """All categories; ids that do not depend on the run, but for leads and marks of other names. ``hosts``: with the
    texts of pages that ECGs were put into."""
    numbered = {
        "lead": [*enumerate(LEADS, start=1), *enumerate(other_leads, start=FIRST_OTHER_LEAD)],
        "added": [*enumerate(ADDED, start=FIRST_ADDED), *enumerate(other_added, start=FIRST_OTHER_ADDED)],
    }
    table: list[dict[str, Any]] = [
        {"id": i, "name": name, "supercategory": family} for family, names in numbered.items() for i, name in names
    ]
    for name, (i, above) in (WITH_KEYPOINTS | (HOST_TEXT if hosts else {})).items():
        skeleton = _PULSE_SKELETON if name == "pulse" else _SKELETON
        points = {"keypoints": list(CORNERS), "skeleton": skeleton}
        table.append({"id": i, "name": name, "supercategory": above, **points})
    return sorted(table, key=lambda category: int(category["id"]))


def annotations_file(parts: Iterable[dict[str, Any]]) -> Streams:
    """All images in one file, images and annotations numbered from 1 in order."""
    return {"coco/annotations.json": _document(parts)}


def _document(parts: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    names = sorted({tuple(a["category"]) for part in parts for a in part["annotations"]})
    categories = _categories(
        [name for family, name in names if family == "lead" and name not in LEADS],
        [name for family, name in names if family == "added" and name not in ADDED],
        any(name in HOST_TEXT for _, name in names),
    )
    ids = {(c["supercategory"], c["name"]): c["id"] for c in categories}
    info = {"description": "ECG pages with exact labels, drawn by ecgvec", "version": "1"}
    yield f'{{"info": {json.dumps(info)}, "licenses": [], "images": ['.encode()
    images = ({"id": i, **part["image"]} for i, part in enumerate(parts, start=1))
    yield from _listed(images)
    yield b'], "annotations": ['
    yield from _listed(_annotations(parts, ids))
    yield b'], "categories": ' + _encoded(categories) + b"}\n"


def _annotations(parts: Iterable[dict[str, Any]], ids: dict[tuple[str, str], int]) -> Iterator[dict[str, Any]]:
    number = count(1)
    for image_id, part in enumerate(parts, start=1):
        for a in part["annotations"]:
            family, name = a["category"]
            rest = {key: value for key, value in a.items() if key != "category"}
            yield {"id": next(number), "image_id": image_id, "category_id": ids[family, name], **rest}


def _listed(items: Iterable[Any]) -> Iterator[bytes]:
    """The items of a JSON list, as `json.dumps` separates them."""
    for i, item in enumerate(items):
        yield b", " * (i > 0) + _encoded(item)


def _encoded(value: Any) -> bytes:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")  # as the native JSON


FORMATS.add(
    "coco",
    Format(
        "COCO instances of leads, texts, pulses, QR codes, panels and marks",
        no_files,
        image_share,
        annotations_file,
        names_png=True,
    ),
)
