"""Texts from files, folders and standard input, and what is seen of an HTML page."""

from __future__ import annotations

import importlib.util
import inspect
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecgvec.errors import SourceError
from ecgvec.keywords import sources
from ecgvec.keywords.sources import Source, read_source
from ecgvec.keywords.web import markup
from ecgvec.keywords.web.html import visible_text

TEXT = "Vorhofflimmern – „AFib“, QTc 460 ms.\nNo ST elevation.\n"


def refused(where: object, *words: str) -> None:
    """``where`` is refused in one sentence that holds all ``words``."""
    with pytest.raises(SourceError) as caught:
        read_source(str(where))
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    for word in words:
        assert word in text, f"'{word}' is not in: {text}"


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_file(tmp_path: Path, encoding: str, line_end: str) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(TEXT.replace("\n", line_end).encode(encoding))
    assert read_source(str(path)) == Source(str(path), TEXT)


def test_html_on_disk(tmp_path: Path) -> None:
    page = "<html><head><meta charset='windows-1252'><title>T</title></head><body><p>Señor’s <b>ECG</b></p>"
    (tmp_path / "wide.txt").write_text("<!doctype html><p>Señor’s <b>ECG</b>", encoding="utf-16")
    assert read_source(str(tmp_path / "wide.txt")).text == "Señor’s ECG"
    for name in ("page.html", "PAGE.HTM", "page.txt", "page"):
        (tmp_path / name).write_bytes(page.encode("cp1252"))
        assert read_source(str(tmp_path / name)).text == "Señor’s ECG"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ("is empty",)),
        (b" \n\t", ("is empty",)),
        (b"%PDF-1.4\nwords", ("PDF document", "save its text")),
        (b"PK\x03\x04words", ("ZIP archive or an Office document",)),
        (b"\xd0\xcf\x11\xe0words", ("old Office document",)),
        (TEXT.encode("utf-16-le"), ("binary data", "UTF-8")),  # without the mark that says so
        (os.urandom(5000), ("binary data",)),
        (b"x" * (sources.MAX_BYTES + 1), ("longer than 5 MB", "split it")),
    ],
)
def test_files_without_text(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(content)
    refused(path, str(path), *words)


def test_what_is_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "missing.txt", "missing.txt does not exist", "- for standard input")
    refused("www.example.org/page", "begins with http://")
    refused("", "is no path")
    refused("a\0b", "is no path")
    refused("x" * 5000, "cannot be looked up")
    os.mkfifo(tmp_path / "pipe.txt")
    refused(tmp_path / "pipe.txt", "not a regular file")
    refused("/dev/zero", "not a regular file")
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    refused(tmp_path / "loop.txt", "cannot be looked up")


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_timeout_out_of_range(timeout_s: float) -> None:
    with pytest.raises(SourceError, match="timeout"):
        read_source("http://127.0.0.1/", allow_private=True, timeout_s=timeout_s)


# ---------------------------------------------------------------- folders


def _fill(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)


def test_folder(tmp_path: Path) -> None:
    _fill(tmp_path, b_txt="two", a_md="one", c_csv="not,read", z_html="<p>five", e_txt="")
    _fill(tmp_path / "d", a_TXT="three", b_htm="<nav>x</nav><p>four")
    _fill(tmp_path / ".git", a_txt="hidden")
    (tmp_path / "._b.txt").write_bytes(b"\0\0")
    (tmp_path / "d" / "up").symlink_to(tmp_path)  # a circle
    (tmp_path / "f.txt").symlink_to(tmp_path / "b.txt")
    assert read_source(str(tmp_path)).text.split("\n\n") == ["one", "two", "three", "four", "two", "five"]


def test_folders_without_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(tmp_path, "a folder without .txt, .md, .html, .htm files")
    _fill(tmp_path, a_txt="", b_txt="\n")
    refused(tmp_path, "empty files only")
    (tmp_path / "c.txt").write_bytes(b"\0" * 100)
    refused(tmp_path, "c.txt is binary data")
    (tmp_path / "c.txt").write_text("x" * 600)
    (tmp_path / "d.txt").write_text("x" * 600)
    monkeypatch.setattr(sources, "MAX_FOLDER_BYTES", 1000)
    refused(tmp_path, f"{tmp_path} holds more than")
    monkeypatch.setattr(sources, "MAX_ENTRIES", 3)
    refused(tmp_path, "more than 3 files")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    monkeypatch.undo()
    refused(tmp_path, "gone.txt does not exist")


def test_folder_may_be_nested_deeper_than_python_calls(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 300)
    deep.mkdir(parents=True)
    (deep / "a.txt").write_text("deep")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)
    try:
        assert read_source(str(tmp_path)).text == "deep"
    finally:
        sys.setrecursionlimit(before)


