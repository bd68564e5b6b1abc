"""From the bytes of a page to its markup: encodings, tags, entities."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ecgvec.errors import SourceError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from bs4.builder import TreeBuilder


MAX_TAGS = 150_000
"""Start and end tags of one page. Parsing takes about 10 microseconds and 1 KB for each, of tangled ones more."""

MAX_OPEN = 512
"""How deep elements may be nested where html5lib parses, whose time grows with the depth. (Browsers stop at 512.)"""

PARSE_S = 10.0
"""Longest time in seconds that html5lib may take."""

_OPENING = re.compile(r"<(?:(?P<comment>!--)|(?P<other>[!?])|(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*))")
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?""")
_KEPT = frozenset({"id", "class", "role", "hidden", "aria-hidden", "style", "open", "href"})
_RAW = frozenset({"script", "style", "noscript", "iframe", "noembed", "noframes", "textarea", "title", "xmp"})
"""Elements whose content is no markup; all but xmp are not seen, and that is long dead."""

_INLINE = frozenset({"b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"})
"""Parsers repeat these where they were left open, once for every paragraph: a few kilobytes become gigabytes. They
say nothing of what can be seen, so each becomes a span, which nobody repeats."""


def parse(markup: str, name: str) -> BeautifulSoup:
    """The tree of ``markup``, by lxml, or by html5lib where lxml is absent; without scripts and comments.

    SourceError, naming the source ``name``, where the page is too big or too deep, or no parser is installed.
    """
    plain = "".join(_plain(markup, name))
    try:
        from bs4 import BeautifulSoup
    except ImportError as error:
        raise _missing(name, "Beautiful Soup") from error
    if find_spec("lxml") is not None:
        return BeautifulSoup(plain, "lxml")
    if find_spec("html5lib") is None:
        raise _missing(name, "lxml or html5lib")
    return BeautifulSoup(plain, builder=_html5lib(name))


def _missing(name: str, package: str) -> SourceError:
    return SourceError(f"{name} is HTML, and reading it needs {package}; run pip install 'ecgvec[nlp]'")


def _html5lib(name: str) -> TreeBuilder:
    """Beautiful Soup's builder on html5lib, which ends in SourceError where the page is too deep or takes too long."""
    from bs4.builder._html5lib import HTML5TreeBuilder, TreeBuilderForHtml5lib

    end = time.monotonic() + PARSE_S

    def check(deep: int) -> None:
        if deep >= MAX_OPEN or time.monotonic() > end:
            raise SourceError(
                f"{name} holds HTML that is too tangled for html5lib; install lxml, or save the page's text as a .txt "
                "file and give that"
            )

    class Open(list[object]):
        """The elements that are open."""

        def append(self, element: object) -> None:
            check(len(self))
            super().append(element)

    class Tree(TreeBuilderForHtml5lib):
        def reset(self) -> None:
            super().reset()
            self.openElements = Open()

        def insertText(self, data: str, parent: object = None) -> None:  # noqa: N802
            check(0)
            super().insertText(data, parent)

    class Builder(HTML5TreeBuilder):
        def create_treebuilder(self, namespaceHTMLElements: bool) -> TreeBuilderForHtml5lib:  # noqa: N803
            self.underlying_builder = Tree(namespaceHTMLElements, self.soup, store_line_numbers=False)
            return self.underlying_builder

    return Builder()


def _plain(markup: str, name: str) -> Iterator[str]:
    """Pieces of ``markup`` without comments, scripts and the attributes that nobody asks for.

    Reads each character a fixed number of times at most, whatever the markup.
    """
    at = tags = 0
    while found := _OPENING.search(markup, at):
        yield markup[at : found.start()]
        at = found.end()
        tags += found["name"] is not None
        if tags > MAX_TAGS:
            raise SourceError(
                f"{name} holds more than {MAX_TAGS} HTML tags; save its text as a .txt file and give that"
            )
        if found["comment"]:
            at = _after(markup, "-->", at)
        elif found["other"]:
            at = _after(markup, ">", at)
        elif found["end"]:
            at = _after(markup, ">", at)
            yield f"</{_renamed(found['name'])}>"
        else:
            attributes, at = _attributes(markup, at)
            tag = found["name"].lower()
            if tag in _RAW:
                closing = re.compile(rf"</{tag}(?=[\s/>])", re.I).search(markup, at)
                at = _after(markup, ">", closing.end()) if closing else len(markup)
            else:
                yield f"<{_renamed(tag)}{attributes}>"
    yield markup[at:]


