"""Addresses of the web: what is one, where it leads to, and whether that is a place anybody could reach."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from ecgvec.errors import SourceError, one_line, printable

SAVE = "save the page from a browser and give the file"
"""The cure for a page that a browser has and a program does not get."""

MAX_LENGTH = 8000
"""Longest address in characters."""


@dataclass(frozen=True)
class Target:
    """An address taken apart: ``host`` in ASCII, ``path`` with the query; ``shown`` is how messages name it."""

    shown: str
    url: str
    host: str
    port: int
    path: str
    secure: bool


class Deadline:
    """The end of a fetch's time."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Seconds left; TimeoutError where there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def without_user(url: str) -> str:
    """``url`` for a message, without the name and password that it may hold."""
    return printable(re.sub(r"(?<=//)[^/?#]*@", "...@", url))


def parse_address(url: str, shown: str, base: str = "") -> Target:
    """The address ``url``, which may be relative to ``base``; ``shown`` names it in messages.

    SourceError where it is none that may be asked.
    """
    shown = without_user(shown)
    try:
        if len(url) > MAX_LENGTH:
            shown = f"{shown[:100]}..."
            raise ValueError(f"it is longer than {MAX_LENGTH} characters")
        if re.search(r"[\s\x00-\x1f\x7f\\]", url):
            raise ValueError("it holds a space, a backslash or a control character")
        parts = urlsplit(urldefrag(urljoin(base, url)).url)
        secure, port, host = parts.scheme == "https", parts.port, parts.hostname or ""
        if len(host) > 253:
            raise ValueError("its host name is too long")
        if ":" not in host:
            host = host.encode("idna").decode("ascii")
    except ValueError as error:
        reason = "its host name is wrong" if isinstance(error, UnicodeError) else one_line(error)
        raise SourceError(f"{shown} is no web address ({printable(reason)}); correct it") from error
    if parts.scheme not in ("http", "https"):
        raise SourceError(f"{shown} is neither http nor https; give such an address, or the path of a file")
    if parts.username is not None or parts.password is not None:
        raise SourceError(f"{shown} holds a user name or password, which is not sent; {SAVE}")
    if not host:
        raise SourceError(f"{shown} names no host; give an address such as https://example.org/page")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return Target(
        shown, parts.geturl(), host, port or (443 if secure else 80), f"{path}?{query}" if query else path, secure
    )


def is_public(address: str) -> bool:
    """Whether the numeric IP ``address`` is one that anybody on the internet could reach.

    ``ipaddress`` alone does not say: to some of its versions multicast, site-local and 6to4 addresses are global.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:  # how a network without IPv4 reaches it: the last 32 bits are the address meant
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip not in _UNICAST or any(ip in network for network in _NOT_REACHED):
            return False  # mapped IPv4 (::ffff:0:0/96) is among those
    elif ip in _RELAYS:
        return False
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that has been given out (IANA)
_NOT_REACHED = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))  # Teredo, examples, 6to4
)
_RELAYS = ipaddress.IPv4Network("192.88.99.0/24")  # RFC 7526


def addresses(target: Target, allow_private: bool, deadline: Deadline) -> list[tuple[int, tuple[str, int]]]:
    """Family and socket address of each of the host's addresses, looked up once. SourceError where one may not be
    connected to: a name may lead to a public and a private one in turn."""
    found: list[tuple[int, tuple[str, int]]] = []
    failed: list[Exception] = []

    def look_up() -> None:
        try:
            for family, _, _, _, address in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
                found.append((family, cast(tuple[str, int], address)))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    # A look-up has no timeout of its own.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(deadline.seconds_left())
    if thread.is_alive():
        raise TimeoutError
    if failed or not found:
        raise SourceError(
            f"{target.shown} cannot be reached, for no host is named {target.host}; correct the name, or check the "
            "connection to the internet"
        ) from (failed[0] if failed else None)
    hidden = [] if allow_private else [address[0] for _, address in found if not is_public(address[0])]
    if hidden:
        raise SourceError(
            f"{target.shown} is at {hidden[0]}, on a private or loopback network, which is not read; give "
            "--allow-private if you trust it"
        )
    return found
