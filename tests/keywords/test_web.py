"""Pages of the web: what can be had is read, what cannot is told in one sentence, in bounded time and memory."""

from __future__ import annotations

import gzip
import socket
import ssl
import sys
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from ecgvec.errors import SourceError
from ecgvec.keywords.sources import read_source
from ecgvec.keywords.web import address
from ecgvec.keywords.web import fetch as web
from tests.keywords.server import Answer, Site, bare, sends, site

PAGE = "<html><body><main><p>Sinus rhythm with “PVCs”, Señor.</p></main></body></html>"
TEXT = "Sinus rhythm with “PVCs”, Señor."
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.fixture(scope="module")
def pages() -> Iterator[Site]:
    """One server for all tests of this file."""
    with site() as running:
        yield running


def read(url: str, timeout_s: float = 5.0) -> str:
    return read_source(url, allow_private=True, timeout_s=timeout_s).text


def refused(url: str, *words: str, timeout_s: float = 5.0, allow_private: bool = True) -> str:
    """The one sentence in which ``url`` is refused. It names the source, and holds all ``words``."""
    with pytest.raises(SourceError) as caught:
        read_source(url, allow_private=allow_private, timeout_s=timeout_s)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert text.startswith(url)
    for word in words:
        assert word in text, f"'{word}' is not in: {text}"
    return text