# ---------------------------------------------------------------- standard input


def _pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    _pipe(monkeypatch, TEXT.encode("cp1252"))
    assert read_source("-") == Source("standard input", TEXT)
    _pipe(monkeypatch, b"<!DOCTYPE html><nav>Home</nav><p>Sinus rhythm")
    assert read_source("-").text == "Sinus rhythm"


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "is empty"), (b"\0" * 9, "binary"), (b"y" * (sources.MAX_BYTES + 1), "longer than 5 MB")]
)
def test_standard_input_without_text(monkeypatch: pytest.MonkeyPatch, data: bytes, word: str) -> None:
    _pipe(monkeypatch, data)
    refused("-", "standard input", word)


def test_standard_input_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    refused("-", "standard input is closed")


# ---------------------------------------------------------------- what is seen of a page


@pytest.fixture(params=["lxml", "html5lib"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers: html5lib as where lxml is absent."""
    absent = [] if request.param == "lxml" else ["lxml"]
    pytest.importorskip(request.param)
    _without(monkeypatch, *absent)
    return str(request.param)


def _without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(markup, "find_spec", lambda name: None if name in names else found(name))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<title>T</title><p>one <b>t</b>wo</p>three", "one two\nthree"),
        ("<p>one<p>two<div>three<span> four</span></div>five", "one\ntwo\nthree four\nfive"),
        ("<p>a  \n b&nbsp;c<br>d<br/>e", "a b c\nd\ne"),
        ("<p>10<sup>3</sup> V<sub>1</sub> soft&shy;ly wo\u200brd", "103 V1 softly word"),
        ("<p>QTc &lt; 440 &amp; P &gt; Q &eacute; &#8211; &lt;b&gt;", "QTc < 440 & P > Q é – <b>"),
        ("<table><tr><th>Lead<th>Axis<tr><td>II<td>60<tr><td>III<td></table>", "Lead | Axis\nII | 60\nIII"),
        ("<ul><li>one<li>two</ul><dl><dt>AF<dd>fibrillation</dl>", "one\ntwo\nAF\nfibrillation"),
        ("<pre>one\n  two</pre>", "one\ntwo"),
        ("<figure><img alt='not read'><figcaption>A strip</figcaption></figure>", "A strip"),
        ("<p>a<script>'<p>x</p>'</script>b<style>p{}</style><!-- x -->c<noscript>x</noscript>", "abc"),
        ("<p>a<svg><text>x</text></svg><math><mi>x</mi></math><template>x</template><iframe>x</iframe>b", "ab"),
        ("<nav>x</nav><aside>x</aside><header><a href='/'>x</a></header><p>a<footer>x</footer>", "a"),
        ("<article><header><h1>Title</h1></header><p>a</p></article>", "Title\na"),
        ("<div role='navigation'>x</div><div role='search main'>x</div><div role='main'>a</div>", "a"),
        ("<p hidden>x<p aria-hidden='true'>x<p aria-hidden='false'>a<p hidden=''>x", "a"),
        (
            "<p style='color:red; DISPLAY : none !important'>x<p style='visibility:hidden'>x<p style='display:block'>a",
            "a",
        ),
        ("<a class='sr-only' href='#m'>x</a><p class='sr'>a", "a"),
        ("<form>a<label>x</label><input value=x><button>x</button><select><option>x</select></form>", "a"),
        ("<body style='display:none' class='cookie-banner-open'><p>a", "a"),
        ("<p>a<sup class='reference'><a href='#1'>[1]</a></sup> b", "a b"),
        ("<p>a <s>b</s> <del>c</del><xyz-new>d</xyz-new>", "a b cd"),
        ("<dialog>x</dialog><dialog open>a</dialog>", "a"),
        ("<details><summary>More</summary>text</details>", "More\ntext"),
        ("<p title='>' class=\"a>b\" data-x='<p>'>a</p>", "a"),
        ("<!DOCTYPE html><?php x ?><p>a<![CDATA[x]]>b", "ab"),
        ("<p>PR<120 ms and a<3", "PR<120 ms and a<3"),
        ("<p>a<script>x", "a"),
        ("<p>a<!-- x", "a"),
        ("<p>a<b", "a"),
    ],
)
def test_visible_text(parser: str, page: str, text: str) -> None:
    assert visible_text(page, "page") == text


@pytest.mark.parametrize(
    "attributes",
    [
        "class='cookie-banner'",
        "id='cookieNotice'",
        "class='wp gdpr_cookie_notice'",
        "class='cookiebar'",
        "id='onetrust-consent-sdk'",
        "id='CybotCookiebotDialog'",
        "id='BorlabsCookieBox'",
        "class='cky-consent-container'",
        "id='consent-manager'",
        "class='newsletter-signup'",
        "class='social-share-buttons'",
        "class='breadcrumbs'",
        "id='main-menu'",
        "class='site-nav'",
        "id='nav'",
    ],
)
def test_banners_are_left_out(attributes: str) -> None:
    assert (
        visible_text(f"<div {attributes}><p>We value <a href=x>you</a></p></div><p>Sinus rhythm", "p") == "Sinus rhythm"
    )


@pytest.mark.parametrize(
    "attributes",
    [
        "class='cookie-recipe'",
        "class='cookies'",
        "class='informed-consent-form'",
        "id='patient-consent-notice'",
        "class='newsletter-article'",
        "class='shared-decision-tools'",
        "class='market-share'",
        "class='navy-blue'",
        "class='side-effects'",
        "class='page-content'",
        "class='main-bar'",
        "class='header-text'",
        "class='top-story'",
        "id='reference'",
    ],
)
def test_articles_are_not_taken_for_banners(attributes: str) -> None:
    assert visible_text(f"<div {attributes}><p>Sinus rhythm</p></div>", "page") == "Sinus rhythm"


def test_long_text_is_no_banner_whatever_its_name() -> None:
    article = "Atrial fibrillation is common. " * 60
    assert visible_text(f"<div class='cookie-notice'><p>{article}</div>", "page") == article.strip()
    assert visible_text("<div id='menu'><h1>Sinus rhythm</h1></div>", "page") == "Sinus rhythm"
    links = "<a href='/x'>Atrial fibrillation is common.</a> " * 60  # navigation may be long
    assert visible_text(f"<div id='menu'>{links}</div><p>a", "page") == "a"


def test_both_parsers_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("html5lib")
    page = "<p>one<b>two</b><p>three<ul><li>a<li>b</ul><table><tr><td>c<td>d</table><i>e<div>f</i>g</div>"
    with_lxml = visible_text(page, "page")
    _without(monkeypatch, "lxml")
    assert visible_text(page, "page") == with_lxml


# ---------------------------------------------------------------- pages that would take a parser long


@pytest.mark.parametrize(
    "page", ["<div>" * 100_000 + "deep" + "</div>" * 100_000, "<div>" * 40_000 + "deep", "<p>x" * 200_000]
)
def test_tangled_pages_take_bounded_time(parser: str, page: str) -> None:
    start = time.monotonic()
    try:
        assert visible_text(page, "page") == "deep"
    except SourceError as error:
        assert str(error).startswith("page ")
        assert "as a .txt file" in str(error)
    assert time.monotonic() - start < 8  # one that recurses, or whose time grows with the square, takes minutes


@pytest.mark.parametrize(
    "page",
    [
        "".join(f"<b id={i}><p>x" for i in range(3000)),  # each paragraph would repeat all that is open
        "<p " + " ".join(f"a{i}=1" for i in range(300_000)) + ">x</p>",
        '<a b="' * 300_000 + ">x",
        ("<a " + " " * 40) * 50_000 + ">x",
        "<!--" * 500_000 + "-->x",
        "<script>" * 50_000 + "</script>x",
    ],
    ids=["formatting", "attributes", "quotes", "spaces", "comments", "scripts"],
)
def test_hostile_markup_is_made_plain_first(parser: str, page: str) -> None:
    start = time.monotonic()
    try:
        assert "x" in visible_text(page, "page")
    except SourceError as error:
        assert "no text that can be seen" in str(error)
    assert time.monotonic() - start < 5


def test_html5lib_gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("html5lib")
    _without(monkeypatch, "lxml")
    monkeypatch.setattr(markup, "PARSE_S", 0.2)
    for page in ("<table>" + "<p>x" * 70_000, "<p>" + "&amp;" * 900_000):
        start = time.monotonic()
        with pytest.raises(SourceError, match="too tangled"):
            visible_text(page, "page")
        assert time.monotonic() - start < 4


# ---------------------------------------------------------------- what need not be installed


def test_without_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "lxml", "html5lib")
    with pytest.raises(SourceError, match=r"lxml or html5lib; run pip install 'ecgvec\[nlp\]'"):
        visible_text("<p>a", "page")


def test_without_beautiful_soup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bs4", None)
    with pytest.raises(SourceError, match=r"^page is HTML.*Beautiful Soup; run pip install 'ecgvec\[nlp\]'"):
        visible_text("<p>a", "page")


def test_nothing_is_loaded_until_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    code = (
        "import sys; from ecgvec.keywords.sources import read_source; read_source(sys.argv[1]);"
        "print([m for m in ('bs4', 'lxml', 'html5lib', 'ssl', 'http.client') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
