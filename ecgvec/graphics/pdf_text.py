"""The words of a page as PDF text that is not seen: it lies on the ink, which is outlines, so that a reader can search,
select and copy it.

Printed words have the face, size and baseline that they are drawn with, handwritten ones lie word by word in the
rectangle around their letters. What somebody blacked out is not there to be found.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import Polygon

from ecgvec._typing import Points
from ecgvec.geometry.outlines import FACES, face, text_path
from ecgvec.graphics.shapes import AddedInfo, Scene, Shape, TextInfo
from ecgvec.resources import folder

if TYPE_CHECKING:
    import pikepdf

HAND = "sans"  # the face whose letters stand for handwriting
WITH_WORDS = ("stamp",)  # marks whose words are drawn, not only meant
HIDDEN = 0.5  # share of a word from which it cannot be read
STAMP_BAND = (0.8, 0.3)  # of a stamp's width and height, that its words are taken to fill
ROUND = 1.1  # longest side to shortest, up to which a stamp has no direction
INVISIBLE = 3  # PDF's text rendering mode

Characters = Sequence[tuple[str, Points]]


@dataclass(frozen=True, eq=False)
class Piece:
    """Some text in one face: ``at`` (2,) is the start of its baseline in mm, ``along`` (2,) the baseline's direction,
    ``size`` the em in mm, ``stretch`` how much wider than its face it is."""

    text: str
    face: str
    size: float
    at: Points
    along: Points
    stretch: float

    @property
    def ground(self) -> Polygon:
        """The rectangle that a reader shows as selected, but for spaces at its end."""
        found = _source(self.face)
        up = np.array([self.along[1], -self.along[0]]) * self.size
        end = self.at + self.along * self.size * self.stretch * _advance(self.text.rstrip(), self.face)
        corners = [foot + height * up for foot, height in ((self.at, found.ascent), (end, found.ascent))]
        return Polygon([*corners, end + found.descent * up, self.at + found.descent * up])


@dataclass(frozen=True, eq=False)
class _Source:
    """What a PDF says of a font file. Lengths are in ems, ``descent`` is below 0; ``glyphs``: code point -> number."""

    name: str
    glyphs: dict[int, int]
    count: int
    ascent: float
    descent: float
    cap_height: float
    box: tuple[float, ...]


@cache
def _source(name: str) -> _Source:
    from fontTools.ttLib import TTFont

    font = TTFont(folder("fonts") / FACES[name], lazy=True)
    head, lines = font["head"], font["hhea"]
    em = head.unitsPerEm
    return _Source(
        name=str(font["name"].getDebugName(6)),
        glyphs={code: font.getGlyphID(glyph) for code, glyph in font.getBestCmap().items()},
        count=font["maxp"].numGlyphs,
        ascent=lines.ascent / em,
        descent=lines.descent / em,
        cap_height=font["OS/2"].sCapHeight / em,
        box=tuple(side / em for side in (head.xMin, head.yMin, head.xMax, head.yMax)),
    )


def _advance(text: str, name: str) -> float:
    """The width of ``text`` in ems, as it is drawn."""
    return sum(text_path(character, name, 1.0)[1] for character in text)


# Where words lie ----------------------------------------------------------------------------------------------------


def pieces(scene: Scene) -> list[Piece]:
    """All words of a page that can be read, as a reader takes them: what is printed, then what people wrote."""
    found: list[tuple[int, Shape, Piece]] = []
    for at, shape in enumerate(scene.shapes()):
        found += [(at, shape, piece) for piece in _of_shape(shape)]
    found.sort(key=lambda item: item[1].role == "note")  # painted first, written last
    covers = [
        (at, Polygon(shape.info.ring))
        for at, shape in enumerate(scene.shapes())
        if isinstance(shape.info, AddedInfo) and shape.info.opaque
    ]
    return [
        piece
        for at, _, piece in found
        if _covered(piece.ground, [ring for later, ring in covers if later > at]) < HIDDEN
    ]


def _covered(ground: Polygon, covers: list[Polygon]) -> float:
    if not covers or not ground.area:
        return 0.0
    return float(shapely.intersection(ground, shapely.union_all(covers)).area / ground.area)


def _of_shape(shape: Shape) -> Iterator[Piece]:
    info = shape.info
    if isinstance(info, TextInfo):
        if "font" in shape.data:
            yield from _printed(shape, info.text)
        else:
            x0, y0, x1, y1 = info.ink
            quad = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) if info.quad is None else info.quad
            yield from _written(info.text, quad, info.characters)
    elif isinstance(info, AddedInfo) and info.text and info.kind in WITH_WORDS:
        yield from _written(info.text, _band(info.ring), ())


def _printed(shape: Shape, text: str) -> Iterator[Piece]:
    """A line of text where ``text_mark`` has put it."""
    name, size = shape.data["font"], float(shape.data["size-mm"])
    outlines, _ = text_path(text, name, size)
    yield from _line(text, name, size, shape.path.points[0] - outlines.points[0], np.array([1.0, 0.0]), 1.0)


def _written(text: str, quad: Points, characters: Characters) -> Iterator[Piece]:
    """Words within the rectangle ``quad`` (4, 2), from the top left clockwise as read, each as wide as its letters."""
    source = _source(HAND)
    foot, along, down = quad[3], quad[2] - quad[3], quad[3] - quad[0]
    length, height = float(np.hypot(*along)), float(np.hypot(*down))
    if not length or not height:
        return
    way, size = along / length, height / (source.ascent - source.descent)
    baseline = foot + source.descent * size * down / height
    for words, (start, end) in _words(text, characters, foot, way) or [(text, (0.0, length))]:
        natural = size * _advance(words.rstrip(), HAND)
        if natural:
            yield from _line(words, HAND, size, baseline + start * way, way, (end - start) / natural)


def _words(text: str, characters: Characters, foot: Points, along: Points) -> list[tuple[str, tuple[float, float]]]:
    """Each word with the space that follows it, and from where to where its letters reach ``along`` the line from
    ``foot``, mm; words of which no letter is told are left out."""
    found: list[tuple[str, tuple[float, float]]] = []
    word, reach, told = "", [], list(characters)
    for at, letter in enumerate(text):
        word += letter
        if told and told[0][0] == letter:
            reach.append((told.pop(0)[1] - foot) @ along)
        if letter == " " or at == len(text) - 1:
            if reach:
                places = np.concatenate(reach)
                found.append((word, (float(places.min()), float(places.max()))))
            word, reach = "", []
    return found


def _band(ring: Points) -> Points:
    """Where the words of a stamp with this ring (n, 2) stand, (4, 2): along the middle of the rectangle around it."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(Polygon(ring)))[:4]
    sides = np.hypot(*(corners[1:3] - corners[:2]).T)
    if sides.max() < ROUND * sides.min():
        corners = shapely.get_coordinates(shapely.box(*Polygon(ring).bounds))[:4]
    middle = corners.mean(axis=0)
    half = (corners[1:3] - corners[:2]) / 2
    along, down = half if abs(half[0, 0]) > abs(half[1, 0]) else half[::-1]
    along = along * np.sign(along[0])
    down = down * np.sign(along[0] * down[1] - along[1] * down[0])
    along, down = along * STAMP_BAND[0], down * STAMP_BAND[1]
    return np.asarray([middle - along - down, middle + along - down, middle + along + down, middle - along + down])


