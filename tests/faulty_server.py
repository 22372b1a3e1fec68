"""A web server on a real socket that answers each request as a test wants, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from weights.fetch import fetch_weights
from weights.manifest import ManifestEntry
from weights.transfer import Patience

CONTENT = bytes(range(256)) * 40
"""What the file should be, 10,240 bytes."""
NAME = "tiny.model"
PARTIAL = f".{NAME}.part"
WHOLE = {NAME: CONTENT}
HASTE = Patience(connect_seconds=2, read_seconds=0.3, attempts=3, pause_seconds=0.001, piece_bytes=1000)


class Request(BaseHTTPRequestHandler):
    """One request; the answers below write to it."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.asked.append((self.path, self.headers.get("Range")))
        self.server.sent.append(0)
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        with contextlib.suppress(ConnectionError):
            answer(self)

    def log_message(self, *_: object) -> None:
        """Silence on stderr."""

    def start(self, code: int, length: int | None, **headers: str) -> None:
        """Status and headers; without a length, the end of the connection is the end of the file."""
        self.send_response(code)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send(self, content: bytes) -> None:
        self.server.sent[-1] += len(content)
        self.wfile.write(content)

    def wanted_from(self) -> int:
        value = self.headers.get("Range")
        return int(value.removeprefix("bytes=").partition("-")[0]) if value else 0

    def wanted_until(self) -> int:
        """One more than the last byte that was asked for."""
        last = (self.headers.get("Range") or "-").partition("-")[2]
        return int(last) + 1 if last else len(CONTENT)


Answer = Callable[[Request], None]


def good(request: Request) -> None:
    """The file, or the part of it that was asked for."""
    first = request.wanted_from()
    rest = CONTENT[first:]
    if first:
        request.start(206, len(rest), Content_Range=f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
    else:
        request.start(200, len(rest))
    request.send(rest)


def without_ranges(request: Request) -> None:
    request.start(200, len(CONTENT))
    request.send(CONTENT)


def wrong_range(request: Request) -> None:
    request.start(206, len(CONTENT), Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")
    request.send(CONTENT)


def unasked_range(request: Request) -> None:
    request.start(206, 100, Content_Range=f"bytes 50-149/{len(CONTENT)}")
    request.send(CONTENT[50:150])


def wrong_bytes(request: Request) -> None:
    request.start(200, len(CONTENT))
    request.send(bytes(len(CONTENT)))


def drops_after(count: int, *, ranges: bool = True) -> Answer:
    """Promises the rest of the file and breaks off after so many bytes."""

    def answer(request: Request) -> None:
        first = request.wanted_from() if ranges else 0
        if first:
            request.start(206, len(CONTENT) - first, Content_Range=f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            request.start(200, len(CONTENT))
        request.send(CONTENT[first : first + count])

    return answer


def truncated(request: Request) -> None:
    """Half the file, announced as if it were all of it."""
    half = CONTENT[: len(CONTENT) // 2]
    request.start(200, len(half))
    request.send(half)


def truncated_without_a_word(request: Request) -> None:
    request.start(200, None)
    request.send(CONTENT[: len(CONTENT) // 2])


def too_long_without_a_word(request: Request) -> None:
    request.start(200, None)
    request.send(CONTENT + b"extra")


def too_long(request: Request) -> None:
    request.start(200, len(CONTENT) + 5)
    request.send(CONTENT + b"extra")


def status(code: int, **headers: str) -> Answer:
    return lambda request: request.start(code, 0, **headers)


def no_such_range(request: Request) -> None:
    """What a server says of a part that begins beyond the end of its file."""
    if request.wanted_from():
        request.start(416, 0, Content_Range=f"bytes */{len(CONTENT)}")
    else:
        good(request)


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
        self.sent: list[int] = []
        """Bytes of content sent to each."""
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/file"

    def silent(self, request: Request) -> None:
        """Says nothing until the test is over."""
        request.start(200, len(CONTENT))
        request.wfile.flush()
        self.released.wait(30)

    def stalls_beyond(self, most: int) -> Answer:
        """Gives ranges of up to so many bytes; of a larger answer the first thousand bytes and then nothing more."""

        def answer(request: Request) -> None:
            first, end = request.wanted_from(), request.wanted_until()
            if request.headers.get("Range"):
                request.start(206, end - first, Content_Range=f"bytes {first}-{end - 1}/{len(CONTENT)}")
            else:
                request.start(200, len(CONTENT))
            if end - first <= most:
                request.send(CONTENT[first:end])
                return
            request.send(CONTENT[first : first + 1000])
            request.wfile.flush()
            self.released.wait(30)

        return answer

    def silent_after(self, count: int) -> Answer:
        """Sends so many bytes and then nothing more until the test is over."""

        def answer(request: Request) -> None:
            request.start(200, len(CONTENT))
            request.send(CONTENT[:count])
            request.wfile.flush()
            self.released.wait(30)

        return answer


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


def entry_for(*urls: str) -> ManifestEntry:
    """The manifest's entry for the file."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    return {"sha256": digest, "bytes": len(CONTENT), "licence": "", "source": "", "urls": list(urls)}


def fetch(folder: Path, *sources: Server, patience: Patience = HASTE) -> Path:
    return fetch_weights(NAME, entry_for(*(server.url for server in sources)), folder, patience)


def left_in(folder: Path) -> dict[str, bytes]:
    """Everything but the lock, which stays and is empty."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}
