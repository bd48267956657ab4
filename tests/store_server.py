"""A server on loopback that answers each request byte for byte as a test says, or breaks off."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True)
class Asked:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split()[1]


class Cut(bytes):
    """An answer after which the connection is closed."""


class Reset(bytes):
    """An answer after which the connection is reset."""


class Silence(bytes):
    """An answer after which nothing more comes."""


Script = Callable[[Asked], bytes]


def says(status: int, body: bytes | str = b"", **headers: str) -> bytes:
    """A whole answer; a header's name has underscores for hyphens."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(raw)}")
    return "\r\n".join([*lines, "", ""]).encode() + raw


@dataclass
class Scripted:
    """What the server does, and what it was asked."""

    script: Script
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def converse(self, connection: socket.socket) -> None:
        """Answer what comes in over one connection."""
        self.connections += 1
        with connection, connection.makefile("rb") as lines:
            while line := lines.readline().decode().strip():
                pairs = [raw.decode().partition(":") for raw in iter(lines.readline, b"\r\n")]
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                asked = Asked(line, headers, lines.read(int(headers.get("content-length", "0"))))
                self.asked.append(asked)
                answer = self.script(asked)
                connection.sendall(answer)
                if isinstance(answer, Silence):
                    self.ended.wait()
                if isinstance(answer, Reset):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if isinstance(answer, (Cut, Reset, Silence)):
                    return


@contextmanager
def scripted(script: Script | bytes) -> Iterator[Scripted]:
    """The server, running; one answer for everything or a function that finds it."""
    server = Scripted((lambda _: script) if isinstance(script, bytes) else script)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            server.converse(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False  # a client keeps its connections open

    with Server(("127.0.0.1", 0), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            listening.shutdown()
            thread.join()
