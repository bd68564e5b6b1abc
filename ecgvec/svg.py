"""Scenes as SVG in real millimetres, and the way back from such an SVG to seconds and millivolts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np

from ecgvec._typing import Float64Array
from ecgvec.errors import SourceError
from ecgvec.graphics.shapes import Group, Pen, Scene, Shape

_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
# Characters that no XML document may hold, escaped or not (XML 1.0, production 2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PIXELS = "px"  # what data-units says of a page sent through its warp
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def write(scene: Scene) -> str:
    """The page as an SVG document: width and height in mm, user units of 1 mm, text as outlines.

    Every element has an ``id``, a ``class`` that says its role and ``data-*`` attributes that say what it shows.
    """
    width, height = (f"{round(side, 6):.10g}" for side in (scene.width, scene.height))
    drawing = empty((f"{width}mm", f"{height}mm"), f"0 0 {width} {height}", scene.title)
    drawing.attribs["id"] = "page"
    for group in scene.groups:
        element = drawing.add(group_element(drawing, group))
        for shape in group.shapes:
            element.add(_shape(drawing, shape))
    return document(drawing)


def empty(size: tuple[str, str], view_box: str, title: str) -> Any:
    """An svgwrite drawing with nothing in it but its title."""
    import svgwrite

    drawing = svgwrite.Drawing(size=size, viewBox=view_box, debug=False)
    drawing.set_desc(title=_clean(title))
    return drawing


def document(drawing: Any) -> str:
    """An svgwrite drawing as text."""
    return _XML + str(drawing.tostring()) + "\n"


def group_element(drawing: Any, group: Group) -> Any:
    """The element of ``group``, its shapes not yet in it."""
    element = drawing.g(id=group.id, class_=group.role)
    _set_data(element, group.data)
    return element


def _shape(drawing: Any, shape: Shape) -> Any:
    element = drawing.path(d=shape.path.svg_d(), id=shape.id, class_=shape.role)
    element.attribs.update(pen_attributes(shape.pen))
    explain(element, shape)
    if shape.clip is not None:
        x0, y0, x1, y1 = shape.clip
        clip(drawing, element, shape, drawing.rect((x0, y0), (x1 - x0, y1 - y0)))
    return element


def explain(element: Any, shape: Shape) -> None:
    """What ``shape`` shows, as ``data-*``; a text as words too."""
    _set_data(element, shape.data)
    if "text" in shape.data:
        # The string stays where programs, browsers and screen readers look for it.
        element.attribs["role"] = "img"
        element.attribs["aria-label"] = shape.data["text"]
        element.set_desc(title=shape.data["text"])


def clip(drawing: Any, element: Any, shape: Shape, outline: Any) -> None:
    """Show of ``element``, which draws ``shape``, only what lies in ``outline``."""
    path = drawing.clipPath(id=f"clip-{shape.id}")
    path.add(outline)
    drawing.defs.add(path)
    element.attribs["clip-path"] = f"url(#clip-{shape.id})"


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)


def _set_data(element: Any, data: Mapping[str, str]) -> None:
    for key, value in data.items():
        element.attribs[f"data-{key}"] = _clean(value)


def pen_attributes(pen: Pen) -> dict[str, str]:
    """``pen`` as presentation attributes; its width and dashes in the units of its scene."""
    attributes = {"fill": pen.fill or "none"}
    if pen.opacity < 1 and pen.fill:
        attributes["fill-opacity"] = f"{pen.opacity:g}"
    if pen.stroke is None:
        return attributes
    attributes |= {"stroke": pen.stroke, "stroke-width": f"{pen.width:.6g}"}
    if pen.opacity < 1:
        attributes["stroke-opacity"] = f"{pen.opacity:g}"
    if pen.cap != "butt":
        attributes["stroke-linecap"] = pen.cap
    if pen.join != "miter":
        attributes["stroke-linejoin"] = pen.join
    if pen.dash:
        attributes["stroke-dasharray"] = ",".join(f"{length:g}" for length in pen.dash)
    return attributes


def read_traces(svg_text: str) -> dict[str, Float64Array]:
    """Seconds and millivolts of every lead of a page, from its vectors alone.

    {lead: (n, 2) float64 array of seconds from the record's start and millivolts}: the union of a lead's segments and
    rhythm strip, sorted by time, each sample once, gaps left out. Time comes from x, voltage from y; a lead drawn
    inverted comes back upright. SourceError where the text is no SVG, or holds no trace of ecgvec's.
    """
    try:
        root = ElementTree.fromstring(svg_text.encode("utf-8"))
    except ElementTree.ParseError as error:
        raise SourceError(f"this is not an SVG document ({error}): give a page that ecgvec has written") from None
    if root.get("data-units") == PIXELS:
        raise SourceError("this SVG is a page as its image shows it: give the page itself, which is in millimetres")
    pieces: dict[str, list[Float64Array]] = {}
    for element in root.iter():
        if element.get("class") == "trace" and element.get("data-lead") is not None:
            pieces.setdefault(str(element.get("data-lead")), []).append(_read_trace(element))
    if not pieces:
        raise SourceError("this SVG holds no trace with data-lead: give a page that ecgvec has written")
    return {lead: _union(parts) for lead, parts in pieces.items()}


def _read_trace(element: ElementTree.Element) -> Float64Array:
    """(n, 3): the sample's index in the record, its time in seconds and its voltage in mV."""

    def number(name: str) -> float:
        try:
            return float(element.attrib[f"data-{name}"])
        except (KeyError, ValueError):
            raise SourceError(
                f"trace '{element.get('id')}' lacks a number in data-{name}: write the page anew"
            ) from None

    xy = np.array(_NUMBER.findall(element.get("d", "")), dtype=np.float64).reshape(-1, 2)
    t = number("t0-s") + (xy[:, 0] - number("x0-mm")) / number("speed")
    mv = (number("baseline-mm") - xy[:, 1]) / (number("gain") * number("polarity"))
    return np.column_stack([np.round(t * number("fs")), t, mv])


def _union(parts: list[Float64Array]) -> Float64Array:
    rows = np.concatenate(parts)
    _, first = np.unique(rows[:, 0], return_index=True)
    return rows[first, 1:]