def lookup(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Makes the n-th look-up of any host find the n-th answer, the last one for ever; the hosts that were asked for."""
    asked: list[str] = []

    def fake(host: str, port: int, **_: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        kinds = [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in found]
        return [(family, socket.SOCK_STREAM, 6, "", (one, port)) for family, one in kinds]

    monkeypatch.setattr(address.socket, "getaddrinfo", fake)
    return asked


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PAGE.encode(), "text/html; charset=utf-8"),
        (PAGE.encode(), "TEXT/HTML;charset='UTF-8'"),
        (PAGE.encode(), "text/html; charset=iso-8859-1"),  # what servers say of everything
        (PAGE.encode(), "text/html; charset=ascii"),
        (PAGE.encode(), "text/html; charset=utf-16"),  # wrong
        (PAGE.encode(), "text/html; charset=no-such"),
        (PAGE.encode(), "text/html; charset=punycode"),  # Python's, but no encoding of a page
        (PAGE.encode(), "text/html"),
        (PAGE.encode(), None),
        (PAGE.encode("cp1252"), "text/html; charset=utf-8"),  # wrong
        (PAGE.encode("cp1252"), "text/html; charset=windows-1252"),
        (PAGE.encode("cp1252"), "text/html"),
        (PAGE.encode("utf-16"), "text/html"),
        (PAGE.encode("utf-16"), "text/html; charset=utf-8"),
        (PAGE.encode("utf-16-be"), "text/html; charset=utf-16be"),
        (PAGE.encode("utf-8-sig"), "text/html; charset=windows-1252"),
        (PAGE.encode(), "application/xhtml+xml"),
        (b"<?xml version='1.0' encoding='utf-16'?>" + PAGE.encode(), "application/xhtml+xml"),
        (PAGE.encode(), "text/plain"),  # begins as HTML does
        (TEXT.encode(), "text/plain"),
        (TEXT.encode("utf-16"), "text/plain"),
        (TEXT.encode(), "text/markdown"),
    ],
)
def test_encodings_and_types(pages: Site, body: bytes, kind: str | None) -> None:
    assert read(pages.add("/page", Answer(body, kind))).strip() == TEXT


def test_charset_that_the_page_names(pages: Site) -> None:
    body = "<html><head><meta charset='windows-1251'></head><body><p>Синусовый ритм".encode("cp1251")
    assert read(pages.add("/page", Answer(body, "text/html"))) == "Синусовый ритм"


@pytest.mark.parametrize("charset", ["utf-7", "punycode", "unicode_escape", "rot13", "hex", "idna", "../x", "x" * 99])
def test_charsets_that_are_none(pages: Site, charset: str) -> None:
    text = r"b+AOk-cher \u0042 41 xn--bcher-kva"
    assert read(pages.add("/page", Answer(text.encode(), f"text/plain; charset={charset}"))) == text


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("packing", "body"),
    [
        ("gzip", gzip.compress(PAGE.encode(), mtime=0)),
        ("x-gzip", gzip.compress(PAGE.encode(), mtime=0)),
        ("gzip", gzip.compress(PAGE.encode()[:40], mtime=0) + gzip.compress(PAGE.encode()[40:], mtime=0)),
        ("deflate", zlib.compress(PAGE.encode())),
        ("deflate", _raw_deflate(PAGE.encode())),
        ("identity", PAGE.encode()),
    ],
)
def test_packed_pages(pages: Site, packing: str, body: bytes) -> None:
    assert read(pages.add("/page", Answer(body, headers={"Content-Encoding": packing}))) == TEXT


def test_chunks() -> None:
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nSinus\r\n7\r\n rhythm\r\n0\r\n\r\n"
    with bare(sends(chunked)) as url:
        assert read(url) == "Sinus rhythm"


def test_without_length() -> None:
    with bare(sends(OK + b"\r\n", b"Sinus ", b"rhythm")) as url:
        assert read(url) == "Sinus rhythm"


def test_path_and_query_arrive_whole(pages: Site) -> None:
    pages.add("/a%20b/M%C3%BCller?q=%C3%A9&x=[1]", Answer(PAGE.encode()))
    assert read(f"{pages.base}/a%20b/Müller?q=é&x=[1]#part") == TEXT
    path, headers = pages.seen[-1]
    assert headers["Host"] == f"127.0.0.1:{pages.port}"
    assert "#" not in path


# ---------------------------------------------------------------- redirects


def test_three_redirects_are_followed_and_four_are_not(pages: Site) -> None:
    for i, code in enumerate((301, 302, 307, 308)):
        pages.add(f"/r{i}", Answer(status=code, headers={"Location": f"r{i + 1}" if i % 2 else f"/r{i + 1}"}))
    pages.add("/r4", Answer(PAGE.encode()))
    assert read(f"{pages.base}/r1") == TEXT
    before = len(pages.seen)
    refused(f"{pages.base}/r0", "more than 3 times")
    assert [path for path, _ in pages.seen[before:]] == ["/r0", "/r1", "/r2", "/r3"]


def test_redirect_as_servers_write_it(pages: Site) -> None:
    pages.add("/raw", Answer(status=302, headers={"Location": "/M\u00c3\u00bcller a"}))  # raw UTF-8 on the wire
    pages.add("/M%C3%BCller%20a", Answer(PAGE.encode()))
    assert read(f"{pages.base}/raw") == TEXT


def test_redirect_in_a_circle(pages: Site) -> None:
    pages.add("/one", Answer(status=302, headers={"Location": "/two"}))
    pages.add("/two", Answer(status=302, headers={"Location": "/one#again"}))
    refused(f"{pages.base}/one", "in a circle")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file:///etc/passwd", ("which leads to file:///etc/passwd", "neither http nor https")),
        ("ftp://127.0.0.1/x", ("neither http nor https",)),
        ("http://me:secret@127.0.0.1/", ("user name or password",)),
        ("http://[::1", ("no web address",)),
        ("http://127.0.0.1:99999/", ("no web address",)),
        ("/" + "x" * 9000, ("longer than 8000 characters",)),
    ],
)
def test_every_redirect_is_checked_anew(pages: Site, location: str, words: tuple[str, ...]) -> None:
    url = pages.add("/away", Answer(status=302, headers={"Location": location}))
    text = refused(url, *words)
    assert "secret" not in text
    assert len(text) < 1000


def test_redirect_without_a_target(pages: Site) -> None:
    refused(pages.add("/lost", Answer(status=302)), "302 Found")


def test_redirect_to_a_private_address(pages: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server's own address passes for a public one; the one beside it does not.
    monkeypatch.setattr(address, "is_public", lambda one: one == "127.0.0.1")
    target = f"http://127.0.0.2:{pages.port}/secret"
    url = pages.add("/in", Answer(status=302, headers={"Location": target}))
    before = len(pages.seen)
    refused(url, f"which leads to {target}", "is at 127.0.0.2", "private", allow_private=False)
    assert [path for path, _ in pages.seen[before:]] == ["/in"]


# ---------------------------------------------------------------- private networks


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "0.0.0.0", "[::1]"])
def test_loopback_is_refused_however_it_is_written(pages: Site, host: str) -> None:
    pages.add("/", Answer(PAGE.encode()))
    before = len(pages.seen)
    refused(f"http://{host}:{pages.port}/", "private or loopback", "--allow-private", allow_private=False)
    assert len(pages.seen) == before


@pytest.mark.parametrize("found", [["10.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["fe80::1%eth0"], ["169.254.169.254"]])
def test_name_of_a_private_address_is_refused(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lookup(monkeypatch, found)
    refused("http://intranet.example/", f"is at {found[-1]}", allow_private=False)


def test_address_that_was_checked_is_the_one_connected_to(pages: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is checked and private when it is connected to: it is looked up once only."""
    asked = lookup(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(address, "is_public", lambda one: one == "127.0.0.1")
    pages.add("/", Answer(PAGE.encode()))
    assert read_source(f"http://turncoat.example:{pages.port}/").text == TEXT
    assert asked == ["turncoat.example"]
    assert pages.seen[-1][1]["Host"] == f"turncoat.example:{pages.port}"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
def test_next_address_where_one_does_not_answer(pages: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lookup(monkeypatch, ["127.0.0.3", "127.0.0.1"])  # nobody listens at the first
    pages.add("/", Answer(PAGE.encode()))
    assert read(f"http://two.example:{pages.port}/") == TEXT


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
def test_address_that_never_answers_leaves_time_for_the_next(pages: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lookup(monkeypatch, ["127.0.0.3", "127.0.0.1"])
    pages.add("/", Answer(PAGE.encode()))
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.3", pages.port), backlog=0))
        for _ in range(4):  # more than its queue holds: who comes after waits for ever
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        start = time.monotonic()
        assert read(f"http://two.example:{pages.port}/", timeout_s=1.0) == TEXT
        assert time.monotonic() - start > 0.3  # it has waited for the first


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "0.1.2.3",
        "100.64.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.216.34",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "ff0e::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:5db8:d822::1",
        "3fff::1",
        "5f00::1",
        "100::1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
    ],
)
def test_addresses_that_are_not_public(ip: str) -> None:
    assert not address.is_public(ip)


@pytest.mark.parametrize(
    "ip", ["93.184.216.34", "8.8.8.8", "172.32.0.1", "2606:2800:220:1::1", "2a00:1450:4001::1", "64:ff9b::8.8.8.8"]
)
def test_addresses_that_are_public(ip: str) -> None:
    assert address.is_public(ip)


# ---------------------------------------------------------------- what is no address


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://", ("names no host",)),
        ("http:///page", ("names no host",)),
        ("http://exa mple.org/", ("no web address",)),
        ("http://example.org/\r\nX: y", ("no web address",)),
        ("http://example.org\\@10.0.0.1/", ("no web address",)),
        ("http://example.org:port/", ("no web address",)),
        ("http://[::1/", ("no web address",)),
        ("http://a..b/", ("host name is wrong",)),
        ("http://" + "a" * 300 + "/", ("host name is too long",)),
        ("ftp://example.org/x", ("neither http nor https",)),
        ("file:///etc/passwd", ("neither http nor https",)),
        ("gopher://127.0.0.1:70/_x", ("neither http nor https",)),
    ],
)
def test_bad_addresses(url: str, words: tuple[str, ...]) -> None:
    with pytest.raises(SourceError) as caught:
        read_source(url, allow_private=True)
    assert len(str(caught.value).splitlines()) == 1
    for word in words:
        assert word in str(caught.value)


