"""Scenes as PDF at true scale: exact vectors, one page a scene, and text that can be searched.

``pikepdf`` (qpdf) writes the document, which takes a page's operators as they are: the numbers of a path are those of
the SVG, in mm, and one matrix sends them to points. cairo's own PDFs round every point to 1/256 pt.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ecgvec.components import rgb
from ecgvec.errors import ExportError
from ecgvec.geometry.path import X_DECIMALS, Y_DECIMALS, Path
from ecgvec.geometry.units import MM_PER_INCH
from ecgvec.graphics.pdf_text import Fonts, number, pieces
from ecgvec.graphics.shapes import Pen, Scene, Shape

if TYPE_CHECKING:
    import pikepdf

POINTS_PER_MM = 72 / MM_PER_INCH
_MITER_LIMIT = 4  # SVG's default
_CAPS = {"butt": 0, "round": 1, "square": 2}
_JOINS = {"miter": 0, "round": 1}


def write(pages: Iterable[Scene]) -> bytes:
    """A PDF of these pages, each of its own size, in order; the same pages give the same bytes.

    The document's title is the first page's; of several pages each has a bookmark with its own. It says neither when
    nor with what it was made. ExportError where pikepdf is absent, or there is no page.
    """
    try:
        import pikepdf
    except ImportError:
        raise ExportError("writing a PDF needs pikepdf: install it with pip install 'ecgvec[pdf]'") from None
    fonts, titles = Fonts(), []
    with pikepdf.new() as document:
        for scene in pages:
            document.pages.append(_page(document, scene, fonts))
            titles.append("".join(character for character in scene.title if character.isprintable()))
        if not titles:
            raise ExportError("a PDF has at least one page: give it one or more")
        resources = fonts.resources(document)
        for page in document.pages:
            page.Resources.Font = resources
        document.docinfo["/Title"] = pikepdf.String(titles[0])
        if len(titles) > 1:
            with document.open_outline() as outline:
                outline.root.extend(pikepdf.OutlineItem(title, at) for at, title in enumerate(titles))
        out = io.BytesIO()
        document.save(out, deterministic_id=True, min_version="1.4")
    return out.getvalue()


def _page(document: pikepdf.Pdf, scene: Scene, fonts: Fonts) -> Any:
    from pikepdf import Array, Dictionary, Name, Page, Stream

    operators = _operators(scene) + fonts.show(pieces(scene)) + "Q\n"
    shades = {shape.pen.opacity for shape in scene.shapes() if shape.pen.opacity < 1}
    states = Dictionary({f"/{_state(shade)}": Dictionary(ca=_decimal(shade), CA=_decimal(shade)) for shade in shades})
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *(_decimal(POINTS_PER_MM * side) for side in (scene.width, scene.height))]),
        Resources=Dictionary(ExtGState=states),
        Contents=Stream(document, zlib.compress(operators.encode("ascii")), Filter=Name.FlateDecode),
    )
    if shades:  # ink shines through ink as in RGB, whatever the printer's colours
        page.Group = Dictionary(S=Name.Transparency, CS=Name.DeviceRGB)
    return Page(document.make_indirect(page))


def _decimal(value: float) -> Decimal:
    return Decimal(number(value))


def _operators(scene: Scene) -> str:
    """The page's ink, its unit 1 mm, y down; the graphics state is left open, for text."""
    scale = f"{POINTS_PER_MM:.12f}"
    start = [f"q {scale} 0 0 -{scale} 0 {POINTS_PER_MM * scene.height:.9f} cm", f"{_MITER_LIMIT} M"]
    if any(scene.leaves(shape) for shape in scene.shapes()):  # ink ends at the paper's edge
        start.append(f"0 0 {number(scene.width)} {number(scene.height)} re W n")
    inked = [_shape(shape) for shape in scene.shapes() if len(shape.path.codes)]
    return "\n".join([*start, *inked, ""])


def _shape(shape: Shape) -> str:
    pen, path = shape.pen, path_operators(shape.path)
    lines = ["q"]
    if shape.clip is not None:
        x0, y0, x1, y1 = shape.clip
        lines.append(" ".join(map(number, (x0, y0, x1 - x0, y1 - y0))) + " re W n")
    if pen.opacity < 1:
        lines.append(f"/{_state(pen.opacity)} gs")
    if pen.fill is not None:
        lines += [f"{_color(pen.fill)} rg", f"{path} f"]
    if pen.stroke is not None:  # apart from the fill: where they overlap, both have their opacity, as in SVG
        lines += [_stroke(pen, pen.stroke), f"{path} S"]
    return "\n".join([*lines, "Q"])


def _stroke(pen: Pen, color: str) -> str:
    dash = " ".join(map(number, pen.dash))
    return f"{_color(color)} RG {number(pen.width)} w {_CAPS[pen.cap]} J {_JOINS[pen.join]} j [{dash}] 0 d"


def _color(color: str) -> str:
    return " ".join(number(channel / 255) for channel in rgb(color))


def _state(opacity: float) -> str:
    return f"O{round(opacity * 10_000)}"


def path_operators(path: Path) -> str:
    """The path as PDF's operators, with the page's decimals."""
    xy = f"%.{X_DECIMALS}f %.{Y_DECIMALS}f"
    formats = (f"{xy} m", f"{xy} l", f"{xy} {xy} {xy} c", "h")
    template = "\n".join([formats[code] for code in path.codes.tolist()])
    return template % tuple(path.points.ravel().tolist())