def _line(text: str, wanted: str, size: float, at: Points, along: Points, stretch: float) -> Iterator[Piece]:
    """``text`` from ``at`` on, in pieces of one word and one face, each character's own as it is drawn."""
    runs: list[tuple[str, str]] = []
    for character in text:
        held = next((name for name in (wanted, *FACES) if face(name).has(character)), wanted)
        if runs and runs[-1][0] == held and (character == " " or not runs[-1][1].endswith(" ")):
            runs[-1] = held, runs[-1][1] + character
        else:
            runs.append((held, character))
    for held, run in runs:
        yield Piece(run, held, size, at, along, stretch)
        at = at + along * size * stretch * _advance(run, held)


# How a PDF says it --------------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """A number as PDF has it, which knows no exponents; to seven decimals."""
    return f"{value:.7f}".rstrip("0").rstrip(".")


@dataclass(eq=False)
class Fonts:
    """The faces of a document and the characters that it uses of each, with the codes that stand for them: the numbers
    of their glyphs, and beyond them for characters that no face has."""

    used: dict[str, dict[str, int]] = field(default_factory=dict)

    def show(self, found: Sequence[Piece]) -> str:
        """The operators that put these pieces on a page whose unit is 1 mm, y down."""
        if not found:
            return ""
        lines = [f"BT {INVISIBLE} Tr"]
        for piece in found:
            (x, y), (right, down) = piece.at.tolist(), piece.along.tolist()
            matrix = " ".join(map(number, (right, down, down, -right, x, y)))
            lines.append(f"/{piece.face} {number(piece.size)} Tf {number(100 * piece.stretch)} Tz {matrix} Tm")
            lines.append(f"<{self._codes(piece)}> Tj")
        return "\n".join([*lines, "ET\n"])

    def _codes(self, piece: Piece) -> str:
        source, used = _source(piece.face), self.used.setdefault(piece.face, {})
        for character in piece.text:
            if character not in used:
                absent = sum(code >= source.count for code in used.values())
                used[character] = source.glyphs.get(ord(character), source.count + absent)
        return "".join(f"{used[character]:04X}" for character in piece.text)

    def resources(self, document: pikepdf.Pdf) -> Any:
        """The font resources of ``document``, each face embedded as far as it is used."""
        import pikepdf

        fonts = pikepdf.Dictionary()
        for name, used in sorted(self.used.items()):
            fonts[f"/{name}"] = document.make_indirect(_font(document, name, used))
        return document.make_indirect(fonts)


