"""Photographed pages as files: pictures, vector pages, and one COCO file for all ECGs and texts on them.

Categories, conventions and ids are those of the format ``coco`` (``ecgvec.export.coco``), and ``host-text`` (35)
besides. Annotations of an ECG have ``ecg``, the number of the ECG on its page, from 1; those of the host's texts have
none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from ecgvec.embed.page import HOST_TEXT
from ecgvec.embed.photograph import Photograph, from_the_top
from ecgvec.errors import ExportError
from ecgvec.export.coco import annotation, annotations_file
from ecgvec.export.files import FileSet
from ecgvec.export.images import encode_png
from ecgvec.export.instances import Instance, instances
from ecgvec.render.labels.model import TextLabel, bounds


def coco(pages: Sequence[Photograph]) -> bytes:
    """All pages in one COCO document, JSON: numbered from 1 in order."""
    _check_names(pages)
    (stream,) = annotations_file([_share(page) for page in pages]).values()
    return b"".join(stream)


def save(pages: Sequence[Photograph], folder: str | Path) -> list[Path]:
    """Write ``NAME.png`` and ``NAME.svg`` (the page before the warp) of each page, and ``coco/annotations.json`` of
    all, into ``folder`` (made if absent); returns the files. ExportError for two pages of one name, or where a file
    cannot be written."""
    document = coco(pages)
    with FileSet(Path(folder)) as files:
        for page in pages:
            files.add(f"{page.page.name}.png", encode_png(page.image, page.dpi))
            files.add(f"{page.page.name}.svg", page.page.svg.encode("utf-8"))
        files.add("coco/annotations.json", document)
    names = [f"{page.page.name}.{kind}" for page in pages for kind in ("png", "svg")]
    return [Path(folder) / name for name in (*names, "coco/annotations.json")]


def _check_names(pages: Sequence[Photograph]) -> None:
    names = [page.page.name for page in pages]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ExportError(f"two pages are named '{twice}': give each a name of its own, embed.page(svg, name)")


def _share(page: Photograph) -> dict[str, Any]:
    """One image and its annotations, without ids."""
    height, width = page.image.shape[:2]
    found, hidden = [], []
    for number, sheet in enumerate(page.ecgs, start=1):
        seen, unseen = instances(sheet)
        prefix = page.page.insets[number - 1].prefix
        more = {"ecg": number, "record": sheet.plan.record.path, "window": sheet.plan.window.index}
        for one in seen:
            found.append(annotation(one, (width, height)) | more | {"label_id": _own(one.id, prefix)})
        hidden += [_own(name, prefix) for name in unseen]
    for text, instance in _texts(page):
        found += [annotation(instance, (width, height))] if instance is not None else []
        hidden += [text.id] if instance is None else []
    image = {"file_name": f"{page.page.name}.png", "width": width, "height": height, "dpi": page.dpi, "hidden": hidden}
    return {"image": image, "annotations": found}


def _own(name: str, prefix: str) -> str:
    """The id of a label, of its ECG alone: a QR code's has no prefix yet."""
    return name if prefix in name else prefix + name


def _texts(page: Photograph) -> Iterator[tuple[TextLabel, Instance | None]]:
    """The host's texts, each as what the image shows of it (None: nothing)."""
    height, width = page.image.shape[:2]
    frame = shapely.box(0, 0, width, height)
    above = {item.id: hidden for item, hidden in from_the_top(page.page, page.covered) if isinstance(item, TextLabel)}
    for text in page.texts:
        cut = shapely.intersection(shapely.make_valid(Polygon(text.hull)), frame)
        parts = [p for p in shapely.get_parts(cut) if isinstance(p, Polygon) and p.area > 0]
        if not parts or not (text.visible or text.occluded):
            yield text, None
            continue
        box = bounds(text.outline)
        truncated = not frame.covers(shapely.box(*box))
        shape = MultiPolygon(parts)
        inside = np.all((text.quad >= 0) & (text.quad < (width, height)), axis=1)
        bare = np.asarray(shapely.contains_xy(above[text.id], *page.shot.warp.inverse(text.quad).T))
        points = np.where(inside[:, None], np.column_stack([text.quad, 2.0 - bare]), 0.0)
        more = {"text": text.text, "order": text.order, "occluded": text.occluded}
        box = shape.bounds if truncated else box
        yield text, Instance(text.id, "text", HOST_TEXT, text.visible, shape, box, points, truncated, more)
