"""``ecgvec gallery``: one HTML file that holds everything it shows and asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ecgvec._version import __version__
from ecgvec.errors import ExportError, SourceError, printable
from ecgvec.export.files import FileSet
from ecgvec.export.read import find_sidecars
from ecgvec.planning.model import Plan
from ecgvec.viewer import gallery_data
from ecgvec.viewer.gallery_data import LAYERS, Entry, read_entry
from ecgvec.viewer.layers import OCCLUDED

FILE_NAME = "gallery.html"
MAX_IMAGES = 200  # images in a page: at 200 dpi about 1 MB each
_WEB = Path(__file__).parent / "web"
_SCRIPTS = ("decode.js", "draw.js", "stage.js", "probe.js", "viewer.js", "grid.js")
_PIECE = 1 << 20


@dataclass
class Gallery:
    """The ``path`` that was written and its ``size`` in bytes; how many images are ``shown`` of how many ``found``; one
    sentence for each that ``failed``."""

    path: Path
    size: int = 0
    shown: int = 0
    found: int = 0
    failed: list[str] = field(default_factory=list)


def write_gallery(
    folder: Path,
    out: Path | None = None,
    *,
    title: str | None = None,
    max_images: int = MAX_IMAGES,
    lossless: bool = False,
) -> Gallery:
    """Write one HTML page that shows the images below ``folder`` with their labels, ``folder/gallery.html`` unless
    ``out`` names another file. The first ``max_images`` images are shown; ``title`` is the folder's name unless it is
    given; pictures are JPEGs of quality 85, ``lossless`` the files as they are.

    SourceError where there is no image, or none that can be shown; ExportError where the page cannot be written.
    """
    out = folder / FILE_NAME if out is None else out
    if out.suffix.lower() not in (".html", ".htm"):
        raise ExportError(f"{out} is no name of a web page: let it end in .html")
    names = find_sidecars(folder)
    done = Gallery(out, found=len(names))
    title = printable(folder.resolve().name if title is None else title)
    cards: list[str] = []
    with tempfile.TemporaryFile() as data:  # what is large comes last in the page, so that it is seen before
        for name in names[:max_images]:
            try:
                cards.append(_add(read_entry(folder, name), len(cards), lossless, data))
            except SourceError as error:
                done.failed.append(printable(str(error)))
        if not cards:
            raise SourceError(f"none of the {len(names)} images in {folder} can be shown; the first: {done.failed[0]}")
        done.shown = len(cards)
        done.size = _write(out, _page(title, cards, done), data)
    return done


def _write(out: Path, page: str, data: IO[bytes]) -> int:
    """The page, with ``data`` before its end; its size in bytes."""
    before, after = page.encode().split(b"<!--data-->")

    def pieces() -> Iterator[bytes]:
        yield before
        data.seek(0)
        while piece := data.read(_PIECE):
            yield piece
        yield after

    with FileSet(out.parent) as files:
        return files.add(out.name, pieces()).size


def _add(entry: Entry, index: int, lossless: bool, data: IO[bytes]) -> str:
    """Put the image's picture and labels into ``data``; its card. Scripts of a type that no browser knows are data:
    they cost nothing until they are asked for."""
    labels = gallery_data.labels(entry)  # before anything is written, for they may be broken
    media_type, picture = gallery_data.picture(entry, lossless)
    for kind, about, content in (("labels", "application/zlib", labels), ("picture", media_type, picture)):
        encoded = gallery_data.as_base64(content)
        text = f'<script type="text/plain" id="{kind}-{index}" data-type="{about}">{encoded}</script>\n'
        data.write(text.encode())
    return _card(entry, index)


def _card(entry: Entry, index: int) -> str:
    """The thumbnail with its caption, a link that opens the image. ``data-about``: what the viewer says of it."""
    content, width, height = gallery_data.small(entry)
    plan, name = entry.page.plan, printable(entry.name)
    recipe = printable(plan.recipe) or "no title"
    look = f"{plan.page.template} · {entry.page.dpi:g} dpi"
    about = about_image(plan, entry)
    search = " ".join([name, *(f"{key} {value}" for key, value in about)]).lower()
    return (
        f'<li class="card" data-name={_quoted(name)} data-search={_quoted(search)} '
        f"data-about={_quoted(json.dumps(about))}>"
        f'<a href="#{index + 1}"><span class="thumb"><img width="{width}" height="{height}" alt="" '
        f'src="data:image/jpeg;base64,{gallery_data.as_base64(content)}"></span>'
        f"<b>{html.escape(name)}</b><span>{html.escape(recipe)}</span>"
        f"<small>seed {plan.seed}{_variant(plan)} · {html.escape(look)}</small></a></li>"
    )


def _variant(plan: Plan) -> str:
    return f", variant {plan.variant}" if plan.variants > 1 else ""


def about_image(plan: Plan, entry: Entry) -> list[tuple[str, str]]:
    """What the viewer lists beside an image: (what, value)."""
    found = [
        ("Recipe", plan.recipe),
        ("Seed", f"{plan.seed}{_variant(plan)}"),
        ("Record", f"{plan.record.path}, window {plan.window.index}"),
        ("Template", plan.page.template),
        ("Image", f"{entry.page.size[0]} × {entry.page.size[1]} px, {entry.page.dpi:g} dpi"),
        ("Marks", _kinds([mark.kind for mark in plan.marks])),
        ("Bent and seen by", _kinds([part.kind for part in plan.warp])),
        ("Effects", _kinds([effect.kind for effect in plan.effects])),
    ]
    return [(what, printable(value)) for what, value in found if value]


def _kinds(kinds: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(kind.replace("-", " ") for kind in kinds))


def _quoted(text: str) -> str:
    return f'"{html.escape(text)}"'


def _page(title: str, cards: Sequence[str], done: Gallery) -> str:
    """The page without its data. The policy allows the one script and the one style that are here, and no address."""
    style = (_WEB / "page.css").read_text(encoding="utf-8")
    layers = [{"id": layer.id, "title": layer.title, "key": layer.key, "shown": layer.shown} for layer in LAYERS]
    constants = f"const LAYERS = {json.dumps(layers)}, OCCLUDED = {json.dumps(OCCLUDED)};\n"
    code = "".join((_WEB / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{constants}{code}}})();\n'
    policy = (
        f"default-src 'none'; img-src data: blob:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    fields = {
        "policy": policy,
        "title": html.escape(title),
        "version": html.escape(__version__),
        "style": style,
        "count": html.escape(_count(done)),
        "cards": "\n".join(cards),
        "failed": _failed(done.failed),
        "script": script,
    }
    pieces = (_WEB / "page.html").read_text(encoding="utf-8").split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:  # in one pass: what is filled in is not searched for fields
        name, rest = piece.split("}}", 1)
        filled += [fields[name], rest]
    return "".join(filled)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _count(done: Gallery) -> str:
    images = f"{done.shown} image{'' if done.shown == 1 else 's'}"
    left = done.found - done.shown - len(done.failed)
    return f"{images}, the first of {done.found}" if left else images


def _failed(sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f'<details class="failed"><summary>{len(sentences)} not shown</summary><ul>{items}</ul></details>'
