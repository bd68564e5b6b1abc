"""What marks are given, and what kinds there are. A mark is painted as vectors and has a label of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ecgvec._typing import Points
from ecgvec.components import Part, Registry
from ecgvec.errors import RecipeError
from ecgvec.geometry.path import Box, Path
from ecgvec.graphics.shapes import Pen, Shape
from ecgvec.layout.place import Layout, TraceInfo


@dataclass(frozen=True, eq=False)
class PageContext:
    """The printed page that a mark is put on, in mm: its ``layout``, the ``traces`` by the ids of their marks, the
    boxes of all texts, pulses and codes, and the traces' colour ``ink``. ``names``: the boxes of lead names, by the
    ids of their traces; ``header``: those of the header's lines, the patient's first."""

    layout: Layout
    traces: Mapping[str, TraceInfo]
    printed: tuple[Box, ...]
    ink: str
    names: Mapping[str, Box]
    header: tuple[Box, ...]


@dataclass(frozen=True, eq=False)
class Drawing:
    """What one mark is painted with, in order, in mm; the ring (n, 2) around all of it; its words; and the id of the
    trace that it points out (None: no trace)."""

    strokes: tuple[tuple[Path, Pen], ...]
    ring: Points
    text: str = ""
    trace: str | None = None


class PageMark(Part, ABC):
    """Anything that happens to a page's drawing."""


class AddedMark(PageMark):
    """Something put on the printed page. ``under``: it lies below the print, as a highlighter's ink seems to;
    ``opaque``: nothing beneath can be seen."""

    under: ClassVar[bool] = False
    opaque: ClassVar[bool] = False

    @abstractmethod
    def draw(self, board: PageContext) -> Drawing | None:
        """The mark; None where the page has no place for it (no trace to circle)."""


class PenFault(PageMark):
    """Something that goes wrong while traces are written."""

    @abstractmethod
    def write(self, trace: Shape, info: TraceInfo) -> tuple[Shape, ...]:
        """What the pen leaves of ``trace``: first the trace itself, the same path with another pen or other ``inked``,
        then what else it leaves, which is no trace."""


MARKS: Registry[type[PageMark]] = Registry("mark", RecipeError)
