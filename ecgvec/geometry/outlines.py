"""Text as outlines of the bundled faces."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ecgvec.errors import TemplateError, nearest
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.path import CLOSE, CURVE, LINE, MOVE, Path, join
from ecgvec.resources import folder

FACES = {
    "sans": "LiberationSans-Regular.ttf",
    "sans-bold": "LiberationSans-Bold.ttf",
    "serif": "LiberationSerif-Regular.ttf",
    "serif-bold": "LiberationSerif-Bold.ttf",
    "mono": "LiberationMono-Regular.ttf",
    "condensed": "NotoSans-Condensed.ttf",
}
# Drawn in place of a character that no bundled face holds (U+FFFD, then a question mark).
_REPLACEMENTS = ("\ufffd", "?")


@dataclass(frozen=True, eq=False)
class Face:
    """One font file. Sizes are those of the em square, in millimetres."""

    name: str
    units: int
    cap_height: float
    _cmap: dict[int, str]
    _glyphs: Any
    _outlines: dict[str, tuple[Path, float]] = field(default_factory=dict)

    def has(self, character: str) -> bool:
        """Whether the face holds ``character``."""
        return ord(character) in self._cmap

    def glyph(self, character: str) -> tuple[Path, float]:
        """Outline in em units, y up, and advance width of a character that the face holds."""
        name = self._cmap[ord(character)]
        if name not in self._outlines:
            self._outlines[name] = _outline(self._glyphs, name)
        return self._outlines[name]


def _outline(glyphs: Any, name: str) -> tuple[Path, float]:
    from fontTools.pens.basePen import BasePen

    codes: list[int] = []
    points: list[tuple[float, float]] = []

    class Collector(BasePen):  # type: ignore[misc]  # BasePen turns quadratic curves and components into cubics
        def _moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802
            codes.append(MOVE)
            points.append(point)

        def _lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
            codes.append(LINE)
            points.append(point)

        def _curveToOne(self, *three: tuple[float, float]) -> None:  # noqa: N802
            codes.append(CURVE)
            points.extend(three)

        def _closePath(self) -> None:  # noqa: N802
            codes.append(CLOSE)

    glyph = glyphs[name]
    glyph.draw(Collector(glyphs))
    path = Path(np.array(codes, dtype=np.uint8), np.array(points, dtype=np.float64).reshape(-1, 2))
    return path, float(glyph.width)


@cache
def face(name: str) -> Face:
    """The bundled face of that name; TemplateError with the nearest name where there is none."""
    from fontTools.ttLib import TTFont

    if name not in FACES:
        raise TemplateError(f"unknown font '{name}'{nearest(name, FACES)}")
    font = TTFont(folder("fonts") / FACES[name], lazy=True)
    metrics = font["OS/2"]
    return Face(
        name=name,
        units=int(font["head"].unitsPerEm),
        cap_height=float(metrics.sCapHeight),
        _cmap=dict(font.getBestCmap()),
        _glyphs=font.getGlyphSet(),
    )


def _face_for(name: str, character: str) -> tuple[Face, str]:
    """The face to draw ``character`` with: the wanted one, else any that holds it, else a replacement mark."""
    wanted = face(name)
    if wanted.has(character):
        return wanted, character
    for other in FACES:
        if face(other).has(character):
            return face(other), character
    return next((wanted, mark) for mark in _REPLACEMENTS if wanted.has(mark))


@lru_cache(4096)
def _letter(face_name: str, character: str, size: float) -> tuple[Path, float]:
    """One character as ``text_path`` draws it at the origin, and its advance width, in mm."""
    source, drawn = _face_for(face_name, character)
    path, advance = source.glyph(drawn)
    scale = size / source.units
    return path.transform(Affine(a=scale, d=-scale)), advance * scale


@lru_cache(256)  # a page's lead names come again and again
def text_path(text: str, face_name: str, size: float) -> tuple[Path, float]:
    """Outlines of one line of ``text`` and its advance width, in mm.

    The pen starts at the origin, on the baseline; y runs down. ``size`` is the em size in mm. A character that
    no bundled face holds is drawn as a replacement mark.
    """
    pen, parts = 0.0, []
    for character in text:
        path, advance = _letter(face_name, character, size)
        if len(path.codes):
            parts.append(Path(path.codes, path.points + np.array([pen, 0.0])))
        pen += advance
    return join(parts), pen


def cap_height(face_name: str, size: float) -> float:
    """Height of a capital letter in mm."""
    metrics = face(face_name)
    return metrics.cap_height * size / metrics.units
