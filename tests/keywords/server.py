"""Real servers on loopback, good ones and bad ones."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Reply = Callable[[socket.socket], None]
"""What a bare server does with a connection whose request it has read."""


@dataclass(frozen=True)
class Answer:
    """What a page's server answers with."""

    body: bytes = b""
    type: str | None = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    """Time before the answer begins."""


class Site:
    """An HTTP server on 127.0.0.1 whose ``pages`` may be set at any time; ``seen`` are the requests it got."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.port = server.server_address[1]
        self.base = f"{scheme}://127.0.0.1:{self.port}"
        self.pages: dict[str, Answer] = {}
        self.seen: list[tuple[str, Mapping[str, str]]] = []
        self.sni: list[str | None] = []

    def add(self, path: str, answer: Answer) -> str:
        """Sets the page ``path``; its whole address."""
        self.pages[path] = answer
        return self.base + path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or speaks something else, is what these tests are about: no traceback."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        server.site.seen.append((self.path, dict(self.headers.items())))
        answer = server.site.pages.get(self.path, Answer(b"<p>nothing", status=404))
        time.sleep(answer.wait_s)
        self.send_response(answer.status)
        if answer.type is not None:
            self.send_header("Content-Type", answer.type)
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def site(certificate: Path | None = None) -> Iterator[Site]:
    """A running server, on https with the key and certificate in a file."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = Site(server, "https" if certificate else "http")
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda _, name, __: server.site.sni.append(name)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def bare(reply: Reply, first: bytes = b"\r\n\r\n") -> Iterator[str]:
    """A server that reads up to ``first`` and then does ``reply``; its address. It takes one connection at a time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # the test is over
            with connection, contextlib.suppress(OSError):  # the client hung up, as it should
                got = b""
                while first not in got:
                    piece = connection.recv(4096)
                    if not piece:
                        break
                    got += piece
                reply(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=0.05)  # a reply that still waits for something hangs up when it wakes


def sends(*pieces: bytes, pause_s: float = 0.0, for_ever: bool = False) -> Reply:
    """Sends ``pieces``, the last one again and again if ``for_ever``, and hangs up."""

    def reply(connection: socket.socket) -> None:
        for piece in pieces[:-1]:
            connection.sendall(piece)
        while True:
            connection.sendall(pieces[-1])
            time.sleep(pause_s)
            if not for_ever:
                return

    return reply
