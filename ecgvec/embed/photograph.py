"""A host page through the same bends, light and camera as any ECG's own page, with all labels on it; and as files.

Categories, conventions and ids of its COCO file are those of the format ``coco`` (``ecgvec.export.coco``), and
``host-text`` (35) besides. Annotations of an ECG have ``ecg``, the number of the ECG on its page, from 1; those of
the host's texts have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from ecgvec._typing import Float64Array, Uint8Array
from ecgvec.effects import EFFECTS
from ecgvec.effects.base import Capture, Effect
from ecgvec.embed.page import HOST_TEXT, Page
from ecgvec.embed.place import Inset
from ecgvec.errors import ExportError, RecipeError
from ecgvec.export.coco import annotation, annotations_file
from ecgvec.export.files import FileSet
from ecgvec.export.images import encode_png
from ecgvec.export.instances import Instance, instances
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import bounds, dense_ring
from ecgvec.geometry.units import pixel_size, px_per_mm
from ecgvec.graphics.raster import LARGEST_PX
from ecgvec.planning.parts import draw_parts
from ecgvec.recipe.recipe import Recipe, load_recipe
from ecgvec.rendering.camera import View, occluded_region, remaining_paper, render_pixels
from ecgvec.rendering.labels.derive import corners, map_labels
from ecgvec.rendering.labels.model import Labels, TextLabel
from ecgvec.rendering.labels.occlusion import occlude
from ecgvec.sheet import Sheet
from ecgvec.warp import WARPS
from ecgvec.warp.base import Flat
from ecgvec.warp.compose import compose
from ecgvec.warp.lattice import Lattice, lattice_pixels
from ecgvec.warp.parts import Canvas, Paper, WarpPart

STEP_MM = 2.0  # between the nodes of an ECG's lattice where the host is seen straight on
BEYOND_MM = 1000.0  # so far around the page, nothing can be seen


@dataclass(frozen=True, eq=False, repr=False)
class Photograph:
    """A page as an image shows it: ``image`` (H, W, 3) uint8 RGB at nominal ``dpi``.

    ``ecgs``: each ECG as a Sheet of its own, in the order of the page's insets, whose image is the whole picture and
    whose labels are in its px; ``ecgs[k].warp`` goes from mm of that ECG's paper to px. ``labels``: those of the host,
    in px: its corners, what is left of its paper, and its ``texts``. ``view``: how the page is seen; ``covered``: what
    hides places of it, in mm of the host. ``warp`` and ``effects`` are the parts that were drawn, all their numbers
    settled.
    """

    page: Page
    dpi: float
    image: Uint8Array
    ecgs: tuple[Sheet, ...]
    labels: Labels
    view: View
    covered: BaseGeometry
    warp: tuple[WarpPart, ...]
    effects: tuple[Effect, ...]

    @property
    def texts(self) -> tuple[TextLabel, ...]:
        """The host's texts, in px."""
        return self.labels.texts

    def save(self, folder: str | Path) -> list[Path]:
        """Write ``NAME.png``, ``NAME.svg`` (the page before the warp) and ``coco/annotations.json`` into ``folder``
        (made if absent); returns the files. For several pages, see ``embed.save``."""
        return save([self], folder)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"<Photograph {self.page.name}: {width} x {height} px, {len(self.ecgs)} ECGs, {len(self.texts)} texts>"


def photograph(page: Page, recipe: Recipe | str = "clean", seed: int = 0, dpi: float = 200.0) -> Photograph:
    """Send ``page`` through the warp and the effects of ``recipe``, drawn by ``seed`` and the page's name.

    What a recipe says of an ECG's print ([page], [layout], [header], [marks], [notes]) belongs to the sheets that were
    placed, and is not applied again. RecipeError for a recipe that mixes others: name one of them. WarpError where the
    page cannot be photographed so.
    """
    chosen = load_recipe(recipe) if isinstance(recipe, str) else recipe
    if chosen.mix:
        raise RecipeError(f"recipe {chosen.title} mixes others, and a page takes one: name one of them")
    if not 0 < dpi < np.inf:
        raise RecipeError(f"dpi is {dpi}: give a number above 0")
    keys = (seed, page.name, 0)
    warp = draw_parts(chosen.warp, WARPS, "warp", keys)
    effects = draw_parts(chosen.effects, EFFECTS, "effects", keys)
    paper = Paper(page.width, page.height)
    view = _taken(paper, warp, effects, dpi)
    image = render_pixels(page.drawing.draw, view, dpi, effects)
    whole = shapely.box(0, 0, paper.width, paper.height)
    left = whole if view.remaining_paper is None else view.remaining_paper
    gone = shapely.difference(shapely.box(*whole.buffer(BEYOND_MM).bounds), left)
    covered = shapely.union(occluded_region(view, effects, dpi), gone)
    ecgs, texts = [], []
    for item, above in from_the_top(page, covered):
        if isinstance(item, Inset):
            ecgs.append(_seen(item, image, view.warp, above, left))
        else:
            texts.append(occlude(_host(paper, (item,)), None, above).texts[0])
    outline = occlude(_host(paper, ()), view.remaining_paper, Polygon())
    labels = map_labels(replace(outline, texts=tuple(reversed(texts))), view.warp)
    return Photograph(page, dpi, image, tuple(reversed(ecgs)), labels, view, covered, warp, effects)


