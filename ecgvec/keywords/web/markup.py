"""HTML made plain before it is parsed, so that no page takes a parser long; and the tree that Beautiful Soup makes."""

from __future__ import annotations

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
