"""The text that a reader of an HTML page sees: no scripts, navigation, forms, hidden parts or cookie banners."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecgvec.errors import SourceError
from ecgvec.keywords.web.markup import parse

if TYPE_CHECKING:
    from bs4 import Tag
    from bs4.element import PageElement


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_DROPPED = _set(
    # scripts and what stands in for what cannot be shown
    "script style noscript template head iframe object embed audio video canvas svg math map noframes noembed "
    # what is not the article
    "nav footer aside dialog "
    # form controls (not the form: some sites wrap whole pages in one)
    "button select option optgroup datalist textarea input label legend output progress meter"
)

_ROLES = _set("navigation banner contentinfo complementary search dialog alertdialog menu menubar toolbar tablist")
"""ARIA roles of what is not the article (WAI-ARIA 1.2, landmarks and widgets)."""

_BLOCKS = _set(
    "address article blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure form "
    "h1 h2 h3 h4 h5 h6 header hgroup hr html li main menu ol p pre section summary table tbody tfoot thead "
    "tr ul"
)
"""Elements that stand on lines of their own (HTML Living Standard, section 15.3)."""

_CELLS = frozenset({"td", "th"})
_BETWEEN_CELLS = " | "
_ARTICLE = frozenset({"html", "body", "main", "article", "h1"})
"""Never taken for a banner, nor is what holds one of the last three: the class of a page's body often says which
banners the page has."""

_UNSEEN_STYLE = re.compile(r"(?:^|;)(?:display:none|visibility:hidden)(?:!important)?(?:;|$)")
_UNSEEN_CLASSES = frozenset({"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text", "skip-link"})

_VENDORS = re.compile(
    r"onetrust-|ot-sdk|cybot-cookiebot|cookiebot|usercentrics|qc-cmp2|didomi|truste_|truste-|cky-|cmplz-|sp_message_"
    r"|fc-consent|osano-cm|termly-|iubenda-cs|borlabs-cookie|moove_gdpr|cookie-law-info|evidon-|tarteaucitron"
)
"""How the ids of the usual consent programs begin."""

_SUBJECTS = {
    # subject: words that make an element of it a banner, beside it in one name. A cookie may be a biscuit, and
    # consent may be a patient's: the subject alone says nothing.
    frozenset({"cookie", "cookies", "gdpr", "ccpa"}): _set(
        "banner notice bar popup popin modal overlay dialog consent message wall warning alert law policy disclaimer "
        "settings preferences prompt info container notification toast widget"
    ),
    frozenset({"consent"}): _set("banner popup modal overlay manager wall dialog cmp sdk cookie cookies"),
    frozenset({"newsletter", "subscribe"}): _set(
        "signup sign form box banner popup modal promo cta widget block subscribe subscription teaser"
    ),
    frozenset({"share", "sharing", "social"}): _set(
        "buttons button bar links icons tools toolbar widget list menu nav"
    ),
    frozenset({"site", "page", "main", "top", "global", "primary", "secondary", "footer", "header", "side"}): _set(
        "nav navigation menu navbar"
    ),
}

_NAMES = _set(
    "nav navbar navigation menu breadcrumb breadcrumbs pagination pager newsletter share sharing sharedaddy addthis "
    "addtoany mw-navigation mw-editsection site-header site-footer skip-links"
)
"""Ids and classes that are banners as they stand."""

_BANNER_CHARS = 1500
"""More text outside links than this, and an element is no banner, whatever its name."""


def visible_text(markup: str, name: str) -> str:
    """The text of the page ``markup`` that a reader sees: a line a block, cells of a table parted by `` | ``.

    Each of the page's words is in it at most once and in order. SourceError, naming the source ``name``, where the
    page is too big to be parsed, no parser is installed, or nothing can be seen.
    """
    soup = parse(markup, name)
    lines = [" ".join(line.split()) for line in "".join(_pieces(soup)).split("\n")]
    text = "\n".join(line for line in (line.strip("| ") for line in lines) if line)
    if not text:
        raise SourceError(
            f"{name} holds no text that can be seen, perhaps as scripts write it; save the text that a browser shows "
            "as a .txt file and give that"
        )
    return text


@dataclass(frozen=True)
class _End:
    """The end of an element ``tag``."""

    tag: str


def _pieces(soup: Tag) -> Iterator[str]:
    """The visible strings in order, with line breaks where blocks begin and end. Needs no recursion: pages may be
    nested deeper than Python."""
    from bs4.element import NavigableString, Tag

    weights = _weights(soup)
    left: list[PageElement | _End] = [soup]
    inside: Counter[str] = Counter()  # how many elements of each name are open
    while left:
        node = left.pop()
        if isinstance(node, _End):
            inside[node.tag] -= 1
            yield "\n" if node.tag in _BLOCKS else ""
        elif isinstance(node, NavigableString):
            yield _words(node, inside["pre"] > 0)
        elif isinstance(node, Tag) and not _dropped(node, inside, weights):
            yield _BETWEEN_CELLS if node.name in _CELLS else "\n" if node.name in _BLOCKS else ""
            inside[node.name] += 1
            left.append(_End(node.name))
            left.extend(reversed(node.contents))


def _words(text: str, as_is: bool) -> str:
    """``text`` as it is shown: line ends are spaces outside ``pre``, soft hyphens and zero-width spaces are nothing."""
    text = text.translate({0xAD: None, 0x200B: None, 0xFEFF: None})
    return text if as_is else text.replace("\n", " ")


def _dropped(tag: Tag, inside: Counter[str], weights: dict[int, float]) -> bool:
    """Whether ``tag``, in the elements named ``inside``, is left out with all that it holds."""
    if tag.name in ("html", "body", "[document]"):
        return False  # some sites hide all until their scripts have run
    if tag.name == "dialog" and tag.has_attr("open"):
        return _is_banner(tag, weights)
    if tag.name in _DROPPED or not _ROLES.isdisjoint(_words_of(tag, "role")):
        return True
    # A page's header is its banner, an article's holds its headline (HTML Accessibility API Mappings).
    in_article = any(inside[name] for name in ("article", "main", "section"))
    if tag.name == "header" and not in_article and weights.get(id(tag), 0) <= _BANNER_CHARS:
        return True
    return _is_hidden(tag) or _is_banner(tag, weights)


def _is_hidden(tag: Tag) -> bool:
    if tag.has_attr("hidden") or _words_of(tag, "aria-hidden") == ["true"]:
        return True
    style = "".join(_words_of(tag, "style"))
    return bool(_UNSEEN_STYLE.search(style)) or not _UNSEEN_CLASSES.isdisjoint(_words_of(tag, "class"))


def _is_banner(tag: Tag, weights: dict[int, float]) -> bool:
    """Whether ids and classes of ``tag`` call it a banner, and it holds no article."""
    names = [*_words_of(tag, "id"), *_words_of(tag, "class")]
    if tag.name in _ARTICLE or not names:
        return False
    if tag.name == "sup" and "reference" in names:
        return True  # the number of a footnote, set against a word
    if any(_VENDORS.match(name) for name in names):
        return weights.get(id(tag), 0) < float("inf")
    return any(map(_names_banner, names)) and weights.get(id(tag), 0) <= _BANNER_CHARS


def _names_banner(name: str) -> bool:
    words = set(re.split(r"[-_]+|(?<=cookie)(?=[a-z])", name))
    return name in _NAMES or any(words & subjects and words & places for subjects, places in _SUBJECTS.items())


def _words_of(tag: Tag, key: str) -> list[str]:
    """The words of the attribute ``key`` in lower case, ``cookieBar`` as ``cookie-bar``; none where there is none."""
    value = tag.get(key) or ""
    text = value if isinstance(value, str) else " ".join(value)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", text).lower().split()


def _weights(soup: Tag) -> dict[int, float]:
    """Of each element, by its ``id``: how many characters it holds outside links, infinite where it holds an
    article."""
    from bs4.element import Tag

    weights: dict[int, float] = {}
    for node in reversed(list(soup.descendants)):  # what an element holds comes before it
        parent = node.parent
        if isinstance(node, Tag):
            weight = weights.get(id(node), 0.0)
            if node.name in ("main", "article", "h1"):
                weight = float("inf")
            elif node.name == "a" and node.has_attr("href"):
                weight = 0.0
        else:
            weight = float(len(str(node).strip()))
        if parent is not None:
            weights[id(parent)] = weights.get(id(parent), 0.0) + weight
    return weights