def _font(document: pikepdf.Pdf, name: str, used: dict[str, int]) -> Any:
    """A composite font whose codes are glyph numbers (ISO 32000-1, 9.7)."""
    from pikepdf import Array, Dictionary, Name, Stream

    source, data = _source(name), _subset(name, "".join(sorted(used)))
    tag = "".join(chr(ord("A") + byte % 26) for byte in hashlib.sha256(data).digest()[:6])
    base = Name(f"/{tag}+{source.name}")
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=base,
        Flags=4,  # a set of glyphs of its own
        FontBBox=Array([round(1000 * side) for side in source.box]),
        ItalicAngle=0,
        StemV=80,
        Ascent=round(1000 * source.ascent),
        Descent=round(1000 * source.descent),
        CapHeight=round(1000 * source.cap_height),
        FontFile2=Stream(document, data, Length1=len(data)),
    )
    widths = [part for c, code in sorted(used.items(), key=lambda item: item[1]) for part in (code, _width(c, name))]
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=base,
        CIDSystemInfo=Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
        FontDescriptor=document.make_indirect(descriptor),
        W=Array(widths),
        CIDToGIDMap=Name.Identity,
    )
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=base,
        Encoding=Name("/Identity-H"),
        DescendantFonts=[document.make_indirect(descendant)],
        ToUnicode=Stream(document, _to_unicode(used)),
    )


def _width(character: str, name: str) -> Any:
    from decimal import Decimal

    import pikepdf

    return pikepdf.Array([Decimal(f"{1000 * _advance(character, name):.4f}")])


def _subset(name: str, characters: str) -> bytes:
    """The font file with these characters alone, its glyphs numbered as before."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options(retain_gids=True, hinting=False, layout_features=[], notdef_outline=True)
    options.drop_tables += ["name", "post", "OS/2", "cmap", "GSUB", "GPOS", "GDEF", "gasp", "meta", "FFTM"]
    font = TTFont(folder("fonts") / FACES[name], lazy=True, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def _to_unicode(used: dict[str, int]) -> bytes:
    """The map from codes to characters (ISO 32000-1, 9.10.3)."""
    pairs = [f"<{code:04X}> <{character.encode('utf-16-be').hex()}>" for character, code in used.items()]
    blocks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]  # the most that a block may hold
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
        *("\n".join([f"{len(block)} beginbfchar", *block, "endbfchar"]) for block in blocks),
        "endcmap CMapName currentdict /CMap defineresource pop end end",
    ]
    return "\n".join(lines).encode("ascii")
