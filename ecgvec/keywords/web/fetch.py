"""One page from the web: in bounded time and memory, and from public addresses only."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from ecgvec.errors import SourceError, one_line, printable
from ecgvec.keywords.web.address import SAVE, Deadline, Target, addresses, parse_address, without_user

MAX_BYTES = 5_000_000
"""Longest page in bytes, both as it is sent and unpacked."""

MAX_REDIRECTS = 3
TIMEOUT_S = 10.0
"""Seconds that a whole fetch may take, redirects included."""

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
TEXT_TYPES = frozenset({"text/plain", "text/markdown", "text/x-markdown"})

_MOVED = frozenset({301, 302, 303, 307, 308})
_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 65536


@dataclass(frozen=True)
class Page:
    """What a server sent: ``body`` unpacked, its media ``type`` in lower case (empty where the server gave none) and
    the ``charset`` it declared."""

    body: bytes
    type: str
    charset: str | None


class _Wire(io.RawIOBase):
    """What comes in on a socket. Each read waits no longer than the whole fetch may: a server that sends a byte now
    and then is not waited for for ever. Nor does it take in more than a page can be, whatever http.client asks for:
    endless headers, chunks of a negative length."""

    def __init__(self, connection: socket.socket, target: Target, deadline: Deadline) -> None:
        self._connection = connection
        self._target = target
        self._deadline = deadline
        self._left = 2 * MAX_BYTES  # chunks and headers come on top of a page

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(self._deadline.seconds_left())
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise _too_long(self._target)
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """What an HTTPResponse asks of its socket."""
        return io.BufferedReader(self, _PIECE)


def fetch(url: str, *, allow_private: bool = False, timeout_s: float = TIMEOUT_S) -> Page:
    """The page at ``url``, in ``timeout_s`` seconds at most.

    ``allow_private`` lets pages of private, loopback and other networks that are not public be read. No proxy is used:
    the address that was checked is the one that is connected to. SourceError where the page cannot be had.
    """
    deadline = Deadline(timeout_s)
    target = parse_address(url, printable(url))
    seen = {target.url}
    try:
        for _ in range(MAX_REDIRECTS + 1):
            answer = _get(target, allow_private, deadline)
            if isinstance(answer, Page):
                return answer
            target = parse_address(answer, f"{printable(url)}, which leads to {without_user(answer)},", target.url)
            if target.url in seen:
                raise SourceError(f"{printable(url)} redirects in a circle, to {target.url} again; {SAVE}")
            seen.add(target.url)
    except TimeoutError as error:
        raise SourceError(
            f"{target.shown} was not loaded within {timeout_s:g} s; try again later, or {SAVE}"
        ) from error
    raise SourceError(f"{printable(url)} redirects more than {MAX_REDIRECTS} times; give the address it leads to")


# ---------------------------------------------------------------- one request


def tls_context() -> ssl.SSLContext:
    """How https is spoken: certificates are checked against those that the system trusts."""
    return ssl.create_default_context()


def _connect(target: Target, allow_private: bool, deadline: Deadline) -> socket.socket:
    """A connection to the first of the host's addresses that answers; each is given a fair share of the time."""
    found = addresses(target, allow_private, deadline)
    for tried, (family, address) in enumerate(found, start=1):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(deadline.seconds_left() / (len(found) + 1 - tried))
            connection.connect(address)
            if not target.secure:
                return connection
            connection.settimeout(deadline.seconds_left())
            return tls_context().wrap_socket(connection, server_hostname=target.host)
        except OSError as error:
            connection.close()
            if isinstance(error, ssl.SSLError) or tried == len(found):
                raise
    raise AssertionError("no address")  # _addresses never gives none