def _renamed(tag: str) -> str:
    return "span" if tag.lower() in _INLINE else tag


def _after(markup: str, what: str, at: int) -> int:
    """Where ``what`` ends, from ``at`` on; the end of the markup where it does not come."""
    found = markup.find(what, at)
    return len(markup) if found < 0 else found + len(what)


def _attributes(markup: str, at: int) -> tuple[str, int]:
    """The attributes worth keeping of the tag whose name ends at ``at``, as markup; where the tag ends."""
    kept: dict[str, str] = {}
    while found := _ATTRIBUTE.match(markup, at):
        at = found.end()
        key = found[1].lower()
        if key in _KEPT and key not in kept:
            kept[key] = found[2] or found[3] or found[4] or ""
    end = _after(markup, ">", at)
    return "".join(f' {key}="{value.replace(chr(34), "&quot;")}"' for key, value in kept.items()), end


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the start of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_KINDS = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"{\\rtf", "an RTF document"),
)
"""How files begin that are often taken for text."""

_LATIN = frozenset({"ascii", "iso8859-1", "cp1252"})
"""Names that browsers all read as windows-1252."""

_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})

_KNOWN = re.compile(
    r"utf-8|utf-(16|32)(-[lb]e)?|ascii|iso8859-\d+|cp(125\d|866|874|932|949)|koi8-[rtu]|mac-(roman|cyrillic|greek)"
    r"|gb(2312|k|18030)|big5(hkscs)?|euc_(jp|kr)|shift_jis|iso2022_jp|tis-620"
)
"""Encodings that texts are in. Python knows others that are none, or whose time to read grows with the square of the
length (punycode); a page may name those too."""

_HTML_START = re.compile(r"\s*(<\?xml[^>]{0,200}>\s*|<!--.{0,2000}?-->\s*)*<(!doctype\s+html|html[\s>])", re.I | re.S)
_DECLARED = re.compile(
    rb"<(?:meta\s[^>]{0,400}?charset|\?xml\s[^>]{0,200}?encoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I
)
_HEAD_BYTES = 4096
"""How far into a page its encoding is looked for. (Browsers: 1024.)"""

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def looks_like_html(text: str) -> bool:
    """Whether ``text`` begins as an HTML page does."""
    return _HTML_START.match(text[:_HEAD_BYTES]) is not None


def decode(data: bytes, name: str, declared: str | None = None) -> str:
    """The text of ``data``, with line ends as ``\\n``.

    The encoding is that of the byte order mark, else ``declared`` (the charset that a server gave), else the one that
    an HTML page names, where the bytes are in it; else UTF-8; else windows-1252, in which any bytes can be read.
    SourceError, naming the source ``name``, where the bytes are no text.
    """
    for start, kind in _KINDS:
        if data.startswith(start):
            raise SourceError(f"{name} is {kind}, not text; save its text as a .txt or an HTML file and give that")
    text = _text(data, declared)
    if "\0" in text or len(_CONTROLS.findall(text)) > len(text) // 100:
        raise SourceError(f"{name} is binary data, not text; give a text or an HTML file, in UTF-8 if possible")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _text(data: bytes, declared: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    for encoding in _candidates(data, declared):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue  # declared wrongly: the next one
    return data.decode("cp1252", errors="replace")


def _candidates(data: bytes, declared: str | None) -> list[str]:
    """Encodings to try, in order."""
    named = _DECLARED.search(data[:_HEAD_BYTES])
    inside = _codec(named[1].decode("ascii", errors="replace")) if named else None
    if inside in _WIDE:
        inside = "utf-8"  # it was read as ASCII a moment ago
    found = [encoding for encoding in (_codec(declared or ""), inside) if encoding]
    # Servers say Latin-1 of everything. What can be read as UTF-8 is UTF-8.
    return [*(encoding for encoding in found if encoding not in _LATIN), "utf-8"]


def _codec(label: str) -> str | None:
    """Python's name of the text encoding ``label``; None where there is none."""
    label = label.strip().strip("\"'").lower()
    if not re.fullmatch(r"[\w.:-]{1,40}", label, re.ASCII):
        return None
    try:
        name = codecs.lookup({"x-sjis": "cp932", "windows-31j": "cp932"}.get(label, label)).name
    except LookupError:
        return None
    return name if _KNOWN.fullmatch(name) else None
