"""Serves a fixed table of files to this machine alone: GET and HEAD, no folder, no request body.

The standard library's request parser on a reader of its own. A framework would be one more
dependency, with routes, sessions and bodies that nothing here needs; what it would protect from is
refused here before it is read. Not meant for other machines: there, any web server can serve what
`cgan play --out` writes.
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
NAMES = (HERE, "localhost")  # that a browser of this machine may call it
MOST_CONNECTIONS = 32  # at once
LARGEST_HEAD = 2**13  # bytes of the request line and headers
PATIENCE = 10.0  # seconds for a head to come, and again for an answer to be taken
DRAINED = 2**20  # bytes of an unwanted body that are thrown away, so that the refusal is read
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
    """A site on 127.0.0.1: it listens from the start, and `serve_forever` answers."""

    daemon_threads = True
    block_on_close = False  # Ctrl-C waits for nobody
    request_queue_size = MOST_CONNECTIONS
    # A port is free again at once; elsewhere than on POSIX this would share it with anybody.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int = 0):
        """Listen on a port, or where it is 0 on any free one; there are no files yet.

        Raises:
            InputError: the port is in use, or only the system may have it.
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
        if self.port == 80:  # which browsers leave out
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
        """Answer in a thread of its own; hang up where there are too many."""
        if not self.slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and let the next one in."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of those who hang up early."""


class SiteHandler(BaseHTTPRequestHandler):
    """Answers one request and hangs up."""

    server: SiteServer

    def handle(self) -> None:
        """Read a head, and nothing after it, and answer."""
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
        """Return why a request is refused, if it is."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].strip().lower() not in self.server.hosts:
            return HTTPStatus.FORBIDDEN  # another name may lead here, too (DNS rebinding)
        own = {f"http://{host}" for host in self.server.hosts}
        if any(origin not in own for origin in self.headers.get_all("Origin", [])):
            return HTTPStatus.FORBIDDEN
        sites = self.headers.get_all("Sec-Fetch-Site", [])
        if any(site not in ("same-origin", "none") for site in sites):
            return HTTPStatus.FORBIDDEN
        return None if self.command in ("GET", "HEAD") else HTTPStatus.METHOD_NOT_ALLOWED

    def log_message(self, format: str, *_: object) -> None:
        """Say nothing: below the command line nobody speaks."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in a line that repeats nothing of the request."""
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
    """Return a request up to the empty line after its headers; nothing if it does not come.

    One that is too long has no such end. What follows the head is dropped: it is never wanted.
    """
    head, end = b"", time.monotonic() + PATIENCE
    while END not in head and len(head) <= LARGEST_HEAD:
        left = end - time.monotonic()
        if left <= 0:
            return b""
        patience(left)
        try:
            part = receive(LARGEST_HEAD)
        except OSError:  # too late, or hung up
            return b""
        if not part:
            return b""
        head += part
    return head[: head.index(END) + len(END)] if END in head[: LARGEST_HEAD + 4] else head


def _drain(connection: socket.socket) -> None:
    """Throw away a part of what is still coming: hanging up at once would take the answer back."""
    end, left = time.monotonic() + 1, DRAINED
    try:
        connection.shutdown(socket.SHUT_WR)
        while left > 0 and time.monotonic() < end:
            connection.settimeout(max(end - time.monotonic(), 0.01))
            part = connection.recv(LARGEST_HEAD)
            if not part:
                return
            left -= len(part)
    except OSError:  # the other side has hung up, as it should
        return