def test_password_is_not_repeated() -> None:
    with pytest.raises(SourceError, match="user name or password") as caught:
        read_source("https://me:hunter2@example.org/page")
    assert "hunter2" not in str(caught.value)
    assert "example.org/page" in str(caught.value)


def test_unknown_host() -> None:
    refused("http://no-such-host.invalid/", "no host is named no-such-host.invalid")


def test_lookup_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address.socket, "getaddrinfo", lambda *_, **__: time.sleep(4) or [])
    start = time.monotonic()
    refused("http://slow.example/", "within 0.2 s", timeout_s=0.2)
    assert time.monotonic() - start < 2.5


def test_connection_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused(f"http://127.0.0.1:{port}/", "nothing answers", str(port))


# ---------------------------------------------------------------- servers that take their time


@pytest.mark.parametrize(
    "reply",
    [
        sends(b"", pause_s=4.0),
        sends(b"HTTP/1.1 200 OK\r\nX: ", b"y", pause_s=0.02, for_ever=True),
        sends(OK + b"\r\n", b"y", pause_s=0.02, for_ever=True),
        sends(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n", pause_s=0.02, for_ever=True),
        sends(b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.02, for_ever=True),
    ],
    ids=["silent", "header drips", "body drips", "chunks drip", "continue for ever"],
)
def test_timeout_bounds_the_whole_fetch(reply: object) -> None:
    with bare(reply) as url:  # type: ignore[arg-type]
        start = time.monotonic()
        refused(url, "not loaded within 0.3 s", "try again later", timeout_s=0.3)
        assert time.monotonic() - start < 2.5


def test_timeout_bounds_all_redirects_together(pages: Site) -> None:
    for i in range(3):
        pages.add(f"/slow{i}", Answer(status=302, headers={"Location": f"/slow{i + 1}"}, wait_s=0.25))
    pages.add("/slow3", Answer(PAGE.encode()))
    start = time.monotonic()
    refused(f"{pages.base}/slow0", "not loaded within 0.4 s", timeout_s=0.4)
    assert time.monotonic() - start < 2.5


def test_slow_page_within_its_time(pages: Site) -> None:
    assert read(pages.add("/slow", Answer(PAGE.encode(), wait_s=0.2))) == TEXT


def test_tls_that_never_answers() -> None:
    with bare(sends(b"", pause_s=4.0), first=b"\x16") as url:
        start = time.monotonic()
        refused(url.replace("http:", "https:"), "within 0.3 s", timeout_s=0.3)
        assert time.monotonic() - start < 2.5


# ---------------------------------------------------------------- servers that send too much, or rubbish


@pytest.mark.parametrize(
    "reply",
    [
        sends(OK + b"\r\n", b"y" * 65536, for_ever=True),
        sends(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"y" * 65536 + b"\r\n", for_ever=True),
        sends(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", b"y" * 65536, for_ever=True),
        sends(b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 60_000 + b"\r\n\r\n", for_ever=True),
    ],
    ids=["endless", "endless chunks", "chunk of negative length", "endless headers"],
)
def test_endless_pages(reply: object) -> None:
    with bare(reply) as url:  # type: ignore[arg-type]
        refused(url, "longer than 5 MB", timeout_s=5.0)


def test_length_that_is_declared_too_long() -> None:
    with bare(sends(OK + b"Content-Length: 5000001\r\n\r\n", b"", pause_s=4.0)) as url:
        start = time.monotonic()
        refused(url, "longer than 5 MB")
        assert time.monotonic() - start < 2.5


def test_longest_page_is_read(pages: Site) -> None:
    body = b"ECG " * (web.MAX_BYTES // 4)
    assert len(read(pages.add("/long", Answer(body, "text/plain")))) == web.MAX_BYTES
    refused(pages.add("/longer", Answer(body + b"x", "text/plain", headers={})), "longer than 5 MB")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", ("does not speak HTTP",)),
        (b"", ("without an answer",)),
        (OK + b"Content-Length: 500\r\n\r\nshort", ("before it was whole",)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n500\r\nshort", ("before it was whole",)),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nshort", ("before it was whole",)),
        (OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", ("does not speak HTTP",)),
    ],
)
def test_answers_that_are_wrong(answer: bytes, words: tuple[str, ...]) -> None:
    with bare(sends(answer)) as url:
        refused(url, *words)


@pytest.mark.parametrize(
    ("packing", "body", "words"),
    [
        ("gzip", gzip.compress(PAGE.encode(), mtime=0)[:-12], ("before it was whole",)),
        ("gzip", PAGE.encode(), ("not packed the way the server says",)),
        ("deflate", b"\x78\x9cnonsense", ("not packed the way the server says",)),
        ("br", b"\x0b\x02\x80", ("packed as 'br'",)),
        ("gzip, gzip", gzip.compress(gzip.compress(PAGE.encode(), mtime=0), mtime=0), ("packed as 'gzip, gzip'",)),
    ],
)
def test_wrongly_packed_pages(pages: Site, packing: str, body: bytes, words: tuple[str, ...]) -> None:
    refused(pages.add("/packed", Answer(body, headers={"Content-Encoding": packing})), *words)


def _bomb() -> bytes:
    """150 MB in 0.15 MB."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    piece = b"y" * 1_000_000
    return b"".join(packer.compress(piece) for _ in range(150)) + packer.flush()


@pytest.mark.parametrize("before", [b"", gzip.compress(b"y" * (web.MAX_BYTES + 1))], ids=["alone", "after a part"])
def test_gzip_bomb_takes_little_memory(pages: Site, before: bytes) -> None:
    body = before + _bomb()
    assert len(body) < web.MAX_BYTES
    url = pages.add("/bomb", Answer(body, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        refused(url, "longer than 5 MB")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 25_000_000  # measured: 10,300,000


# ---------------------------------------------------------------- pages that are no text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b"<p>gone", status=404), ("404 Not Found", "correct the address")),
        (Answer(b"<p>no", status=403), ("403 Forbidden", "save the page from a browser")),
        (Answer(b"<p>oh", status=500), ("500 Internal Server Error", "try again later")),
        (Answer(b"<p>hm", status=799), ("answers 799",)),
        (Answer(b"", status=204, headers={}), ("204 No Content",)),
        (Answer(b"%PDF-1.7 x", "application/pdf"), ("application/pdf, not text",)),
        (Answer(b"%PDF-1.7 x", "text/html"), ("PDF document",)),
        (Answer(b"\x89PNG\r\n\x1a\n", "image/png"), ("image/png, not text",)),
        (Answer(b"\xff\xd8\xff\xe0", "text/plain"), ("JPEG image",)),
        (Answer(b"a\0b\0c" * 30, "text/plain"), ("binary data",)),
        (Answer(b"\x01\x02text" * 30, "text/plain"), ("binary data",)),
        (Answer(b"{}", "application/json"), ("application/json, not text",)),
        (Answer(b"", "text/html"), ("no text that can be seen",)),
        (Answer(b" \n ", "text/plain"), ("is empty",)),
        (Answer(b"<html><body><script>write()</script><nav>Home</nav>", "text/html"), ("no text that can be seen",)),
    ],
)
def test_pages_without_text(pages: Site, answer: Answer, words: tuple[str, ...]) -> None:
    refused(pages.add("/page", answer), *words)


# ---------------------------------------------------------------- https


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who vouches for pages.test: nobody trusts it who does not ask for it."""
    return trustme.CA()


@pytest.fixture
def secure(tmp_path: Path, authority: trustme.CA) -> Iterator[Site]:
    """A server on https for pages.test."""
    pem = tmp_path / "pages.pem"
    authority.issue_cert("pages.test").private_key_and_cert_chain_pem.write_to_path(pem)
    with site(pem) as running:
        yield running


def test_https_names_the_host_though_it_connects_to_an_address(
    secure: Site, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup(monkeypatch, ["127.0.0.1"])
    trusted = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    monkeypatch.setattr(web, "tls_context", lambda: trusted)
    secure.add("/", Answer(PAGE.encode()))
    assert read(f"https://pages.test:{secure.port}/") == TEXT
    assert secure.sni == ["pages.test"]
    assert secure.seen[0][1]["Host"] == f"pages.test:{secure.port}"
    refused(f"https://other.test:{secure.port}/", "certificate is not trusted")  # it is for another name
    assert len(secure.seen) == 1


def test_https_that_nobody_vouches_for(secure: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lookup(monkeypatch, ["127.0.0.1"])
    refused(f"https://pages.test:{secure.port}/", "certificate is not trusted")


def test_https_to_a_plain_port(pages: Site) -> None:
    refused(pages.base.replace("http:", "https:") + "/", "no https is spoken at port")
