"""From the bytes of a file or a page to its text: what is no text is refused, and no encoding makes it fail."""

from __future__ import annotations

import codecs
import re

from ecgvec.errors import SourceError

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
