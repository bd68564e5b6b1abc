"""The page as a tree of painted paths in millimetres, and texts as outlines."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ecgvec._typing import Points
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.outlines import text_path
from ecgvec.geometry.path import Box, Path


@dataclass(frozen=True)
class Pen:
    """How a path is painted. ``stroke`` and ``fill`` are ``#RRGGBB`` or None; widths and dashes are in mm."""

    stroke: str | None = None
    width: float = 0.0
    fill: str | None = None
    opacity: float = 1.0
    cap: Literal["butt", "round", "square"] = "butt"
    join: Literal["miter", "round"] = "miter"
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class TextInfo:
    """A line of text: its string, the box of its ink in mm, and its outlines as straight lines. ``quad`` (4, 2): the
    corners of its ink's box from the top left clockwise as read, where the text does not stand upright (None: the
    box's own). ``characters``: each character that has ink, with the ring (n, 2) mm around it, where they are told;
    ``kind``: what sort of note it is (printed: "")."""

    text: str
    ink: Box
    outline: Path
    quad: Points | None = None
    characters: tuple[tuple[str, Points], ...] = ()
    kind: str = ""


@dataclass(frozen=True, eq=False)
class AddedInfo:
    """Something that was put on the printed page: its kind, its words, the id of the trace that it points out, and the
    ring (n, 2) mm around all of it. ``opaque``: nothing beneath can be seen."""

    kind: str
    text: str
    trace: str | None
    ring: Points
    opaque: bool


@dataclass(frozen=True, eq=False)
class Shape:
    """One painted path. ``data`` becomes ``data-*`` attributes; ``info`` is what labels are derived from: a TextInfo,
    an AddedInfo, or what the layout says of a trace or a pulse."""

    id: str
    role: str
    path: Path
    pen: Pen
    data: Mapping[str, str] = field(default_factory=dict)
    info: object | None = None
    clip: Box | None = None


@dataclass(frozen=True, eq=False)
class Group:
    """Shapes that belong together, painted in order."""

    id: str
    role: str
    shapes: tuple[Shape, ...]
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Scene:
    """A whole page of ``width`` x ``height`` mm."""

    width: float
    height: float
    title: str
    groups: tuple[Group, ...]

    def shapes(self) -> Iterator[Shape]:
        """All shapes in painting order."""
        for group in self.groups:
            yield from group.shapes

    def leaves(self, shape: Shape) -> bool:
        """Whether ink of ``shape`` crosses the paper's edge."""
        if not len(shape.path.points):
            return False
        x0, y0, x1, y1 = shape.path.bounds()
        half = shape.pen.width / 2 if shape.pen.stroke else 0.0
        return x0 < half or y0 < half or x1 > self.width - half or y1 > self.height - half

    def only(self, roles: Collection[str]) -> Scene:
        """The same page with nothing but the shapes of these roles."""
        groups = [replace(g, shapes=tuple(s for s in g.shapes if s.role in roles)) for g in self.groups]
        return replace(self, groups=tuple(g for g in groups if g.shapes))


def printable(text: str) -> str:
    """``text`` in one line without control characters, which neither XML nor paper can hold."""
    return "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c)[0] != "C").strip()


def text_shape(
    shape_id: str,
    role: str,
    text: str,
    at: tuple[float, float],
    font: tuple[str, float, str],
    align: Literal["left", "right", "middle"] = "left",
    data: Mapping[str, str] | None = None,
) -> Shape | None:
    """A line of text whose baseline starts, ends or is centred at ``at`` (mm); ``font`` is (face, size in mm, colour).

    None where nothing of the text can be seen.
    """
    face, size, color = font
    text = printable(text)
    path, advance = text_path(text, face, size)
    if not len(path.points):
        return None
    shift = {"left": 0.0, "middle": -advance / 2, "right": -advance}[align]
    path = path.transform(Affine.translate(at[0] + shift, at[1])).round()
    outline = path.flatten()
    ink = Box(*outline.bounds())
    attributes = {"text": text, "font": face, "size-mm": f"{size:g}", **(data or {})}
    return Shape(shape_id, role, path, Pen(fill=color), attributes, TextInfo(text, ink, outline))
