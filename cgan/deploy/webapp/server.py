"""Serves a fixed table of files to this machine only: GET and HEAD, no folders, no request bodies.

It uses the request parser of the standard library with its own limits on size and time. A framework
would add a dependency, and routes, sessions and bodies that are not needed here. It is not for
other machines: any web server can serve the files that `cgan play --out` writes.
"""

import io
import os
import socket
import socketserver
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import BoundedSemaphore
from typing import Any

from cgan.runtime.errors import InputError

HERE = "127.0.0.1"
NAMES = (HERE, "localhost")  # host names that a browser on this machine may use
MOST_CONNECTIONS = 32  # at once
LARGEST_HEAD = 2**13  # bytes of the request line, the headers and the empty line
PATIENCE = 10.0  # seconds to receive the head, and to send the response
DRAINED = 2**20  # bytes of a body that are discarded, so that the client reads the refusal
END = b"\r\n\r\n"
INDEX = "index.html"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Connection": "close",
}
KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
}
OTHER_KIND = "application/octet-stream"


class SiteServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A site on 127.0.0.1: it listens at once, and `serve_forever` responds."""

    daemon_threads = True
    block_on_close = False  # Ctrl-C does not wait for connections
    request_queue_size = MOST_CONNECTIONS
    # On POSIX the port is free again at once; elsewhere another process could share it.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int = 0):
        """Listen on a port, or where it is 0 on any free one; there are no files yet.

        Raises:
            InputError: the port is in use, or reserved by the system.
        """
        self.files: dict[str, tuple[str, bytes]] = {}  # kind and content by path
        self.slots = BoundedSemaphore(MOST_CONNECTIONS)
        try:
            super().__init__((HERE, port), SiteHandler)
        except OSError as error:
            raise InputError(
                f"--port {port} cannot be used ({error.strerror}); choose another, or leave it out"
            ) from error
        self.port = int(self.server_address[1])
        self.hosts = {f"{name}:{self.port}" for name in NAMES}
        if self.port == 80:  # browsers do not send this port
            self.hosts |= set(NAMES)

    @property
    def address(self) -> str:
        """Where a browser finds the site."""
        return f"http://{HERE}:{self.port}/"

    def offer(self, files: Mapping[str, bytes]) -> None:
        """Serve these contents by name, relative to the address, and nothing else."""
        kinds = {name: KINDS.get(name.rpartition(".")[2], OTHER_KIND) for name in files}
        self.files = {f"/{name}": (kinds[name], content) for name, content in files.items()}
        self.files["/"] = self.files[f"/{INDEX}"]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Respond in a new thread; close the connection if there are too many."""
        if not self.slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Respond, and free a slot for the next connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close the connection early."""


class SiteHandler(BaseHTTPRequestHandler):
    """Responds to one request and closes the connection."""

    server: SiteServer

    def handle(self) -> None:
        """Read the head of the request, and nothing after it, and respond."""
        head = _read_head(self.connection.recv, self.connection.settimeout)
        if not head:
            return
        self.connection.settimeout(PATIENCE)
        self.rfile = io.BufferedReader(io.BytesIO(head))
        self.command, self.request_version, self.close_connection = "", "", True
        self.requestline = ""
        if not head.endswith(END):
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            self.raw_requestline = self.rfile.readline()
            if self.parse_request():
                self._answer()
        self.wfile.flush()
        _drain(self.connection)

    def _answer(self) -> None:
        refusal = self._refusal()
        file = self.server.files.get(self.path.partition("?")[0])
        if refusal is not None:
            self.send_error(refusal)
        elif file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._send(HTTPStatus.OK, *file)

    def _refusal(self) -> HTTPStatus | None:
        """Return the status if the request is refused, otherwise None."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].strip().lower() not in self.server.hosts:
            return (
                HTTPStatus.FORBIDDEN
            )  # another name may resolve to this address, too (DNS rebinding)
        own = {f"http://{host}" for host in self.server.hosts}
        if any(origin not in own for origin in self.headers.get_all("Origin", [])):
            return HTTPStatus.FORBIDDEN
        sites = self.headers.get_all("Sec-Fetch-Site", [])
        if any(site not in ("same-origin", "none") for site in sites):
            return HTTPStatus.FORBIDDEN
        return None if self.command in ("GET", "HEAD") else HTTPStatus.METHOD_NOT_ALLOWED

    def log_message(self, format: str, *_: object) -> None:
        """Print nothing: only the command line prints."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in a line that repeats no part of the request."""
        status = HTTPStatus(code)
        self._send(status, KINDS["txt"], f"{status.value} {status.phrase}\n".encode())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response_only(status)
        for name, value in ALWAYS.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _read_head(receive: Callable[[int], bytes], patience: Callable[[float], None]) -> bytes:
    """Return a request up to the empty line after its headers; b"" if it does not arrive.

    One that is too long is returned without that empty line. Everything after the head is dropped.
    """
    head, end = b"", time.monotonic() + PATIENCE
    while END not in head and len(head) < LARGEST_HEAD:
        left = end - time.monotonic()
        if left <= 0:
            return b""
        patience(left)
        try:
            part = receive(LARGEST_HEAD - len(head))
        except OSError:  # too late, or the connection is closed
            return b""
        if not part:
            return b""
        head += part
    return head[: head.index(END) + len(END)] if END in head else head


def _drain(connection: socket.socket) -> None:
    """Discard a part of the body: closing at once could discard the response."""
    end, left = time.monotonic() + 1, DRAINED
    try:
        connection.shutdown(socket.SHUT_WR)
        while left > 0 and time.monotonic() < end:
            connection.settimeout(max(end - time.monotonic(), 0.01))
            part = connection.recv(LARGEST_HEAD)
            if not part:
                return
            left -= len(part)
    except OSError:  # the client has closed the connection, as expected
        return