def _taken(paper: Paper, warp: tuple[WarpPart, ...], effects: tuple[Effect, ...], dpi: float) -> View:
    """How ``photo.taken`` shows a page without border or crop."""
    size = pixel_size(paper.width, paper.height, dpi)
    if not warp and all(isinstance(effect, Capture) for effect in effects):
        return View(Flat((0.0, 0.0, paper.width, paper.height), dpi))
    composed = compose(paper, Canvas(*size, px_per_mm(dpi)), warp)
    if max(composed.warp.size) > LARGEST_PX:
        raise RecipeError(
            f"the image would have {composed.warp.size} px, and {LARGEST_PX} a side is the most: lower dpi"
        )
    return View(composed.warp, composed, remaining_paper(paper, effects))


def from_the_top(page: Page, covered: BaseGeometry) -> Iterator[tuple[Inset | TextLabel, BaseGeometry]]:
    """What has labels, the last painted first, and what hides places of it: in mm of the host."""
    for item in reversed(page.labelled):
        yield item, covered
        if isinstance(item, Inset) and item.opaque:
            covered = shapely.union(covered, Polygon(item.quad))


def _host(paper: Paper, texts: tuple[TextLabel, ...]) -> Labels:
    """The labels of a host page, in mm."""
    page = corners((0.0, 0.0, paper.width, paper.height))
    return Labels(page, dense_ring(page), (), 0.0, (), texts, (), None, None, None, (), ())


def _seen(inset: Inset, image: Uint8Array, host: Flat | Lattice, above: BaseGeometry, left: Polygon) -> Sheet:
    """An ECG as the picture shows it: ``above`` hides places of it, ``left`` is left of the host's paper (mm)."""
    back = inset.to_host.inverse()
    own = shapely.box(0, 0, *inset.sheet.paper.centre * 2)
    covered = shapely.intersection(shapely.transform(above, back), own.buffer(1.0))
    rest = shapely.intersection(own, shapely.transform(left, back))
    labels = occlude(inset.on_paper, None, covered)
    piece = max(shapely.get_parts(rest), key=lambda part: part.area, default=Polygon())
    if isinstance(piece, Polygon) and not piece.is_empty and rest.area < own.area:
        outlined = occlude(inset.on_paper, piece, Polygon())
        labels = replace(labels, page=outlined.page, holes=outlined.holes)
    warp = compose_with_host(host, inset.to_host, inset.sheet.paper)
    view = View(warp)
    return replace(inset.sheet, view=view, image=image, labels=map_labels(labels, warp), covered=covered)


def compose_with_host(host: Flat | Lattice, to_host: Affine, paper: Paper) -> Lattice:
    """The map from mm of an ECG's ``paper``, which ``to_host`` puts on a host page, to px of the image of ``host``.

    A lattice's interpolant goes through an affine map as its nodes do, so this is the host's own map to the last digit.
    """
    back = to_host.inverse()
    if isinstance(host, Lattice):
        step, (rows, columns), places = host.step, host.nodes.shape[:2], host.nodes.reshape(-1, 2)
        flat = host.homography
    else:
        step = max(2, round(STEP_MM * px_per_mm(host.dpi)))
        pixels, (rows, columns) = lattice_pixels(host.size, step)
        places, flat = host.inverse(pixels.T), _matrix(host.affine)
    guess = host.guess if isinstance(host, Lattice) else host.forward
    nodes = back(places).reshape(rows, columns, 2)
    return Lattice(host.size, nodes, step, lambda points: guess(to_host(points)), flat @ _matrix(to_host), paper)


def _matrix(affine: Affine) -> Float64Array:
    return np.array([[affine.a, affine.c, affine.e], [affine.b, affine.d, affine.f], [0.0, 0.0, 1.0]])


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
    for number, ecg in enumerate(page.ecgs, start=1):
        seen, unseen = instances(ecg)
        prefix = page.page.insets[number - 1].prefix
        more = {"ecg": number, "record": ecg.plan.record.path, "window": ecg.plan.window.index}
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
        bare = np.asarray(shapely.contains_xy(above[text.id], *page.view.warp.inverse(text.quad).T))
        points = np.where(inside[:, None], np.column_stack([text.quad, 2.0 - bare]), 0.0)
        more = {"text": text.text, "order": text.order, "occluded": text.occluded}
        box = shape.bounds if truncated else box
        yield text, Instance(text.id, "text", HOST_TEXT, text.visible, shape, box, points, truncated, more)
