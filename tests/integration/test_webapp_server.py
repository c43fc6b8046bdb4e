"""The server of cgan play: what it answers, and what it refuses before it reads it."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cgan.deploy.webapp import server as module
from cgan.deploy.webapp.server import MOST_CONNECTIONS, POLICY, SiteServer
from cgan.runtime.errors import InputError

FILES = {
    "index.html": b"<p>page</p>",
    "app.js": b"1",
    "runtime/a.wasm": bytes(300_000),
    "g.onnx": b"\0",
}


@pytest.fixture
def server() -> Iterator[SiteServer]:
    with SiteServer() as running:
        running.offer(FILES)
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def told(server: SiteServer, head: str, *, host: str | None = "", body: bytes = b"") -> bytes:
    """Return all that is answered to a head, with the right Host unless another is given."""
    lines = [head] + ([] if host is None else [f"Host: {host or f'127.0.0.1:{server.port}'}"])
    return exchange(server, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def exchange(server: SiteServer, content: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(content)
        return rest(connection)


def rest(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.0 "), answer[:80]
    return int(answer[9:12])


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("/", "index.html", b"text/html; charset=utf-8"),
        ("/index.html", "index.html", b"text/html; charset=utf-8"),
        ("/?a=b", "index.html", b"text/html; charset=utf-8"),
        ("/app.js", "app.js", b"text/javascript; charset=utf-8"),
        ("/runtime/a.wasm", "runtime/a.wasm", b"application/wasm"),
        ("/g.onnx", "g.onnx", b"application/octet-stream"),
    ],
)
def test_its_files_are_answered(server: SiteServer, path: str, name: str, kind: bytes) -> None:
    head, _, body = told(server, f"GET {path} HTTP/1.1").partition(b"\r\n\r\n")
    assert status(head) == 200
    assert body == FILES[name]
    assert b"Content-Type: " + kind + b"\r\n" in head + b"\r\n"
    assert f"Content-Length: {len(body)}".encode() in head


@pytest.mark.parametrize("head", ["GET / HTTP/1.1", "GET /none HTTP/1.1", "PUT / HTTP/1.1"])
def test_every_answer_has_its_headers_and_none_opens_it_to_others(
    server: SiteServer, head: str
) -> None:
    answer = told(server, head).partition(b"\r\n\r\n")[0].decode()
    for header in (
        f"Content-Security-Policy: {POLICY}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "Connection: close",
    ):
        assert header in answer
    assert "access-control" not in answer.lower()
    assert "python" not in answer.lower()


def test_head_is_answered_without_the_body(server: SiteServer) -> None:
    head, _, body = told(server, "HEAD /runtime/a.wasm HTTP/1.1").partition(b"\r\n\r\n")
    assert status(head) == 200
    assert b"Content-Length: 300000" in head
    assert body == b""


def test_it_listens_on_this_machine_alone(server: SiteServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.port}/"
    if sys.platform == "linux":  # where 127.0.0.2 is this machine, too
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", server.port))


def test_localhost_is_another_name_of_it(server: SiteServer) -> None:
    assert status(told(server, "GET / HTTP/1.1", host=f"localhost:{server.port}")) == 200
    assert status(told(server, "GET / HTTP/1.1", host=f"LOCALHOST:{server.port}")) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost",
        "127.0.0.1:{port}.evil.example",
        "127.0.0.1:{port}@evil.example",
        "[::1]:{port}",
        "0.0.0.0:{port}",
        " ",
        None,
    ],
)
def test_another_host_is_refused(server: SiteServer, host: str | None) -> None:
    name = None if host is None else host.format(port=server.port)
    answer = told(server, "GET / HTTP/1.1", host=name)
    assert status(answer) == 403
    assert b"page" not in answer


def test_two_hosts_are_refused(server: SiteServer) -> None:
    assert status(told(server, "GET / HTTP/1.1\r\nHost: evil.example")) == 403


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Origin: http://127.0.0.1:{port}", 200),
        ("Origin: http://localhost:{port}", 200),
        ("Origin: https://127.0.0.1:{port}", 403),
        ("Origin: http://127.0.0.1:1", 403),
        ("Origin: http://evil.example", 403),
        ("Origin: null", 403),
        ("Sec-Fetch-Site: same-origin", 200),
        ("Sec-Fetch-Site: none", 200),
        ("Sec-Fetch-Site: same-site", 403),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site", 403),
    ],
)
def test_what_another_site_asks_is_refused(server: SiteServer, header: str, expected: int) -> None:
    head = "GET / HTTP/1.1\r\n" + header.format(port=server.port)
    assert status(told(server, head)) == expected


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "X"]
)
def test_other_methods_are_refused(server: SiteServer, method: str) -> None:
    answer = told(server, f"{method} / HTTP/1.1")
    assert status(answer) == 405
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py",
        "/..%2fserver.py",
        "/%2e%2e/server.py",
        "/runtime/../index.html",
        "/runtime/",
        "/runtime",
        "/./index.html",
        "/index.html/",
        "/INDEX.HTML",
        "/etc/passwd",
        "/index.html%00",
        "/index%2ehtml",
        "\\index.html",
        "http://127.0.0.1/",
        "/static/index.html",
        "*",
    ],
)
def test_nothing_is_found_by_its_path_on_the_disk(server: SiteServer, path: str) -> None:
    answer = told(server, f"GET {path} HTTP/1.1")
    assert status(answer) == 404
    assert answer.endswith(b"404 Not Found\n")


def test_a_refusal_repeats_nothing_of_the_request(server: SiteServer) -> None:
    for head in ("GET /<script>x</script> HTTP/1.1", "<script> / HTTP/1.1", "<script>"):
        assert b"script>" not in told(server, head)


class Sending(threading.Thread):
    """Sends bytes without end, or until nobody takes them."""

    def __init__(self, connection: socket.socket, total: int):
        super().__init__(daemon=True)
        self.connection, self.left = connection, total

    def run(self) -> None:
        try:
            while self.left > 0:
                self.left -= self.connection.send(bytes(min(self.left, 65536)))
        except OSError:
            return


@pytest.mark.parametrize("length", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
def test_a_large_body_is_refused_before_it_is_read(server: SiteServer, length: str) -> None:
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head.encode())
        sending = Sending(connection, 100_000_000)
        sending.start()
        assert status(connection.recv(65536)) == 405
        sending.join(timeout=60)
        assert not sending.is_alive()
        assert sending.left > 50_000_000  # the rest found nobody to take it


@pytest.mark.parametrize(
    "head",
    [
        "GET /" + "a" * 20_000 + " HTTP/1.1",
        "GET / HTTP/1.1\r\nX: " + "a" * 20_000,
        "GET / HTTP/1.1\r\n" + "\r\n".join(f"X{i}: 1" for i in range(3000)),
    ],
)
def test_a_long_head_is_refused(server: SiteServer, head: str) -> None:
    assert status(told(server, head)) == 431


@pytest.mark.parametrize(
    "content",
    [b"\r\n\r\n", b"GET\r\n\r\n", b"\0\1\2\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / X\r\n\r\n"],
)
def test_nonsense_does_not_get_the_page(server: SiteServer, content: bytes) -> None:
    assert b"page" not in exchange(server, content)
    assert status(told(server, "GET / HTTP/1.1")) == 200  # it goes on


def test_who_hangs_up_early_troubles_nobody(
    server: SiteServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in (b"", b"GET", b"GET /runtime/a.wasm HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(content)
    assert status(told(server, "GET / HTTP/1.1")) == 200
    assert capsys.readouterr() == ("", "")


def test_who_sends_slowly_is_not_waited_for(
    server: SiteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert rest(connection) == b""


def test_a_byte_now_and_then_does_not_hold_a_place(
    server: SiteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        end = time.monotonic() + 30
        while still_taken(connection):
            assert time.monotonic() < end
            time.sleep(0.05)


def still_taken(connection: socket.socket) -> bool:
    """Send a byte; tell whether somebody may still take it."""
    try:
        connection.sendall(b"X")
    except OSError:
        return False
    return True


def test_many_connections_are_too_many_and_leave_it_well(server: SiteServer) -> None:
    with ExitStack() as stack:
        waiting = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            for _ in range(MOST_CONNECTIONS)
        ]
        for connection in waiting:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        await_slots(server, 0)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as one_more:
            assert one_more.recv(1) == b""
        waiting[0].sendall(f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert status(rest(waiting[0])) == 200
    await_slots(server, MOST_CONNECTIONS)
    assert status(told(server, "GET / HTTP/1.1")) == 200


def await_slots(server: SiteServer, n: int) -> None:
    """Wait until exactly `n` connections more would be taken."""
    end = time.monotonic() + 30
    while server.slots._value != n:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_thousand_requests_one_after_the_other(server: SiteServer) -> None:
    for _ in range(1000):
        assert status(told(server, "GET /app.js HTTP/1.1")) == 200


def test_a_port_in_use_is_said_so(server: SiteServer) -> None:
    with pytest.raises(InputError, match=f"--port {server.port} cannot be used"):
        SiteServer(server.port)


def test_there_is_nothing_before_it_is_offered() -> None:
    with SiteServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        assert status(told(running, "GET / HTTP/1.1")) == 404
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("at_once", [True, False])
def test_the_limit_of_a_head_is_exact(server: SiteServer, at_once: bool) -> None:
    def answer(length: int) -> bytes:
        start = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX: ".encode()
        head = start + b"a" * (length - len(start) - 4) + b"\r\n\r\n"
        if at_once:
            return exchange(server, head)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            for part in (head[:5000], head[5000:]):
                connection.sendall(part)
                time.sleep(0.05)
            return rest(connection)

    assert status(answer(module.LARGEST_HEAD)) == 200
    for length in (module.LARGEST_HEAD + 1, module.LARGEST_HEAD + 4, 2 * module.LARGEST_HEAD - 1):
        assert status(answer(length)) == 431
