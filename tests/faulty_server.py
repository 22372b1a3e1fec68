"""A web server on a real socket that answers each request as a test wants, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 40
"""What the file should be, 10,240 bytes."""


class Request(BaseHTTPRequestHandler):
    """One request; the answers below write to it."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.asked.append((self.path, self.headers.get("Range")))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        with contextlib.suppress(ConnectionError):
            answer(self)

    def log_message(self, *_: object) -> None:
        """Silence on stderr."""

    def start(self, code: int, length: int, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def wanted_from(self) -> int:
        value = self.headers.get("Range")
        return int(value.removeprefix("bytes=").removesuffix("-")) if value else 0


Answer = Callable[[Request], None]


def good(request: Request) -> None:
    """The file, or the part of it that was asked for."""
    first = request.wanted_from()
    rest = CONTENT[first:]
    if first:
        request.start(206, len(rest), Content_Range=f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
    else:
        request.start(200, len(rest))
    request.wfile.write(rest)


def without_ranges(request: Request) -> None:
    request.start(200, len(CONTENT))
    request.wfile.write(CONTENT)


def wrong_range(request: Request) -> None:
    request.start(206, len(CONTENT), Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")
    request.wfile.write(CONTENT)


def wrong_bytes(request: Request) -> None:
    request.start(200, len(CONTENT))
    request.wfile.write(bytes(len(CONTENT)))


def drops_after(count: int) -> Answer:
    """Promises the whole file and breaks off after so many bytes."""

    def answer(request: Request) -> None:
        request.start(200, len(CONTENT))
        request.wfile.write(CONTENT[:count])

    return answer


def truncated(request: Request) -> None:
    """Half the file, announced as if it were all of it."""
    half = CONTENT[: len(CONTENT) // 2]
    request.start(200, len(half))
    request.wfile.write(half)


def too_long(request: Request) -> None:
    request.start(200, len(CONTENT) + 5)
    request.wfile.write(CONTENT + b"extra")


def status(code: int) -> Answer:
    return lambda request: request.start(code, 0)


def redirect_to(url: str) -> Answer:
    return lambda request: request.start(302, 0, Location=url)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.answers = answers
        """In turn; the last one stays."""
        self.asked: list[tuple[str, str | None]] = []
        """Path and Range of each request."""
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/file"

    def silent(self, request: Request) -> None:
        """Says nothing until the test is over."""
        request.start(200, len(CONTENT))
        request.wfile.flush()
        self.released.wait(30)


@dataclass
class Servers:
    """Starts servers, and ends all of them."""

    running: list[Server] = field(default_factory=list)

    def start(self, *answers: Answer) -> Server:
        server = Server(list(answers))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.running.append(server)
        return server

    @classmethod
    @contextlib.contextmanager
    def all_ended(cls) -> Iterator[Servers]:
        servers = cls()
        try:
            yield servers
        finally:
            for server in servers.running:
                server.released.set()
                server.shutdown()
                server.server_close()