def _get(target: Target, allow_private: bool, deadline: Deadline) -> Page | str:
    """The page at ``target``, or where it redirects to, as the server writes it."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(_connect(target, allow_private, deadline))
            connection.settimeout(deadline.seconds_left())
            connection.sendall(_request(target))
            wire = _Wire(connection, target, deadline)
            response = stack.enter_context(http.client.HTTPResponse(cast(socket.socket, wire), method="GET"))
            response.begin()
            if response.status in _MOVED and response.headers["Location"]:
                # Sent as raw UTF-8 at times, where http.client reads Latin-1; and with spaces.
                location = str(response.headers["Location"]).strip().replace(" ", "%20")
                return location.encode("latin-1", errors="replace").decode("utf-8", errors="replace")
            return _page(target, response, deadline)
        except TimeoutError:
            raise
        except (OSError, ValueError, http.client.HTTPException, zlib.error) as error:
            raise SourceError(f"{target.shown} cannot be read, for {_why(error, target)}; {SAVE}") from error


def _request(target: Target) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = target.port == (443 if target.secure else 80)
    lines = (
        f"GET {target.path} HTTP/1.1",
        f"Host: {host}" if usual else f"Host: {host}:{target.port}",
        "User-Agent: Mozilla/5.0 (compatible; ecgvec)",
        "Accept: text/html, application/xhtml+xml, text/plain;q=0.9, text/markdown;q=0.9",
        "Accept-Encoding: gzip, deflate",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _why(error: Exception, target: Target) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"no https is spoken at port {target.port} ({error.reason or 'the connection was closed'})"
        case ConnectionRefusedError():
            return f"nothing answers at port {target.port}"
        case zlib.error():
            return "it is not packed the way the server says"
        case http.client.IncompleteRead():
            return "it ended before it was whole"
        case http.client.RemoteDisconnected():
            return "the server closed the connection without an answer"
        case http.client.HTTPException() | ValueError():
            return "the server does not speak HTTP"
    text = error.strerror if isinstance(error, OSError) else None
    return f"the connection failed ({printable(text or one_line(error))})"


def _page(target: Target, response: http.client.HTTPResponse, deadline: Deadline) -> Page:
    """The page that a server answers with. SourceError where it is none, or none that may be read."""
    if response.status != HTTPStatus.OK:
        raise SourceError(f"{target.shown} is not there: the server answers {_status(response.status)}")
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind and kind not in HTML_TYPES | TEXT_TYPES:
        raise SourceError(
            f"{target.shown} is {printable(kind)[:100]}, not text; give an HTML or text page, or save its text as a "
            ".txt file and give that"
        )
    if response.length is not None and response.length > MAX_BYTES:
        raise _too_long(target)
    body = _body(target, response, deadline)
    return Page(body, kind, response.headers.get_content_charset())


def _status(status: int) -> str:
    try:
        text = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        text = str(status)
    if status in (401, 403):
        return f"{text}; {SAVE}"
    return f"{text}; try again later" if status == 429 or status >= 500 else f"{text}; correct the address"


def _too_long(target: Target) -> SourceError:
    return SourceError(f"{target.shown} is longer than {MAX_BYTES // 1_000_000} MB; save the part you need as a file")


def _body(target: Target, response: http.client.HTTPResponse, deadline: Deadline) -> bytes:
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise SourceError(f"{target.shown} is packed as '{printable(packing)[:40]}', which is not read; {SAVE}")
    sent, unpack = 0, _Unpacker(packing)
    while piece := response.read(_PIECE):
        sent += len(piece)
        unpack.feed(piece, deadline)
        if max(sent, len(unpack.body)) > MAX_BYTES:
            raise _too_long(target)
    if response.length or not unpack.whole:
        raise http.client.IncompleteRead(b"")
    return bytes(unpack.body)


class _Unpacker:
    """Takes a body apart as it comes, never more than a byte beyond ``MAX_BYTES`` of it: a bomb does not go off."""

    def __init__(self, packing: str) -> None:
        self.body = bytearray()
        self._bits = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}.get(packing)
        self._zip = zlib.decompressobj(self._bits) if self._bits else None
        self._begun = False

    @property
    def whole(self) -> bool:
        """Whether the end of what was packed has come."""
        return self._zip is None or self._zip.eof

    def feed(self, piece: bytes, deadline: Deadline) -> None:
        """The next ``piece``, as it was sent."""
        if self._zip is None or self._bits is None:
            self.body += piece
            return
        while piece and len(self.body) <= MAX_BYTES:
            deadline.seconds_left()
            if self._zip.eof:  # gzip may come in parts, one after the other
                self._zip = zlib.decompressobj(self._bits)
            elif not self._begun and self._bits == zlib.MAX_WBITS and piece[0] & 0x0F != 8:
                # Some servers send deflate without the header of zlib (RFC 9110, section 8.4.1.2).
                self._bits = -zlib.MAX_WBITS
                self._zip = zlib.decompressobj(self._bits)
            self._begun = True
            self.body += self._zip.decompress(piece, MAX_BYTES + 1 - len(self.body))
            piece = self._zip.unused_data
