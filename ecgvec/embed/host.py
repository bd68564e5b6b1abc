"""The page that an ECG is put into: any SVG. Only what has to be known of it is read; its text is never rewritten, so
scripts, fonts, comments and prefixes stay to the last byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

import numpy as np

from ecgvec.errors import SourceError
from ecgvec.geometry.affine import Affine
from ecgvec.geometry.units import MM_PER_INCH

SVG = "http://www.w3.org/2000/svg"
_MM = {"": MM_PER_INCH / 96, "px": MM_PER_INCH / 96, "pt": MM_PER_INCH / 72, "pc": MM_PER_INCH / 6}
_MM |= {"in": MM_PER_INCH, "cm": 10.0, "mm": 1.0}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_LENGTH = re.compile(rf"\s*({_NUMBER})\s*([a-zA-Z%]*)\s*")
_ALIGN = re.compile(r"x(Min|Mid|Max)Y(Min|Mid|Max)")
_SHARES = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
_TAG = re.compile(rb"<([^\s/>]+)")


def after(outer: Affine, inner: Affine) -> Affine:
    """The map that is ``inner``, then ``outer``."""
    (a, b), (c, d) = np.array([(inner.a, inner.b), (inner.c, inner.d)]) @ [(outer.a, outer.b), (outer.c, outer.d)]
    ((e, f),) = outer(np.array([(inner.e, inner.f)]))
    return Affine(*map(float, (a, b, c, d, e, f)))


@dataclass(frozen=True)
class Host:
    """What is known of an SVG document: its text ``svg``, its ``width`` and ``height`` in mm, the map ``to_user`` from
    mm of its page to its own user units, and the ``ids`` that it has. ``end``: the byte at which its root's content
    ends; ``name``: the root's tag where it is closed without content, as ``<svg/>`` is (else None)."""

    svg: str
    width: float
    height: float
    to_user: Affine
    ids: frozenset[str]
    end: int
    name: bytes | None

    def with_last(self, fragment: str) -> str:
        """The document with ``fragment``, elements with namespaces of their own, painted last."""
        data, new = self.svg.encode("utf-8"), fragment.encode("utf-8")
        if self.name is None:
            return (data[: self.end] + new + b"\n" + data[self.end :]).decode("utf-8")
        head, tail = data[: self.end], data[self.end + 2 :]  # without "/>"
        return (head + b">\n" + new + b"\n</" + self.name + b">" + tail).decode("utf-8")


def read(svg: str) -> Host:
    """What ``svg`` is as a host. SourceError where it is no SVG, declares entities, or has no size of its own."""
    reader = _Reader()
    data = svg.encode("utf-8", "replace")
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise SourceError(f"the host page is no SVG document ({error}): give the text of a whole one") from None
    width, height = (_millimetres(reader.root, side) for side in ("width", "height"))
    to_user = _to_user(reader.root, width, height)
    empty = data[reader.end : reader.end + 2] != b"</"  # then expat says where its tag ends
    end, name = (reader.end - 2, _TAG.match(data, reader.start)) if empty else (reader.end, None)
    return Host(svg, width, height, to_user, frozenset(reader.ids), end, name and name[1])


class _Reader:
    """Goes through a document once: its ids, its root's attributes, and the bytes at which its root begins and ends."""

    def __init__(self) -> None:
        self.root: Mapping[str, str] = {}
        self.ids: set[str] = set()
        self.start, self.end, self._depth = 0, 0, 0
        self.parser = expat.ParserCreate(encoding="utf-8", namespace_separator="}")
        self.parser.StartElementHandler = self._opened
        self.parser.EndElementHandler = self._closed
        self.parser.EntityDeclHandler = self._entity

    def _opened(self, tag: str, attributes: dict[str, str]) -> None:
        if self._depth == 0:
            if tag != f"{SVG}}}svg":
                found = tag.rpartition("}")[2]
                raise SourceError(f'the host page is <{found}>, not <svg xmlns="{SVG}">: give an SVG document')
            self.root, self.start = attributes, self.parser.CurrentByteIndex
        self._depth += 1
        self.ids.update(value for name, value in attributes.items() if name in ("id", _XML_ID))

    def _closed(self, _: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.end = self.parser.CurrentByteIndex

    def _entity(self, name: str, *_: object) -> None:
        raise SourceError(
            f"the host page declares the entity '{name}', which may be a trap: write out what it stands for"
        )


_XML_ID = "http://www.w3.org/XML/1998/namespace}id"


def _millimetres(root: Mapping[str, str], side: str) -> float:
    found = _LENGTH.fullmatch(root.get(side, ""))
    size = float(found[1]) * _MM.get(found[2].lower(), 0.0) if found else 0.0
    if not 0 < size < float("inf"):
        said = f'{side}="{root[side]}"' if side in root else f"no {side}"
        raise SourceError(
            f'the host page has {said}: give its root a {side} in mm, cm, in, pt, pc or px, as {side}="210mm"'
        )
    return size


def _to_user(root: Mapping[str, str], width: float, height: float) -> Affine:
    """From mm of the page to user units: viewBox and preserveAspectRatio as SVG 1.1, 7.7 and 7.8, have them."""
    if "transform" in root:
        raise SourceError(
            "the host page has a transform on its root, which programs read in different ways: put it on a group"
        )
    if "viewBox" not in root:
        return Affine.scale(1 / _MM[""])
    box = [float(number) for number in re.findall(_NUMBER, root["viewBox"])]
    if len(box) != 4 or min(box[2:]) <= 0:
        raise SourceError(
            f'the host page has viewBox="{root["viewBox"]}": write four numbers, width and height above 0'
        )
    x, y, across, down = box
    how = root.get("preserveAspectRatio", "xMidYMid meet")
    sx, sy = width / across, height / down
    if not how.startswith("none"):
        sx = sy = max(sx, sy) if how.endswith("slice") else min(sx, sy)
    align = _ALIGN.search(how)
    left, top = (_SHARES[word] for word in align.groups()) if align else (0.0, 0.0)
    e, f = left * (width - sx * across) - sx * x, top * (height - sy * down) - sy * y
    return Affine(a=sx, d=sy, e=e, f=f).inverse()
